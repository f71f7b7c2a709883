#include "accept.h"

#include <string.h>

#include "err.h"
#include "gateway.h"
#include "limit.h"
#include "sys/log.h"

/* Connections between two looks at the poller. */
#define ACCEPT_MAX 64
/* Without a descriptor for a new connection; one line of the log for each. */
#define ACCEPT_PAUSE_MS 1000

static bool is_here(const struct ip *ip)
{
    static const uint8_t here4[4] = { 127, 0, 0, 1 }, here6[16] = { [15] = 1 };

    return memcmp(ip->bytes, ip->len == 4 ? here4 : here6, ip->len) == 0;
}

static struct peer *peer_of(struct gateway *g, const struct ip *ip)
{
    if (ip->len == 0 || is_here(ip) || cidr_has(&g->config.trust, ip))
        return NULL;
    return peers_find(&g->peers, ip);
}

/* Whoever has been without a request longest is closed; free after this turn. */
static bool make_room(struct gateway *g)
{
    if (list_empty(&g->idle))
        return false;
    conn_close(LIST_OWNER(g->idle.next, struct conn, node));
    return true;
}

/* NULL, or why this address gets no connection now. */
static const char *refusal(struct gateway *g, struct peer *from)
{
    const struct config *c = &g->config;
    uint32_t most = c->max_per_address ? c->max_per_address : (c->max_requests + 1) / 2;
    uint32_t room = c->max_requests + (from->had_agent ? TUNNELS_UNNAMED_MAX : 0);

    if (from->strangers >= most)
        return " is turned away: too many connections of this address (--max-per-address)";
    if (!rate_take(&from->connects, g->now, c->connect_rate))
        return " is turned away: too many new connections of this address (--connect-rate)";
    if (g->stranger_count >= room && !make_room(g))
        return " is turned away: all visitors' connections have a request (--max-requests)";
    return NULL;
}

static void meet(struct gateway *g, const struct listener *l, int fd, const struct ip *ip)
{
    struct peer *from = peer_of(g, ip);
    const char *why = from ? refusal(g, from) : NULL;

    if (!why) {
        struct conn *c = conn_start(g, l, fd, ip, from);

        if (c)
            visitor_start(c);
        return;
    }
    limit_tell(g, from, ip, why);
    sock_close(&fd);
}

bool accept_waiting(struct gateway *g, struct listener *l)
{
    struct ip ip;
    int fd = 0;

    if (list_empty(&g->unused))
        make_room(g);
    for (int i = 0; i < ACCEPT_MAX && !list_empty(&g->unused); i++) {
        fd = sock_accept(l->fd, &ip, true);
        if (fd < 0)
            break;
        meet(g, l, fd, &ip);
    }
    if (fd >= 0 || fd == ERR_STATE)
        return fd >= 0 && !list_empty(&g->unused);
    /* The connection that waits would be told of again at once. */
    g->accept_at = g->now + ACCEPT_PAUSE_MS;
    log_line(LOG_WARN, "a connection cannot be accepted now: too many open files, or no memory");
    return false;
}
