#include "core/session.h"

#include <string.h>

#include "err.h"
#include "session_parts.h"

/* ---- what an agent receives ---- */

/* Refuses one request without taking a slot. */
static enum session_event refuse_request(struct session *s, struct str id, unsigned code)
{
    memcpy(s->error_id, id.p, id.n);
    s->error_id_len = (uint8_t)id.n;
    s->error_code = (uint16_t)code;
    s->flags |= SESSION_DUE_ERROR;
    s->counters->requests_failed++;
    return session_ignore(s);
}

static int on_request(struct session *s, struct session_in *in)
{
    const struct wire_msg *m = in->msg;

    if (s->state != SESSION_OPEN || session_find(s, m->id) >= 0)
        return ERR_STATE;
    if (s->link.in.too_big) {
        in->event = refuse_request(s, m->id, m->has & WIRE_HAS(WIRE_BODY) ? 413 : 431);
        return 0;
    }
    s->current = s->draining ? -1 : session_take(s, m->id);
    if (s->current < 0) {
        in->event = refuse_request(s, m->id, 503);
        return 0;
    }
    s->stream[s->current].rx = STREAM_BODY;
    in->event = SESSION_EV_REQUEST;
    return 0;
}

static int on_head(struct session *s, struct session_in *in)
{
    if (in->msg->type == WIRE_HTTP_RESPONSE)
        return ERR_STATE;
    return in->msg->type == WIRE_HTTP_REQUEST ? on_request(s, in) : 0;
}

static int on_auth_success(struct session *s, struct session_in *in, int64_t now)
{
    const struct wire_msg *m = in->msg;

    if (s->state != SESSION_AUTH || (s->flags & SESSION_DUE_AUTH))
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
    if (s->state != SESSION_AUTH)
        return ERR_STATE;
    in->text = in->msg->error;
    s->retry_after = in->msg->retry_after < UINT32_MAX ? (uint32_t)in->msg->retry_after : 0;
    return ERR_AUTH;
}

static int on_message(struct session *s, struct session_in *in, int64_t now)
{
    switch (in->msg->type) {
    case WIRE_AUTH:
        return ERR_STATE;
    case WIRE_AUTH_SUCCESS:
        return on_auth_success(s, in, now);
    case WIRE_AUTH_ERROR:
        return on_auth_error(s, in);
    case WIRE_GOAWAY:
        in->event = SESSION_EV_GOAWAY;
        return 0;
    default:
        return 0;
    }
}

void session_drain(struct session *s)
{
    s->draining = true;
}

/* ---- what it sends ---- */

static size_t put_auth(struct session *s, const struct session_dest *at)
{
    struct wire_msg m;

    wire_auth(&m, s->config.token, s->config.agent, s->config.window, s->config.max_streams);
    return session_put_message(s, at, &m);
}

static size_t put_stats(struct session *s, const struct session_dest *at, int64_t now)
{
    const struct session_counters *c = s->counters;
    struct wire_msg m = {
        .requests_processed = c->requests_processed,
        .requests_failed = c->requests_failed,
        .bytes_transferred = c->bytes_transferred,
        .uptime_seconds = (uint64_t)(now - c->started_ms) / 1000,
        .reconnects = c->reconnects,
        .streams_active = s->stream_count,
        .rtt_ms = s->rtt_ms,
    };

    wire_stats(&m);
    return session_put_message(s, at, &m);
}

static const char *refusal_text(const struct session *s)
{
    switch (s->error_code) {
    case 413:
        return "request body must follow url and headers, or fit the buffer";
    case 431:
        return "request head too large";
    default:
        return s->draining ? "this agent is about to end" : "all streams are in use";
    }
}

static size_t put_error(struct session *s, const struct session_dest *at)
{
    struct wire_msg m;

    wire_error(&m, (struct str){ s->error_id, s->error_id_len },
               str_of(refusal_text(s)), s->error_code);
    return session_put_message(s, at, &m);
}

static size_t put(struct session *s, unsigned flag, const struct session_dest *at, int64_t now)
{
    switch (flag) {
    case SESSION_DUE_AUTH:
        return put_auth(s, at);
    case SESSION_DUE_STATS:
        return put_stats(s, at, now);
    default:
        return put_error(s, at);
    }
}

const struct session_role session_agent = {
    .client = true, .on_head = on_head, .on_end = session_settle, .on_message = on_message,
    .put = put,
};
