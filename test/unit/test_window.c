/* The window of a stream by the fake clock of a path: it grows to what the path takes, no further,
 * and the budget is whole again in the end. */
#include "tap.h"

#include "core/window.h"

#define FIRST 1000
#define RTT 100
#define MOST (1u << 20)

static struct window_budget budget;
static struct window w;
static int64_t now;

static void start(uint64_t size)
{
    budget = (struct window_budget){ .size = size };
    now = 5000;
    window_start(&w, FIRST, now);
}

static uint64_t pass(uint64_t n)
{
    return window_pass(&w, &budget, n, RTT, MOST, now);
}

/* A window in a round trip, and all of it in one piece. */
static uint64_t round_trip(void)
{
    now += RTT;
    return pass(w.promised);
}

static void grows(void)
{
    start(1 << 20);
    is_int(w.promised, FIRST, "the first window is there from the start");
    is_int(budget.used, 0, "outside the budget");
    is_int(pass(FIRST / 2 - 1), FIRST / 2 - 1, "what was passed on may come again");
    ok(!window_wants_rtt(&w), "little of it says nothing about the path");
    is_int(pass(1), 1, "half of it");
    ok(window_wants_rtt(&w), "does");
    now += 2 * RTT + 2;
    is_int(pass(FIRST / 2), FIRST / 2 + FIRST, "in two round trips the window was the limit");
    is_int(w.promised, 2 * FIRST, "it doubles");
    is_int(budget.used, FIRST, "out of the budget");
    now += 2 * RTT + 3;
    is_int(pass(2 * FIRST), 2 * FIRST, "in more than two it was not");
    is_int(round_trip(), 4 * FIRST, "each round is judged by itself");
    budget.size = 10 * FIRST;
    round_trip();
    is_int(w.promised, 6 * FIRST, "to half of the budget at the most");
    budget.used += 2 * FIRST;
    is_int(round_trip(), 6 * FIRST, "and to no more of what others leave");
    budget.used -= 2 * FIRST;
    window_end(&w, &budget, 0);
    is_int(budget.used, 0, "the end gives all of it back");
    is_int(w.promised, FIRST, "but the first window");
}

static void limits(void)
{
    start(UINT64_C(1) << 40);
    for (int i = 0; i < 30; i++)
        round_trip();
    is_int(w.promised, MOST, "no more than there is memory for");
    for (int i = 0; i < 30; i++) {
        now += RTT;
        window_pass(&w, &budget, w.promised, RTT, UINT64_MAX, now);
    }
    is_int(w.promised, WINDOW_MAX, "nor than any path needs");
    start(0);
    is_int(round_trip(), FIRST, "without a budget it stays");
    start(1 << 20);
    for (int i = 0; i < 5; i++)
        is_int(window_pass(&w, &budget, FIRST, 0, MOST, now), FIRST,
               "nor does it grow before the round trip is known");
}

static void shrinks(void)
{
    uint64_t granted;

    start(1 << 20);
    for (int i = 0; i < 4; i++)
        round_trip();
    is_int(w.promised, 16 * FIRST, "grown");
    now += 16 * RTT + 500;
    is_int(pass(3000), 3000, "a reader may be slow for a while");
    now++;
    is_int(pass(3000), 0, "then he needs no more than he has taken meanwhile");
    is_int(w.promised, 13 * FIRST, "what he takes is not granted again");
    now += 10 * RTT;
    granted = pass(9000);
    is_int(granted, 2000, "until the window is as small");
    is_int(w.promised, 6 * FIRST, "which it is now");
    is_int(budget.used, 5 * FIRST, "and the budget knows");
    now += 16 * RTT + 501;
    pass(1);
    now += 16 * RTT + 501;
    pass(1);
    ok(w.promised < 6 * FIRST, "slower still");
    window_end(&w, &budget, 3 * FIRST);
    is_int(w.promised, 3 * FIRST, "what is still held is still promised");
    is_int(budget.used, 2 * FIRST, "and in use");
    window_end(&w, &budget, 5 * FIRST);
    is_int(w.promised, 3 * FIRST, "and nothing is promised anew");
    is_int(budget.used, 2 * FIRST, "nor used");
    window_end(&w, &budget, 0);
    is_int(budget.used, 0, "until it has left");
}

/* Those who were there first leave something to those who come. */
static void shares(void)
{
    static struct window many[100];
    bool good = true;

    budget = (struct window_budget){ .size = 1 << 20 };
    now = 0;
    for (int i = 0; i < 100; i++)
        window_start(&many[i], FIRST, now);
    for (int turn = 0; turn < 40; turn++) {
        now += RTT;
        for (int i = 0; i < 100; i++) {
            window_pass(&many[i], &budget, many[i].promised, RTT, MOST, now);
            good = good && budget.used <= budget.size;
        }
    }
    ok(good, "a hundred never have more than there is");
    ok(budget.used > budget.size * 9 / 10, "but nearly all of it");
    ok(many[99].promised > FIRST, "and the last has some");
    for (int i = 0; i < 100; i++)
        window_end(&many[i], &budget, 0);
    is_int(budget.used, 0, "whole again");
}

int main(void)
{
    grows();
    limits();
    shrinks();
    shares();
    return done_testing();
}
