/* The loop's watchdog: who spins, and who only waits. */
#include "tap.h"
#include "core/watchdog.h"

/* One window of `turns` turns that move nothing, from `now` on; the last verdict. */
static enum watchdog_verdict window(struct watchdog *w, uint64_t moved, int64_t *now, int turns)
{
    enum watchdog_verdict last = WATCHDOG_SOUND;

    for (int i = 1; i <= turns; i++)
        last = watchdog_turn(w, moved, *now + (int64_t)i * WATCHDOG_WINDOW_MS / turns);
    *now += WATCHDOG_WINDOW_MS;
    return last;
}

static void spins(void)
{
    struct watchdog w = { 0 };
    int64_t now = 5000;
    unsigned suspect = 0;

    watchdog_turn(&w, 77, now);
    for (int i = 1; i < WATCHDOG_SESSION_WINDOWS; i++)
        suspect += window(&w, 77, &now, 5000) == WATCHDOG_SUSPECT;
    is_int(suspect, WATCHDOG_SESSION_WINDOWS - 1, "suspected from the first full window on");
    is_int(window(&w, 77, &now, 5000), WATCHDOG_SESSION, "then the session has to end");
    is_int(watchdog_turn(&w, 77, now), WATCHDOG_SUSPECT, "said once");
    for (int i = WATCHDOG_SESSION_WINDOWS + 1; i < WATCHDOG_PROCESS_WINDOWS; i++)
        is_int(window(&w, 77, &now, 5000), WATCHDOG_SUSPECT, "which it may not help");
    is_int(window(&w, 77, &now, 5000), WATCHDOG_PROCESS, "then the program");
}

static void recovers(void)
{
    struct watchdog w = { 0 };
    int64_t now = 5000;

    for (int i = 1; i < WATCHDOG_SESSION_WINDOWS; i++)
        window(&w, 0, &now, 1000);
    is_int(watchdog_turn(&w, 1, now), WATCHDOG_SOUND, "a byte moved");
    for (int i = 1; i < WATCHDOG_SESSION_WINDOWS; i++)
        window(&w, 1, &now, 1000);
    is_int(window(&w, 1, &now, WATCHDOG_TURNS - 1), WATCHDOG_SOUND,
           "a window mostly slept through");
    is_int(window(&w, 1, &now, 1000), WATCHDOG_SUSPECT, "the count begins anew");
}

/* What a healthy program does for days: wakes now and then, and finds nothing. */
static void waits(void)
{
    struct watchdog w = { 0 };
    int64_t now = 5000;
    int sound = 0;

    for (int i = 0; i < 10000; i++)
        sound += watchdog_turn(&w, 0, now += 250) == WATCHDOG_SOUND;
    is_int(sound, 10000, "four turns a second");
    sound = 0;
    for (int i = 0; i < 1000; i++)
        sound += watchdog_turn(&w, 0, now += 3600 * 1000) == WATCHDOG_SOUND;
    is_int(sound, 1000, "one an hour");
    sound = 0;
    for (int i = 0; i < 1000000; i++)
        sound += watchdog_turn(&w, (uint64_t)i, now += i % 100 == 0) == WATCHDOG_SOUND;
    is_int(sound, 1000000, "a hundred thousand a second that all move something");
}

int main(void)
{
    spins();
    recovers();
    waits();
    return done_testing();
}
