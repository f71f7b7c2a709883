#include "agent.h"

#include <string.h>

#include "err.h"
#include "sys/clock.h"
#include "sys/log.h"

/* Records worked on before the loop looks around again, so that one busy peer cannot keep the
 * agent from its timers and signals. */
#define TURN_ROUNDS 16

void tunnel_start(struct agent *a, enum upgrade_protocol protocol)
{
    const struct session_config config = {
        .token = { a->target.token, a->target.token_len },
        .agent = { a->target.agent, a->target.agent_len },
        .window = STREAM_WINDOW,
        .max_streams = STREAMS_MAX,
        .ping_interval_ms = a->config.ping_interval_ms,
        .ping_timeout_ms = a->config.ping_timeout_ms,
        .stats_interval_ms = a->config.stats_interval_ms,
    };

    session_init(&a->session, &session_agent, protocol, &config, a->stream, &a->counters,
                 a->loop.now);
    a->shared.plain = a->session.link.plain;
    a->shared.rules = (struct relay_rules){
        .host = { a->target.local_text, a->target.local_text_len },
        .host_replace = a->config.host_header != NULL,
        .streams = !a->shared.plain,
    };
    a->held = (struct str){ 0 };
    a->record_len = 0;
    a->bulk_max = UNSENT_START / 2;
    a->opened_at = NET_NEVER;
    a->answered_before = a->counters.requests_processed;
    a->closed_err = 0;
    a->leaving = false;
    /* Auth is due, and the answer's record may hold more than the upgrade. */
    a->again = true;
}

void tunnel_end(struct agent *a)
{
    int slot;

    for (slot = 0; slot < STREAMS_MAX; slot++) {
        a->stream[slot].state = STREAM_FREE;
        request_abort(a, slot);
    }
    origin_drop_all(&a->origin);
    a->held = (struct str){ 0 };
}

/* ---- in ---- */

static void on_opened(struct agent *a, const struct session_in *in)
{
    a->opened_at = a->loop.now;
    a->deadline = NET_NEVER;
    homes_opened(&a->homes, a->loop.now);
    gateway_trust_learn(a, a->session.server_time);
    log_form(LOG_INFO, "session %.*s open%s%.*s", LOG_STR(in->msg->session_id),
             in->msg->url.n > 0 ? ", public address " : "", LOG_STR(in->msg->url));
}

static void on_goaway(struct agent *a, const struct session_in *in)
{
    uint64_t ms = in->msg->delay_ms;

    if (ms > a->config.max_delay_ms)
        ms = a->config.max_delay_ms;
    homes_away(&a->homes, (uint32_t)backoff_spread((uint32_t)ms, entropy_u32(&a->entropy)));
    a->next_url_len = in->msg->url.n <= sizeof a->next_url ? in->msg->url.n : 0;
    if (a->next_url_len > 0)
        memcpy(a->next_url, in->msg->url.p, a->next_url_len);
    a->closed_err = ERR_GOAWAY;
    a->leaving = true;
}

static int close_reason(uint16_t code)
{
    switch (code) {
    case WS_CLOSE_AWAY:
        return ERR_GOAWAY;
    case WS_CLOSE_TOKEN:
        return ERR_AUTH;
    case WS_CLOSE_REPLACED:
        return ERR_REPLACED;
    default:
        return ERR_CLOSED;
    }
}

/* Body bytes that find no room stay where they are, and nothing more is read: only plain mode,
 * which knows no credit, comes to that, and a kernel that has less memory than it had. */
static void on_body(struct agent *a, const struct session_in *in, size_t used)
{
    size_t taken = request_body(a, in->slot, in->body);

    if (taken == in->body.n)
        return;
    a->held = (struct str){ in->body.p + taken, in->body.n - taken };
    a->held_slot = in->slot;
    a->held_ack = used;
}

static bool still_held(struct agent *a)
{
    size_t taken;

    if (a->held.n == 0)
        return false;
    taken = request_body(a, a->held_slot, a->held);
    a->held.p += taken;
    a->held.n -= taken;
    if (a->held.n > 0)
        return true;
    transport_recv_ack(&a->transport, a->held_ack);
    return false;
}

static void on_event(struct agent *a, const struct session_in *in, size_t used)
{
    switch (in->event) {
    case SESSION_EV_OPENED:
        on_opened(a, in);
        break;
    case SESSION_EV_REQUEST:
        request_begin(a, in->slot);
        break;
    case SESSION_EV_CONTINUES:
        request_continue(a, in->slot);
        break;
    case SESSION_EV_BODY:
        on_body(a, in, used);
        break;
    case SESSION_EV_END:
        if (in->broken)
            request_fail(a, in->slot, 499, "the request broke off");
        else
            request_end(a, in->slot);
        break;
    case SESSION_EV_ABORT:
        request_abort(a, in->slot);
        break;
    case SESSION_EV_GOAWAY:
        on_goaway(a, in);
        break;
    case SESSION_EV_ERROR:
        log_form(LOG_WARN, "the gateway says: %.*s", LOG_STR(in->text));
        break;
    case SESSION_EV_IGNORED:
        log_line(LOG_DEBUG, "ignored a message of unknown type or for a request that is over");
        break;
    case SESSION_EV_CLOSED:
        log_form(LOG_INFO, "the gateway closes with code %u",
                 (unsigned)a->session.link.close_code);
        if (a->closed_err == 0)
            a->closed_err = close_reason(a->session.link.close_code);
        break;
    default:
        break;
    }
}

/* Works on what has been received; true when that is used up, false when some of it has to wait. */
static bool receive(struct agent *a, int *err)
{
    uint8_t nothing;
    uint8_t *p;
    size_t n = 0;
    struct session_in in;
    int used;

    do {
        if (still_held(a))
            return false;
        p = transport_recv_buf(&a->transport, &n);
        used = session_recv(&a->session, p ? p : &nothing, p ? n : 0, a->loop.now, &in);
        if (used < 0) {
            *err = used;
            if (used == ERR_AUTH)
                log_form(LOG_WARN, "the gateway refuses the token: %.*s", LOG_STR(in.text));
            return false;
        }
        on_event(a, &in, (size_t)used);
        /* Held bytes get a second try: what was in their way may have gone out meanwhile, and
         * nothing else would wake the loop for them. */
        if (used > 0 && a->held.n == 0)
            transport_recv_ack(&a->transport, (size_t)used);
    } while (used > 0 || in.event != SESSION_EV_MORE);
    return transport_recv_buf(&a->transport, &n) == NULL;
}

/* ---- out ---- */

/* What is due of the session goes before any body. */
static bool put_due(struct agent *a)
{
    uint8_t key[4];
    bool any = false;

    while (session_due(&a->session)) {
        size_t cap;
        uint8_t *p = record_room(a, &cap);
        size_t n = 0;

        if (p != NULL)
            n = session_put(&a->session, p, cap, record_key(a, key), a->loop.now, clock_unix());
        if (n == 0) {
            a->blocked = a->blocked || p == NULL || a->record_len > 0;
            return any;
        }
        record_ack(a, n);
        any = true;
    }
    return any;
}

/* One message of each stream that has one, beginning behind the last that had its turn: when a
 * record holds no more than one of them, the next record is another's. */
static bool put_bodies(struct agent *a)
{
    unsigned first = a->next_exchange;
    bool any = false;

    for (unsigned i = 0; i < STREAMS_MAX && !a->blocked; i++) {
        unsigned slot = (first + i) % STREAMS_MAX;

        if (a->stream[slot].state == STREAM_FREE || !response_put(a, (int)slot))
            continue;
        a->next_exchange = slot + 1;
        any = true;
    }
    return any;
}

static bool put_all(struct agent *a)
{
    bool any;

    a->blocked = false;
    any = put_due(a);
    if (!a->blocked && put_bodies(a))
        any = true;
    /* Streams may have become due meanwhile (a broken one, credit to tell). */
    if (!a->blocked && put_due(a))
        any = true;
    return any;
}

bool tunnel_say(struct agent *a)
{
    bool any = put_due(a);

    record_send(a);
    return any;
}

/* ---- a turn ---- */

static void want_exchange(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    bool may_put = a->stream[slot].tx_credit > 0 && session_may_put(&a->session, slot);
    bool more = a->held.n > 0 && a->held_slot == slot;
    unsigned want = exchange_want(x, may_put, more, a->loop.now);

    loop_want(&a->loop, a->conn[slot].fd, want, x->deadline);
}

void tunnel_want(struct agent *a)
{
    struct loop *l = &a->loop;
    loop_want(l, a->transport.fd, transport_want(&a->transport), session_deadline(&a->session));
    for (int slot = 0; slot < STREAMS_MAX; slot++) {
        if (a->conn[slot].fd >= 0)
            want_exchange(a, slot);
    }
    /* Later than that it is the end of a request that is waited for. */
    if (a->homes.state == HOMES_OPEN && a->homes.due > l->now)
        loop_want(l, -1, 0, a->homes.due);
    if (a->again)
        loop_want(l, -1, 0, l->now);
}

static void turn_exchange(struct agent *a, int slot, unsigned ready)
{
    if (ready & LOOP_OUT)
        request_flush(a, slot);
    /* Unless that was another connection's, which the write above found dead. */
    if ((ready & LOOP_IN) && a->conn[slot].fd >= 0 && exchange_listens(&a->exchange[slot]))
        response_read(a, slot);
    if (a->conn[slot].fd >= 0)
        request_on_time(a, slot);
}

static void turn_exchanges(struct agent *a)
{
    int slot;

    for (slot = 0; slot < STREAMS_MAX; slot++) {
        if (a->conn[slot].fd >= 0)
            turn_exchange(a, slot, loop_ready(&a->loop, a->conn[slot].fd));
    }
}

/* After a Goaway, and before our own end: open requests end first, unless the gateway closes
 * before. The first gateway is returned to between two requests. */
static void leave(struct agent *a)
{
    bool idle = a->session.stream_count == 0 && a->session.avoid == 0;

    if (idle && !a->leaving && homes_returns(&a->homes, a->loop.now)) {
        a->closed_err = ERR_RETURN;
        a->leaving = true;
    }
    if (idle && a->leaving)
        session_close(&a->session, a->stopping ? WS_CLOSE_NORMAL : WS_CLOSE_AWAY);
}

static int on_time(struct agent *a)
{
    /* What that makes due goes out in a turn of its own, which nothing else may bring about. */
    if (a->loop.now >= session_deadline(&a->session))
        a->again = true;
    return session_on_time(&a->session, a->loop.now);
}

/* Does input wait for work of our own? Then silence is not the peer's. What waits for the peer to
 * take something is no such thing. */
static bool holds_back(const struct agent *a)
{
    return a->held.n > 0 || session_waits_for_itself(&a->session);
}

/* Signs of life, and what is missing of them. */
static int watch_peer(struct agent *a, bool heard)
{
    struct transport *t = &a->transport;
    bool waits = transport_waits(t);
    int slot = session_obstacle(&a->session, a->loop.now);

    if (heard || holds_back(a))
        session_heard(&a->session, a->loop.now);
    session_unsent(&a->session, waits, waits ? transport_taken(t) : 0, a->loop.now);
    if (slot >= 0)
        request_fail(a, slot, 503, "made way for other requests");
    return t->err < 0 ? t->err : on_time(a);
}

static bool over(const struct agent *a)
{
    return a->session.state == SESSION_ENDED && !session_due(&a->session);
}

int tunnel_turn(struct agent *a)
{
    struct transport *t = &a->transport;
    uint64_t heard = t->heard;
    unsigned rounds = 0;
    bool progress;
    int err = 0;

    turn_exchanges(a);
    do {
        bool deaf = t->peer == PEER_DEAF;

        if (deaf || (rounds == 0 ? loop_ready(&a->loop, t->fd) != 0 : !t->read_idle))
            transport_pump(t);
        progress = receive(a, &err) && !t->read_idle && t->err == 0;
        leave(a);
        a->bulk_max = transport_pace(t, a->loop.now);
        if (put_all(a))
            progress = true;
        record_send(a);
        /* The rest of the input may say why it went, so that nothing may stop it. */
        if (t->peer == PEER_DEAF)
            session_mute(&a->session);
        /* The socket has taken at last what was in the way, or will take nothing any more: no event
         * will tell of that. */
        if ((a->blocked && !transport_unsent(t)) || deaf != (t->peer == PEER_DEAF))
            progress = true;
        progress = progress && err == 0 && !t->write_blocked;
    } while (progress && ++rounds < TURN_ROUNDS && !over(a));
    a->again = progress && !over(a);
    if (err == 0)
        err = watch_peer(a, t->heard != heard);
    if (err == 0 && over(a))
        err = a->closed_err < 0 ? a->closed_err : ERR_CLOSED;
    return err < 0 && a->closed_err < 0 ? a->closed_err : err;
}
