#include "response.h"

#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "forward.h"
#include "gateway.h"
#include "page.h"
#include "stream.h"

/* The rest of a body that is taken only to keep the connection. */
#define DISCARD_MAX 65536
/* Less room in a record is not worth a piece of a body. */
#define PIECE_MIN 512

/* ---- pages ---- */

void response_put_raw(struct conn *c, const uint8_t *p, size_t n)
{
    struct visitor *v = &c->visitor;
    size_t sent = v->ring.len == 0 ? conn_put(c, p, n) : 0;

    if (sent == n)
        return;
    ring_push(&v->ring, p + sent, n - sent);
    v->raw_left += n - sent;
}

bool response_may_discard(const struct visitor *v)
{
    return v->body.kind == HTTP_BODY_LENGTH && v->body.left <= DISCARD_MAX && !v->expects;
}

void response_refuse(struct conn *c, unsigned status, struct str text, unsigned retry_after)
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

    if (stream_detach(c, "refused") || c->gateway->stopping ||
        !(v->request_done || response_may_discard(v)))
        v->keep_alive = false;
    page.close = !v->keep_alive;
    writer_init(&w, out, sizeof out);
    page_write(&w, &page);
    v->state = VISITOR_OPEN;
    v->answered = v->response_done = true;
    v->framing = (struct relay_response){ .body = HTTP_BODY_NONE };
    sender_start(&v->sender, HTTP_BODY_NONE, 0, (struct str){ 0 }, false);
    sender_end(&v->sender);
    response_put_raw(c, out, writer_stored(&w));
    c->gateway->refused++;
    visitor_progress(c);
    conn_mark(c);
}

void response_break(struct conn *c, unsigned status, struct str text)
{
    struct visitor *v = &c->visitor;

    if (!v->answered) {
        response_refuse(c, status, text, status == 503 ? RETRY_AFTER_S : 0);
        return;
    }
    stream_detach(c, "broken");
    v->broken = true;
    v->response_done = true;
    conn_mark(c);
}

/* ---- heads ---- */

/* The head as the visitor gets it. unix_now as in forward_response. */
static int write_head(struct conn *c, struct writer *w, const struct wire_msg *m, bool keep_alive,
                      int64_t unix_now, struct relay_response *framing)
{
    const struct visitor *v = &c->visitor;
    uint8_t fields[WIRE_HEAD_MAX + FORWARD_ADDED_MAX];
    struct wire_msg forwarded = *m;
    struct writer packed;

    writer_init(&packed, fields, sizeof fields);
    forward_response(&packed, m->headers.packed, c->gateway->config.domain, unix_now);
    forwarded.headers.packed = (struct str){ fields, writer_stored(&packed) };
    return relay_response_write(w, &forwarded, v->msg.method, v->minor, keep_alive, framing);
}

void response_interim(struct conn *c, const struct wire_msg *m)
{
    struct visitor *v = &c->visitor;
    uint8_t out[VISITOR_RESPONSE_HEAD_MAX];
    struct relay_response framing;
    struct writer w;

    /* RFC 9110 section 15.2: HTTP/1.0 knows none. They may be left out when they pile up. */
    if (v->minor == 0 || v->answered || v->ring.len > 0 || v->interims == HTTP_INTERIM_MAX)
        return;
    v->interims++;
    writer_init(&w, out, sizeof out);
    if (write_head(c, &w, m, true, 0, &framing) < 0 || !writer_fits(&w))
        return;
    response_put_raw(c, out, writer_stored(&w));
    /* From here on the body is sure to come. */
    v->expects = v->expects && m->status != 100;
    visitor_progress(c);
    conn_mark(c);
}

/* From here on the connection carries bytes of another protocol. */
static void become_upgraded(struct conn *c)
{
    struct visitor *v = &c->visitor;
    int on = 1;

    v->upgraded = true;
    v->keep_alive = false;
    v->request_done = false;
    v->body = (struct http_body){ .kind = HTTP_BODY_TUNNEL };
    /* It may be silent for days: only this finds out that a visitor has vanished. */
    setsockopt(c->transport.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void response_head(struct conn *c, const struct wire_msg *m)
{
    struct visitor *v = &c->visitor;
    uint8_t out[VISITOR_RESPONSE_HEAD_MAX];
    bool keep_alive = v->keep_alive && !c->gateway->stopping;
    struct writer w;

    writer_init(&w, out, sizeof out);
    if (v->answered || write_head(c, &w, m, keep_alive, clock_unix(), &v->framing) < 0 ||
        !writer_fits(&w) || (v->framing.body == HTTP_BODY_TUNNEL && !v->upgrade)) {
        response_break(c, 502, STR("The device's answer is malformed."));
        return;
    }
    v->answered = true;
    sender_start(&v->sender, v->framing.body, v->framing.length, (struct str){ 0 }, false);
    v->keep_alive = keep_alive && v->framing.body != HTTP_BODY_CLOSE;
    if (v->framing.body == HTTP_BODY_TUNNEL)
        become_upgraded(c);
    response_put_raw(c, out, writer_stored(&w));
    visitor_progress(c);
    conn_mark(c);
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

/* Puts what is due of the body into the record, and takes what it was of *data off its front: the
 * one copy on their way, from the record of one connection to that of the other. */
static bool put_some(struct conn *c, struct str *data)
{
    struct http_sender *s = &c->visitor.sender;
    struct str piece[3];
    size_t all = sender_gather(s, *data, piece), room;
    uint8_t *out = all > 0 ? conn_room(c, all < PIECE_MIN ? all : PIECE_MIN, &room) : NULL;

    if (!out)
        return false;
    room = copy_pieces(out, room, piece);
    transport_send_ack(&c->transport, room);
    sender_wrote(s, piece, room, data);
    return true;
}

/* They have left the ring's account: as many may come again. */
static void grant(struct conn *c, size_t n)
{
    if (c->visitor.slot < 0 || n == 0)
        return;
    session_grant(&c->tunnel->session, c->visitor.slot, n);
    if (session_due(&c->tunnel->session))
        conn_mark(c->tunnel->conn);
    stream_resume(c->tunnel);
}

void response_body(struct conn *c, struct str body)
{
    struct visitor *v = &c->visitor;
    struct str rest = body;

    if (v->framing.body == HTTP_BODY_NONE || v->response_done) {
        grant(c, body.n);
        return;
    }
    if (sender_count(&v->sender, body.n) < 0) {
        response_break(c, 502, STR(""));
        return;
    }
    while (v->ring.len == 0 && rest.n > 0 && put_some(c, &rest))
        ;
    if (rest.n > 0)
        ring_push(&v->ring, rest.p, rest.n);
    grant(c, body.n - rest.n);
    visitor_progress(c);
    conn_mark(c);
}

void response_end(struct conn *c, bool broken)
{
    struct visitor *v = &c->visitor;

    if (v->response_done)
        return;
    if (!v->answered) {
        response_break(c, 502, STR("The device's answer is malformed."));
        return;
    }
    v->response_done = true;
    v->broken = sender_end(&v->sender) < 0 || broken;
    conn_mark(c);
}

size_t response_room(const struct conn *c)
{
    const struct visitor *v = &c->visitor;
    size_t held = v->ring.len - v->raw_left, most = v->ring.cap - VISITOR_RING_EXTRA;

    return held < most ? most - held : 0;
}

/* ---- what had to wait ---- */

static bool drain_raw(struct conn *c)
{
    struct visitor *v = &c->visitor;
    struct str piece = ring_peek(&v->ring);
    size_t sent = conn_put(c, piece.p, piece.n < v->raw_left ? piece.n : v->raw_left);

    ring_pop(&v->ring, sent);
    v->raw_left -= sent;
    return sent > 0;
}

static bool drain_body(struct conn *c)
{
    struct str data = ring_peek(&c->visitor.ring);
    size_t held = data.n;
    bool any = put_some(c, &data);

    ring_pop(&c->visitor.ring, held - data.n);
    grant(c, held - data.n);
    return any;
}

/* All of the body is handed over: what ends it. */
static void drain_end(struct conn *c)
{
    struct str none = { NULL, 0 };

    while (put_some(c, &none))
        ;
}

void response_drain(struct conn *c)
{
    struct visitor *v = &c->visitor;
    size_t held = v->ring.len;

    while (v->ring.len > 0) {
        if (!(v->raw_left > 0 ? drain_raw(c) : drain_body(c)))
            break;
    }
    if (v->ring.len == 0 && v->response_done && !v->broken)
        drain_end(c);
    if (held > 0 && v->ring.len != held)
        visitor_progress(c);
}

bool response_sent(const struct conn *c)
{
    const struct visitor *v = &c->visitor;

    return v->response_done && v->ring.len == 0 &&
           (v->broken || v->sender.state == SENDER_DONE);
}
