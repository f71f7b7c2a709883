#include "conn.h"

#include "err.h"
#include "gateway.h"
#include "visitor.h"

/* What one connection may give before the others have their turn: records, however small, and bytes
 * (one record more). That many bytes of the smallest messages are a millisecond of work. */
#define INPUT_ROUNDS 16
#define INPUT_MAX 65536

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

/* ---- input and output ---- */

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
    if (c->transport.peer == PEER_DEAF && c->transport.err == 0 && !has_received(c))
        conn_read_on(c);
}

/* ---- ends ---- */

/*
 * Has the peer gone, though the bytes before its end are not read? A visitor who ends his direction
 * has left, see visitor.c; upgraded ones and agents may do so with their last words still on the
 * way, and are gone when nothing can be sent to them either, unless that end is ours.
 */
static bool is_gone(struct conn *c)
{
    const struct visit *v = &c->visitor.visit;
    bool visits = c->role == CONN_VISITOR;

    if (c->end & POLLER_BROKEN)
        return !(visits && v->down == VISIT_SHUT);
    return c->end != 0 && visits && v->upgrade != VISIT_UPGRADED && has_received(c);
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
    int64_t at = c->gateway->now + CONN_LINGER_MS;

    transport_pump(&c->transport);
    if (c->transport.err != 0) {
        conn_close(c);
        return;
    }
    conn_set_deadline(c, at < c->linger_end ? at : c->linger_end);
    if (c->role == CONN_SHUT || transport_unsent(&c->transport))
        return;
    c->role = CONN_SHUT;
    sock_shutdown_write(c->transport.fd);
}

/* ---- a turn ---- */

void conn_turn(struct conn *c)
{
    take_input(c);
    if (is_open(c))
        give_output(c);
    if (is_open(c))
        check_end(c);
    if (c->role == CONN_LINGER || c->role == CONN_SHUT)
        linger(c);
    if (conn_is_live(c) && list_empty(&c->served))
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
    return c->role == CONN_VISITOR && c->visitor.visit.down == VISIT_SHUT ? 0 : POLLER_BROKEN;
}

void conn_watch(struct conn *c)
{
    unsigned want = transport_want(&c->transport) | want_end(c);

    if (poller_set(&c->gateway->poller, c->transport.fd, c, want, &c->polled) == 0)
        return;
    lose(c, ERR_SYS);
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
