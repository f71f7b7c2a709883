#include "conn.h"

#include <string.h>
#include <sys/socket.h>

#include "buffer.h"
#include "err.h"
#include "gateway.h"
#include "stream.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/log.h"

/* A peer that was told the end, while more of its body comes: all in all. */
#define LINGER_MAX_MS 10000

/* ---- beginning and end ---- */

/*
 * What the kernel holds back for a slow peer is neither in our accounts nor within our reach: an
 * answer to a ping would stand behind it. What is on its way to a fast one is not limited by this.
 * An agent's connection gets less where its path is slow, see transport_pace.
 */
static bool start_transport(struct conn *c, int fd)
{
    uint8_t seed[32];

    sock_limit_unsent(fd, UNSENT_MAX);
    if (!c->secure) {
        transport_init_clear(&c->transport, fd, c->tls->in, c->tls->out, TLS_RECORD_MAX);
        return true;
    }
    if (entropy_get(seed, sizeof seed) <= 0 ||
        tls_server_start(c->tls, c->gateway->identity, &c->gateway->tls, clock_unix(), seed) < 0)
        return false;
    transport_init_tls(&c->transport, fd, tls_engine(&c->tls->server.eng));
    return true;
}

/* An agent whose token was accepted, or anybody else: only the latter are limited. */
static void count(struct conn *c, int by)
{
    struct gateway *g = c->gateway;

    if (!c->known)
        g->stranger_count += (size_t)by;
    if (c->from && by > 0)
        peers_enter(&g->peers, c->from, c->known);
    else if (c->from)
        peers_leave(&g->peers, c->from, c->known);
}

void conn_know(struct conn *c, bool known)
{
    if (c->known == known)
        return;
    /* Entered anew first: who has no connection may lose his entry. */
    c->known = known;
    count(c, 1);
    c->known = !known;
    count(c, -1);
    c->known = known;
}

struct conn *conn_start(struct gateway *g, const struct listener *l, int fd, const struct ip *peer,
                        struct peer *from)
{
    struct list *node = list_take(&g->unused);
    struct conn *c = LIST_OWNER(node, struct conn, node);

    CHECK(node != NULL);
    c->role = CONN_VISITOR;
    c->peer = *peer;
    c->from = from;
    c->known = false;
    count(c, 1);
    c->secure = l->tls;
    c->agents = l->agents;
    c->tunnel = NULL;
    c->polled = 0;
    c->starved = false;
    c->end = 0;
    c->deadline = NET_NEVER;
    g->open_count++;
    if (!start_transport(c, fd)) {
        log_line(LOG_ERROR, "TLS cannot start on a new connection");
        c->transport.fd = fd;
        conn_close(c);
        return NULL;
    }
    return c;
}

void conn_recycle(struct conn *c)
{
    list_remove(&c->node);
    c->role = CONN_FREE;
    buffer_drop(c);
    c->gateway->open_count--;
    /* The one used last is used next: its memory is warm, and what was never needed stays
     * untouched. */
    list_prepend(&c->gateway->unused, &c->node);
}

void conn_release(struct conn *c)
{
    c->role = CONN_CLOSED;
    list_remove(&c->node);
    list_append(&c->gateway->closed, &c->node);
}

void conn_close(struct conn *c)
{
    bool doomed = false;

    if (!conn_is_live(c))
        return;
    if (c->role != CONN_AGENT)
        doomed = stream_detach(c, "visitor left");
    count(c, -1);
    poller_remove(&c->gateway->poller, c->transport.fd, &c->polled);
    transport_end(&c->transport);
    wheel_disarm(&c->timer);
    list_remove(&c->dirty);
    list_remove(&c->served);
    list_remove(&c->node);
    if (doomed)
        c->role = CONN_DOOMED;
    else
        conn_release(c);
}

void conn_reset(struct conn *c)
{
    struct linger at_once = { .l_onoff = 1 };

    setsockopt(c->transport.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    conn_close(c);
}

void conn_finish(struct conn *c)
{
    const struct visit *v = &c->visitor.visit;
    /* A body that is still on its way gets more time; a head that never came has had its own. */
    bool on_its_way = c->role == CONN_VISITOR && v->body.kind != HTTP_BODY_NONE && !v->body.done;

    if (c->role == CONN_VISITOR)
        stream_detach(c, "done");
    list_remove(&c->node);
    transport_close(&c->transport);
    c->role = CONN_LINGER;
    c->linger_end = c->gateway->now + (on_its_way ? LINGER_MAX_MS : CONN_LINGER_MS);
    conn_set_deadline(c, c->gateway->now + CONN_LINGER_MS);
    conn_read_on(c);
}

/* ---- input and output ---- */

uint8_t *conn_room(struct conn *c, size_t wanted, size_t *n)
{
    uint8_t *out = transport_send_buf(&c->transport, n);

    if (out && *n >= wanted)
        return out;
    if (!transport_ready(&c->transport))
        return NULL;
    transport_flush(&c->transport);
    transport_push(&c->transport);
    out = transport_send_buf(&c->transport, n);
    /* An empty record is all that there ever is. */
    if (out && (*n >= wanted || !transport_unsent(&c->transport)))
        return out;
    c->starved = true;
    return NULL;
}

size_t conn_put(struct conn *c, const uint8_t *p, size_t n)
{
    size_t done = 0, room;
    uint8_t *out;

    while (done < n && (out = conn_room(c, n - done, &room)) != NULL) {
        if (room > n - done)
            room = n - done;
        memcpy(out, p + done, room);
        transport_send_ack(&c->transport, room);
        done += room;
    }
    return done;
}
