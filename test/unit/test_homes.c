/* Which gateway is dialled next, and when: every way from state to state, on a clock of its own. */
#include "core/homes.h"

#include "tap.h"

#define NEVER INT64_MAX
#define MINUTE 60000

static struct homes h;
static int64_t now;

static void start(unsigned count, uint32_t return_ms)
{
    h = (struct homes){
        .backoff = { .base_ms = 1000, .max_ms = 8000, .factor_milli = 2000, .jitter_milli = 250 },
        .return_ms = return_ms,
        .count = count,
    };
    now = 5000;
    homes_start(&h, now);
}

/* Waits until it is due, and dials. */
static unsigned dial(void)
{
    if (now < h.due)
        now = h.due;
    return homes_next(&h, now);
}

static bool ended(enum homes_end how, bool proven)
{
    return homes_ended(&h, how, proven, 0, now);
}

static void fails(int64_t expected_wait, const char *name)
{
    ok(ended(HOMES_FAILED, false), "%s: may go on", name);
    is_int(h.due - now, expected_wait, "%s: the wait", name);
}

static void one(void)
{
    start(1, 10 * MINUTE);
    is_int(h.due, now, "the first attempt is due at once");
    is_int(dial(), 0, "the only one");
    is_int(h.state, HOMES_TRY, "is tried");
    fails(1000, "one");
    is_int(h.state, HOMES_WAIT, "then it waits");
    is_int(dial(), 0, "the same again");
    fails(2000, "twice");
    dial();
    is_int(h.home[0].failures, 2, "its failures are counted");
    homes_opened(&h, now);
    is_int(h.state, HOMES_OPEN, "open");
    is_int(h.due, NEVER, "with nowhere to return to");
    ok(!homes_returns(&h, now + 1000000000), "ever");
    ok(ended(HOMES_FAILED, true), "lost after it was of use");
    is_int(h.due - now, 1000, "the delays start over");
    is_int(h.home[0].failures, 1, "and so do its failures");
    dial();
    homes_opened(&h, now);
    fails(2000, "a session of no use");
}

static void jitter(void)
{
    start(1, 0);
    dial();
    homes_ended(&h, HOMES_FAILED, false, UINT32_MAX, now);
    is_int(h.due - now, 750, "the delay less its jitter");
}

static void one_left_alone(void)
{
    start(1, 0);
    dial();
    homes_later(&h, 500, now);
    fails(1000, "the delay is never shorter");
    dial();
    homes_later(&h, 7000, now);
    fails(7000, "than what is asked for");
    dial();
    homes_opened(&h, now);
    homes_away(&h, 30000);
    ended(HOMES_AWAY, true);
    is_int(h.due - now, 30000, "asked to leave");
    homes_now(&h, now);
    is_int(h.due, now, "the network is another");
}

/* It fails for long enough that its memory is as long as it gets. */
static void spoil(unsigned i)
{
    h.home[i] = (struct home){ .failures = 9, .failed_at = now };
}

static void attempts(void)
{
    start(2, 10 * MINUTE);
    h.backoff.attempts_max = 3;
    dial();
    ok(ended(HOMES_FAILED, false), "the first of three attempts");
    dial();
    ok(ended(HOMES_FAILED, false), "the second, of another gateway");
    dial();
    ok(!ended(HOMES_FAILED, false), "the third was the last");
    start(2, 1000);
    h.backoff.attempts_max = 2;
    dial();
    ended(HOMES_FAILED, false);
    dial();
    homes_opened(&h, now);
    now = h.due;
    ok(ended(HOMES_RETURN, false), "leaving for the first is no failure");
}

static void round_over_all(void)
{
    start(3, 10 * MINUTE);
    for (int delay = 1000; delay <= 8000; delay *= 2) {
        is_int(dial(), 0, "the first");
        fails(0, "the first");
        is_int(dial(), 1, "then the second");
        fails(0, "the second");
        is_int(dial(), 2, "then the third");
        fails(delay, "the third");
    }
    dial();
    fails(0, "no more than");
    dial();
    fails(0, "no more than");
    dial();
    fails(8000, "the longest delay");
    ok(homes_ended(&h, HOMES_FAILED, false, 7, now), "in WAIT nothing ends");
    is_int(h.due - now, 8000, "nor changes");
}

/* The second and the third were dialled because the first failed; it is remembered. */
static void memory(void)
{
    start(3, 10 * MINUTE);
    dial();
    fails(0, "the first");
    dial();
    homes_opened(&h, now);
    now += MINUTE;
    ended(HOMES_FAILED, true);
    is_int(h.due, now, "a session of use was lost: another gateway at once");
    is_int(dial(), 2, "which has not failed");
    fails(0, "the third");
    is_int(dial(), 0, "the first failed as often as the others, so it is next");
    fails(1000, "the round");
    is_int(dial(), 1, "the next one begins with who failed less often");
    fails(0, "the second");
    is_int(dial(), 2, "or the same by preference");
    fails(0, "the third");
    is_int(dial(), 0, "the first has failed most");
    fails(2000, "the round");
    now += 80 * MINUTE;
    is_int(dial(), 0, "all is forgotten");
}

/* As long as the memory of a failure: once, twice and so on as long as return_ms. */
static void memory_grows(void)
{
    static const int64_t minutes[] = { 10, 20, 40, 80, 80, 80 };

    for (unsigned i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        start(2, 10 * MINUTE);
        now += minutes[i] * MINUTE;
        h.home[0] = (struct home){ .failures = i + 1, .failed_at = 5001 };
        is_int(homes_next(&h, now), 1, "remembered for %d minutes", (int)minutes[i]);
        h.home[0].failed_at = 5000;
        is_int(homes_next(&h, now), 0, "but no longer");
    }
    start(2, 0);
    now += HOMES_MEMORY_MS;
    h.home[0] = (struct home){ .failures = 1, .failed_at = 5001 };
    is_int(homes_next(&h, now), 1, "also where nobody returns");
    h.home[0].failed_at = 5000;
    is_int(homes_next(&h, now), 0, "but no longer");
    h.home[0].failures = h.home[1].failures = 3;
    h.home[0].failed_at = h.home[1].failed_at = now;
    h.home[0].failures = UINT32_MAX;
    is_int(homes_next(&h, now), 1, "3 in a row are fewer");
    h.home[1].failures = 4;
    is_int(homes_next(&h, now), 0, "4 are as many as there can be");
    homes_ended(&h, HOMES_FAILED, false, 0, now);
    is_int(h.home[0].failures, UINT32_MAX, "the count does not wrap");
}

/* A gateway that has been dead for long is not in the way of the one that is of use. */
static void worse_ones_wait(void)
{
    start(2, 10 * MINUTE);
    spoil(0);
    is_int(dial(), 1, "the one that is of use");
    homes_opened(&h, now);
    ended(HOMES_FAILED, true);
    is_int(h.due - now, 1000, "a hiccup costs a delay");
    is_int(dial(), 1, "and it is the next");
    fails(0, "if it is dead");
    is_int(dial(), 0, "the other is, all the same");
    fails(2000, "both");
    start(2, 10 * MINUTE);
    h.home[0] = (struct home){ .failures = 2, .failed_at = now };
    dial();
    homes_opened(&h, now);
    ended(HOMES_FAILED, true);
    is_int(h.due - now, 1000, "two failures are known to be worse");
    start(2, 10 * MINUTE);
    h.home[0] = (struct home){ .failures = 1, .failed_at = now };
    dial();
    homes_opened(&h, now);
    ended(HOMES_FAILED, true);
    is_int(h.due - now, 0, "one is as good");
}

static void returning(void)
{
    start(3, 10 * MINUTE);
    dial();
    fails(0, "the first");
    dial();
    fails(0, "the second");
    is_int(dial(), 2, "the third");
    now += 3000;
    homes_opened(&h, now);
    is_int(h.due, 5000 + 10 * MINUTE, "the first is looked at when its failure is forgotten");
    ok(!homes_returns(&h, h.due - 1), "not sooner");
    ok(homes_returns(&h, h.due), "but then");
    now = h.due + 12345;
    ok(homes_returns(&h, now), "or when nothing is open any more");
    ended(HOMES_RETURN, true);
    is_int(h.due, now, "at once");
    is_int(dial(), 0, "the first");
    now += 15000;
    fails(0, "it is still dead");
    is_int(dial(), 2, "back to the one that was left");
    homes_opened(&h, now);
    is_int(h.due, now + 20 * MINUTE, "the next look comes later");
    now = h.due;
    ended(HOMES_RETURN, true);
    is_int(dial(), 0, "the first");
    fails(0, "dead");
    is_int(dial(), 2, "the one that was left");
    fails(0, "is dead, too");
    is_int(dial(), 1, "so the round goes on");
    fails(1000, "all");
    is_int(dial(), 2, "and the next is by memory again");
    homes_opened(&h, now);
    is_int(h.due, now - 1000 + 40 * MINUTE, "the first has failed three times");
    now = h.due;
    ended(HOMES_RETURN, true);
    dial();
    homes_opened(&h, now);
    is_int(h.due, NEVER, "at the first there is nothing to return to");
    ok(!homes_returns(&h, NEVER - 1), "and nobody does");
    ended(HOMES_FAILED, true);
    is_int(h.home[0].failures, 1, "its failures are forgotten when it was of use");
}

/* The one that was left comes before another that did not fail either. */
static void back_first(void)
{
    start(3, 10 * MINUTE);
    spoil(0);
    h.home[1] = (struct home){ .failures = 1, .failed_at = now };
    is_int(dial(), 2, "the third");
    homes_opened(&h, now);
    now = h.due;
    ended(HOMES_RETURN, false);
    is_int(dial(), 0, "the first");
    fails(0, "dead");
    is_int(dial(), 2, "not the second, whose failure is forgotten");
    homes_opened(&h, now);
    is_int(h.back, -1, "home again");
}

/* Left before it was of use; and all that comes after it. */
static void back_and_on(void)
{
    start(4, 1000);
    for (unsigned i = 0; i < 3; i++) {
        is_int(dial(), i, "one after the other");
        fails(0, "dead");
    }
    is_int(dial(), 3, "the fourth");
    homes_opened(&h, now);
    now = h.due;
    ended(HOMES_RETURN, false);
    h.home[1].failures = 2;
    h.home[1].failed_at = h.home[2].failed_at = now;
    is_int(dial(), 0, "the first");
    fails(0, "dead");
    is_int(dial(), 3, "the one that was left");
    fails(0, "dead");
    is_int(dial(), 2, "who failed less often");
    fails(0, "dead");
    is_int(dial(), 1, "who failed more often");
    fails(1000, "all");
}

static void no_return(void)
{
    start(2, 0);
    dial();
    fails(0, "the first");
    dial();
    homes_opened(&h, now);
    is_int(h.due, NEVER, "return_ms 0: never");
    start(2, 10 * MINUTE);
    homes_later(&h, 30 * MINUTE, now);
    dial();
    homes_opened(&h, now);
    is_int(h.due, 5000 + 30 * MINUTE, "not while the first wants to be left alone");
    start(2, 10 * MINUTE);
    h.tried = 1;
    dial();
    homes_opened(&h, now);
    is_int(h.due, now + 10 * MINUTE, "a first one that has not failed has its time as well");
}

static void left_alone(void)
{
    start(2, 10 * MINUTE);
    dial();
    homes_later(&h, 5000, now);
    fails(0, "the first wants to be left alone");
    is_int(dial(), 1, "the second");
    fails(1000, "the delay");
    is_int(dial(), 1, "the second again: the first is left alone");
    fails(2000, "nothing else is in this round");
    is_int(dial(), 1, "and again");
    homes_later(&h, 60000, now);
    ended(HOMES_FAILED, false);
    is_int(h.due, now + 4000, "the delay is longer than what the first wants");
    is_int(dial(), 0, "now");
    homes_later(&h, 90000, now);
    fails(56000, "both: until the first of them");
    is_int(dial(), 1, "which is the second");
}

static void away(void)
{
    start(2, 10 * MINUTE);
    dial();
    homes_opened(&h, now);
    homes_away(&h, 30000);
    ended(HOMES_AWAY, true);
    is_int(h.due - now, 30000, "what the gateway asks for");
    is_int(h.home[0].failures, 0, "no failure");
    is_int(dial(), 0, "the same one again");
    homes_opened(&h, now);
    ended(HOMES_AWAY, true);
    is_int(h.due - now, 1000, "or the delay, asked for once");
    dial();
    homes_opened(&h, now);
    homes_away(&h, 10);
    ended(HOMES_AWAY, false);
    is_int(h.due - now, 2000, "at once after the opening: the delays grow");
    is_int(h.home[0].failures, 1, "and it is a failure");
    is_int(dial(), 1, "so that another one is next");
}

static void visits(void)
{
    start(2, 10 * MINUTE);
    dial();
    homes_opened(&h, now);
    ended(HOMES_AWAY, true);
    now = h.due;
    homes_visit(&h);
    ok(h.visiting && h.state == HOMES_TRY, "a visit");
    homes_later(&h, 50000, now);
    fails(0, "nobody is there");
    is_int(h.home[0].failures, 0, "which is no fault of ours");
    is_int(dial(), 0, "back to the list");
    ok(!h.visiting, "at home");
    homes_opened(&h, now);
    ended(HOMES_AWAY, true);
    h.home[0] = (struct home){ .failures = 2, .failed_at = now };
    now = h.due;
    homes_visit(&h);
    homes_opened(&h, now);
    is_int(h.due, NEVER, "nobody returns from a visit");
    ended(HOMES_FAILED, true);
    is_int(h.home[0].failures, 2, "its end says nothing of another gateway");
    is_int(h.due, now, "the list at once");
    is_int(dial(), 1, "as ever");
}

static void anew(void)
{
    start(2, 10 * MINUTE);
    for (int i = 0; i < 4; i++) {
        dial();
        homes_later(&h, 100000, now);
        ended(HOMES_FAILED, false);
    }
    homes_away(&h, 30000);
    now += 10;
    ok(h.due > now, "a wait");
    homes_now(&h, now);
    is_int(h.due, now, "ends");
    is_int(h.state, HOMES_WAIT, "to dial");
    is_int(dial(), 0, "the first");
    fails(0, "it");
    is_int(dial(), 1, "the second");
    fails(1000, "the delays start over, and nothing of a Goaway is left");
    is_int(h.backoff.attempts, 2, "and so do the attempts");
    dial();
    fails(0, "it");
    dial();
    homes_now(&h, now);
    is_int(homes_next(&h, now), 0, "an attempt under way is given up for the first");
    homes_opened(&h, now);
    h.due = 77;
    homes_now(&h, now);
    ok(h.state == HOMES_OPEN && h.due == 77, "a session goes on");
    start(2, 1000);
    spoil(0);
    dial();
    homes_opened(&h, now);
    now = h.due;
    ended(HOMES_RETURN, true);
    homes_now(&h, now);
    is_int(h.back, -1, "there is no way back from another network");
}


int main(void)
{
    one();
    jitter();
    one_left_alone();
    attempts();
    round_over_all();
    memory();
    memory_grows();
    worse_ones_wait();
    returning();
    back_first();
    back_and_on();
    no_return();
    left_alone();
    away();
    visits();
    anew();
    return done_testing();
}
