#include "request.h"

#include "gateway.h"
#include "response.h"
#include "stream.h"

/* What a message needs beside its head's own bytes: frame, id, lengths, escapes. */
#define MESSAGE_ROOM 512
/* Less than this is not worth a message of its own. */
#define BODY_ROOM_MIN 1024
/* A longer head goes out in parts. */
#define HEAD_ROOM_MAX 12288

static const uint8_t no_key[4]; /* a server's frames are not masked */

static bool has_received(struct conn *c)
{
    size_t n;

    return transport_recv_buf(&c->transport, &n) != NULL;
}

static bool has_credit(const struct conn *c)
{
    return c->tunnel->session.stream[c->visitor.slot].tx_credit > 0;
}

bool request_pending(struct conn *c)
{
    const struct visitor *v = &c->visitor;

    if (v->slot < 0)
        return false;
    if (!v->head_put)
        return true;
    if (v->request_done)
        return false;
    return v->end_due || (has_received(c) && has_credit(c));
}

size_t request_room(const struct conn *c)
{
    const struct visitor *v = &c->visitor;
    size_t n = v->msg.headers.packed.n + v->msg.url.n + MESSAGE_ROOM;

    if (v->head_put || n < BODY_ROOM_MIN)
        return BODY_ROOM_MIN;
    return n < HEAD_ROOM_MAX ? n : HEAD_ROOM_MAX;
}

static void direction_ended(struct conn *c)
{
    struct visitor *v = &c->visitor;

    v->request_done = true;
    if (v->response_done)
        stream_release(c);
    conn_mark(c);
}

/* Body bytes, decoded where they were received and copied once, from one connection's record to
 * the other's. The bytes copied; *more tells whether the body goes on. Negative: malformed. */
static int copy_body(struct conn *c, uint8_t *out, size_t cap, bool *more)
{
    struct visitor *v = &c->visitor;
    size_t filled = 0, data, n;
    uint8_t *p;
    int used;

    while (filled < cap && !v->body.done && (p = transport_recv_buf(&c->transport, &n)) != NULL) {
        used = http_body_decode(&v->body, p, n < cap - filled ? n : cap - filled, &data);
        if (used < 0)
            return used;
        memcpy(out + filled, p, data);
        filled += data;
        transport_recv_ack(&c->transport, (size_t)used);
    }
    *more = !v->body.done;
    if (*more)
        conn_read_on(c);
    return (int)filled;
}

static void refuse_body(struct conn *c)
{
    c->visitor.keep_alive = false;
    response_break(c, 400, STR("The request's body is malformed."));
}

static size_t put_body(struct conn *c, uint8_t *out, size_t cap)
{
    struct visitor *v = &c->visitor;
    struct session *s = &c->tunnel->session;
    struct link_body b;
    bool more = false;
    int n = 0;
    size_t len;

    if (!session_body_begin(s, v->slot, v->head_put ? NULL : &v->msg, &b, out, cap, v->end_due))
        return 0;
    if (!v->end_due)
        n = copy_body(c, b.body, b.max, &more);
    if (n < 0)
        refuse_body(c);
    if (n < 0 || (n == 0 && more))
        return 0;
    len = session_body_end(s, v->slot, &b, (size_t)n, more, (struct str){ 0 }, no_key);
    v->head_put = true;
    if (!more)
        direction_ended(c);
    return len;
}

static size_t put_head(struct conn *c, uint8_t *out, size_t cap)
{
    struct visitor *v = &c->visitor;
    struct session *s = &c->tunnel->session;
    bool doomed = s->stream[v->slot].doomed;
    bool done;
    size_t len;

    /* session_body_begin may have taken it out. */
    if (v->msg.more)
        v->msg.has |= WIRE_HAS(WIRE_MORE);
    len = session_head_put(s, v->slot, &v->msg, out, cap, &done, no_key);
    v->head_part = !done && (v->head_part || len > 0);
    v->head_put = done;
    if (done && doomed) {
        stream_release(c);
        if (c->role == CONN_DOOMED)
            conn_release(c);
    }
    return len;
}

size_t request_put(struct conn *c, uint8_t *out, size_t cap)
{
    struct visitor *v = &c->visitor;
    size_t len = 0;

    if (v->head_put || (!v->head_part && !v->request_done && has_received(c)))
        len = put_body(c, out, cap);
    if (len == 0 && v->slot >= 0 && !v->head_put)
        len = put_head(c, out, cap);
    if (len > 0 && c->role == CONN_VISITOR)
        visitor_progress(c);
    if (!request_pending(c))
        list_remove(&v->ready);
    return len;
}
