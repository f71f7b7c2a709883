#include "tunnel.h"

#include "err.h"
#include "gateway.h"
#include "request.h"
#include "response.h"
#include "stream.h"
#include "sys/clock.h"
#include "tunnel_log.h"

static const uint8_t no_key[4]; /* a server's frames are not masked */

/* What an agent may send before its Auth is complete, which is 4 KB at most: it bounds the work
 * that a stranger makes with what needs no token. */
#define AUTH_BYTES_MAX 16384
/* Any message of the session itself: AuthSuccess with the longest URL, in JSON, is 464 bytes. No
 * record is smaller (RFC 6066 section 4). */
#define CONTROL_ROOM 512

/* ---- input ---- */

/* The agent has ended its direction of the stream. */
static void stream_ended(struct tunnel *t, int slot, bool broken)
{
    struct stream *s = &t->session.stream[slot];
    struct conn *visitor = t->visitor[slot];
    bool ours_open = s->state == STREAM_OPEN || s->state == STREAM_DOOMED;

    if (ours_open && visitor->visitor.visit.upgrade != VISIT_UPGRADED) {
        /* Plain mode: the request's message is still open, of use to nobody. */
        visitor->visitor.visit.keep_alive = false;
        stream_detach(visitor, "answered");
    } else if (!ours_open) {
        stream_release(visitor);
    }
    response_end(visitor, broken);
}

static void stream_aborted(struct tunnel *t, const struct session_in *in)
{
    struct conn *visitor = t->visitor[in->slot];
    unsigned status = in->code >= 400 && in->code <= 599 ? in->code : 502;

    if (t->session.stream[in->slot].state == STREAM_DOOMED)
        visitor->visitor.visit.keep_alive = false;
    else
        stream_release(visitor);
    if (visitor->role == CONN_VISITOR)
        response_break(visitor, status, in->text.n ? in->text : STR("The device gave up."));
}

static void on_stream(struct tunnel *t, const struct session_in *in)
{
    struct conn *visitor = in->slot >= 0 ? t->visitor[in->slot] : NULL;

    if (!visitor)
        return;
    if (in->event == SESSION_EV_INTERIM)
        response_interim(visitor, in->msg);
    else if (in->event == SESSION_EV_RESPONSE)
        response_head(visitor, in->msg);
    else if (in->event == SESSION_EV_BODY)
        response_body(visitor, in->body);
    else if (in->event == SESSION_EV_END)
        stream_ended(t, in->slot, in->broken);
    else if (in->event == SESSION_EV_ABORT)
        stream_aborted(t, in);
    else if (request_pending(visitor))
        stream_ready(visitor);
}

static void on_close(struct tunnel *t)
{
    tunnel_log_number(LOG_INFO, t, "closed by the agent, code ", t->session.link.close_code);
    tunnel_end(t, WS_CLOSE_NORMAL, "The device has disconnected.");
}

static void on_event(struct tunnel *t, const struct session_in *in)
{
    switch (in->event) {
    case SESSION_EV_MORE:
        return;
    case SESSION_EV_AUTH:
        tunnel_authenticate(t, in->msg);
        return;
    case SESSION_EV_CLOSED:
        on_close(t);
        return;
    case SESSION_EV_STATS:
        tunnel_log_stats(t, in->msg);
        return;
    case SESSION_EV_ERROR:
        tunnel_log_str(LOG_WARN, t, "the agent says: ", in->text);
        return;
    case SESSION_EV_IGNORED:
        tunnel_log_line(LOG_DEBUG, t, "a message was ignored");
        return;
    default:
        on_stream(t, in);
    }
}

static void on_failure(struct tunnel *t, int err)
{
    tunnel_log_line(LOG_WARN, t, err_text(err));
    tunnel_end(t, link_close_code(err), "The connection to the device broke.");
}

static void discard_input(struct conn *c)
{
    size_t n;

    while (transport_recv_buf(&c->transport, &n))
        transport_recv_ack(&c->transport, n);
}

/* Takes the next event and its bytes off the input; false when there is none. After an event
 * another one may come without any bytes. */
static bool take_event(struct conn *c)
{
    struct tunnel *t = c->tunnel;
    struct session_in in = { .event = SESSION_EV_MORE };
    size_t n, room;
    uint8_t *p = transport_recv_buf(&c->transport, &n);
    int used;

    room = t->session.link.plain ? tunnel_plain_room(t, n) : n;
    t->stalled = n > 0 && room == 0;
    tunnel_note_pace(t, n == 0);
    if (room == 0 && !t->asks_again)
        return false;
    used = session_recv(&t->session, p, room, c->gateway->now, &in);
    if (used < 0)
        on_failure(t, used);
    else
        on_event(t, &in);
    t->asks_again = in.event != SESSION_EV_MORE;
    if (used > 0) {
        transport_recv_ack(&c->transport, (size_t)used);
        t->slow_taken += (size_t)used;
    }
    return used > 0 || t->asks_again;
}

/* Control frames, parts without bytes, records without much in them: whatever it is that a stranger
 * says instead of Auth. */
static void check_stranger(struct conn *c)
{
    struct tunnel *t = c->tunnel;

    if (t->name || t->ending || c->transport.heard - t->heard <= AUTH_BYTES_MAX)
        return;
    tunnel_log_line(LOG_WARN, t, "16 KB came, and no Auth: the connection ends");
    tunnel_end(t, WS_CLOSE_POLICY, "The connection to the device broke.");
}

bool tunnel_input(struct conn *c)
{
    struct tunnel *t = c->tunnel;
    bool taken = false;

    check_stranger(c);
    session_heard(&t->session, c->gateway->now);
    while (!t->ending && take_event(c))
        taken = true;
    if (t->ending)
        discard_input(c);
    return taken;
}

/* ---- output ---- */

/* One message of the next visitor whose turn it is; each of them is asked once. */
static size_t put_stream(struct tunnel *t, uint8_t *out, size_t cap)
{
    const struct list *last = t->ready.prev;
    struct list *node = &t->ready;
    size_t len = 0;

    while (len == 0 && node != last) {
        struct conn *visitor;

        node = t->ready.next;
        visitor = LIST_OWNER(node, struct conn, visitor.ready);
        list_remove(node);
        list_append(&t->ready, node);
        if (session_may_put(&t->session, visitor->visitor.slot))
            len = request_put(visitor, out, cap);
    }
    return len;
}

static size_t put_next(struct tunnel *t, uint8_t *out, size_t cap)
{
    size_t len = 0;

    if (session_due(&t->session))
        len = session_put(&t->session, out, cap, no_key, t->conn->gateway->now, clock_unix());
    return len > 0 || t->bulk_max == 0 ? len : put_stream(t, out, cap);
}

static size_t next_room(const struct tunnel *t)
{
    size_t n = CONTROL_ROOM;

    if (!list_empty(&t->ready)) {
        const struct conn *visitor = LIST_OWNER(t->ready.next, struct conn, visitor.ready);

        n = request_room(visitor);
    }
    return n > CONTROL_ROOM ? n : CONTROL_ROOM;
}

static bool has_work(const struct tunnel *t)
{
    return session_due(&t->session) || !list_empty(&t->ready);
}

/* It was asked to, and what was under way has ended. */
static bool has_left(const struct tunnel *t)
{
    return t->session.leaves && !t->ending && t->session.stream_count == 0;
}

void tunnel_output(struct conn *c)
{
    struct tunnel *t = c->tunnel;
    size_t n, len, gathered = 0;
    uint8_t *out;

    tunnel_admit(t);
    t->bulk_max = transport_pace(&c->transport, c->gateway->now);
    while (has_work(t) && (out = conn_room(c, next_room(t), &n)) != NULL) {
        len = put_next(t, out, n);
        if (len == 0)
            break;
        transport_send_ack(&c->transport, len);
        gathered += len;
        if (gathered >= t->bulk_max) {
            transport_flush(&c->transport);
            transport_push(&c->transport);
            t->bulk_max = transport_pace(&c->transport, c->gateway->now);
            gathered = 0;
        }
        tunnel_admit(t);
    }
    if (has_left(t))
        tunnel_end(t, WS_CLOSE_AWAY, "");
    if (t->ending && !session_due(&t->session))
        tunnel_finish(c);
}

void tunnel_sent(struct conn *c)
{
    struct tunnel *t = c->tunnel;
    bool waits = transport_waits(&c->transport);

    if (t->ending || t->session.state != SESSION_OPEN)
        return;
    session_unsent(&t->session, waits, waits ? transport_taken(&c->transport) : 0,
                   c->gateway->now);
    conn_set_deadline(c, tunnel_deadline(t));
}

void tunnel_on_time(struct conn *c)
{
    struct tunnel *t = c->tunnel;
    int err = t->ending || t->session.state != SESSION_OPEN ? ERR_TIMEOUT : 0;

    tunnel_sent(c);
    /* Not read because a visitor is slow: that is no silence of the agent's. */
    if (t->stalled)
        session_heard(&t->session, c->gateway->now);
    if (err == 0)
        err = session_on_time(&t->session, c->gateway->now);
    if (err < 0) {
        tunnel_lost(c, err);
        return;
    }
    tunnel_break_slow(t);
    conn_set_deadline(c, tunnel_deadline(t));
    conn_mark(c);
}
