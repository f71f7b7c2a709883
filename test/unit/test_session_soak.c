/*
 * Agent and gateway in one process: a fake clock, pipes that deliver in pieces of any size, stall
 * and are cut, and thousands of streams with bodies both ways, interim responses, upgrades and
 * aborts from both sides. All of it follows from the seed, so that a failure can be seen again.
 */
#include "session_soak.h"
#include "tap.h"

/* ---- sending ---- */

static struct end *other(const struct end *e)
{
    return e == &agent ? &gateway : &agent;
}

static uint8_t *room(struct end *e, size_t *cap)
{
    struct end *to = other(e);

    *cap = to->pipe - to->in_len;
    if (below(3) == 0 && *cap > 0)
        *cap = below((uint32_t)*cap);
    return to->in + to->in_len;
}

static const uint8_t *key(void)
{
    static uint8_t bytes[4];
    uint32_t r = below(UINT32_MAX);

    memcpy(bytes, &r, sizeof bytes);
    return bytes;
}

static void put_control(struct end *e)
{
    size_t cap;
    uint8_t *out = room(e, &cap);
    size_t n = session_put(&e->s, out, cap, key(), now, 1000000 + now / 1000);
    int slot;

    if (n > cap)
        fail("more than the room");
    other(e)->in_len += n;
    for (slot = 0; slot < SLOTS; slot++)
        look(e, slot);
}

static void put_head(struct end *e, int slot)
{
    struct owner *o = &e->owner[slot];
    bool interim = e == &agent && o->interim_left > 0;
    struct wire_msg m;
    size_t cap;
    uint8_t *out = room(e, &cap);
    bool done;
    size_t n;

    make_head(e == &gateway, o->n, interim, &m);
    n = session_head_put(&e->s, slot, &m, out, cap, &done, key());
    if (n > cap)
        fail("more than the room");
    other(e)->in_len += n;
    if (done && interim)
        o->interim_left--;
    else if (done)
        o->phase = m.more ? BODY : DONE;
}

static void put_body(struct end *e, int slot)
{
    struct owner *o = &e->owner[slot];
    uint64_t left = body_len(o->n, e == &gateway) - o->sent;
    struct link_body b;
    struct wire_msg m;
    size_t cap;
    uint8_t *out = room(e, &cap);
    size_t n;
    size_t i;
    bool more;

    make_head(e == &gateway, o->n, false, &m);
    if (!session_body_begin(&e->s, slot, o->phase == HEAD ? &m : NULL, &b, out, cap, left == 0))
        return;
    n = b.max < left ? b.max : (size_t)left;
    if (below(2) && n > 1)
        n = 1 + below((uint32_t)n);
    for (i = 0; i < n; i++)
        b.body[i] = body_byte(o->n, e == &gateway, o->sent + i);
    /* An end may also come by itself. */
    more = n < left || (n > 0 && below(4) == 0);
    o->sent += n;
    n = session_body_end(&e->s, slot, &b, n, more, (struct str){ 0 }, key());
    if (n > cap)
        fail("more than the room");
    other(e)->in_len += n;
    o->phase = more ? BODY : DONE;
}

static void send(struct end *e, int slot)
{
    struct owner *o = &e->owner[slot];
    bool begun = e->slot[slot].put_offset > 0;
    bool has_body = body_len(o->n, e == &gateway) > 0 || is_upgrade(o->n);

    if (!o->active || o->phase == DONE)
        return;
    if (o->phase == BODY)
        put_body(e, slot);
    else if (begun || !has_body || (e == &agent && o->interim_left > 0) || below(2))
        put_head(e, slot);
    else
        put_body(e, slot);
    look(e, slot);
}

/* ---- what else may happen ---- */

static void start_end(struct end *e)
{
    memset(e->owner, 0, sizeof e->owner);
    e->in_len = e->arrived = 0;
    e->pipe = 3800 + below(PIPE - 3800);
    session_init(&e->s, e == &agent ? &session_agent : &session_gateway, protocol, &e->config,
                 e->slot, &e->counters, now);
}

static void start(void)
{
    const struct session_config config = {
        .token = STR("t"), .agent = STR("soak"), .max_streams = SLOTS,
        .ping_interval_ms = 5000, .ping_timeout_ms = 2000, .stats_interval_ms = 7000,
    };

    agent.config = gateway.config = config;
    agent.config.window = 50 + below(3000);
    gateway.config.window = 50 + below(3000);
    agent.config.max_streams = 1 + below(SLOTS);
    start_end(&agent);
    start_end(&gateway);
}

static void cut(void)
{
    cuts++;
    start();
}

static void open_stream(void)
{
    int slot = session_open(&gateway.s);

    if (slot >= 0)
        gateway.owner[slot] = (struct owner){ .active = true, .n = next_exchange++ };
}

static void abort_stream(struct end *e, int slot)
{
    if (!e->owner[slot].active || e->slot[slot].state == STREAM_DOOMED)
        return;
    given_up++;
    session_abort(&e->s, slot, 500, "given up");
    e->owner[slot].active = e->slot[slot].state == STREAM_DOOMED;
}

static void grant(struct end *e, int slot)
{
    struct owner *o = &e->owner[slot];
    uint64_t n = o->held > 1 && below(2) ? 1 + below((uint32_t)o->held) : o->held;

    if (!o->active)
        return;
    session_grant(&e->s, slot, n);
    o->held -= n;
}

static void turn(bool busy)
{
    struct end *e = below(2) ? &agent : &gateway;
    int slot = (int)below(SLOTS);

    switch (below(busy ? 40 : 30)) {
    case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7: case 8: case 9:
        deliver(e);
        break;
    case 10: case 11: case 12:
        grant(e, slot);
        break;
    case 13: case 14: case 15: case 16: case 17:
        put_control(e);
        break;
    case 18:
        now += below(100);
        if (session_on_time(&e->s, now) < 0)
            fail("silence, though bytes arrive");
        break;
    default:
        send(e, slot);
        break;
    case 30: case 31: case 32: case 33: case 34: case 35: case 36: case 37: case 38:
        open_stream();
        break;
    case 39:
        if (below(8) == 0)
            abort_stream(e, slot);
        if (below(300) == 0)
            cut();
        break;
    }
}

static bool is_quiet(const struct end *e)
{
    return e->in_len == 0 && e->s.stream_count == 0 && !session_due(&e->s) &&
           e->s.due == 0 && e->s.used == 0 && e->s.state == SESSION_OPEN;
}

static void until_quiet(void)
{
    unsigned steps = 0;

    while (failure == NULL && !(is_quiet(&agent) && is_quiet(&gateway))) {
        turn(false);
        if (++steps > 3000000)
            fail("a stream never ends");
    }
}

static void close_both(void)
{
    struct end *first = below(2) ? &agent : &gateway;
    unsigned steps;

    session_close(&first->s, WS_CLOSE_NORMAL);
    for (steps = 0; steps < 1000; steps++) {
        put_control(&agent);
        put_control(&gateway);
        deliver(&agent);
        deliver(&gateway);
    }
    if (agent.s.state != SESSION_ENDED || gateway.s.state != SESSION_ENDED ||
        session_due(&agent.s) || session_due(&gateway.s))
        fail("the close handshake hangs");
}

static void run(uint64_t with, uint32_t exchanges)
{
    uint32_t first = next_exchange;

    seed = state = with;
    failure = NULL;
    start();
    while (failure == NULL && next_exchange - first < exchanges)
        turn(true);
    until_quiet();
    close_both();
    if (!ok(failure == NULL, "protocol %d, seed %" PRIu64 ", %" PRIu32 " exchanges", (int)protocol,
            with, exchanges))
        diag("%s, at exchange %" PRIu32, failure, next_exchange - first);
}

int main(int argc, char **argv)
{
    uint64_t runs = argc > 1 ? strtoull(argv[1], NULL, 10) : 8;
    uint64_t i;

    for (protocol = UPGRADE_TLV; protocol <= UPGRADE_PLAIN; protocol *= 2)
        for (i = 1; i <= runs; i++)
            run(i * 1000 + protocol, 150);
    ok(completed > runs * 200, "%u exchanges were complete", completed);
    ok(given_up > runs, "%u were given up", given_up);
    ok(interims > runs && upgrades > runs, "%u interim responses, %u upgrades", interims, upgrades);
    ok(cuts > 0, "%u connections were cut", cuts);
    diag("%u requests were refused because all slots were in use", overfull);
    return done_testing();
}
