#include "gateway.h"

#include "err.h"
#include "leave.h"
#include "listen.h"
#include "load.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/log.h"
#include "turn.h"

/* ---- start ---- */

/* What visitors write after the host, as far as we can know it. */
static void set_public_address(struct gateway *g)
{
    uint32_t port = g->config.public_port ? g->config.public_port : g->config.listen_port;
    struct writer w;

    g->url_tls = !g->config.plain || g->config.public_port;
    if (port == (g->url_tls ? 443u : 80u))
        return;
    writer_init(&w, g->url_port_text, sizeof g->url_port_text);
    writer_u8(&w, ':');
    writer_u64(&w, port);
    g->url_port = (struct str){ g->url_port_text, writer_stored(&w) };
}

static void start_lists(struct gateway *g)
{
    struct list *const lists[] = { &g->unused, &g->closed, &g->dirty, &g->served, &g->idle,
                                   &g->unused_tunnels, &g->unnamed_tunnels };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        list_init(lists[i]);
    peers_init(&g->peers);
    for (size_t i = 0; i < g->conn_count; i++) {
        struct conn *c = &g->conn[i];

        c->source = SOURCE_CONN;
        c->gateway = g;
        list_init(&c->dirty);
        list_init(&c->served);
        list_append(&g->unused, &c->node);
    }
    for (size_t i = 0; i < g->tunnel_count; i++)
        list_append(&g->unused_tunnels, &g->tunnel[i].node);
}

static void set_times(struct gateway *g)
{
    const struct config *config = &g->config;

    g->times = (struct visit_times){
        .header_ms = config->header_timeout_ms,
        .idle_ms = config->idle_timeout_ms,
        .queue_ms = config->queue_timeout_ms,
        .hold_ms = config->hold_ms,
        .request_ms = config->request_timeout_ms,
        .upgrade_ms = config->upgrade_timeout_ms,
        .least_rate = config->least_rate,
    };
}

int gateway_start(struct gateway *g)
{
    int err;

    g->now = g->counters.started_ms = clock_ms();
    if (entropy_get(g->peers.seed, sizeof g->peers.seed) <= 0) {
        log_line(LOG_ERROR, "the kernel has no random bytes yet; try again");
        return ERR_SYS;
    }
    set_times(g);
    start_lists(g);
    wheel_init(&g->wheel, g->now);
    if (poller_init(&g->poller) < 0) {
        log_line(LOG_ERROR, "the kernel gives no epoll");
        return ERR_SYS;
    }
    err = load_files(g);
    if (err == 0)
        err = listen_start(g);
    if (err == 0)
        set_public_address(g);
    return err;
}

/* ---- signals ---- */

static void log_counters(const struct gateway *g)
{
    log_begin(LOG_INFO);
    log_text("tunnels ");
    log_u64(g->named_count);
    log_text(", connections ");
    log_u64(g->open_count);
    log_text(", requests ");
    log_u64(g->requests);
    log_text(", answered here ");
    log_u64(g->refused);
    log_text(", turned away ");
    log_u64(g->turned_away);
    log_text(", held ");
    log_u64(g->held);
    log_text(", body bytes ");
    log_u64(g->counters.bytes_transferred);
    log_text(", window bytes ");
    log_u64(g->windows.used);
    log_text(", up ");
    log_i64((g->now - g->counters.started_ms) / 1000);
    log_text(" s");
    log_end();
}

static void load_again(struct gateway *g)
{
    const struct sandbox *s = &g->config.sandbox;

    bool told = g->drain.phase == DRAIN_OFF;

    if (told)
        notify_reloading(&g->notify, g->now);
    if (load_files(g) < 0)
        log_line(LOG_ERROR, s->user || s->root
                                ? "what was loaded before stays in use; after --user and --chroot, "
                                  "files must be readable for that user, in that directory"
                                : "what was loaded before stays in use");
    if (told)
        notify_ready(&g->notify);
}

static void take_signals(struct gateway *g)
{
    unsigned came = poller_signals(&g->poller);

    if (came & SIGNALS_TERM)
        leave_signal(g);
    if (came & SIGNALS_HUP)
        load_again(g);
    if (came & SIGNALS_USR1)
        log_counters(g);
}

/* ---- the loop ---- */

void gateway_run(struct gateway *g)
{
    turn_listen(g);
    while (!leave_turn(g)) {
        turn_wait(g);
        notify_alive(&g->notify, g->now);
        take_signals(g);
        turn_serve(g);
    }
}
