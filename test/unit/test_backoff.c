#include "tap.h"

#include "core/backoff.h"

static void doubling(void)
{
    static const uint32_t expected[] = { 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000,
                                         256000, 300000, 300000 };
    struct backoff b = { .base_ms = 1000, .max_ms = 300000, .factor_milli = 2000 };

    backoff_reset(&b);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ok(backoff_failed(&b), "attempt %zu is allowed", i + 1);
        is_int(backoff_next(&b, 0xffffffff), expected[i], "delay %zu", i + 1);
    }
    is_int(b.attempts, 11, "attempts are counted");
    backoff_reset(&b);
    is_int(backoff_next(&b, 0), 1000, "after a reset the base again");
    is_int(b.attempts, 0, "a delay is no attempt");
    backoff_failed(&b);
    backoff_failed(&b);
    is_int(backoff_next(&b, 0), 2000, "and attempts make no delay longer");
}

static void attempts(void)
{
    struct backoff b = { .base_ms = 10, .max_ms = 10, .factor_milli = 1000, .attempts_max = 3 };

    backoff_reset(&b);
    for (int i = 0; i < 2; i++)
        ok(backoff_failed(&b), "failed attempt %d of 3", i + 1);
    ok(!backoff_failed(&b), "the third was the last");
    ok(!backoff_failed(&b), "and there is no fourth");
    backoff_reset(&b);
    ok(backoff_failed(&b), "a reset gives them back");
    backoff_reset(&b);
    b.attempts_max = 1;
    ok(!backoff_failed(&b), "one is one");
}

static void jitter(void)
{
    struct backoff b = { .base_ms = 1000, .max_ms = 1000, .factor_milli = 1000,
                         .jitter_milli = 250 };
    uint32_t random = 1;
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;

    backoff_reset(&b);
    is_int(backoff_next(&b, 0), 1000, "random 0: the whole delay");
    is_int(backoff_next(&b, 0xffffffff), 750, "random at most: the delay less its jitter");
    for (int i = 0; i < 10000; i++) {
        uint32_t delay;

        random = random * 1664525 + 1013904223;
        delay = backoff_next(&b, random);
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    ok(least == 750 && most == 1000, "spread over all of it: %u to %u", least, most);
    b.jitter_milli = 1000;
    is_int(backoff_next(&b, 0xffffffff), 0, "full jitter reaches zero");
}

static void extremes(void)
{
    struct backoff b = { .base_ms = 1, .max_ms = UINT32_MAX, .factor_milli = 1001 };
    uint32_t before = 0;
    int grows = 1;

    backoff_reset(&b);
    for (int i = 0; i < 100; i++) {
        uint32_t delay = backoff_next(&b, 0);

        grows = grows && delay > before;
        before = delay;
    }
    ok(grows, "a small factor grows from a small base");
    b = (struct backoff){ .base_ms = UINT32_MAX - 1, .max_ms = UINT32_MAX,
                          .factor_milli = UINT32_MAX, .jitter_milli = 1000 };
    backoff_reset(&b);
    is_int(backoff_next(&b, 0), UINT32_MAX - 1, "the longest base");
    is_int(backoff_next(&b, 0), UINT32_MAX, "stops at the maximum, without a wrap");
    b.attempts = UINT32_MAX;
    ok(backoff_failed(&b) && b.attempts == UINT32_MAX, "the count does not wrap");
}

static void spread(void)
{
    is_int((int64_t)backoff_spread(5000, 0), 5000, "never less than was asked");
    is_int((int64_t)backoff_spread(5000, 0x80000000), 7500, "a part");
    is_int((int64_t)backoff_spread(5000, 0xffffffff), 10000, "or as much again");
    is_int((int64_t)backoff_spread(0, 0xffffffff), 0, "of nothing");
    is_int((int64_t)backoff_spread(UINT32_MAX, 0xffffffff), INT64_C(0x1fffffffe), "of the most");
}

static void proof(void)
{
    ok(!backoff_is_proven(-1, 0), "never open");
    ok(!backoff_is_proven(BACKOFF_PROVEN_MS - 1, 0), "dropped too soon");
    ok(backoff_is_proven(BACKOFF_PROVEN_MS, 0), "open for a while");
    ok(backoff_is_proven(0, 1), "of use at once");
}

int main(void)
{
    proof();
    spread();
    doubling();
    attempts();
    jitter();
    extremes();
    return done_testing();
}
