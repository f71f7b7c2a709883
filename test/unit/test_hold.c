/* Who may wait for a tunnel that is not there, and how what is shared is shared. */
#include "tap.h"

#include "core/hold.h"
#include "core/share.h"

static const struct hold rule = { 5000, 8 };

static void times(void)
{
    const struct hold never = { 0, 8 };

    is_int(hold_may(&rule, 1000, 1000, 0, 0, true), HOLD_WAITS, "lost in this moment");
    is_int(hold_may(&rule, 5999, 1000, 0, 0, true), HOLD_WAITS, "a while ago");
    is_int(hold_may(&rule, 6000, 1000, 0, 0, true), HOLD_GONE, "too long ago");
    is_int(hold_may(&rule, 6000, 1000, 99, 99, true), HOLD_GONE, "which is no matter of places");
    is_int(hold_may(&never, 1000, 1000, 0, 0, true), HOLD_GONE, "without a time nobody waits");
}

static void places(void)
{
    const struct hold none = { 5000, 0 };

    is_int(hold_may(&rule, 0, 0, 7, 0, false), HOLD_WAITS, "the last place");
    is_int(hold_may(&rule, 0, 0, 8, 0, false), HOLD_FULL, "is the last");
    is_int(hold_may(&rule, 0, 0, 7, 100, false), HOLD_WAITS, "proxies are not counted by address");
    is_int(hold_may(&rule, 0, 0, 7, 1, true), HOLD_FULL, "everybody else leaves it to others");
    is_int(hold_may(&rule, 0, 0, 7, 0, true), HOLD_WAITS, "who have none");
    is_int(hold_may(&none, 0, 0, 0, 0, true), HOLD_FULL, "no places, no waiting");
}

/* So many of n are one address's, when only it comes. */
static size_t alone(size_t n)
{
    size_t mine = 0;

    while (share_may_take(mine, n - mine))
        mine++;
    return mine;
}

static void shares(void)
{
    ok(!share_may_take(0, 0), "nothing is left");
    is_int(alone(1), 1, "one of one");
    is_int(alone(2), 1, "one of two");
    is_int(alone(8), 6, "three quarters");
    is_int(alone(64), 48, "three quarters of many");
    for (size_t n = 2; n <= 64; n++) {
        if (alone(n) >= n)
            ok(false, "of %zu one is left for somebody else", n);
    }
    ok(share_may_take(0, 1) && !share_may_take(1, 1), "the last one is for who has none");
    ok(share_may_take(5, 2) && !share_may_take(6, 2), "three times as many as are left");
}

int main(void)
{
    times();
    places();
    shares();
    return done_testing();
}
