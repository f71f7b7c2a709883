#include "core/watchdog.h"

static enum watchdog_verdict window_ends(struct watchdog *w, int64_t now)
{
    w->windows = w->turns >= WATCHDOG_TURNS ? w->windows + 1 : 0;
    w->turns = 0;
    w->since = now;
    if (w->windows == WATCHDOG_SESSION_WINDOWS)
        return WATCHDOG_SESSION;
    return w->windows == WATCHDOG_PROCESS_WINDOWS ? WATCHDOG_PROCESS : WATCHDOG_SUSPECT;
}

enum watchdog_verdict watchdog_turn(struct watchdog *w, uint64_t moved, int64_t now)
{
    enum watchdog_verdict verdict = WATCHDOG_SUSPECT;

    if (moved != w->moved) {
        *w = (struct watchdog){ .moved = moved, .since = now };
        return WATCHDOG_SOUND;
    }
    w->turns++;
    if (now - w->since >= WATCHDOG_WINDOW_MS)
        verdict = window_ends(w, now);
    return w->windows > 0 ? verdict : WATCHDOG_SOUND;
}
