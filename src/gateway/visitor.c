#include "visitor.h"

#include <string.h>

#include "clock.h"
#include "conn.h"
#include "err.h"
#include "gateway.h"
#include "log.h"
#include "page.h"
#include "request.h"
#include "response.h"

/* For a visitor who may come again when there is room. */
#define RETRY_AFTER_S 5
/* The rest of a body that is taken only to keep the connection. */
#define DISCARD_MAX 65536

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
    v->answered = v->upgraded = v->response_done = v->broken = v->last_put = v->shut = false;
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

bool visitor_detach(struct conn *c, const char *why)
{
    return c->tunnel && tunnel_detach(c, why);
}

/* ---- a body that nobody wants ---- */

/* Answered without the rest of its body, which is short and sure to come: taking it keeps the
 * connection (RFC 9112 section 9.3). */
static bool may_discard(const struct visitor *v)
{
    return v->body.kind == HTTP_BODY_LENGTH && v->body.left <= DISCARD_MAX && !v->expects;
}

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

void visitor_settle(struct conn *c)
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
    else if (!may_discard(v))
        conn_finish(c);
}

/* ---- pages ---- */

void visitor_refuse(struct conn *c, unsigned status, struct str text, unsigned retry_after)
{
    struct visitor *v = &c->visitor;
    uint8_t out[PAGE_MAX];
    struct writer w;
    struct page page = {
        .status = status,
        .text = text,
        .retry_after = retry_after,
        .websocket = status == 426,
        .head = str_eq(v->msg.method, STR("HEAD")),
        .minor = v->minor,
        .unix_now = clock_unix(),
    };

    if (visitor_detach(c, "refused") || c->gateway->stopping ||
        !(v->request_done || may_discard(v)))
        v->keep_alive = false;
    page.close = !v->keep_alive;
    writer_init(&w, out, sizeof out);
    page_write(&w, &page);
    v->state = VISITOR_OPEN;
    v->answered = v->response_done = true;
    v->framing = (struct relay_response){ .body = HTTP_BODY_NONE };
    response_put_raw(c, out, writer_stored(&w));
    c->gateway->refused++;
    visitor_progress(c);
    conn_mark(c);
}

void visitor_break(struct conn *c, unsigned status, struct str text)
{
    struct visitor *v = &c->visitor;

    if (!v->answered) {
        visitor_refuse(c, status, text, status == 503 ? RETRY_AFTER_S : 0);
        return;
    }
    visitor_detach(c, "broken");
    v->broken = true;
    v->response_done = true;
    conn_mark(c);
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
        return v->keep_alive && !v->request_done && may_discard(v) && discard_body(c);
    if (request_pending(c))
        tunnel_ready(c);
    return false;
}

void visitor_output(struct conn *c)
{
    response_drain(c);
    visitor_settle(c);
}

/* Half a connection: the server may still have something to say (upgraded streams only; a visitor
 * of plain HTTP who ends its direction is taken to have left, as most servers do). */
static bool half_closed(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (!v->upgraded || v->end_due || !transport_send_on(&c->transport))
        return false;
    v->end_due = true;
    tunnel_ready(c);
    return true;
}

void visitor_ended(struct conn *c)
{
    if (!half_closed(c))
        conn_close(c);
}

/* ---- time ---- */

/*
 * A body that comes so slowly that it never ends keeps a stream as well as none at all. It may be
 * behind the least rate for as long as a head may take; every byte that was received earns its time.
 */
static void earn(struct conn *c)
{
    struct visitor *v = &c->visitor;
    const struct config *config = &c->gateway->config;
    int64_t most = c->gateway->now + config->header_timeout_ms;
    uint64_t came = c->transport.heard - v->heard;

    v->heard = c->transport.heard;
    if (config->least_rate == 0)
        v->late_at = NET_NEVER;
    else if (v->late_at == 0 || came / config->least_rate > config->header_timeout_ms / 1000)
        v->late_at = most;
    else
        v->late_at += (int64_t)(came * 1000 / config->least_rate);
    if (v->late_at > most && config->least_rate > 0)
        v->late_at = most;
}

/* Not once the response has begun: then the local server wants it that way. */
static bool has_rate(const struct visitor *v)
{
    return !v->request_done && !v->answered && !v->upgrade && !v->expects;
}

static void arm(struct conn *c)
{
    const struct visitor *v = &c->visitor;

    conn_set_deadline(c, has_rate(v) && v->late_at < v->until ? v->late_at : v->until);
}

void visitor_progress(struct conn *c)
{
    struct visitor *v = &c->visitor;
    const struct config *config = &c->gateway->config;
    uint32_t limit_ms = config->request_timeout_ms;

    /* An upgraded visitor may be silent for long, but not while something waits for him. */
    if (v->upgraded && !v->response_done && !v->request_done && v->ring.len == 0)
        limit_ms = config->upgrade_timeout_ms;
    v->until = limit_ms ? c->gateway->now + limit_ms : NET_NEVER;
    earn(c);
    arm(c);
}

static bool waits_for_visitor(const struct conn *c)
{
    const struct visitor *v = &c->visitor;

    return !v->request_done && !v->upgrade && v->head_put && v->slot >= 0 &&
           c->tunnel->session.stream[v->slot].tx_credit > 0;
}

/* It is he who is waited for, and nothing of his lies here. */
static bool is_slow(struct conn *c)
{
    size_t n;

    return has_rate(&c->visitor) && waits_for_visitor(c) && !transport_recv_buf(&c->transport, &n);
}

static void open_on_time(struct conn *c)
{
    struct visitor *v = &c->visitor;

    if (c->gateway->now < v->until && !is_slow(c)) {
        v->late_at = 0;
        earn(c);
        arm(c);
    } else if (v->answered)
        conn_close(c);
    else if (waits_for_visitor(c))
        visitor_refuse(c, 408, STR("The rest of the request did not come."), 0);
    else
        visitor_refuse(c, 504, STR("The device did not answer in time."), 0);
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
        visitor_refuse(c, 408, STR("The rest of the request did not come."), 0);
    } else if (v->state == VISITOR_QUEUED) {
        visitor_refuse(c, 503, STR("The device is busy with other requests."), RETRY_AFTER_S);
    } else {
        open_on_time(c);
    }
}
