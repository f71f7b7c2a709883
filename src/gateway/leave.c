#include "leave.h"

#include "gateway.h"
#include "listen.h"
#include "sys/log.h"

static size_t count_agents(const struct gateway *g)
{
    size_t agents = 0;

    for (size_t i = 0; i < g->tunnel_count; i++)
        agents += g->tunnel[i].conn != NULL;
    return agents;
}

/* ---- visitors ---- */

/* Between two requests, as far as we know. Who has just connected has a request to come, surely. */
static void close_idle(struct gateway *g)
{
    struct list *node, *next;

    for (node = g->idle.next; node != &g->idle; node = next) {
        struct conn *c = LIST_OWNER(node, struct conn, node);
        const struct visit *v = &c->visitor.visit;

        next = node->next;
        if (g->config.drain_ms == 0)
            conn_close(c);
        else if (v->served && v->up == VISIT_IDLE)
            conn_finish(c);
    }
}

/* ---- agents ---- */

/* Is it one that can be told, and may be now? Visitors who wait for its streams have them first, as
 * long as there is time for that. */
static bool may_tell(const struct gateway *g, const struct tunnel *t)
{
    if (!t->name || t->ending || t->session.leaves)
        return false;
    return list_empty(&t->wait) || drain_must_tell(&g->drain, g->now);
}

static void tell_agents(struct gateway *g)
{
    size_t due = drain_due(&g->drain, g->now);

    for (size_t i = 0; i < g->tunnel_count && g->drain.told < due; i++) {
        if (!may_tell(g, &g->tunnel[i]))
            continue;
        tunnel_leave(&g->tunnel[i], drain_delay_ms(&g->drain));
        g->drain.told++;
    }
}

static size_t count_streams(const struct tunnel *t)
{
    size_t n = t->wait_count;

    for (size_t i = 0; i < t->session.config.max_streams; i++)
        n += t->visitor[i] != NULL;
    return n;
}

/* Whoever is still here. */
static void cut(struct gateway *g)
{
    for (size_t i = 0; i < g->tunnel_count; i++) {
        struct tunnel *t = &g->tunnel[i];

        if (!t->conn || t->ending)
            continue;
        g->streams_cut += count_streams(t);
        if (t->name && !t->session.leaves) {
            session_goaway(&t->session, drain_delay_ms(&g->drain));
            g->drain.told++;
        }
        tunnel_end(t, WS_CLOSE_AWAY, "The gateway is being restarted.");
    }
}

/* ---- the whole ---- */

static void begin(struct gateway *g)
{
    drain_start(&g->drain, g->config.drain_ms, g->config.hold_ms, g->named_count, g->now);
    notify_stopping(&g->notify);
    log_begin(LOG_INFO);
    log_text("stopping: ");
    log_u64(g->named_count);
    log_text(" tunnels, ");
    log_u64(g->open_count - count_agents(g));
    log_text(" visitors, who have ");
    log_u64(g->config.drain_ms / 1000);
    log_text(" s to end");
    log_end();
    listen_give_way(g);
    /* The agents they wait for go elsewhere from now on. */
    for (size_t i = 0; i < g->names->count; i++)
        tunnel_refuse_held(&g->names->entry[i]);
}

void leave_signal(struct gateway *g)
{
    if (g->drain.phase == DRAIN_OFF) {
        begin(g);
    } else {
        log_line(LOG_INFO, "stopping at once");
        drain_hasten(&g->drain, g->now);
    }
}

static void take_phase(struct gateway *g)
{
    if (g->drain.phase == DRAIN_LEAVES) {
        listen_stop(g);
        close_idle(g);
    } else if (g->drain.phase == DRAIN_CUTS) {
        cut(g);
    }
}

static void log_end_of_it(const struct gateway *g)
{
    log_begin(LOG_INFO);
    log_text("stopped: ");
    log_u64(g->drain.told);
    log_text(" tunnels were told, ");
    log_u64(g->streams_cut);
    log_text(" streams cut, after ");
    log_i64(g->now - g->drain.began_at);
    log_text(" ms");
    log_end();
}

bool leave_turn(struct gateway *g)
{
    if (g->drain.phase == DRAIN_OFF)
        return false;
    /* Without a drain it is for visitors' sake only that agents wait. */
    if (g->config.drain_ms == 0 && g->open_count == count_agents(g))
        drain_hasten(&g->drain, g->now);
    while (drain_step(&g->drain, g->now))
        take_phase(g);
    tell_agents(g);
    /* Nobody is left; or somebody waits to be accepted. */
    if (g->open_count == 0)
        listen_stop(g);
    if (g->open_count > 0 && g->drain.phase != DRAIN_OVER)
        return false;
    log_end_of_it(g);
    return true;
}
