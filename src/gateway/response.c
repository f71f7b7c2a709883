#include "response.h"

#include <string.h>
#include <sys/socket.h>

#include "buffer.h"
#include "err.h"
#include "forward.h"
#include "gateway.h"
#include "page.h"
#include "stream.h"
#include "sys/clock.h"

/* Less room in a record is not worth a piece of a body. */
#define PIECE_MIN 512

void response_progress(struct conn *c)
{
    visit_progress(&c->visitor.visit, c->gateway->now, c->transport.heard);
    conn_set_deadline(c, c->visitor.visit.deadline);
}

/* The visit went on: time, and another turn. */
static void go_on(struct conn *c)
{
    response_progress(c);
    conn_mark(c);
}

/* No further request is promised to anybody. */
static bool is_leaving(const struct conn *c)
{
    return c->gateway->drain.phase != DRAIN_OFF;
}

/* ---- pages ---- */

/* Bytes that go to the visitor as they are: sent, or kept in the ring. */
static void put_raw(struct conn *c, const uint8_t *p, size_t n)
{
    struct visit *v = &c->visitor.visit;
    size_t sent = v->ring.len == 0 ? conn_put(c, p, n) : 0;

    if (sent < n)
        visit_keep_raw(v, p + sent, n - sent);
}

void response_refuse(struct conn *c, unsigned status, struct str text, unsigned retry_after)
{
    struct visit *v = &c->visitor.visit;
    bool doomed = stream_detach(c, "refused");
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

    visit_page(v, doomed || is_leaving(c));
    page.close = !v->keep_alive;
    writer_init(&w, out, sizeof out);
    page_write(&w, &page);
    put_raw(c, out, writer_stored(&w));
    c->gateway->refused++;
    go_on(c);
}

void response_break(struct conn *c, unsigned status, struct str text)
{
    if (!visit_break(&c->visitor.visit)) {
        response_refuse(c, status, text, status == 503 ? RETRY_AFTER_S : 0);
        return;
    }
    stream_detach(c, "broken");
    conn_mark(c);
}

/* ---- heads ---- */

/* The head as the visitor gets it. unix_now as in forward_response. */
static int write_head(struct conn *c, struct writer *w, const struct wire_msg *m, bool keep_alive,
                      int64_t unix_now, struct relay_response *framing)
{
    const struct visit *v = &c->visitor.visit;
    uint8_t fields[WIRE_HEAD_MAX + FORWARD_ADDED_MAX];
    struct wire_msg forwarded = *m;
    struct writer packed;
    int err;

    writer_init(&packed, fields, sizeof fields);
    forward_response(&packed, m->headers.packed, c->gateway->config.domain, unix_now);
    forwarded.headers.packed = (struct str){ fields, writer_stored(&packed) };
    err = relay_response_write(w, &forwarded, v->msg.method, v->minor, keep_alive, framing);
    return err == 0 && !writer_fits(w) ? ERR_HTTP_SIZE : err;
}

void response_interim(struct conn *c, const struct wire_msg *m)
{
    struct visit *v = &c->visitor.visit;
    uint8_t out[VISIT_RESPONSE_HEAD_MAX];
    struct relay_response framing;
    struct writer w;

    writer_init(&w, out, sizeof out);
    if (!visit_wants_interim(v) || write_head(c, &w, m, true, 0, &framing) < 0)
        return;
    visit_interim(v, m->status == 100);
    put_raw(c, out, writer_stored(&w));
    go_on(c);
}

/* It may be silent for days: only this finds out that a visitor has vanished. */
static void keep_alive_on_socket(struct conn *c)
{
    int on = 1;

    setsockopt(c->transport.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void response_head(struct conn *c, const struct wire_msg *m)
{
    struct visit *v = &c->visitor.visit;
    uint8_t out[VISIT_RESPONSE_HEAD_MAX];
    bool keep_alive = v->keep_alive && !is_leaving(c);
    struct relay_response framing;
    struct writer w;

    writer_init(&w, out, sizeof out);
    if (write_head(c, &w, m, keep_alive, clock_unix(), &framing) < 0 ||
        !visit_answer(v, &framing, keep_alive)) {
        response_break(c, 502, STR("The device's answer is malformed."));
        return;
    }
    if (v->upgrade == VISIT_UPGRADED)
        keep_alive_on_socket(c);
    put_raw(c, out, writer_stored(&w));
    go_on(c);
}

/* ---- bodies ---- */

static size_t copy_pieces(uint8_t *out, size_t room, const struct str piece[3])
{
    size_t n = 0;

    for (int i = 0; i < 3 && n < room; i++) {
        size_t part = piece[i].n < room - n ? piece[i].n : room - n;

        if (part > 0)
            memcpy(out + n, piece[i].p, part);
        n += part;
    }
    return n;
}

/* Puts what is due into the record: the one copy on its way, from the record of one connection to
 * that of the other. Takes what it was of *fresh off its front; *freed counts body bytes that have
 * left the ring. */
static bool put_some(struct conn *c, struct str *fresh, size_t *freed)
{
    struct visit *v = &c->visitor.visit;
    struct str piece[3];
    size_t all = visit_gather(v, *fresh, piece), room;
    uint8_t *out = all > 0 ? conn_room(c, all < PIECE_MIN ? all : PIECE_MIN, &room) : NULL;

    if (!out)
        return false;
    room = copy_pieces(out, room, piece);
    transport_send_ack(&c->transport, room);
    *freed += visit_wrote(v, piece, room, fresh);
    return true;
}

/* They have left the ring's account: as many may come again. */
static void grant(struct conn *c, size_t n)
{
    if (n == 0)
        return;
    if (c->visitor.slot < 0) {
        buffer_settle(c);
        return;
    }
    session_grant(&c->tunnel->session, c->visitor.slot, buffer_passed(c, n));
    if (session_due(&c->tunnel->session))
        conn_mark(c->tunnel->conn);
    stream_resume(c->tunnel);
}

void response_body(struct conn *c, struct str body)
{
    struct visit *v = &c->visitor.visit;
    int wanted = visit_body(v, body.n);
    struct str rest = body;
    size_t freed = 0;

    if (wanted == 0)
        grant(c, body.n);
    if (wanted < 0)
        response_break(c, 502, STR(""));
    if (wanted <= 0)
        return;
    while (v->ring.len == 0 && rest.n > 0 && put_some(c, &rest, &freed))
        ;
    if (rest.n > 0)
        visit_keep(v, rest);
    grant(c, body.n - rest.n);
    go_on(c);
}

void response_end(struct conn *c, bool broken)
{
    if (visit_end(&c->visitor.visit, broken))
        conn_mark(c);
    else
        response_break(c, 502, STR("The device's answer is malformed."));
}

void response_drain(struct conn *c)
{
    struct visit *v = &c->visitor.visit;
    struct str none = { NULL, 0 };
    size_t held = v->ring.len, freed = 0;

    while (put_some(c, &none, &freed))
        ;
    grant(c, freed);
    if (held != v->ring.len)
        response_progress(c);
}
