/* What the kernel should hold unsent, by the fake clock of paths that carry so many bytes in a
 * millisecond. */
#include "tap.h"

#include "core/unsent.h"

static struct unsent u;
static uint64_t sent;
static int64_t now;

static void start(void)
{
    now = 7000;
    sent = 0;
    unsent_init(&u, now);
}

/* A turn each millisecond; how many of them changed the limit. */
static int run(int ms, uint64_t bytes_per_ms, bool busy)
{
    int changes = 0;

    while (ms-- > 0) {
        now++;
        sent += bytes_per_ms;
        changes += unsent_look(&u, sent, busy, now);
    }
    return changes;
}

static void follows(void)
{
    start();
    is_int(u.limit, UNSENT_START, "two records at first");
    is_int(run(UNSENT_PERIOD_MS - 1, 4000, true), 0, "a period is waited for");
    is_int(run(1, 4000, true), 1, "then the limit is another");
    is_int(u.limit, 4000 * UNSENT_MS, "what the path carries in 25 ms");
    is_int(run(2 * UNSENT_PERIOD_MAX_MS, 4000, true), 0, "the same path, the same limit");
    run(UNSENT_PERIOD_MAX_MS, 1 << 20, true);
    is_int(u.limit, UNSENT_MAX, "of a fast path no more than the kernel needs");
}

static void shrinks(void)
{
    start();
    run(UNSENT_PERIOD_MS, 1 << 20, true);
    is_int(run(UNSENT_PERIOD_MAX_MS - 1, 0, true), 0, "little in a short time may be chance");
    run(1, 0, true);
    is_int(u.limit, UNSENT_MAX / 2, "a pause halves it");
    run(UNSENT_PERIOD_MS, 1 << 20, true);
    is_int(u.limit, UNSENT_MAX, "its end restores it at once");
    run(20 * UNSENT_PERIOD_MAX_MS, 125, true);
    is_int(u.limit, 125 * UNSENT_MS, "1 Mbit/s: 25 ms of it");
    run(20 * UNSENT_PERIOD_MAX_MS, 1, true);
    is_int(u.limit, UNSENT_MIN, "8 kbit/s: little");
    run(UNSENT_PERIOD_MAX_MS, 0, true);
    is_int(u.limit, UNSENT_MIN, "but not nothing");
}

/* As a loop does it: half of the limit and a record at once, then nothing until that is sent. */
static void even(void)
{
    uint32_t most = 0, least = UNSENT_MAX;
    uint64_t left = 0;

    start();
    for (int ms = 0; ms < 5000; ms++) {
        uint64_t add = left < u.limit / 2 ? u.limit - left + u.limit / 2 : 0;

        left += add;
        left -= left < 600 ? left : 600;
        run(1, add, true);
        if (ms > 1000 && u.limit > most)
            most = u.limit;
        if (ms > 1000 && u.limit < least)
            least = u.limit;
    }
    ok(least >= 600 * UNSENT_MS * 2 / 3 && most <= 600 * UNSENT_MS * 4 / 3,
       "writes that come in bursts make it wander little");
}

/* Who has little to say learns little of the path. */
static void at_ease(void)
{
    start();
    is_int(run(1000, 10, false), 0, "a socket that sends all there is tells of no slow path");
    run(UNSENT_PERIOD_MAX_MS, 5000, false);
    is_int(u.limit, 5000 * UNSENT_MS, "but of a fast one");
    start();
    run(UNSENT_PERIOD_MAX_MS - 1, 100, true);
    is_int(run(1, 100, false), 0, "one such turn in a period is enough");
    run(UNSENT_PERIOD_MAX_MS, 100, true);
    is_int(u.limit, UNSENT_START, "it counts for the period that begins with it, too");
    run(UNSENT_PERIOD_MAX_MS, 100, true);
    is_int(u.limit, UNSENT_START / 2, "a whole period of work is a slow path");
}

/* A loop that comes late measures over the time it took. */
static void late(void)
{
    start();
    now += 10 * UNSENT_PERIOD_MS;
    sent += 10 * UNSENT_PERIOD_MS * UINT64_C(3000);
    ok(unsent_look(&u, sent, true, now), "a long period");
    is_int(u.limit, 3000 * UNSENT_MS, "is as good as a short one");
}

int main(void)
{
    follows();
    shrinks();
    even();
    at_ease();
    late();
    return done_testing();
}
