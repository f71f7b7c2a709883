#include "core/session.h"

#include <string.h>

#include "check.h"
#include "err.h"
#include "session_parts.h"

void session_init(struct session *s, const struct session_role *role,
                  enum upgrade_protocol protocol, const struct session_config *config,
                  struct stream *slots, struct session_counters *counters, int64_t now)
{
    memset(s, 0, sizeof *s);
    link_init(&s->link, role->client, protocol);
    s->role = role;
    s->config = *config;
    s->counters = counters;
    s->stream = slots;
    s->current = -1;
    s->tx_slot = -1;
    s->flags = role->client ? SESSION_DUE_AUTH : 0;
    s->ping_next = INT64_MAX;
    s->stats_next = INT64_MAX;
    s->stall_at = INT64_MAX;
    s->probe_at = INT64_MAX;
    s->error_at = INT64_MAX;
    s->ping_at = now;
    memset(slots, 0, config->max_streams * sizeof *slots);
}

/* ---- health ---- */

void session_opened(struct session *s, int64_t now)
{
    s->state = SESSION_OPEN;
    if (s->probe_at != INT64_MAX)
        s->flags |= SESSION_DUE_PING;
    if (s->config.ping_interval_ms > 0)
        s->ping_next = now + s->config.ping_interval_ms;
    if (s->link.client && s->config.stats_interval_ms > 0)
        s->stats_next = now + s->config.stats_interval_ms;
}

void session_heard(struct session *s, int64_t now)
{
    (void)now;
    s->ping_out = false;
    /* What had come before the Ping went out says nothing of the time after it. */
    if (s->probe_out)
        s->probe_at = INT64_MAX;
}

void session_probe(struct session *s, uint32_t limit_ms, int64_t now)
{
    if (s->state == SESSION_ENDED || s->probe_at != INT64_MAX)
        return;
    if (s->state == SESSION_OPEN)
        s->flags |= SESSION_DUE_PING;
    s->probe_at = now + limit_ms;
    s->probe_out = false;
}

void session_measure(struct session *s)
{
    if (s->state == SESSION_OPEN && s->rtt_ms == 0 && s->ping_value == 0 && !s->link.plain)
        s->flags |= SESSION_DUE_PING;
}

static int64_t ping_deadline(const struct session *s)
{
    return s->ping_out ? s->ping_at + s->config.ping_timeout_ms : INT64_MAX;
}

void session_unsent(struct session *s, bool unsent, uint64_t taken, int64_t now)
{
    if (!unsent)
        s->stall_at = INT64_MAX;
    else if (s->stall_at == INT64_MAX || taken != s->taken)
        s->stall_at = now + s->config.ping_timeout_ms;
    s->taken = taken;
}

bool session_waits_for_itself(const struct session *s)
{
    return (s->flags & SESSION_DUE_ERROR) && s->link.tx_open;
}

int session_obstacle(struct session *s, int64_t now)
{
    if (!session_waits_for_itself(s)) {
        s->error_at = INT64_MAX;
        return -1;
    }
    if (s->error_at == INT64_MAX)
        s->error_at = now + s->config.ping_timeout_ms;
    if (now < s->error_at)
        return -1;
    s->error_at = INT64_MAX;
    return s->tx_slot;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t session_deadline(const struct session *s)
{
    if (s->state != SESSION_OPEN)
        return s->state == SESSION_AUTH ? s->probe_at : INT64_MAX;
    return earlier(earlier(earlier(s->ping_next, s->stats_next), ping_deadline(s)),
                   earlier(earlier(s->stall_at, s->error_at), s->probe_at));
}

int session_on_time(struct session *s, int64_t now)
{
    if (s->state == SESSION_ENDED)
        return 0;
    if (now >= ping_deadline(s) || now >= s->probe_at)
        return ERR_PING_TIMEOUT;
    if (s->state == SESSION_AUTH)
        return 0;
    s->probe_out = (s->flags & SESSION_DUE_PING) == 0;
    if (now >= s->stall_at)
        return ERR_STALLED;
    if (now >= s->ping_next) {
        /* Silence counts from now even if the Ping itself finds no room: a connection that takes
         * nothing and gives nothing is dead as well. */
        s->flags |= SESSION_DUE_PING;
        if (!s->ping_out)
            s->ping_at = now;
        s->ping_out = true;
        s->ping_next = now + s->config.ping_interval_ms;
    }
    if (now >= s->stats_next) {
        s->flags |= SESSION_DUE_STATS;
        s->stats_next = now + s->config.stats_interval_ms;
    }
    return 0;
}

/* ---- the session as a whole ---- */

void session_mute(struct session *s)
{
    s->flags = SESSION_MUTE;
}

void session_close(struct session *s, uint16_t code)
{
    if (s->close_code != 0)
        return;
    s->close_code = code;
    s->flags |= SESSION_DUE_CLOSE;
}

/* ---- streams ---- */

static bool same_id(const struct stream *t, struct str id)
{
    return t->id_len == id.n && memcmp(t->id, id.p, id.n) == 0;
}

int session_find(const struct session *s, struct str id)
{
    uint64_t left;

    /* With at most a few dozen slots, looking at each is quicker than keeping an index. */
    for (left = s->used; left != 0; left &= left - 1) {
        int slot = __builtin_ctzll(left);
        const struct stream *t = &s->stream[slot];

        if (t->state == STREAM_OPEN && same_id(t, id))
            return slot;
    }
    return -1;
}

int session_take(struct session *s, struct str id)
{
    uint64_t all = s->config.max_streams >= 64 ? ~UINT64_C(0)
                                               : (UINT64_C(1) << s->config.max_streams) - 1;
    uint64_t unused = all & ~s->used;
    struct stream *t;
    int slot;

    if (unused == 0)
        return -1;
    slot = __builtin_ctzll(unused & ~s->avoid ? unused & ~s->avoid : unused);
    t = &s->stream[slot];
    *t = (struct stream){ .state = STREAM_OPEN };
    memcpy(t->id, id.p, id.n);
    t->id_len = (uint8_t)id.n;
    t->tx_credit = s->peer_window;
    t->rx_credit = s->link.plain ? UINT64_MAX : s->config.window;
    s->used |= UINT64_C(1) << slot;
    s->stream_count++;
    return slot;
}

void session_free(struct session *s, int slot)
{
    s->stream[slot].state = STREAM_FREE;
    s->used &= ~(UINT64_C(1) << slot);
    s->due &= ~(UINT64_C(1) << slot);
    s->stream_count--;
    if (s->current == slot)
        s->current = -1;
}

void session_settle(struct session *s, int slot)
{
    struct stream *t = &s->stream[slot];

    if (t->rx == STREAM_ENDED && t->tx == STREAM_ENDED && t->state != STREAM_BROKEN)
        session_free(s, slot);
}

void session_break(struct session *s, int slot, unsigned code, const char *text)
{
    struct stream *t = &s->stream[slot];
    bool in_head = s->tx_slot == slot && t->tx == STREAM_HEAD;

    t->rx = t->tx = STREAM_ENDED;
    if (s->current == slot)
        s->current = -1;
    t->abort_code = (uint16_t)code;
    t->abort_text = text;
    /* Only the owner can put the rest of a head. */
    if (in_head)
        t->state = STREAM_DOOMED;
    else
        session_break_now(s, slot);
}

void session_break_now(struct session *s, int slot)
{
    struct stream *t = &s->stream[slot];

    t->state = STREAM_BROKEN;
    if (t->abort_code != 0 || s->tx_slot == slot)
        s->due |= UINT64_C(1) << slot;
    else
        session_free(s, slot);
}

void session_abort(struct session *s, int slot, unsigned code, const char *text)
{
    if (s->stream[slot].state != STREAM_OPEN)
        return;
    s->counters->requests_failed++;
    session_break(s, slot, code, text);
}

void session_grant(struct session *s, int slot, uint64_t n)
{
    struct stream *t = &s->stream[slot];

    CHECK(slot >= 0 && (uint32_t)slot < s->config.max_streams && t->state != STREAM_FREE);
    if (s->link.plain || t->rx == STREAM_ENDED || n == 0)
        return;
    t->grant += n;
    /* Told in halves of a window, so that a Window message is worth its bytes; at once when the
     * peer has nothing left to go on with. */
    if (t->grant >= s->config.window / 2 || t->rx_credit == 0)
        s->due |= UINT64_C(1) << slot;
}
