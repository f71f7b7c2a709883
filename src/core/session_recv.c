#include "session.h"

#include <string.h>

#include "err.h"
#include "session_parts.h"

/* One message is not for any stream that we have: skip its body. */
static enum session_event ignore(struct session *s)
{
    s->current = -1;
    return SESSION_EV_IGNORED;
}

/* Refuses one request without taking a slot. */
static enum session_event refuse_request(struct session *s, struct str id, unsigned code)
{
    memcpy(s->error_id, id.p, id.n);
    s->error_id_len = (uint8_t)id.n;
    s->error_code = (uint16_t)code;
    s->flags |= SESSION_DUE_ERROR;
    s->counters->requests_failed++;
    return ignore(s);
}

/* ---- message heads that open or go on with a stream ---- */

static int on_request(struct session *s, struct session_in *in)
{
    const struct wire_msg *m = in->msg;

    if (!s->link.client || s->state != SESSION_OPEN || session_find(s, m->id) >= 0)
        return ERR_STATE;
    if (s->link.in.too_big) {
        in->event = refuse_request(s, m->id, m->has & WIRE_HAS(WIRE_BODY) ? 413 : 431);
        return 0;
    }
    s->current = session_take(s, m->id);
    if (s->current < 0) {
        in->event = refuse_request(s, m->id, 503);
        return 0;
    }
    s->stream[s->current].head_seen = true;
    in->event = SESSION_EV_REQUEST;
    return 0;
}

/* A response that cannot be taken costs its own stream only. */
static int give_up(struct session *s, struct session_in *in, int slot)
{
    static const char text[] = "response head too large";

    in->event = SESSION_EV_ABORT;
    in->slot = slot;
    in->code = 502;
    in->text = STR(text);
    session_abort(s, slot, 502, text);
    return 0;
}

static int on_response(struct session *s, struct session_in *in)
{
    const struct wire_msg *m = in->msg;
    int slot = session_find(s, m->id);

    if (s->link.client)
        return ERR_STATE;
    if (slot < 0) {
        in->event = ignore(s);
        return 0;
    }
    if (s->stream[slot].head_seen)
        return ERR_STATE;
    if (s->link.in.too_big)
        return give_up(s, in, slot);
    s->current = slot;
    s->interim = m->status < 200 && m->status != 101;
    s->stream[slot].head_seen = !s->interim;
    s->stream[slot].upgraded = m->status == 101;
    in->event = s->interim ? SESSION_EV_INTERIM : SESSION_EV_RESPONSE;
    return 0;
}

static int on_body_head(struct session *s, struct session_in *in)
{
    int slot = session_find(s, in->msg->id);

    if (slot < 0) {
        in->event = ignore(s);
        return 0;
    }
    if (!s->stream[slot].rx_open || !s->stream[slot].head_seen)
        return ERR_STATE;
    s->current = slot;
    return 0;
}

static int on_head(struct session *s, struct session_in *in)
{
    enum wire_type type = in->msg->type;
    int err = 0;

    s->current = -1;
    s->interim = false;
    in->slot = -1;
    /* Who has not said who he is may say nothing else. */
    if (!s->link.client && !s->auth_seen && type != WIRE_AUTH && type != WIRE_NONE)
        return ERR_STATE;
    if (type == WIRE_HTTP_REQUEST)
        err = on_request(s, in);
    else if (type == WIRE_HTTP_RESPONSE)
        err = on_response(s, in);
    else if (type == WIRE_HTTP_BODY && !s->link.plain)
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

/* ---- complete messages ---- */

/* The peer's direction ends with a message that does not say `more`; in plain mode with any. */
static int on_stream_end(struct session *s, struct session_in *in)
{
    struct stream *t;

    if (s->current < 0 || s->interim)
        return 0;
    if (in->msg->more && !s->link.plain) {
        if (in->msg->type == WIRE_HTTP_REQUEST)
            in->event = SESSION_EV_CONTINUES;
        return 0;
    }
    t = &s->stream[s->current];
    t->rx_open = false;
    in->broken = in->msg->error.n > 0;
    in->text = in->msg->error;
    in->event = SESSION_EV_END;
    if (!s->link.client && t->tx_open && !t->upgraded && !s->link.plain)
        /* Answered before the request was all sent: the rest is of no use to the agent. */
        session_break(s, in->slot, 499, "answered");
    else
        session_settle(s, in->slot);
    s->current = -1;
    return 0;
}

static int on_auth(struct session *s, struct session_in *in)
{
    const struct wire_msg *m = in->msg;
    bool negotiated = !s->link.plain;

    if (s->link.client || s->auth_seen)
        return ERR_STATE;
    if (negotiated && (m->has & WIRE_HAS(WIRE_WINDOW_SIZE)) == 0)
        return ERR_WIRE_FIELD;
    if (m->window > SESSION_CREDIT_MAX)
        return ERR_CREDIT;
    s->auth_seen = true;
    s->peer_window = negotiated ? m->window : SESSION_CREDIT_MAX;
    s->peer_max_streams = s->config.max_streams;
    if ((m->has & WIRE_HAS(WIRE_MAX_STREAMS)) && m->max_streams < s->peer_max_streams)
        s->peer_max_streams = m->max_streams;
    in->event = SESSION_EV_AUTH;
    return 0;
}

static int on_auth_success(struct session *s, struct session_in *in, int64_t now)
{
    const struct wire_msg *m = in->msg;

    if (!s->link.client || s->state != SESSION_AUTH || (s->flags & SESSION_DUE_AUTH))
        return ERR_STATE;
    if (!s->link.plain && (m->has & WIRE_HAS(WIRE_WINDOW_SIZE)) == 0)
        return ERR_WIRE_FIELD;
    if (m->window > SESSION_CREDIT_MAX)
        return ERR_CREDIT;
    s->peer_window = s->link.plain ? SESSION_CREDIT_MAX : m->window;
    s->server_time = m->server_time < INT64_MAX ? (int64_t)m->server_time : 0;
    session_opened(s, now);
    in->event = SESSION_EV_OPENED;
    return 0;
}

static int on_auth_error(struct session *s, struct session_in *in)
{
    if (!s->link.client || s->state != SESSION_AUTH)
        return ERR_STATE;
    in->text = in->msg->error;
    s->retry_after = in->msg->retry_after < UINT32_MAX ? (uint32_t)in->msg->retry_after : 0;
    return ERR_AUTH;
}

static int on_window(struct session *s, struct session_in *in)
{
    int slot = session_find(s, in->msg->id);
    struct stream *t;

    in->event = SESSION_EV_IGNORED;
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
    in->event = SESSION_EV_IGNORED;
    if (slot < 0)
        return 0;
    in->event = SESSION_EV_ABORT;
    in->slot = slot;
    if (s->stream[slot].tx_open)
        s->counters->requests_failed++;
    session_break(s, slot, 0, "aborted");
    return 0;
}

static int on_ping(struct session *s, const struct wire_msg *m)
{
    s->pong_value = m->timestamp;
    s->flags |= SESSION_DUE_PONG;
    return 0;
}

static int on_pong(struct session *s, const struct wire_msg *m, int64_t now)
{
    if (s->ping_value > 0 && m->timestamp == (uint64_t)s->ping_value) {
        s->rtt_ms = (uint32_t)(now - s->ping_sent);
        s->ping_value = 0;
    }
    return 0;
}

static int on_message(struct session *s, struct session_in *in, int64_t now)
{
    enum wire_type type = in->msg->type;

    /* "Plain mode" of WIRE.md knows no others. */
    if (s->link.plain && !wire_type_is_plain(type))
        type = WIRE_NONE;
    switch (type) {
    case WIRE_HTTP_REQUEST:
    case WIRE_HTTP_RESPONSE:
    case WIRE_HTTP_BODY:
        return on_stream_end(s, in);
    case WIRE_AUTH:
        return on_auth(s, in);
    case WIRE_AUTH_SUCCESS:
        return on_auth_success(s, in, now);
    case WIRE_AUTH_ERROR:
        return on_auth_error(s, in);
    case WIRE_PING:
        return on_ping(s, in->msg);
    case WIRE_PONG:
        return on_pong(s, in->msg, now);
    case WIRE_ERROR:
        return on_error(s, in);
    case WIRE_WINDOW:
        return on_window(s, in);
    case WIRE_STATS:
        in->event = s->link.client ? SESSION_EV_IGNORED : SESSION_EV_STATS;
        return 0;
    case WIRE_GOAWAY:
        in->event = s->link.client ? SESSION_EV_GOAWAY : SESSION_EV_IGNORED;
        return 0;
    default:
        in->event = SESSION_EV_IGNORED;
        return 0;
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
           (s->flags & SESSION_DUE_ERROR) == 0) {
        enum link_event ev;
        int used = link_recv(&s->link, p + at, n - at, &ev);
        int err = used < 0 ? used : on_link_event(s, ev, in, now);

        if (err < 0) {
            s->err = err;
            session_close(s, err == ERR_AUTH ? WS_CLOSE_NORMAL : link_close_code(err));
            return err;
        }
        at += (size_t)used;
        if (ev == LINK_MORE)
            break;
    }
    return (int)at;
}
