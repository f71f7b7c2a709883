#include "tap.h"

#include "core/wheel.h"

#define NODES 500
#define TURN_MS ((int64_t)WHEEL_TICK_MS * WHEEL_SLOTS)

struct timer {
    int number;
    struct wheel_node node;
    int64_t deadline;
};

static struct wheel wheel;
static struct timer timers[NODES];

static void start(int64_t now)
{
    wheel_init(&wheel, now);
    memset(timers, 0, sizeof timers);
    for (int i = 0; i < NODES; i++)
        timers[i].number = i;
}

static void arm(int i, int64_t deadline)
{
    timers[i].deadline = deadline;
    wheel_arm(&wheel, &timers[i].node, deadline);
}

static void one(void)
{
    struct wheel_node *node;

    start(1000);
    ok(wheel_next(&wheel) == WHEEL_NEVER, "an empty wheel needs no call");
    ok(wheel_expire(&wheel, 5000) == NULL, "and has nothing due");
    arm(7, 6000);
    ok(wheel_is_armed(&timers[7].node), "armed");
    is_int(wheel_next(&wheel), 6000, "next is its deadline, a whole number of ticks");
    ok(wheel_expire(&wheel, 5999) == NULL, "not before its time");
    node = wheel_expire(&wheel, 6000);
    ok(node == &timers[7].node, "at its time");
    is_int(WHEEL_OWNER(node, struct timer, node)->number, 7, "its owner");
    ok(!wheel_is_armed(node), "handed out disarmed");
    ok(wheel_expire(&wheel, 9000) == NULL, "once");
    ok(wheel_next(&wheel) == WHEEL_NEVER, "then never");
}

static void late(void)
{
    start(-1);
    arm(0, 0);
    ok(wheel_expire(&wheel, 0) == &timers[0].node, "at the time 0");
    start(0);
    arm(0, 1);
    ok(wheel_expire(&wheel, 1) == NULL, "a deadline within a tick waits for the next");
    ok(wheel_expire(&wheel, WHEEL_TICK_MS) == &timers[0].node, "and no longer");
    arm(0, 3);
    ok(wheel_next(&wheel) <= WHEEL_TICK_MS, "armed for the past: call at once");
    ok(wheel_expire(&wheel, WHEEL_TICK_MS) == &timers[0].node, "and due");
    ok(wheel_next(&wheel) == WHEEL_NEVER, "leaves nothing behind");
    arm(0, INT64_MAX - 1);
    ok(wheel_expire(&wheel, 100 * TURN_MS) == NULL, "the end of time is not reached");
    ok(wheel_next(&wheel) > 100 * TURN_MS, "nor asked for now");
}

static void turns(void)
{
    int64_t now = 0;
    int calls = 0;

    start(0);
    arm(0, 10 * TURN_MS + 5);
    while (wheel_expire(&wheel, now) == NULL) {
        int64_t next = wheel_next(&wheel);

        if (next <= now || next > 10 * TURN_MS + 5 + WHEEL_TICK_MS)
            break;
        now = next;
        calls++;
    }
    ok(now >= 10 * TURN_MS + 5 && now < 10 * TURN_MS + 5 + WHEEL_TICK_MS, "after ten turns");
    ok(calls <= 12, "one call a turn at most: %d", calls);
    arm(1, now + 3 * TURN_MS);
    arm(2, now + 100);
    ok(wheel_expire(&wheel, now + 50 * TURN_MS) != NULL, "both after a long sleep");
    ok(wheel_expire(&wheel, now + 50 * TURN_MS) != NULL, "both");
    ok(wheel_expire(&wheel, now + 50 * TURN_MS) == NULL, "no third");
}

static void disarming(void)
{
    struct wheel_node *first;

    start(0);
    for (int i = 0; i < 3; i++)
        arm(i, 160);
    wheel_disarm(&timers[1].node);
    wheel_disarm(&timers[1].node);
    first = wheel_expire(&wheel, 200);
    ok(first == &timers[0].node || first == &timers[2].node, "one of the two that are left");
    wheel_disarm(first == &timers[0].node ? &timers[2].node : &timers[0].node);
    ok(wheel_expire(&wheel, 200) == NULL, "one that is due can be disarmed");
    arm(3, 500);
    arm(3, 900);
    ok(wheel_expire(&wheel, 600) == NULL, "armed anew: the old deadline is void");
    ok(wheel_expire(&wheel, 912) == &timers[3].node, "the new one holds");
}

/* Random arming, disarming and waiting, against the list of all deadlines. */
static void model(void)
{
    uint32_t random = 3;
    int64_t now = 12345;
    int early = 0, missed = 0, overslept = 0, fired = 0;

    start(now);
    for (int step = 0; step < 30000; step++) {
        int i = (int)((random >> 8) % NODES);
        struct wheel_node *node;
        int64_t next;

        random = random * 1664525 + 1013904223;
        if (random >> 30 == 0)
            wheel_disarm(&timers[i].node);
        else
            arm(i, now + (int64_t)((random >> 4) % (random >> 31 ? 400 : 3 * TURN_MS)));
        next = wheel_next(&wheel);
        for (int k = 0; k < NODES; k++)
            overslept += wheel_is_armed(&timers[k].node) &&
                         next > timers[k].deadline + WHEEL_TICK_MS;
        if ((random >> 20) % 4 != 0)
            continue;
        now += (int64_t)(random >> 16) % 300;
        while ((node = wheel_expire(&wheel, now)) != NULL) {
            early += WHEEL_OWNER(node, struct timer, node)->deadline > now;
            fired++;
        }
        for (int k = 0; k < NODES; k++)
            missed += wheel_is_armed(&timers[k].node) &&
                      timers[k].deadline + WHEEL_TICK_MS <= now;
    }
    ok(fired > 1000, "%d fired", fired);
    is_int(early, 0, "none early");
    is_int(missed, 0, "none later than a tick");
    is_int(overslept, 0, "next is never beyond a deadline");
}

int main(void)
{
    one();
    late();
    turns();
    disarming();
    model();
    return done_testing();
}
