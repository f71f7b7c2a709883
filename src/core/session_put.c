#include "core/session.h"

#include "codec/http.h"
#include "err.h"
#include "session_parts.h"

size_t session_put_message(struct session *s, const struct session_dest *at,
                           const struct wire_msg *m)
{
    return link_put(&s->link, at->out, at->cap, m, at->key);
}

static struct str stream_id(const struct stream *t)
{
    return (struct str){ t->id, t->id_len };
}

/* ---- the session's own messages: each clears its flag when it went out ---- */

static size_t put_close(struct session *s, const struct session_dest *at)
{
    uint8_t payload[WS_CONTROL_MAX];
    size_t n = ws_close_write(s->close_code, (struct str){ 0 }, payload);

    n = link_put_control(&s->link, at->out, at->cap, WS_CLOSE, payload, n, at->key);
    if (n > 0) {
        s->flags = SESSION_CLOSE_SENT;
        s->due = 0;
        s->state = SESSION_ENDED;
    }
    return n;
}

/* While a message in parts keeps the connection, a frame that may come between the parts asks for
 * the same sign of life. */
static size_t put_ping(struct session *s, const struct session_dest *at, int64_t now,
                       int64_t unix_now)
{
    struct wire_msg m;

    if (s->link.tx_open)
        return link_put_control(&s->link, at->out, at->cap, WS_PING, NULL, 0, at->key);
    wire_ping(&m, (uint64_t)unix_now);
    s->ping_value = unix_now;
    s->ping_sent = now;
    return session_put_message(s, at, &m);
}

static size_t put_pong(struct session *s, const struct session_dest *at)
{
    struct wire_msg m;

    wire_pong(&m, s->pong_value);
    return session_put_message(s, at, &m);
}

static size_t put_flag(struct session *s, unsigned flag, const struct session_dest *at,
                       int64_t now, int64_t unix_now)
{
    switch (flag) {
    case SESSION_DUE_PING:
        return put_ping(s, at, now, unix_now);
    case SESSION_DUE_PONG:
        return put_pong(s, at);
    case SESSION_DUE_WS_PONG:
        return link_put_control(&s->link, at->out, at->cap, WS_PONG, s->ws_pong, s->ws_pong_len,
                                at->key);
    case SESSION_DUE_CLOSE:
        return put_close(s, at);
    default:
        return s->role->put(s, flag, at, now);
    }
}

/* ---- what is due of streams ---- */

/* The rest of a message in parts whose stream was given up: it ends, saying so. */
static size_t put_broken_end(struct session *s, struct stream *t, const struct session_dest *at)
{
    struct link_body b;

    if (!link_body_begin(&s->link, &b, at->out, at->cap, 0, NULL))
        return 0;
    s->tx_slot = -1;
    return link_body_end(&s->link, &b, 0, false, false, str_of(t->abort_text), at->key);
}

static size_t put_abort(struct session *s, int slot, const struct session_dest *at)
{
    struct stream *t = &s->stream[slot];
    struct wire_msg m;
    size_t n;

    if (s->tx_slot == slot) {
        n = put_broken_end(s, t, at);
        /* A response says with its `error` that it broke off, a request with an Error. */
        if (s->link.client)
            t->abort_code = 0;
    } else {
        wire_error(&m, stream_id(t), str_of(t->abort_text), t->abort_code);
        n = session_put_message(s, at, &m);
        t->abort_code = n > 0 ? 0 : t->abort_code;
    }
    if (n > 0 && t->abort_code == 0)
        session_free(s, slot);
    return n;
}

static size_t put_window(struct session *s, int slot, const struct session_dest *at)
{
    struct stream *t = &s->stream[slot];
    struct wire_msg m;
    size_t n;

    wire_window(&m, stream_id(t), t->grant);
    n = session_put_message(s, at, &m);
    if (n > 0) {
        t->rx_credit += t->grant;
        t->grant = 0;
        s->due &= ~(UINT64_C(1) << slot);
    }
    return n;
}

static size_t put_stream(struct session *s, const struct session_dest *at)
{
    uint64_t left;
    size_t n = 0;

    for (left = s->due; left != 0 && n == 0; left &= left - 1) {
        int slot = __builtin_ctzll(left);

        if (s->stream[slot].state == STREAM_BROKEN)
            n = put_abort(s, slot, at);
        else if (s->stream[slot].rx != STREAM_ENDED)
            n = put_window(s, slot, at);
        else
            s->due &= ~(UINT64_C(1) << slot);
    }
    return n;
}

bool session_due(const struct session *s)
{
    return (s->flags & (SESSION_CLOSE_SENT | SESSION_MUTE)) == 0 && (s->due != 0 || s->flags != 0);
}

size_t session_put(struct session *s, uint8_t *out, size_t cap, const uint8_t key[4], int64_t now,
                   int64_t unix_now)
{
    struct session_dest at = { out, cap, key };
    unsigned left = s->flags;
    size_t n;

    if (s->flags & (SESSION_CLOSE_SENT | SESSION_MUTE))
        return 0;
    /* After an error nothing is worth saying but why; nor is anything to a peer that left. */
    if ((s->err < 0 || s->state == SESSION_ENDED) && (left & SESSION_DUE_CLOSE))
        return put_close(s, &at);
    /* In the order of the flags' values: Auth first, close last. */
    for (; left != 0; left &= left - 1) {
        unsigned flag = left & -left;

        if (flag == SESSION_DUE_CLOSE && s->due != 0) {
            n = put_stream(s, &at);
            if (n > 0)
                return n;
        }
        n = put_flag(s, flag, &at, now, unix_now);
        if (n > 0) {
            s->flags &= ~flag;
            return n;
        }
        if (flag == SESSION_DUE_AUTH)
            return 0; /* the first message of all */
    }
    return put_stream(s, &at);
}

/* ---- heads and bodies ---- */

bool session_may_put(const struct session *s, int slot)
{
    return s->state == SESSION_OPEN && s->close_code == 0 &&
           s->stream[slot].state != STREAM_BROKEN &&
           (s->tx_slot == slot || (s->tx_slot < 0 && !s->link.tx_open));
}

static void head_done(struct session *s, int slot, bool interim, bool more)
{
    struct stream *t = &s->stream[slot];

    t->put_offset = 0;
    if (t->state == STREAM_DOOMED) {
        session_break_now(s, slot);
    } else if (!interim) {
        t->tx = more ? STREAM_BODY : STREAM_ENDED;
        if (!more && s->link.client)
            s->counters->requests_processed++;
        session_settle(s, slot);
    }
}

size_t session_head_put(struct session *s, int slot, struct wire_msg *m, uint8_t *out, size_t cap,
                        bool *done, const uint8_t key[4])
{
    struct stream *t = &s->stream[slot];
    bool interim = m->type == WIRE_HTTP_RESPONSE && http_is_interim(m->status);
    bool more = m->more != 0;
    size_t n;

    *done = false;
    if (!session_may_put(s, slot))
        return 0;
    m->id = stream_id(t);
    m->has |= WIRE_HAS(WIRE_ID);
    if (s->link.plain)
        /* Plain mode knows no `more`: the body follows within the message. */
        m->has &= ~WIRE_HAS(WIRE_MORE);
    n = link_put_part(&s->link, out, cap, m, s->link.plain && more, &t->put_offset, done, key);
    if (n == 0)
        return 0;
    s->tx_slot = s->link.tx_open ? slot : -1;
    if (*done)
        head_done(s, slot, interim, more);
    return n;
}

bool session_body_begin(struct session *s, int slot, struct wire_msg *m, struct link_body *b,
                        uint8_t *out, size_t cap, bool empty)
{
    struct stream *t = &s->stream[slot];
    struct wire_msg body;

    if (!session_may_put(s, slot) || t->state == STREAM_DOOMED || (t->tx_credit == 0 && !empty))
        return false;
    if (m == NULL && s->tx_slot != slot) {
        wire_http_body(&body, stream_id(t), false);
        m = &body;
    } else if (m != NULL) {
        m->id = stream_id(t);
        m->has |= WIRE_HAS(WIRE_ID);
    }
    if (m != NULL)
        m->has &= ~WIRE_HAS(WIRE_MORE);
    if (!link_body_begin(&s->link, b, out, cap, empty ? 0 : 1, m))
        return false;
    if (b->max > t->tx_credit)
        b->max = (size_t)t->tx_credit;
    return true;
}

size_t session_body_end(struct session *s, int slot, struct link_body *b, size_t n, bool more,
                        struct str error, const uint8_t key[4])
{
    struct stream *t = &s->stream[slot];
    bool part = s->link.plain && more;
    size_t len = link_body_end(&s->link, b, n, more, part, error, key);

    if (!s->link.plain)
        t->tx_credit -= n;
    s->counters->bytes_transferred += n;
    s->tx_slot = part ? slot : -1;
    t->tx = more ? STREAM_BODY : STREAM_ENDED;
    if (!more) {
        if (error.n > 0)
            s->counters->requests_failed++;
        else if (s->link.client)
            s->counters->requests_processed++;
        session_settle(s, slot);
    }
    return len;
}
