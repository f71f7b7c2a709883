#include "request.h"

#include <string.h>

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

bool request_has_credit(const struct conn *c)
{
    int slot = c->visitor.slot;

    return slot >= 0 && c->tunnel->session.stream[slot].tx_credit > 0;
}

bool request_pending(struct conn *c)
{
    return visit_pending(&c->visitor.visit, has_received(c), request_has_credit(c));
}

size_t request_room(const struct conn *c)
{
    const struct visit *v = &c->visitor.visit;
    size_t n = v->msg.headers.packed.n + v->msg.url.n + MESSAGE_ROOM;

    if (!visit_must_put_head(v) || n < BODY_ROOM_MIN)
        return BODY_ROOM_MIN;
    return n < HEAD_ROOM_MAX ? n : HEAD_ROOM_MAX;
}

static void direction_ended(struct conn *c)
{
    if (c->visitor.visit.down >= VISIT_ANSWERED)
        stream_release(c);
    conn_mark(c);
}

/* Body bytes, decoded where they were received and copied once, from one connection's record to
 * the other's. The bytes copied; *more tells whether the body goes on. Negative: malformed. */
static int copy_body(struct conn *c, uint8_t *out, size_t cap, bool *more)
{
    struct visit *v = &c->visitor.visit;
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
    c->visitor.visit.keep_alive = false;
    response_break(c, 400, STR("The request's body is malformed."));
}

static size_t put_body(struct conn *c, uint8_t *out, size_t cap)
{
    struct visit *v = &c->visitor.visit;
    struct session *s = &c->tunnel->session;
    int slot = c->visitor.slot;
    bool ends = v->up == VISIT_END, more = false;
    struct link_body b;
    size_t len;
    int n = 0;

    if (!visit_must_put_head(v) && cap > c->tunnel->bulk_max)
        cap = c->tunnel->bulk_max;
    if (!session_body_begin(s, slot, visit_must_put_head(v) ? &v->msg : NULL, &b, out, cap, ends))
        return 0;
    if (!ends)
        n = copy_body(c, b.body, b.max, &more);
    if (n < 0)
        refuse_body(c);
    if (n < 0 || (n == 0 && more))
        return 0;
    len = session_body_end(s, slot, &b, (size_t)n, more, (struct str){ 0 }, no_key);
    visit_body_put(v, more);
    if (!more)
        direction_ended(c);
    return len;
}

static size_t put_head(struct conn *c, uint8_t *out, size_t cap)
{
    struct visit *v = &c->visitor.visit;
    struct session *s = &c->tunnel->session;
    bool doomed = s->stream[c->visitor.slot].state == STREAM_DOOMED;
    bool done;
    size_t len;

    /* session_body_begin may have taken it out. */
    if (v->msg.more)
        v->msg.has |= WIRE_HAS(WIRE_MORE);
    len = session_head_put(s, c->visitor.slot, &v->msg, out, cap, &done, no_key);
    if (len > 0)
        visit_head_put(v, done);
    if (done && doomed) {
        stream_release(c);
        if (c->role == CONN_DOOMED)
            conn_release(c);
    }
    return len;
}

size_t request_put(struct conn *c, uint8_t *out, size_t cap)
{
    struct visit *v = &c->visitor.visit;
    size_t len = 0;

    if (visit_may_put_body(v, has_received(c)))
        len = put_body(c, out, cap);
    if (len == 0 && visit_must_put_head(v))
        len = put_head(c, out, cap);
    if (len > 0 && c->role == CONN_VISITOR)
        response_progress(c);
    if (!request_pending(c))
        list_remove(&c->visitor.ready);
    return len;
}
