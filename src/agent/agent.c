#include "agent.h"

#include <string.h>

#include "err.h"
#include "sys/clock.h"
#include "sys/log.h"

/* For the peer's answer to our close frame. */
#define CLOSE_MS 1000
/* For a sign of life after SIGUSR2, unless the ping timeout is shorter. */
#define PROBE_MS 5000

_Static_assert(sizeof(struct agent) <= AGENT_RAM_MAX, "the agent's memory is over its budget");

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- waiting ---- */

/* Plans the next attempt, or the end. */
static void plan(struct agent *a, int err, bool proven)
{
    enum homes_end how = err == ERR_GOAWAY   ? HOMES_AWAY
                         : err == ERR_RETURN ? HOMES_RETURN
                                             : HOMES_FAILED;

    if (a->stopping) {
        a->phase = PHASE_ENDED;
        return;
    }
    if (!homes_ended(&a->homes, how, proven, entropy_u32(&a->entropy), a->loop.now)) {
        log_line(LOG_ERROR, "giving up: --max-attempts");
        a->phase = PHASE_ENDED;
        a->exit_code = 1;
        return;
    }
    a->phase = PHASE_WAIT;
    a->deadline = a->homes.due;
    if (a->deadline <= a->loop.now || !log_begin(LOG_INFO))
        return;
    log_text("connecting again in ");
    log_ms((uint32_t)(a->deadline - a->loop.now));
    log_end();
}

static bool had_session(const struct agent *a)
{
    return a->phase == PHASE_SESSION || a->phase == PHASE_CLOSING;
}

/* Has the session been of use, so that the delays start over? */
static bool is_proven(const struct agent *a)
{
    return had_session(a) &&
           backoff_is_proven(a->loop.now - a->opened_at,
                             a->counters.requests_processed - a->answered_before);
}

static void log_failure(struct agent *a, int err)
{
    if (!log_begin(a->stopping ? LOG_DEBUG : err == ERR_RETURN ? LOG_INFO : LOG_WARN))
        return;
    log_text("disconnected: ");
    if (err == ERR_TLS)
        gateway_trust_log(a, a->transport.tls_err);
    else
        log_text(err_text(err));
    if (err == ERR_SYS) {
        log_text(", errno ");
        log_u64((uint64_t)sock_errno());
    }
    if (a->phase == PHASE_TLS)
        log_text(gateway_trust_hint(a));
    log_end();
}

/* Takes the connection down, in whatever phase it is, and plans the next one. */
static void disconnect(struct agent *a, int err)
{
    /* When somebody else uses this token, fighting for it serves nobody. */
    bool proven = err != ERR_REPLACED && is_proven(a);

    if (had_session(a))
        a->counters.reconnects++;
    log_failure(a, err);
    if (err == ERR_AUTH && a->session.retry_after > 0)
        connect_wait_seconds(a, a->session.retry_after);
    tunnel_end(a);
    /* Whoever answers there is not the gateway, or not any more. */
    if (a->phase < PHASE_SESSION)
        resolver_mark(&a->dial.resolver, &a->dial.peer, DNS_CACHE_FAILED);
    dial_stop(&a->dial);
    transport_close(&a->transport);
    transport_push(&a->transport);
    transport_end(&a->transport);
    plan(a, err, proven);
}

/* ---- session ---- */

static void limit(struct agent *a, int64_t deadline)
{
    if (deadline < a->deadline)
        a->deadline = deadline;
}

static int turn_closing(struct agent *a)
{
    size_t n;

    transport_pump(&a->transport);
    while (transport_recv_buf(&a->transport, &n) != NULL)
        transport_recv_ack(&a->transport, n);
    return a->transport.err < 0 ? ERR_CLOSED : 0;
}

static int turn_session(struct agent *a)
{
    int err = tunnel_turn(a);

    if (err == 0) {
        /* Who takes nothing more does not hear our goodbye either. */
        if (a->stopping == STOPPING_CLOSES || a->session.state == SESSION_ENDED)
            limit(a, a->loop.now + CLOSE_MS);
        return 0;
    }
    /* What was said last may still be on its way: a close would be a reset, as long as there is
     * something unread, and take it along (RFC 6455 section 7.1.1). */
    if ((a->stopping || err == ERR_GOAWAY || err == ERR_RETURN) &&
        a->session.state == SESSION_ENDED) {
        a->phase = PHASE_CLOSING;
        a->deadline = a->loop.now + CLOSE_MS;
        /* The end of the connection may have come with the peer's close frame. */
        return turn_closing(a);
    }
    /* The close frame says why, if it still finds its way. */
    while (session_due(&a->session) && tunnel_say(a))
        ;
    return err;
}

static void log_stats(const struct agent *a)
{
    const struct session_counters *c = &a->counters;

    if (!log_begin(LOG_INFO))
        return;
    log_text("requests_processed ");
    log_u64(c->requests_processed);
    log_text(" requests_failed ");
    log_u64(c->requests_failed);
    log_text(" bytes_transferred ");
    log_u64(c->bytes_transferred);
    log_text(" uptime_seconds ");
    log_u64((uint64_t)(a->loop.now - c->started_ms) / 1000);
    log_text(" reconnects ");
    log_u64(c->reconnects);
    log_text(" streams_active ");
    log_u64(a->phase == PHASE_SESSION ? a->session.stream_count : 0);
    log_text(" rtt_ms ");
    log_u64(a->session.rtt_ms);
    log_end();
}

/* ---- signals ---- */

static bool is_open(const struct agent *a)
{
    return a->phase == PHASE_SESSION && a->session.state == SESSION_OPEN;
}

static void end(struct agent *a)
{
    a->stopping = STOPPING_CLOSES;
    if (a->phase == PHASE_SESSION) {
        session_close(&a->session, WS_CLOSE_NORMAL);
        a->deadline = a->loop.now + CLOSE_MS;
        a->again = true;
    } else if (a->phase != PHASE_CLOSING) {
        disconnect(a, ERR_CLOSED);
    }
}

/* Open requests may end before the session does. */
static void drain(struct agent *a)
{
    a->stopping = STOPPING_DRAINS;
    session_drain(&a->session);
    a->leaving = true;
    a->deadline = a->loop.now + a->config.drain_ms;
    a->again = true;
}

static void stop(struct agent *a)
{
    bool first = a->stopping == STOPPING_NOT;

    if (first) {
        log_line(LOG_INFO, "stopping");
        notify_stopping(&a->notify);
    }
    if (first && a->config.drain_ms > 0 && is_open(a))
        drain(a);
    else if (a->stopping != STOPPING_CLOSES)
        end(a);
}

static void read_token(struct agent *a)
{
    notify_reloading(&a->notify, a->loop.now);
    if (token_read(&a->config, &a->target) == 0) {
        /* Of another length, and Auth may still have to go out. */
        a->session.config.token.n = a->target.token_len;
        log_line(LOG_INFO, "token read again, used from the next connection on");
    }
    notify_ready(&a->notify);
}

/* The network may have changed: nothing of the old one is waited for any longer than needed. */
static void hurry(struct agent *a)
{
    uint32_t ms = a->config.ping_timeout_ms < PROBE_MS ? a->config.ping_timeout_ms : PROBE_MS;

    homes_now(&a->homes, a->loop.now);
    dns_cache_forget_failed(&a->names);
    if (a->phase <= PHASE_DIAL) {
        dial_stop(&a->dial);
        a->phase = PHASE_WAIT;
        a->deadline = a->homes.due;
    } else if (a->phase == PHASE_SESSION) {
        session_probe(&a->session, ms, a->loop.now);
    } else {
        limit(a, a->loop.now + ms);
    }
}

static void on_signals(struct agent *a)
{
    unsigned signals = loop_signals(&a->loop);

    if (signals & LOOP_SIG_USR1)
        log_stats(a);
    if (signals & LOOP_SIG_HUP)
        read_token(a);
    if (signals & LOOP_SIG_USR2)
        hurry(a);
    if (signals & LOOP_SIG_TERM)
        stop(a);
}

/* ---- the loop ---- */

static void want(struct agent *a)
{
    struct loop *l = &a->loop;

    loop_want(l, -1, 0, least(a->deadline, a->notify.next));
    local_want(a);
    switch (a->phase) {
    case PHASE_DIAL:
        loop_want(l, a->dial.fd, a->dial.want, a->dial.deadline);
        break;
    case PHASE_TLS:
    case PHASE_UPGRADE:
    case PHASE_CLOSING:
        loop_want(l, a->transport.fd, transport_want(&a->transport), NET_NEVER);
        break;
    case PHASE_SESSION:
        tunnel_want(a);
        break;
    default:
        break;
    }
}

static int on_deadline(struct agent *a)
{
    if (a->phase == PHASE_WAIT)
        return connect_start(a);
    if (a->stopping == STOPPING_DRAINS && is_open(a)) {
        end(a);
        return 0;
    }
    return a->phase == PHASE_SESSION && a->closed_err < 0 ? a->closed_err : ERR_TIMEOUT;
}

static int turn_phase(struct agent *a)
{
    switch (a->phase) {
    case PHASE_DIAL:
        return connect_turn_dial(a);
    case PHASE_TLS:
        return connect_turn_tls(a);
    case PHASE_UPGRADE:
        return connect_turn_upgrade(a);
    case PHASE_SESSION:
        return turn_session(a);
    case PHASE_CLOSING:
        return turn_closing(a);
    default:
        return 0;
    }
}

static void turn(struct agent *a)
{
    int err;

    local_turn(a);
    err = turn_phase(a);
    if (err == 0 && a->phase != PHASE_ENDED && a->loop.now >= a->deadline)
        err = on_deadline(a);
    if (err < 0)
        disconnect(a, a->phase == PHASE_CLOSING && a->closed_err < 0 ? a->closed_err : err);
}

void agent_init(struct agent *a)
{
    a->homes = (struct homes){
        .backoff = {
            .base_ms = a->config.base_delay_ms,
            .max_ms = a->config.max_delay_ms,
            .factor_milli = a->config.factor_milli,
            .jitter_milli = a->config.jitter_milli,
            .attempts_max = a->config.max_attempts,
        },
        .return_ms = a->config.return_after_ms,
        .count = a->target.uri_count,
    };
    pool_init(&a->shared.pool, a->block);
    a->shared.timeout_ms = a->config.request_timeout_ms;
    for (int slot = 0; slot < STREAMS_MAX; slot++) {
        exchange_init(&a->exchange[slot], &a->shared);
        a->conn[slot].fd = -1;
    }
    a->dial.resolver.cache = &a->names;
    local_init(a);
    a->transport.fd = -1;
    a->dial.fd = -1;
    loop_init(&a->loop);
    loop_begin(&a->loop);
    a->counters.started_ms = a->loop.now;
    homes_start(&a->homes, a->loop.now);
    a->deadline = a->homes.due;
    a->phase = PHASE_WAIT;
}

/* Turns that move nothing, one after the other, are a defect of ours: it must not cost more than
 * the session, or a start by whoever started us. */
static void watch(struct agent *a)
{
    switch (watchdog_turn(&a->watchdog, sock_moved(), a->loop.now)) {
    case WATCHDOG_SOUND:
        notify_alive(&a->notify, a->loop.now);
        break;
    case WATCHDOG_SUSPECT:
        break;
    case WATCHDOG_SESSION:
        disconnect(a, ERR_SPINS);
        break;
    case WATCHDOG_PROCESS:
        log_line(LOG_ERROR, err_text(ERR_SPINS));
        a->exit_code = AGENT_EXIT_SPINS;
        a->phase = PHASE_ENDED;
        break;
    }
}

int agent_run(struct agent *a)
{
    while (a->phase != PHASE_ENDED) {
        loop_begin(&a->loop);
        want(a);
        loop_wait(&a->loop);
        on_signals(a);
        turn(a);
        watch(a);
    }
    return a->exit_code;
}
