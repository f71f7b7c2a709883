#include "conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "entropy.h"
#include "err.h"
#include "gateway.h"
#include "log.h"

/* What one connection may give before the others have their turn: records, however small, and bytes
 * (one record more). That many bytes of the smallest messages are a millisecond of work. */
#define INPUT_ROUNDS 16
#define INPUT_MAX 65536
/* Bytes that the kernel takes and has not sent. */
#define UNSENT_MAX 262144
/* A peer that was told the end: silence, and all in all. */
#define LINGER_SILENCE_MS 2000
#define LINGER_MAX_MS 10000

static bool is_live(const struct conn *c)
{
    return c->role == CONN_VISITOR || c->role == CONN_AGENT || c->role == CONN_LINGER;
}

static bool is_open(const struct conn *c)
{
    return c->role == CONN_VISITOR || c->role == CONN_AGENT;
}

static size_t received(struct conn *c)
{
    size_t n;

    return transport_recv_buf(&c->transport, &n) ? n : 0;
}

static bool has_received(struct conn *c)
{
    return received(c) > 0;
}

/* ---- beginning and end ---- */

/*
 * What the kernel holds back for a slow peer is neither in our accounts nor within our reach: an
 * answer to a ping would stand behind it. What is on its way to a fast one is not limited by this.
 */
static void limit_unsent(int fd)
{
    int most = UNSENT_MAX;

    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

static bool start_transport(struct conn *c, int fd)
{
    uint8_t seed[32];

    limit_unsent(fd);
    if (!c->secure) {
        transport_init_clear(&c->transport, fd, c->tls->in, c->tls->out, TLS_RECORD_MAX);
        return true;
    }
    if (entropy_get(seed, sizeof seed) <= 0 ||
        tls_server_start(c->tls, c->gateway->identity, &c->gateway->tls, clock_unix(), seed) < 0)
        return false;
    transport_init_tls(&c->transport, fd, &c->tls->server.eng);
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

void conn_start(struct gateway *g, const struct listener *l, int fd, const struct ip *peer,
                struct peer *from)
{
    struct conn *c = LIST_OWNER(list_take(&g->unused), struct conn, place);

    c->role = CONN_VISITOR;
    c->peer = *peer;
    c->from = from;
    c->known = false;
    count(c, 1);
    c->secure = l->tls;
    c->agents = l->agents;
    c->tunnel = NULL;
    c->polled = 0;
    c->starved = c->shut = false;
    c->end = 0;
    c->deadline = NET_NEVER;
    g->open_count++;
    if (!start_transport(c, fd)) {
        log_line(LOG_ERROR, "TLS cannot start on a new connection");
        c->transport.fd = fd;
        conn_close(c);
        return;
    }
    visitor_start(c);
    conn_set_deadline(c, g->now + g->config.header_timeout_ms);
    conn_read_on(c);
}

void conn_recycle(struct conn *c)
{
    list_remove(&c->place);
    c->role = CONN_FREE;
    c->gateway->open_count--;
    /* The one used last is used next: its memory is warm, and what was never needed stays
     * untouched. */
    list_prepend(&c->gateway->unused, &c->place);
}

void conn_release(struct conn *c)
{
    c->role = CONN_CLOSED;
    list_remove(&c->place);
    list_append(&c->gateway->closed, &c->place);
}

void conn_close(struct conn *c)
{
    bool doomed = false;

    if (!is_live(c))
        return;
    if (c->role != CONN_AGENT)
        doomed = visitor_detach(c, "visitor left");
    count(c, -1);
    poller_remove(&c->gateway->poller, c->transport.fd, &c->polled);
    transport_end(&c->transport);
    wheel_disarm(&c->timer);
    list_remove(&c->dirty);
    list_remove(&c->served);
    list_remove(&c->place);
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
    const struct visitor *v = &c->visitor;
    /* A body that is still on its way gets more time; a head that never came has had its own. */
    bool on_its_way = c->role == CONN_VISITOR && v->body.kind != HTTP_BODY_NONE && !v->body.done;

    if (c->role == CONN_VISITOR)
        visitor_detach(c, "done");
    list_remove(&c->place);
    transport_close(&c->transport);
    c->role = CONN_LINGER;
    c->linger_end = c->gateway->now + (on_its_way ? LINGER_MAX_MS : LINGER_SILENCE_MS);
    conn_set_deadline(c, c->gateway->now + LINGER_SILENCE_MS);
    conn_read_on(c);
}

/* ---- deadlines ---- */

void conn_set_deadline(struct conn *c, int64_t at)
{
    c->deadline = at;
    if (at == NET_NEVER || (wheel_is_armed(&c->timer) && c->armed_at <= at))
        return;
    c->armed_at = at;
    wheel_arm(&c->gateway->wheel, &c->timer, at);
}

void conn_on_time(struct conn *c)
{
    if (c->gateway->now < c->deadline)
        conn_set_deadline(c, c->deadline);
    else if (c->role == CONN_VISITOR)
        visitor_on_time(c);
    else if (c->role == CONN_AGENT)
        tunnel_on_time(c);
    else
        conn_close(c);
}

/* ---- input and output ---- */

void conn_mark(struct conn *c)
{
    if (is_live(c) && list_empty(&c->dirty))
        list_append(&c->gateway->dirty, &c->dirty);
}

void conn_read_on(struct conn *c)
{
    c->readable = true;
    conn_mark(c);
}

void conn_on_event(struct conn *c, unsigned ready)
{
    c->readable = c->readable || (ready & POLLER_IN) != 0;
    c->end |= ready & (POLLER_END | POLLER_BROKEN);
    conn_mark(c);
}

static bool input(struct conn *c)
{
    return c->role == CONN_VISITOR ? visitor_input(c) : tunnel_input(c);
}

static void take_input(struct conn *c)
{
    size_t taken = 0, n;

    for (int round = 0; round < INPUT_ROUNDS && taken < INPUT_MAX && is_open(c); round++) {
        if (!has_received(c) && c->readable && c->transport.err == 0) {
            transport_pump(&c->transport);
            c->readable = !c->transport.read_idle;
        }
        /* What is left untaken waits until whoever stops it marks the connection again. */
        n = received(c);
        if (n == 0 || !input(c))
            return;
        taken += n;
    }
    conn_mark(c);
}

static void give_output(struct conn *c)
{
    c->starved = false;
    if (c->role == CONN_VISITOR)
        visitor_output(c);
    else
        tunnel_output(c);
    if (!is_open(c))
        return;
    transport_flush(&c->transport);
    if (transport_unsent(&c->transport))
        transport_push(&c->transport);
    if (c->role == CONN_AGENT)
        tunnel_sent(c);
    /* The socket took now what it had not taken a moment ago: no event will tell. */
    if (c->starved && c->transport.err == 0 && !transport_unsent(&c->transport))
        conn_mark(c);
    /* Nor that it will take nothing any more. */
    if (c->transport.peer_deaf && c->transport.err == 0 && !has_received(c))
        conn_read_on(c);
}

/*
 * Has the peer gone, though the bytes before its end are not read? A visitor who ends his direction
 * has left, see visitor.c; upgraded ones and agents may do so with their last words still on the way,
 * and are gone when nothing can be sent to them either, unless that end is ours.
 */
static bool is_gone(struct conn *c)
{
    const struct visitor *v = &c->visitor;
    bool visits = c->role == CONN_VISITOR;

    if (c->end & POLLER_BROKEN)
        return !(visits && v->shut);
    return c->end != 0 && visits && !v->upgraded && has_received(c);
}

static void lose(struct conn *c, int err)
{
    if (c->role == CONN_AGENT)
        tunnel_lost(c, err);
    else
        conn_close(c);
}

static void check_end(struct conn *c)
{
    if (c->transport.err == 0) {
        if (is_gone(c))
            lose(c, ERR_TRUNCATED);
        return;
    }
    if (c->role == CONN_VISITOR)
        visitor_ended(c);
    else if (!has_received(c))
        tunnel_lost(c, c->transport.err);
}

/* What still comes is thrown away, so that what was sent is not: a close with unread bytes would
 * be a reset (RFC 9112 section 9.6). */
static void linger(struct conn *c)
{
    int64_t at = c->gateway->now + LINGER_SILENCE_MS;

    transport_pump(&c->transport);
    if (c->transport.err != 0) {
        conn_close(c);
        return;
    }
    conn_set_deadline(c, at < c->linger_end ? at : c->linger_end);
    if (c->shut || transport_unsent(&c->transport))
        return;
    c->shut = true;
    sock_shutdown_write(c->transport.fd);
}

void conn_serve(struct conn *c)
{
    take_input(c);
    if (is_open(c))
        give_output(c);
    if (is_open(c))
        check_end(c);
    if (c->role == CONN_LINGER)
        linger(c);
    if (is_live(c) && list_empty(&c->served))
        list_append(&c->gateway->served, &c->served);
}

/* Beside the bytes: a peer that goes while nobody reads them. Once told, an end is not asked for
 * again; nor that both directions have ended where we have ended ours. */
static unsigned want_end(const struct conn *c)
{
    if (!is_open(c))
        return 0;
    if (c->end == 0)
        return POLLER_END;
    return c->role == CONN_VISITOR && c->visitor.shut ? 0 : POLLER_BROKEN;
}

void conn_watch(struct conn *c)
{
    unsigned want = transport_want(&c->transport) | want_end(c);

    if (poller_set(&c->gateway->poller, c->transport.fd, c, want, &c->polled) == 0)
        return;
    lose(c, ERR_SYS);
}

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
