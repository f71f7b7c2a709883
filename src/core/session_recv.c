#include "core/session.h"

#include <string.h>

#include "err.h"
#include "session_parts.h"

/* ---- message heads that go on with a stream ---- */

enum session_event session_ignore(struct session *s)
{
    s->current = -1;
    return SESSION_EV_IGNORED;
}

static int on_body_head(struct session *s, struct session_in *in)
{
    int slot = session_find(s, in->msg->id);

    if (slot < 0) {
        in->event = session_ignore(s);
        return 0;
    }
    if (s->stream[slot].rx != STREAM_BODY)
        return ERR_STATE;
    s->current = slot;
    return 0;
}

static int on_head(struct session *s, struct session_in *in)
{
    int err;

    s->current = -1;
    s->interim = false;
    in->slot = -1;
    err = s->role->on_head(s, in);
    if (err == 0 && in->msg->type == WIRE_HTTP_BODY && !s->link.plain)
        err = on_body_head(s, in);
    if (s->current >= 0)
        in->slot = s->current;
    return err;
}

static int on_body(struct session *s, struct session_in *in)
{
    struct str body = s->link.in.body;
    struct stream *t;

    if (s->current < 0 || s->interim || body.n == 0)
        return 0;
    t = &s->stream[s->current];
    if (body.n > t->rx_credit)
        return ERR_CREDIT;
    if (!s->link.plain)
        t->rx_credit -= body.n;
    if (t->rx_credit == 0 && t->grant > 0)
        s->due |= UINT64_C(1) << s->current;
    s->counters->bytes_transferred += body.n;
    in->body = body;
    in->event = SESSION_EV_BODY;
    return 0;
}

/* ---- complete messages; `event` is IGNORED until one says otherwise ---- */

/* The peer's direction ends with a message that does not say `more`; in plain mode with any. */
static int on_stream_end(struct session *s, struct session_in *in)
{
    struct stream *t;

    in->event = SESSION_EV_MORE;
    if (s->current < 0 || s->interim)
        return 0;
    if (in->msg->more && !s->link.plain) {
        if (in->msg->type == WIRE_HTTP_REQUEST)
            in->event = SESSION_EV_CONTINUES;
        return 0;
    }
    t = &s->stream[s->current];
    t->rx = STREAM_ENDED;
    in->broken = in->msg->error.n > 0;
    in->text = in->msg->error;
    in->event = SESSION_EV_END;
    s->role->on_end(s, in->slot);
    s->current = -1;
    return 0;
}

static int on_window(struct session *s, struct session_in *in)
{
    int slot = session_find(s, in->msg->id);
    struct stream *t;

    if (slot < 0)
        return 0;
    t = &s->stream[slot];
    if (in->msg->credit > SESSION_CREDIT_MAX - t->tx_credit)
        return ERR_CREDIT;
    t->tx_credit += in->msg->credit;
    in->slot = slot;
    in->event = SESSION_EV_CREDIT;
    return 0;
}

static int on_error(struct session *s, struct session_in *in)
{
    int slot = session_find(s, in->msg->id);

    in->code = in->msg->code < 1000 ? (unsigned)in->msg->code : 0;
    in->text = in->msg->error;
    if (in->msg->id.n == 0) {
        in->event = SESSION_EV_ERROR;
        return 0;
    }
    if (slot < 0)
        return 0;
    in->event = SESSION_EV_ABORT;
    in->slot = slot;
    if (s->stream[slot].tx != STREAM_ENDED)
        s->counters->requests_failed++;
    session_break(s, slot, 0, "aborted");
    return 0;
}

static int on_ping(struct session *s, struct session_in *in)
{
    in->event = SESSION_EV_MORE;
    s->pong_value = in->msg->timestamp;
    s->flags |= SESSION_DUE_PONG;
    return 0;
}

static int on_pong(struct session *s, struct session_in *in, int64_t now)
{
    in->event = SESSION_EV_MORE;
    if (s->ping_value > 0 && in->msg->timestamp == (uint64_t)s->ping_value) {
        s->rtt_ms = now > s->ping_sent ? (uint32_t)(now - s->ping_sent) : 1;
        s->ping_value = 0;
    }
    return 0;
}

static int on_message(struct session *s, struct session_in *in, int64_t now)
{
    enum wire_type type = in->msg->type;

    in->event = SESSION_EV_IGNORED;
    /* "Plain mode" of WIRE.md knows no others. */
    if (s->link.plain && !wire_type_is_plain(type))
        return 0;
    switch (type) {
    case WIRE_HTTP_REQUEST:
    case WIRE_HTTP_RESPONSE:
    case WIRE_HTTP_BODY:
        return on_stream_end(s, in);
    case WIRE_PING:
        return on_ping(s, in);
    case WIRE_PONG:
        return on_pong(s, in, now);
    case WIRE_ERROR:
        return on_error(s, in);
    case WIRE_WINDOW:
        return on_window(s, in);
    default:
        return s->role->on_message(s, in, now);
    }
}

static int on_close(struct session *s, struct session_in *in)
{
    /* Section 5.5.1 of RFC 6455: answered with the same code, unless it answers ours. */
    session_close(s, s->link.close_code == WS_CLOSE_NONE ? WS_CLOSE_NORMAL : s->link.close_code);
    s->state = SESSION_ENDED;
    in->event = SESSION_EV_CLOSED;
    return 0;
}

static int on_link_event(struct session *s, enum link_event ev, struct session_in *in,
                         int64_t now)
{
    in->msg = &s->link.in.msg;
    in->slot = s->current;
    switch (ev) {
    case LINK_HEAD:
        return on_head(s, in);
    case LINK_BODY:
        return on_body(s, in);
    case LINK_END:
        return on_message(s, in, now);
    case LINK_PING:
        memcpy(s->ws_pong, s->link.control, s->link.control_len);
        s->ws_pong_len = s->link.control_len;
        s->flags |= SESSION_DUE_WS_PONG;
        return 0;
    case LINK_CLOSE:
        return on_close(s, in);
    default:
        return 0;
    }
}

int session_recv(struct session *s, uint8_t *p, size_t n, int64_t now, struct session_in *in)
{
    size_t at = 0;

    *in = (struct session_in){ .event = SESSION_EV_MORE, .slot = -1 };
    if (s->err < 0)
        return s->err;
    while (in->event == SESSION_EV_MORE && s->state != SESSION_ENDED &&
           (s->flags & (SESSION_DUE_ERROR | SESSION_MUTE)) != SESSION_DUE_ERROR) {
        enum link_event ev;
        int used = link_recv(&s->link, p + at, n - at, &ev);
        int err = used < 0 ? used : on_link_event(s, ev, in, now);

        if (err < 0) {
            s->err = err;
            session_close(s, err == ERR_AUTH ? WS_CLOSE_AWAY : link_close_code(err));
            return err;
        }
        at += (size_t)used;
        if (ev == LINK_MORE)
            break;
    }
    return (int)at;
}
