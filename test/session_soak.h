/*
 * The two ends of a soak test and what their owners do with what they receive: every byte is
 * compared with what the exchange is made of.
 */
#ifndef ADIT_TEST_SESSION_SOAK_H
#define ADIT_TEST_SESSION_SOAK_H

#include "err.h"
#include "soak_exchange.h"
#include "core/session.h"

#define SLOTS 6
#define PIPE 20000

enum phase { HEAD, BODY, DONE };

/* What the owner of a slot knows of its exchange. */
struct owner {
    bool active, rx_ended;
    enum phase phase;
    uint32_t n; /* the exchange, which decides all of its content */
    unsigned interim_left;
    uint64_t sent, received, held;
};

struct end {
    struct session s;
    struct session_config config;
    struct session_counters counters;
    struct stream slot[SLOTS];
    struct owner owner[SLOTS];
    uint8_t in[PIPE]; /* on its way to this end */
    size_t in_len, arrived, pipe;
};

static struct end agent, gateway;
static int64_t now;
static const char *failure; /* the first one of a run */
static uint32_t next_exchange;
static unsigned completed, given_up, cuts, interims, upgrades, overfull;

static void fail(const char *what)
{
    if (failure == NULL)
        failure = what;
}

/* ---- receiving ---- */

/* The session may have let go of a slot with any call. */
static void look(struct end *e, int slot)
{
    struct owner *o = &e->owner[slot];

    if (o->active && (e->slot[slot].state == STREAM_FREE || e->slot[slot].state == STREAM_BROKEN))
        o->active = false;
}

static void on_request(struct end *e, const struct session_in *in)
{
    struct owner *o = &e->owner[in->slot];
    uint32_t n = 0;
    size_t i;

    for (i = 1; i < in->msg->url.n; i++)
        n = n * 10 + in->msg->url.p[i] - '0';
    if (o->active)
        fail("a slot in use is given away");
    *o = (struct owner){ .active = true, .n = n };
    o->interim_left = protocol == UPGRADE_PLAIN ? 0 : trait(n, 8, 6) / 3;
    if (!same_head(true, n, false, in->msg))
        fail("a request head differs");
}

static void on_body(struct end *e, const struct session_in *in)
{
    struct owner *o = &e->owner[in->slot];
    size_t i;

    if (!o->active || o->rx_ended || in->body.n == 0)
        fail("a body for nobody");
    for (i = 0; i < in->body.n; i++)
        if (in->body.p[i] != body_byte(o->n, e == &agent, o->received + i))
            fail("a body differs");
    o->received += in->body.n;
    o->held += in->body.n;
    if (o->held > e->config.window && protocol != UPGRADE_PLAIN)
        fail("more than was credited");
}

static void on_end(struct end *e, const struct session_in *in)
{
    struct owner *o = &e->owner[in->slot];

    if (!o->active || o->rx_ended)
        fail("an end of nothing");
    o->rx_ended = true;
    if (!in->broken && o->received != body_len(o->n, e == &agent)) {
        /* In plain mode a request that was given up ends like any; its Error comes next. */
        if (protocol != UPGRADE_PLAIN || e == &gateway)
            fail("a body is too short");
    } else if (!in->broken && e == &gateway) {
        completed++;
        upgrades += is_upgrade(o->n);
    }
}

static void on_event(struct end *e, const struct session_in *in)
{
    struct owner *o = in->slot >= 0 ? &e->owner[in->slot] : NULL;

    switch (in->event) {
    case SESSION_EV_AUTH:
        session_accept(&e->s, STR("s"), STR("https://x.test"), 1);
        break;
    case SESSION_EV_REQUEST:
        on_request(e, in);
        break;
    case SESSION_EV_INTERIM:
    case SESSION_EV_RESPONSE:
        interims += in->event == SESSION_EV_INTERIM;
        if (!same_head(false, o->n, in->event == SESSION_EV_INTERIM, in->msg))
            fail("a response head differs");
        break;
    case SESSION_EV_BODY:
        on_body(e, in);
        break;
    case SESSION_EV_END:
        on_end(e, in);
        break;
    case SESSION_EV_ABORT:
        overfull += in->code == 503;
        o->active = o->active && e->slot[in->slot].state == STREAM_DOOMED;
        break;
    case SESSION_EV_ERROR:
    case SESSION_EV_GOAWAY:
        fail("an event that nobody caused");
        break;
    default:
        break;
    }
    if (in->slot >= 0)
        look(e, in->slot);
}

static void deliver(struct end *e)
{
    size_t more = e->in_len - e->arrived;
    size_t at = 0;
    struct session_in in;

    if (more > 0)
        e->arrived += below(4) == 0 ? more
                                    : below((uint32_t)(more < 40 ? more + 1 : 400)) % (more + 1);
    if (e->arrived > 0)
        session_heard(&e->s, now);
    do {
        int used = session_recv(&e->s, e->in + at, e->arrived - at, now, &in);

        if (used < 0) {
            fail(err_text(used));
            return;
        }
        at += (size_t)used;
        on_event(e, &in);
    } while (in.event != SESSION_EV_MORE);
    if (e->s.state == SESSION_ENDED)
        at = e->arrived; /* nobody reads any more */
    memmove(e->in, e->in + at, e->in_len - at);
    e->in_len -= at;
    e->arrived -= at;
}

#endif
