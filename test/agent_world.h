/*
 * A world for the whole agent, in one process: sockets, clock, loop and entropy of its own instead
 * of src/net/sock.c, src/sys/loop.c, clock.c and entropy.c. Time passes only while the agent waits
 * and nobody has anything to do, so that an hour of silence takes no time at all.
 *
 * Who plays the peers gives `world_peers`, which moves them and tells whether anything moved.
 * Each read or write of a gateway's end that moves bytes is a step; `at_step` is called before it.
 */
#ifndef ADIT_TEST_AGENT_WORLD_H
#define ADIT_TEST_AGENT_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sys/clock.h"
#include "sys/entropy.h"
#include "err.h"
#include "sys/loop.h"
#include "net/sock.h"

#define WORLD_ENDS 160
/* Of a connection, in one direction, kernel and all. */
#define WORLD_PIPE 24000
/* The most that a step moves: frames and records come in pieces. */
#define WORLD_STEP 499
/* Turns without a move or a deadline: by then the agent spins. */
#define WORLD_SPIN 64

/* The way to the gateway. */
enum world_link { WORLD_UP, WORLD_LOSES, WORLD_NO_ROUTE };

/* One end of a connection: `in` is what it has not read yet. */
struct world_end {
    bool used, gateways, ended, reset;
    bool lost;       /* what connects was lost, and nothing comes of it */
    bool waits;      /* to be accepted */
    int peer;
    uint32_t unsent_max; /* what it may have in its peer's `in`; 0: any */
    size_t in_len;
    uint8_t in[WORLD_PIPE];
};

static struct {
    struct world_end end[WORLD_ENDS];
    int64_t now;
    int64_t peers_at;        /* when a peer has something to do by itself */
    uint64_t moved;
    unsigned steps;          /* of gateways' ends, so far */
    uint16_t gateway_port;
    unsigned waiting[2];     /* connections to be accepted: local server's, gateway's */
    unsigned dials;          /* of the gateway */
    bool terminate;          /* SIGTERM is due */
    bool doubt;              /* SIGUSR2 is due */
    bool full;               /* gateways' ends have no room any more */
    bool broken;             /* writing to them fails; what they said can still be read */
    unsigned idle_turns;
    uint64_t idle_moved;
    int64_t idle_now;
    uint32_t random;
    int64_t unix_start;
    enum world_link link;
} world;

static bool world_peers(void);
static void world_at_step(void);
static void world_on_wait(void);

static void world_reset(uint32_t seed)
{
    for (int i = 0; i < WORLD_ENDS; i++)
        world.end[i].used = false;
    memset(&world.now, 0, sizeof world - offsetof(__typeof__(world), now));
    world.now = 1000;
    world.unix_start = time(NULL);
    world.peers_at = NET_NEVER;
    world.random = seed;
}

static void world_must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "# world: %s\n", what);
        abort();
    }
}

/* ---- connections; descriptors are indices plus 3 ---- */

static struct world_end *end_of(int fd)
{
    world_must(fd >= 3 && fd < 3 + WORLD_ENDS && world.end[fd - 3].used, "no such descriptor");
    return &world.end[fd - 3];
}

static int new_end(void)
{
    for (int i = 0; i < WORLD_ENDS; i++) {
        if (world.end[i].used)
            continue;
        memset(&world.end[i], 0, offsetof(struct world_end, in));
        world.end[i].used = true;
        world.end[i].peer = -1;
        return i + 3;
    }
    world_must(false, "descriptors leak");
    return -1;
}

static void break_off(int fd)
{
    struct world_end *e = end_of(fd);

    world.moved++;
    e->reset = true;
    if (e->peer >= 0)
        end_of(e->peer)->reset = true;
}

int sock_connect(const struct ip *ip, uint16_t port)
{
    bool gateways = port == world.gateway_port;
    int ours, theirs;

    (void)ip;
    world.moved++;
    world.dials += gateways;
    if (gateways && world.link == WORLD_NO_ROUTE)
        return ERR_UNREACHABLE;
    ours = new_end();
    end_of(ours)->lost = gateways && world.link == WORLD_LOSES;
    if (end_of(ours)->lost)
        return ours;
    theirs = new_end();
    end_of(ours)->peer = theirs;
    end_of(theirs)->peer = ours;
    end_of(theirs)->gateways = gateways;
    end_of(theirs)->waits = true;
    world.waiting[gateways]++;
    return ours;
}

/* A connection to the gateway, or to the local server; -1: none waits. */
static int world_accept(bool gateways)
{
    for (int i = 0; world.waiting[gateways] > 0 && i < WORLD_ENDS; i++) {
        struct world_end *e = &world.end[i];

        if (!e->used || !e->waits || e->gateways != gateways)
            continue;
        e->waits = false;
        world.waiting[gateways]--;
        world.moved++;
        return i + 3;
    }
    return -1;
}

int sock_connect_unix(struct str path)
{
    (void)path;
    return ERR_REFUSED;
}

int sock_unix_datagram(struct str path)
{
    (void)path;
    return ERR_REFUSED;
}

int sock_udp(const struct ip *ip, uint16_t port)
{
    (void)ip;
    (void)port;
    return ERR_REFUSED;
}

bool sock_set_zone(struct ip *ip, struct str zone)
{
    (void)ip;
    (void)zone;
    return false;
}

int sock_connected(int fd)
{
    return end_of(fd)->reset ? ERR_REFUSED : 0;
}

static size_t step_of(const struct world_end *e, size_t n)
{
    if (!e->gateways || n == 0)
        return n;
    world.steps++;
    world_at_step();
    return n < WORLD_STEP ? n : WORLD_STEP;
}

int sock_read(int fd, void *p, size_t n)
{
    struct world_end *e = end_of(fd);

    n = step_of(e, n < e->in_len ? n : e->in_len);
    if (e->reset)
        return ERR_TRUNCATED;
    if (n == 0)
        return e->ended ? ERR_CLOSED : 0;
    memcpy(p, e->in, n);
    e->in_len -= n;
    memmove(e->in, e->in + n, e->in_len);
    world.moved += n;
    return (int)n;
}

int sock_readv2(int fd, void *a, size_t a_len, void *b, size_t b_len)
{
    int n = sock_read(fd, a, a_len), more;

    if (n < 0 || (size_t)n < a_len)
        return n;
    more = sock_read(fd, b, b_len);
    return more > 0 ? n + more : n;
}

/* The limit counts as the kernel's does: for what begins beyond it. */
static bool may_begin(const struct world_end *e)
{
    return e->unsent_max == 0 || end_of(e->peer)->in_len < e->unsent_max;
}

static size_t room_at(const struct world_end *e)
{
    return e->gateways && world.full ? 0 : WORLD_PIPE - e->in_len;
}

int sock_write(int fd, const void *p, size_t n)
{
    struct world_end *e = end_of(fd), *peer;

    if (e->reset || e->peer < 0)
        return ERR_CLOSED;
    peer = end_of(e->peer);
    if (peer->gateways && world.broken)
        return ERR_CLOSED;
    if (!may_begin(e))
        n = 0;
    n = step_of(e, n < room_at(peer) ? n : room_at(peer));
    if (e->reset)
        return ERR_CLOSED;
    memcpy(peer->in + peer->in_len, p, n);
    peer->in_len += n;
    world.moved += n;
    return (int)n;
}

int sock_writev(int fd, const struct str *piece, size_t count)
{
    int all = 0;

    for (size_t i = 0; i < count; i++) {
        int n = piece[i].n > 0 ? sock_write(fd, piece[i].p, piece[i].n) : 0;

        if (n < 0)
            return all > 0 ? all : n;
        all += n;
        if ((size_t)n < piece[i].n)
            break;
    }
    return all;
}

int sock_errno(void)
{
    return 0;
}

uint64_t sock_moved(void)
{
    return world.moved;
}

unsigned sock_unacked(int fd)
{
    const struct world_end *e = end_of(fd);

    return e->peer >= 0 ? (unsigned)end_of(e->peer)->in_len : 0;
}

unsigned sock_unsent(int fd)
{
    return sock_unacked(fd);
}

size_t sock_room(int fd)
{
    const struct world_end *e = end_of(fd);

    return e->peer >= 0 ? room_at(end_of(e->peer)) : 0;
}

bool sock_limit_unsent(int fd, uint32_t bytes)
{
    end_of(fd)->unsent_max = bytes;
    return true;
}

void sock_limit_unacked(int fd, uint32_t ms)
{
    (void)fd;
    (void)ms;
}

void sock_shutdown_write(int fd)
{
    struct world_end *e = end_of(fd);

    world.moved++;
    if (e->peer >= 0)
        end_of(e->peer)->ended = true;
}

void sock_close(int *fd)
{
    struct world_end *e;

    if (*fd < 0)
        return;
    e = end_of(*fd);
    if (e->peer >= 0) {
        struct world_end *peer = end_of(e->peer);

        /* RFC 9293 section 3.6.1: unread bytes make it a reset. */
        peer->ended = true;
        peer->reset = peer->reset || e->in_len > 0;
        peer->peer = -1;
    }
    e->used = false;
    *fd = -1;
}

/* ---- time, chance ---- */

int64_t clock_ms(void)
{
    return world.now;
}

int64_t clock_unix(void)
{
    return world.unix_start + world.now / 1000;
}

int entropy_get(void *out, size_t n)
{
    uint8_t *p = out;

    while (n-- > 0) {
        world.random = world.random * 1664525u + 1013904223u;
        *p++ = (uint8_t)(world.random >> 24);
    }
    return 1;
}

void entropy_stock(struct entropy *e, void *out, size_t n)
{
    (void)e;
    entropy_get(out, n);
}

uint32_t entropy_u32(struct entropy *e)
{
    uint32_t value;

    entropy_stock(e, &value, sizeof value);
    return value;
}

/* ---- the loop ---- */

void loop_init(struct loop *l)
{
    loop_begin(l);
}

void loop_begin(struct loop *l)
{
    FD_ZERO(&l->in);
    FD_ZERO(&l->out);
    l->top = 0;
    l->deadline = INT64_MAX;
    l->now = world.now;
}

void loop_want(struct loop *l, int fd, unsigned want, int64_t deadline)
{
    if (deadline < l->deadline)
        l->deadline = deadline;
    if (fd < 0)
        return;
    end_of(fd);
    if (want & LOOP_IN)
        FD_SET((unsigned)fd, &l->in);
    if (want & LOOP_OUT)
        FD_SET((unsigned)fd, &l->out);
    if (fd >= l->top)
        l->top = fd + 1;
}

static bool may_read(const struct world_end *e)
{
    return e->in_len > 0 || e->ended || e->reset;
}

static bool may_write(const struct world_end *e)
{
    return !e->lost &&
           (e->reset || e->peer < 0 || (room_at(end_of(e->peer)) > 0 && may_begin(e)));
}

unsigned loop_ready(const struct loop *l, int fd)
{
    const struct world_end *e;

    if (fd < 3 || fd >= l->top || !world.end[fd - 3].used)
        return 0;
    e = end_of(fd);
    return (FD_ISSET((unsigned)fd, &l->in) && may_read(e) ? LOOP_IN : 0u) |
           (FD_ISSET((unsigned)fd, &l->out) && may_write(e) ? LOOP_OUT : 0u);
}

static bool any_ready(const struct loop *l)
{
    for (int fd = 3; fd < l->top; fd++) {
        if (loop_ready(l, fd))
            return true;
    }
    return false;
}

static void look_for_spin(const struct loop *l)
{
    if (world.moved != world.idle_moved || world.now != world.idle_now)
        world.idle_turns = 0;
    world.idle_moved = world.moved;
    world.idle_now = world.now;
    if (++world.idle_turns <= WORLD_SPIN)
        return;
    fprintf(stderr, "# the agent spins at %d ms, step %u, deadline in %d ms\n", (int)world.now,
            world.steps, (int)(l->deadline - world.now));
    exit(1);
}

void loop_wait(struct loop *l)
{
    look_for_spin(l);
    world_peers();
    world_on_wait();
    while (!any_ready(l) && l->deadline > world.now && !world.terminate && !world.doubt) {
        if (world_peers())
            continue;
        world.now = l->deadline < world.peers_at ? l->deadline : world.peers_at;
        world_must(world.now != NET_NEVER, "everybody waits for ever");
        world_on_wait();
    }
    l->now = world.now;
}

unsigned loop_signals(struct loop *l)
{
    unsigned due = (world.terminate ? LOOP_SIG_TERM : 0u) | (world.doubt ? LOOP_SIG_USR2 : 0u);

    (void)l;
    world.terminate = world.doubt = false;
    return due;
}

#endif
