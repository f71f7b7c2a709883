#include "core/window.h"

/* A window in so many round trips is the sender's limit; and so many milliseconds, because round
 * trips are whole ones. */
#define FULL_ROUNDS 2
#define FULL_MS 2
/* A reader who has not passed on a window in so many is not held back by it. */
#define SLOW_ROUNDS 16
#define SLOW_MS 500

void window_start(struct window *w, uint64_t first, int64_t now)
{
    *w = (struct window){ .promised = first, .first = first, .size = first, .since = now };
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void grow(struct window *w, const struct window_budget *b, uint64_t most)
{
    uint64_t others = b->used - (w->promised - w->first);
    uint64_t share = w->first + (b->size - others) / 2;
    uint64_t size = least(least(2 * w->size, share), least(most, WINDOW_MAX));

    if (size > w->size)
        w->size = size;
}

/* To what was passed on in this round, which was many round trips. */
static void shrink(struct window *w)
{
    w->size = w->passed > w->first ? least(w->size, w->passed) : w->first;
}

static void judge(struct window *w, const struct window_budget *b, uint32_t rtt_ms, uint64_t most,
                  int64_t now)
{
    int64_t took = now - w->since;

    if (w->passed >= w->size) {
        if (took <= (int64_t)FULL_ROUNDS * rtt_ms + FULL_MS)
            grow(w, b, most);
    } else if (took > (int64_t)SLOW_ROUNDS * rtt_ms + SLOW_MS) {
        shrink(w);
    } else {
        return;
    }
    w->passed = 0;
    w->since = now;
}

uint64_t window_pass(struct window *w, struct window_budget *b, uint64_t n, uint32_t rtt_ms,
                     uint64_t most, int64_t now)
{
    uint64_t change;

    w->passed += n;
    if (rtt_ms > 0)
        judge(w, b, rtt_ms, most, now);
    if (w->promised > w->size) {
        change = least(n, w->promised - w->size);
        w->promised -= change;
        b->used -= change;
        return n - change;
    }
    change = w->size - w->promised;
    w->promised += change;
    b->used += change;
    return n + change;
}

bool window_wants_rtt(const struct window *w)
{
    return w->passed >= w->size / 2;
}

void window_end(struct window *w, struct window_budget *b, uint64_t held)
{
    uint64_t kept = held > w->first ? held : w->first;

    if (kept >= w->promised)
        return;
    b->used -= w->promised - kept;
    w->promised = w->size = kept;
}
