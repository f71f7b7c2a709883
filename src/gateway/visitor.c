#include "visitor.h"

#include "conn.h"
#include "gateway.h"
#include "request.h"
#include "response.h"
#include "stream.h"

/* ---- from request to request ---- */

/* Without a complete request he may be closed for others: see accept.c. */
static void wait_for_request(struct conn *c)
{
    c->visitor.slot = -1;
    list_append(&c->gateway->idle, &c->node);
    conn_set_deadline(c, c->visitor.visit.deadline);
}

void visitor_start(struct conn *c)
{
    struct visitor *v = &c->visitor;

    list_init(&v->ready);
    list_init(&v->wait);
    v->held_for = NULL;
    visit_start(&v->visit, &c->gateway->times, c->gateway->now);
    wait_for_request(c);
    conn_read_on(c);
}

static void next_request(struct conn *c)
{
    size_t n;

    visit_next(&c->visitor.visit, c->gateway->now);
    wait_for_request(c);
    if (transport_recv_buf(&c->transport, &n))
        conn_mark(c);
}

/* ---- the end of a response ---- */

/* Is something of it still here, and the socket takes no more? */
static bool is_unsent(struct conn *c)
{
    transport_flush(&c->transport);
    transport_push(&c->transport);
    c->starved = transport_unsent(&c->transport) && c->transport.err == 0;
    return c->starved;
}

static void cut(struct conn *c)
{
    if (is_unsent(c))
        return;
    if (c->visitor.visit.sender.body == HTTP_BODY_CLOSE && !c->secure)
        conn_reset(c);
    else
        conn_close(c);
}

static void half_close(struct conn *c)
{
    if (is_unsent(c))
        return;
    sock_shutdown_write(c->transport.fd);
    visit_shut(&c->visitor.visit, c->gateway->now);
    conn_set_deadline(c, c->visitor.visit.deadline);
}

static void obey(struct conn *c, enum visit_verdict verdict)
{
    const struct visit *v = &c->visitor.visit;

    switch (verdict) {
    case VISIT_GOES_ON:
        break;
    case VISIT_NEXT:
        next_request(c);
        break;
    case VISIT_FINISH:
        conn_finish(c);
        break;
    case VISIT_CUT:
        cut(c);
        break;
    case VISIT_HALF:
        half_close(c);
        break;
    case VISIT_CLOSE:
        conn_close(c);
        break;
    case VISIT_REFUSE:
        response_refuse(c, v->code, str_of(v->text), v->code == 503 ? RETRY_AFTER_S : 0);
        break;
    }
}

/* ---- what the connection tells ---- */

/* Bytes of a body that nobody wants. */
static bool discard(struct conn *c)
{
    bool any = false;
    size_t n, used;
    uint8_t *p;

    while ((p = transport_recv_buf(&c->transport, &n)) != NULL &&
           (used = visit_discard(&c->visitor.visit, p, n)) > 0) {
        transport_recv_ack(&c->transport, used);
        any = true;
    }
    return any;
}

bool visitor_input(struct conn *c)
{
    if (c->visitor.visit.up <= VISIT_HEAD)
        return request_read(c);
    if (c->visitor.visit.up == VISIT_DROPS)
        return discard(c);
    if (request_pending(c))
        stream_ready(c);
    return false;
}

void visitor_output(struct conn *c)
{
    response_drain(c);
    obey(c, visit_settle(&c->visitor.visit, c->gateway->drain.phase > DRAIN_GRACE, c->secure));
}

void visitor_ended(struct conn *c)
{
    struct visit *v = &c->visitor.visit;

    if (!visit_half_close(v) || !transport_send_on(&c->transport)) {
        conn_close(c);
        return;
    }
    if (visit_pending(v, false, false))
        stream_ready(c);
    /* In this turn nothing could be sent, as if he had left. */
    conn_mark(c);
}

void visitor_on_time(struct conn *c)
{
    enum visit_verdict verdict = VISIT_CLOSE;
    size_t n;

    if (transport_ready(&c->transport))
        verdict = visit_on_time(&c->visitor.visit, c->gateway->now, c->transport.heard,
                                transport_recv_buf(&c->transport, &n) != NULL,
                                request_has_credit(c));
    if (verdict == VISIT_GOES_ON)
        conn_set_deadline(c, c->visitor.visit.deadline);
    else
        obey(c, verdict);
}
