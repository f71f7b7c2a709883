#include "response.h"

#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "forward.h"
#include "gateway.h"
#include "page.h"
#include "stream.h"

/* CR LF after a chunk's data, and its head. */
#define CHUNK_ROOM (HTTP_CHUNK_HEAD_MAX + 2)
static const uint8_t last_chunk[] = { '0', '\r', '\n', '\r', '\n' };
/* The rest of a body that is taken only to keep the connection. */
#define DISCARD_MAX 65536
/* Less room in a record is not worth a chunk. */
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
    v->keep_alive = keep_alive && v->framing.body != HTTP_BODY_CLOSE;
    if (v->framing.body == HTTP_BODY_TUNNEL)
        become_upgraded(c);
    response_put_raw(c, out, writer_stored(&w));
    visitor_progress(c);
    conn_mark(c);
}

/* ---- bodies ---- */

/* Puts body bytes into the record, as one chunk where the body is chunked; returns how many. The
 * one copy on their way, from the record of one connection to that of the other. */
static size_t put_piece(struct conn *c, struct str body)
{
    bool chunked = c->visitor.framing.body == HTTP_BODY_CHUNKED;
    size_t over = chunked ? CHUNK_ROOM : 0;
    size_t room, head = 0;
    uint8_t *out = conn_room(c, over + (body.n < PIECE_MIN ? body.n : PIECE_MIN), &room);

    if (!out || room <= over)
        return 0;
    if (body.n > room - over)
        body.n = room - over;
    if (chunked)
        head = http_chunk_head((uint32_t)body.n, out);
    memcpy(out + head, body.p, body.n);
    if (chunked)
        memcpy(out + head + body.n, "\r\n", 2);
    transport_send_ack(&c->transport, head + body.n + (chunked ? 2 : 0));
    return body.n;
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

/* False: more than the response's head said. */
static bool count_length(struct relay_response *framing, size_t n)
{
    if (framing->body != HTTP_BODY_LENGTH)
        return true;
    if (n > framing->length)
        return false;
    framing->length -= n;
    return true;
}

void response_body(struct conn *c, struct str body)
{
    struct visitor *v = &c->visitor;
    struct str rest = body;
    size_t n = 0;

    if (v->framing.body == HTTP_BODY_NONE || v->response_done) {
        grant(c, body.n);
        return;
    }
    if (!count_length(&v->framing, body.n)) {
        response_break(c, 502, STR(""));
        return;
    }
    while (v->ring.len == 0 && rest.n > 0 && (n = put_piece(c, rest)) > 0)
        rest = (struct str){ rest.p + n, rest.n - n };
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
    v->broken = broken || (v->framing.body == HTTP_BODY_LENGTH && v->framing.length > 0);
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
    size_t n = put_piece(c, ring_peek(&c->visitor.ring));

    ring_pop(&c->visitor.ring, n);
    grant(c, n);
    return n > 0;
}

void response_drain(struct conn *c)
{
    struct visitor *v = &c->visitor;
    size_t held = v->ring.len;

    while (v->ring.len > 0) {
        if (!(v->raw_left > 0 ? drain_raw(c) : drain_body(c)))
            break;
    }
    if (v->ring.len == 0 && v->response_done && !v->broken && !v->last_put &&
        v->framing.body == HTTP_BODY_CHUNKED) {
        v->last_put = true;
        response_put_raw(c, last_chunk, sizeof last_chunk);
    }
    if (held > 0 && v->ring.len != held)
        visitor_progress(c);
}

bool response_sent(const struct conn *c)
{
    const struct visitor *v = &c->visitor;

    return v->response_done && v->ring.len == 0 &&
           (v->broken || v->framing.body != HTTP_BODY_CHUNKED || v->last_put);
}
