/*
 * An agent with several gateways that live and die at random, for weeks, by seed: whenever one of
 * them is alive for long enough the agent has a session, with the first one when that is; never
 * more than one attempt at once, and never more of them than the delays allow.
 */
#include "core/homes.h"

#include "tap.h"

#define DAY INT64_C(86400000)
#define CONNECT_MS 15000
#define DETECT_MS 35000
#define BASE_MS 1000
#define MAX_MS 300000
#define BUSY_MS 900000 /* the longest request */

/* Refuses at once, says nothing, lets in and drops, serves. */
enum life { REFUSES, SILENT, DROPS, SERVES, LIVES };

static struct world {
    struct homes h;
    uint64_t random;
    int64_t now;
    enum life life[HOMES_MAX];
    int64_t changes[HOMES_MAX];  /* when its life does */
    int64_t serves[HOMES_MAX];   /* since when it does */
    int64_t asked[HOMES_MAX];    /* until when it wants to be left alone */
    int64_t ends;                /* of the attempt or session under way; -1: none */
    bool open;
    int64_t opened, idle;        /* no request is open from then on */
    int64_t offline, offline_first; /* since when; NEVER: it is not */
    uint64_t dials, rounds;
    int64_t pause_from;          /* the last round's end */
    uint32_t delay;              /* what the next one is at least */
} w;

static const char *wrong;
static char why[200];

static void must(bool holds, const char *what)
{
    if (holds || wrong)
        return;
    snprintf(why, sizeof why, "%s at %" PRId64 " s", what, w.now / 1000);
    wrong = why;
}

static uint32_t chance(uint32_t n)
{
    w.random = w.random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((w.random >> 32) * n >> 32);
}

static void live(unsigned i)
{
    w.life[i] = (enum life)chance(LIVES);
    /* From seconds to hours. */
    w.changes[i] = w.now + 1000 + (int64_t)chance(1000) * (1 << chance(15));
    w.serves[i] = w.life[i] == SERVES ? w.now : INT64_MAX;
}

static void world_start(unsigned seed, unsigned count, uint32_t return_ms)
{
    memset(&w, 0, sizeof w);
    w.random = seed;
    w.h = (struct homes){
        .backoff = { .base_ms = BASE_MS, .max_ms = MAX_MS, .factor_milli = 2000,
                     .jitter_milli = 250 },
        .return_ms = return_ms,
        .count = count,
    };
    w.ends = -1;
    w.delay = BASE_MS;
    w.pause_from = INT64_MIN;
    for (unsigned i = 0; i < count; i++)
        live(i);
    homes_start(&w.h, 0);
}

/* ---- what happens ---- */

static void dial(void)
{
    unsigned i = w.h.visiting ? 0 : homes_next(&w.h, w.now);

    must(w.ends < 0, "a second attempt at once");
    must(i < w.h.count && w.h.at == i, "a gateway that there is not");
    must(w.now >= w.asked[i], "a gateway that wants to be left alone is dialled");
    w.dials++;
    w.open = false;
    w.ends = w.now + (w.life[i] == SILENT ? CONNECT_MS : 1 + (int64_t)chance(300));
}

static void end(enum homes_end how, bool proven)
{
    uint64_t since = w.dials;
    bool was_open = w.open;

    if (!proven && how == HOMES_FAILED && chance(20) == 0) {
        uint32_t ms = chance(600000);

        homes_later(&w.h, ms, w.now);
        w.asked[w.h.at] = w.now + ms;
    }
    w.ends = -1;
    w.open = false;
    must(homes_ended(&w.h, how, proven, chance(UINT32_MAX), w.now), "the attempts are used up");
    must(w.h.due >= w.now, "a time that is over");
    if (proven)
        w.delay = BASE_MS;
    if (w.h.due > w.now) {
        must(w.h.due - w.now >= w.delay * 3 / 4, "a shorter delay than its jitter allows");
        must(w.h.due - w.now <= w.delay || w.now < w.asked[0], "a longer delay than needed");
        w.delay = w.delay * 2 < MAX_MS ? w.delay * 2 : MAX_MS;
        must(since - w.rounds <= w.h.count + 1u, "more attempts than gateways in a round");
        w.rounds = since;
    } else {
        must(proven || how == HOMES_RETURN || was_open || w.h.count > 1, "no delay");
    }
}

static void open_session(void)
{
    homes_opened(&w.h, w.now);
    w.open = true;
    w.opened = w.now;
    w.idle = w.now + chance(BUSY_MS);
    w.ends = w.life[w.h.at] == DROPS ? w.now + chance(500) : INT64_MAX;
    w.rounds = w.dials;
}

static void attempt_over(void)
{
    enum life life = w.life[w.h.at];

    if (!w.open && (life == SERVES || life == DROPS))
        open_session();
    else
        end(HOMES_FAILED, w.open && backoff_is_proven(w.now - w.opened, 0));
}

static void gateway_changes(unsigned i)
{
    live(i);
    if (w.ends < 0 || w.h.at != i)
        return;
    /* A session dies with its gateway, at once or when it is missed. */
    if (w.open && w.life[i] != SERVES)
        w.ends = w.now + (w.life[i] == SILENT ? DETECT_MS : chance(100));
    else if (w.open)
        w.ends = INT64_MAX;
}

static void look_back(void)
{
    if (!homes_returns(&w.h, w.now) || w.now < w.idle)
        return;
    must(w.h.at != 0, "a return from the first");
    end(HOMES_RETURN, backoff_is_proven(w.now - w.opened, 0));
    must(w.h.due == w.now, "a return that waits");
}

/* ---- what has to hold ---- */

/* All gateways one after the other, the delays between, and silence that is not yet noticed. */
static int64_t bound(void)
{
    return 2 * (MAX_MS + (int64_t)w.h.count * (CONNECT_MS + DETECT_MS));
}

static bool asks(unsigned i)
{
    return w.now - bound() < w.asked[i];
}

static void look(void)
{
    int64_t longest = (int64_t)w.h.return_ms << HOMES_DOUBLINGS;
    bool serves = false;

    for (unsigned i = 0; i < w.h.count; i++)
        serves = serves || (w.serves[i] < w.now - bound() && !asks(i));
    if (w.open || !serves)
        w.offline = w.now;
    must(w.now - w.offline <= bound(), "a gateway serves, and there is no session");
    if (w.h.return_ms == 0 || (w.open && w.h.at == 0) || w.life[0] != SERVES || asks(0))
        w.offline_first = w.now;
    must(w.now - w.offline_first <= longest + BUSY_MS + bound(),
         "the first serves, and the session is with another");
}

static int64_t next_time(void)
{
    int64_t at = w.h.state == HOMES_WAIT ? w.h.due : w.ends;

    if (w.h.state == HOMES_OPEN && w.h.due < INT64_MAX) {
        int64_t back = w.h.due > w.idle ? w.h.due : w.idle;

        at = back < at ? back : at;
    }
    for (unsigned i = 0; i < w.h.count; i++)
        at = w.changes[i] < at ? w.changes[i] : at;
    return at;
}

static void step(void)
{
    w.now = next_time();
    /* As it was until now. */
    if (w.open)
        w.offline = w.now;
    if (w.open && w.h.at == 0)
        w.offline_first = w.now;
    for (unsigned i = 0; i < w.h.count; i++) {
        if (w.now >= w.changes[i])
            gateway_changes(i);
    }
    if (w.ends >= 0 && w.now >= w.ends)
        attempt_over();
    look_back();
    if (w.h.state == HOMES_WAIT && w.now >= w.h.due)
        dial();
    look();
}

/* The network changed, somebody says. */
static void doubt(void)
{
    if (w.open)
        return;
    homes_now(&w.h, w.now);
    memset(w.asked, 0, sizeof w.asked);
    w.delay = BASE_MS;
    w.rounds = w.dials;
    w.ends = -1;
    dial();
}

static void weeks(unsigned seed)
{
    unsigned count = 1 + seed % HOMES_MAX;

    world_start(seed, count, seed % 3 == 0 ? 0 : 60000 * (1 + seed % 20));
    while (w.now < 14 * DAY && !wrong) {
        step();
        if (chance(500) == 0)
            doubt();
    }
}

int main(void)
{
    uint64_t dials = 0;
    unsigned seed;

    for (seed = 1; seed <= 400 && !wrong; seed++) {
        weeks(seed);
        dials += w.dials;
    }
    if (wrong)
        fprintf(stderr, "# seed %u: %s\n", seed - 1, wrong);
    ok(!wrong, "years with gateways that come and go");
    ok(dials > 100000, "%" PRIu64 " attempts", dials);
    return done_testing();
}
