#include "visitor.h"

#include <string.h>

#include "conn.h"
#include "err.h"
#include "gateway.h"
#include "log.h"
#include "request.h"
#include "response.h"
#include "stream.h"


/* ---- from request to request ---- */

static void reset(struct visitor *v)
{
    v->state = VISITOR_IDLE;
    v->head_len = 0;
    v->minor = 1;
    v->keep_alive = true;
    v->upgrade = false;
    v->msg.method = (struct str){ 0 };
    memset(&v->body, 0, sizeof v->body);
    v->slot = -1;
    v->head_put = v->head_part = v->end_due = v->request_done = false;
    v->interims = 0;
    v->answered = v->upgraded = v->response_done = v->broken = v->shut = false;
    v->framing = (struct relay_response){ 0 };
    v->late_at = 0;
}

void visitor_start(struct conn *c)
{
    struct visitor *v = &c->visitor;

    reset(v);
    v->served = false;
    list_init(&v->ready);
    list_init(&v->wait);
    v->ring.at = 0;
    v->ring.len = 0;
    v->raw_left = 0;
    list_append(&c->gateway->idle, &c->place);
    conn_set_deadline(c, c->gateway->now + c->gateway->config.header_timeout_ms);
    conn_read_on(c);
}

static void next_request(struct conn *c)
{
    size_t n;

    reset(&c->visitor);
    c->visitor.served = true;
    list_append(&c->gateway->idle, &c->place);
    conn_set_deadline(c, c->gateway->now + c->gateway->config.idle_timeout_ms);
    if (transport_recv_buf(&c->transport, &n))
        conn_mark(c);
}

/* ---- a body that nobody wants ---- */

static bool discard_body(struct conn *c)
{
    struct visitor *v = &c->visitor;
    size_t n, data;
    uint8_t *p;

    while (!v->body.done && (p = transport_recv_buf(&c->transport, &n)) != NULL)
        transport_recv_ack(&c->transport, (size_t)http_body_decode(&v->body, p, n, &data));
    v->request_done = v->body.done;
    return true;
}

/* ---- the end of a response ---- */

/* What was received is handed on; then the connection ends in a way that cannot be taken for the
 * end of the response (RFC 9112 section 8). */
static void finish_broken(struct conn *c)
{
    transport_flush(&c->transport);
    transport_push(&c->transport);
    c->starved = transport_unsent(&c->transport) && c->transport.err == 0;
    if (c->starved)
        return;
    if (c->visitor.framing.body == HTTP_BODY_CLOSE && !c->secure)
        conn_reset(c);
    else
        conn_close(c);
}

/* The server has ended its direction. In TLS that ends both (RFC 5246 section 7.2.1). */
static void finish_upgraded(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (v->request_done || c->secure) {
        conn_finish(c);
        return;
    }
    transport_flush(&c->transport);
    transport_push(&c->transport);
    c->starved = transport_unsent(&c->transport);
    if (v->shut || c->starved)
        return;
    v->shut = true;
    sock_shutdown_write(c->transport.fd);
    conn_set_deadline(c, c->gateway->now + c->gateway->config.request_timeout_ms);
}

static void settle(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (v->state != VISITOR_OPEN || !response_sent(c))
        return;
    if (v->broken)
        finish_broken(c);
    else if (v->upgraded)
        finish_upgraded(c);
    else if (!v->keep_alive || c->gateway->stopping)
        conn_finish(c);
    else if (v->request_done)
        next_request(c);
    else if (!response_may_discard(v))
        conn_finish(c);
}

/* ---- what the connection tells ---- */

bool visitor_input(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (v->state == VISITOR_IDLE || v->state == VISITOR_HEAD)
        return request_read(c);
    if (v->state != VISITOR_OPEN)
        return false;
    if (v->slot < 0)
        return v->keep_alive && !v->request_done && response_may_discard(v) && discard_body(c);
    if (request_pending(c))
        stream_ready(c);
    return false;
}

void visitor_output(struct conn *c)
{
    response_drain(c);
    settle(c);
}

/* Half a connection: the server may still have something to say (upgraded streams only; a visitor
 * of plain HTTP who ends its direction is taken to have left, as most servers do). */
static bool half_closed(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (!v->upgraded || v->end_due || !transport_send_on(&c->transport))
        return false;
    v->end_due = true;
    stream_ready(c);
    return true;
}

void visitor_ended(struct conn *c)
{
    if (!half_closed(c))
        conn_close(c);
}

/* ---- time ---- */

static void open_on_time(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (c->gateway->now < v->until && !visitor_is_slow(c)) {
        visitor_go_on(c);
    } else if (v->answered)
        conn_close(c);
    else if (visitor_is_waited_for(c))
        response_refuse(c, 408, STR("The rest of the request did not come."), 0);
    else
        response_refuse(c, 504, STR("The device did not answer in time."), 0);
}

void visitor_on_time(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (!transport_ready(&c->transport)) {
        conn_close(c);
    } else if (v->state == VISITOR_IDLE) {
        conn_finish(c);
    } else if (v->state == VISITOR_HEAD) {
        v->keep_alive = false;
        response_refuse(c, 408, STR("The rest of the request did not come."), 0);
    } else if (v->state == VISITOR_QUEUED) {
        response_refuse(c, 503, STR("The device is busy with other requests."), RETRY_AFTER_S);
    } else {
        open_on_time(c);
    }
}
