#include "core/session.h"

#include "codec/ascii.h"
#include "codec/http.h"
#include "err.h"
#include "session_parts.h"

/* ---- what a gateway receives ---- */

/* A response that cannot be taken costs its own stream only. `text` is static. */
static int give_up(struct session *s, struct session_in *in, int slot, const char *text)
{
    in->event = SESSION_EV_ABORT;
    in->slot = slot;
    in->code = 502;
    in->text = str_of(text);
    session_abort(s, slot, 502, text);
    return 0;
}

static int on_response(struct session *s, struct session_in *in)
{
    const struct wire_msg *m = in->msg;
    int slot = session_find(s, m->id);

    if (slot < 0) {
        in->event = session_ignore(s);
        return 0;
    }
    if (s->stream[slot].rx != STREAM_HEAD)
        return ERR_STATE;
    if (s->link.in.too_big)
        return give_up(s, in, slot, "response head too large");
    /* RFC 9110 section 15: no status at all, and no interim response that another follows. */
    if (m->status < 100)
        return give_up(s, in, slot, "response status malformed");
    s->current = slot;
    s->interim = http_is_interim(m->status);
    s->stream[slot].rx = s->interim ? STREAM_HEAD : STREAM_BODY;
    s->stream[slot].upgraded = m->status == 101;
    in->event = s->interim ? SESSION_EV_INTERIM : SESSION_EV_RESPONSE;
    return 0;
}

static int on_head(struct session *s, struct session_in *in)
{
    enum wire_type type = in->msg->type;

    /* Who has not said who he is may say nothing else, not even what would be skipped later. */
    if (!s->auth_seen && type != WIRE_AUTH)
        return ERR_STATE;
    if (type == WIRE_HTTP_REQUEST)
        return ERR_STATE;
    return type == WIRE_HTTP_RESPONSE ? on_response(s, in) : 0;
}

static void on_end(struct session *s, int slot)
{
    const struct stream *t = &s->stream[slot];

    /* Answered before the request was all sent: the rest is of no use to the agent. */
    if (t->tx != STREAM_ENDED && !t->upgraded && !s->link.plain)
        session_break(s, slot, 499, "answered");
    else
        session_settle(s, slot);
}

static int on_auth(struct session *s, struct session_in *in)
{
    const struct wire_msg *m = in->msg;
    bool negotiated = !s->link.plain;

    if (s->auth_seen)
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

static int on_message(struct session *s, struct session_in *in, int64_t now)
{
    (void)now;
    switch (in->msg->type) {
    case WIRE_AUTH:
        return on_auth(s, in);
    case WIRE_AUTH_SUCCESS:
    case WIRE_AUTH_ERROR:
        return ERR_STATE;
    case WIRE_STATS:
        in->event = SESSION_EV_STATS;
        return 0;
    default:
        return 0;
    }
}

/* ---- what it sends ---- */

static size_t put_reply(struct session *s, const struct session_dest *at, int64_t now)
{
    size_t n = session_put_message(s, at, &s->reply);

    if (n > 0 && s->reply.type == WIRE_AUTH_SUCCESS)
        session_opened(s, now);
    return n;
}

static size_t put_goaway(struct session *s, const struct session_dest *at)
{
    struct wire_msg m;

    wire_goaway(&m, s->goaway_ms, (struct str){ 0 });
    return session_put_message(s, at, &m);
}

static size_t put(struct session *s, unsigned flag, const struct session_dest *at, int64_t now)
{
    return flag == SESSION_DUE_REPLY ? put_reply(s, at, now) : put_goaway(s, at);
}

const struct session_role session_gateway = {
    .client = false, .on_head = on_head, .on_end = on_end, .on_message = on_message, .put = put,
};

/* ---- what its owner asks for ---- */

void session_accept(struct session *s, struct str session_id, struct str url,
                    uint64_t server_time)
{
    wire_auth_success(&s->reply, session_id, url, s->config.window, server_time);
    s->flags |= SESSION_DUE_REPLY;
}

void session_refuse(struct session *s, struct str error, uint64_t retry_after)
{
    wire_auth_error(&s->reply, error, retry_after);
    s->flags |= SESSION_DUE_REPLY;
    session_close(s, WS_CLOSE_TOKEN);
}

void session_goaway(struct session *s, uint64_t delay_ms)
{
    if (s->leaves)
        return;
    s->leaves = true;
    s->goaway_ms = delay_ms;
    if (!s->link.plain)
        s->flags |= SESSION_DUE_GOAWAY;
}

bool session_may_open(const struct session *s)
{
    return s->state == SESSION_OPEN && s->close_code == 0 && !s->leaves &&
           s->stream_count < s->peer_max_streams;
}

/* An id of our own: the counter makes it differ from those the agent may still have in mind. */
int session_open(struct session *s)
{
    uint8_t id[8];
    uint32_t number = s->next_id;
    size_t i;
    int slot;

    if (!session_may_open(s))
        return ERR_STATE;
    for (i = 0; i < sizeof id; i++)
        id[i] = ascii_hex_digit(number >> (28 - 4 * i));
    slot = session_take(s, (struct str){ id, sizeof id });
    if (slot < 0)
        return ERR_STATE;
    s->next_id++;
    return slot;
}
