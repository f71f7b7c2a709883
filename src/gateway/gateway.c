#include "gateway.h"

#include <errno.h>
#include <string.h>

#include "certificate.h"
#include "codec/ascii.h"
#include "err.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"
#include "sys/log.h"
#include "turn.h"

#define BACKLOG 1024
/* After SIGTERM: requests under way may end, then agents are told, then it ends anyway. */
#define STOP_REQUESTS_MS 1000
#define STOP_MAX_MS 1700
/* Told to agents that have to dial again: they spread over this time. */
#define GOAWAY_DELAY_MS 1000

static void log_error(const char *text, struct str what)
{
    log_begin(LOG_ERROR);
    log_text(text);
    log_str(what);
    log_end();
}

/* ---- files ---- */

/* Tunnels whose token is still there go on under their new entry; the others end. */
static void carry_tunnels(struct gateway *g, const struct tunnel_names *from,
                          struct tunnel_names *to)
{
    for (size_t i = 0; i < from->count; i++) {
        struct tunnel_name *old = &from->entry[i];
        struct tunnel_name *fresh;

        if (!old->tunnel)
            continue;
        fresh = tunnel_names_find(to, tunnel_names_label(old));
        if (fresh && memcmp(fresh->hash, old->hash, TUNNEL_NAME_HASH_LEN) == 0) {
            fresh->tunnel = old->tunnel;
            fresh->tunnel->name = fresh;
        } else {
            log_error("token withdrawn, tunnel ends: ", tunnel_names_label(old));
            tunnel_end(old->tunnel, WS_CLOSE_TOKEN, "The tunnel was withdrawn.");
        }
    }
    g->names = to;
}

static const char *tokens_advice(int err)
{
    switch (err) {
    case ERR_STATE:
        return ": the token of another name; make one with adit-gateway token NAME";
    case ERR_TRUNCATED:
        return ": has no end, and may be half written";
    default:
        return ": write NAME SHA256HEX, each name once";
    }
}

static int tokens_error(struct gateway *g, int err, unsigned line)
{
    log_begin(LOG_ERROR);
    log_str(str_of(g->config.tokens));
    if (err == ERR_LIMIT) {
        log_text(": too many names; see --max-names");
    } else if (err == ERR_STATE && line == 0) {
        log_text(": is empty; to withdraw all names, leave a comment in it");
    } else if (line > 0) {
        log_text(": line ");
        log_u64(line);
        log_text(tokens_advice(err));
    } else {
        log_text(": cannot be read");
    }
    log_end();
    return err;
}

/* Into the table that is not in use. A file without a byte is one that somebody is about to write,
 * unless there never were any names. */
static int read_tokens(struct gateway *g, struct tunnel_names *other)
{
    unsigned line = 0;
    int n = file_read(g->config.tokens, g->file, g->file_cap);
    int err;

    if (n < 0)
        return tokens_error(g, n, 0);
    if (n == 0 && g->names && g->names->count > 0)
        return tokens_error(g, ERR_STATE, 0);
    tunnel_names_init(other, other->entry, g->config.max_names);
    err = tunnel_names_parse(other, (struct str){ g->file, (size_t)n }, &line);
    return err < 0 ? tokens_error(g, err, line) : 0;
}

static void use_tokens(struct gateway *g, struct tunnel_names *other)
{
    if (g->names)
        carry_tunnels(g, g->names, other);
    g->names = other;
    log_begin(LOG_INFO);
    log_u64(other->count);
    log_text(" names in the tokens file");
    log_end();
}

/* All of it or nothing: what fits together was put there together. Handshakes under way may still
 * use the identity they began with: two take turns. */
int gateway_load(struct gateway *g)
{
    struct tunnel_names *names = &g->tunnel_names_table[g->names == &g->tunnel_names_table[0]];
    struct tls_identity *identity = &g->identities[g->identity == &g->identities[0]];
    int err = g->config.plain ? 0 : certificate_load(&g->config, identity);
    int err_tokens = read_tokens(g, names);

    if (err < 0 || err_tokens < 0)
        return err < 0 ? err : err_tokens;
    g->identity = identity;
    /* A session begun with a certificate that was withdrawn ends with it. */
    tls_shared_forget(&g->tls);
    use_tokens(g, names);
    return 0;
}

static int load_clients(struct gateway *g)
{
    int err = g->config.client_ca ? tls_shared_add_clients(&g->tls, g->config.client_ca) : 0;

    if (err == ERR_LIMIT)
        log_error("too many CAs (16 at most) in --client-ca ", str_of(g->config.client_ca));
    else if (err < 0)
        log_error("no usable CA certificate in --client-ca ", str_of(g->config.client_ca));
    return err;
}

/* ---- start ---- */

static void log_address(const struct ip *ip, uint16_t port)
{
    uint8_t text[IP_TEXT_MAX];

    log_text(ip->len == 16 ? "[" : "");
    log_str((struct str){ text, ip_format(ip, text) });
    log_text(ip->len == 16 ? "]:" : ":");
    log_u64(port);
}

static const char *listen_advice(int code)
{
    switch (code) {
    case EADDRINUSE:
        return ": another program has the port (ss -ltnp tells which)";
    case EACCES:
        return ": ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return ": this machine does not have the address";
    default:
        return ": the kernel gives no socket";
    }
}

static int listen_on(struct listener *l, const struct ip *ip, uint16_t *port, const char *what)
{
    int fd = sock_listen(ip, port, BACKLOG, true);
    int code = errno;

    l->fd = fd;
    log_begin(fd < 0 ? LOG_ERROR : LOG_INFO);
    log_text(what);
    log_text(fd < 0 ? ": cannot listen on " : ": listening on ");
    log_address(ip, *port);
    if (fd < 0)
        log_text(listen_advice(code));
    log_end();
    return fd < 0 ? fd : 0;
}

static int start_listeners(struct gateway *g)
{
    struct config *c = &g->config;
    int err;

    g->listener[0] = (struct listener){ SOURCE_LISTENER, -1, 0, !c->plain, true };
    g->listener[1] = (struct listener){ SOURCE_LISTENER, -1, 0, false, false };
    err = listen_on(&g->listener[0], &c->listen_ip, &c->listen_port,
                    c->plain ? "plain HTTP" : "TLS");
    if (err == 0 && c->listen_http)
        err = listen_on(&g->listener[1], &c->listen_http_ip, &c->listen_http_port,
                        "plain HTTP for visitors");
    return err;
}

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
        .request_ms = config->request_timeout_ms,
        .upgrade_ms = config->upgrade_timeout_ms,
        .least_rate = config->least_rate,
    };
}

int gateway_start(struct gateway *g)
{
    int err;

    g->now = clock_ms();
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
    err = gateway_load(g);
    if (err == 0)
        err = load_clients(g);
    if (err == 0)
        err = start_listeners(g);
    if (err == 0)
        set_public_address(g);
    g->counters.started_ms = g->now;
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
    log_text(", body bytes ");
    log_u64(g->counters.bytes_transferred);
    log_text(", window bytes ");
    log_u64(g->windows.used);
    log_text(", up ");
    log_i64((g->now - g->counters.started_ms) / 1000);
    log_text(" s");
    log_end();
}

static void stop(struct gateway *g)
{
    g->stopping = true;
    g->stop_at = g->now + STOP_MAX_MS;
    g->goodbye_at = g->now + STOP_REQUESTS_MS;
    log_line(LOG_INFO, "stopping");
    for (size_t i = 0; i < 2; i++) {
        if (g->listener[i].fd >= 0)
            poller_remove(&g->poller, g->listener[i].fd, &g->listener[i].polled);
        sock_close(&g->listener[i].fd);
    }
    while (!list_empty(&g->idle))
        conn_close(LIST_OWNER(g->idle.next, struct conn, node));
}

/* Agents are told to dial again: soon, but not all at once. */
static void say_goodbye(struct gateway *g)
{
    g->said_goodbye = true;
    for (size_t i = 0; i < g->tunnel_count; i++) {
        struct tunnel *t = &g->tunnel[i];

        if (!t->conn || t->ending)
            continue;
        session_goaway(&t->session, GOAWAY_DELAY_MS);
        tunnel_end(t, WS_CLOSE_AWAY, "The gateway is being restarted.");
    }
}

static void load_again(struct gateway *g)
{
    const struct sandbox *s = &g->config.sandbox;

    if (gateway_load(g) < 0)
        log_line(LOG_ERROR, s->user || s->root
                                ? "what was loaded before stays in use; after --user and --chroot, "
                                  "files must be readable for that user, in that directory"
                                : "what was loaded before stays in use");
}

static void take_signals(struct gateway *g)
{
    unsigned came = poller_signals(&g->poller);

    if ((came & SIGNALS_TERM) && !g->stopping)
        stop(g);
    if (came & SIGNALS_HUP)
        load_again(g);
    if (came & SIGNALS_USR1)
        log_counters(g);
}

/* ---- the loop ---- */

static bool may_end(struct gateway *g)
{
    size_t agents = 0;

    if (!g->stopping)
        return false;
    for (size_t i = 0; i < g->tunnel_count; i++)
        agents += g->tunnel[i].conn != NULL;
    if (!g->said_goodbye && (g->open_count == agents || g->now >= g->goodbye_at))
        say_goodbye(g);
    return g->open_count == 0 || g->now >= g->stop_at;
}

void gateway_run(struct gateway *g)
{
    turn_listen(g);
    while (!may_end(g)) {
        turn_wait(g);
        take_signals(g);
        turn_serve(g);
    }
}
