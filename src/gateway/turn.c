#include "turn.h"

#include "accept.h"
#include "gateway.h"
#include "sys/clock.h"

/* Steps of TLS handshakes between two looks at the poller: a signature takes milliseconds, for
 * which everybody whose connection stands would wait. */
#define HANDSHAKES_MAX 8

void turn_listen(struct gateway *g)
{
    bool room = (!list_empty(&g->unused) || !list_empty(&g->idle)) && g->now >= g->accept_at;

    for (size_t i = 0; i < 2; i++) {
        struct listener *l = &g->listener[i];

        if (l->fd >= 0)
            poller_set(&g->poller, l->fd, l, room ? POLLER_IN : 0, &l->polled);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_time(const struct gateway *g)
{
    int64_t at = wheel_next(&g->wheel);

    if (!list_empty(&g->dirty))
        return 0;
    if (g->now < g->accept_at)
        at = earlier(at, g->accept_at);
    at = earlier(at, g->notify.next);
    return earlier(at, drain_next(&g->drain, g->now));
}

void turn_wait(struct gateway *g)
{
    struct poller_event event[POLLER_BATCH];
    int n = poller_wait(&g->poller, next_time(g), event);

    g->now = clock_ms();
    for (int i = 0; i < n; i++) {
        if (*(int *)event[i].owner == SOURCE_LISTENER)
            accept_waiting(g, event[i].owner);
        else
            conn_on_event(event[i].owner, event[i].ready);
    }
}

static void take_time(struct gateway *g)
{
    struct wheel_node *node;

    while ((node = wheel_expire(&g->wheel, g->now)) != NULL)
        conn_on_time(WHEEL_OWNER(node, struct conn, timer));
}

/* Everybody once: who is marked meanwhile, by himself or by another, has his turn after the poller
 * has been asked again, behind those who have waited. */
static void serve_marked(struct gateway *g)
{
    struct list turn, *node;
    int handshakes = 0;

    list_take_all(&turn, &g->dirty);
    while ((node = list_take(&turn)) != NULL) {
        struct conn *c = LIST_OWNER(node, struct conn, dirty);

        if (!transport_ready(&c->transport) && handshakes++ >= HANDSHAKES_MAX)
            conn_mark(c);
        else
            conn_turn(c);
    }
}

void turn_serve(struct gateway *g)
{
    struct list *node;

    take_time(g);
    serve_marked(g);
    while ((node = list_take(&g->served)) != NULL)
        conn_watch(LIST_OWNER(node, struct conn, served));
    while (!list_empty(&g->closed))
        conn_recycle(LIST_OWNER(g->closed.next, struct conn, node));
    turn_listen(g);
}
