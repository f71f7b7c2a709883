#include "core/homes.h"

#include "check.h"

static struct home *current(struct homes *h)
{
    return &h->home[h->at];
}

/* How long its failures count: see the top of the header. */
static uint32_t memory_ms(const struct homes *h, const struct home *home)
{
    uint32_t doublings = home->failures - 1; /* without a failure anything will do */

    return (h->return_ms > 0 ? h->return_ms : HOMES_MEMORY_MS)
           << (doublings < HOMES_DOUBLINGS ? doublings : HOMES_DOUBLINGS);
}

static int64_t forgotten_at(const struct homes *h, const struct home *home)
{
    return home->failed_at + memory_ms(h, home);
}

/* Those that count, in a row. More than a few are all the same. */
static uint32_t failures_of(const struct homes *h, unsigned i, int64_t now)
{
    const struct home *home = &h->home[i];

    if (now >= forgotten_at(h, home))
        return 0;
    return home->failures <= HOMES_DOUBLINGS ? home->failures : HOMES_DOUBLINGS + 1;
}

/* The lowest is the next. */
static uint32_t rank(const struct homes *h, unsigned i, int64_t now)
{
    if (h->back < 0)
        return failures_of(h, i, now);
    return i == 0 || i == (unsigned)h->back ? 0 : 1 + failures_of(h, i, now);
}

/* The next of this round, -1: it is over. */
static int pick(const struct homes *h, int64_t now)
{
    uint32_t best_rank = UINT32_MAX;
    int best = -1;

    for (unsigned i = 0; i < h->count; i++) {
        uint32_t this_rank = rank(h, i, now);

        if ((h->tried & 1u << i) || now < h->home[i].not_before || this_rank >= best_rank)
            continue;
        best = (int)i;
        best_rank = this_rank;
    }
    return best;
}

static void new_round(struct homes *h)
{
    h->tried = 0;
    h->back = -1;
}

void homes_start(struct homes *h, int64_t now)
{
    backoff_reset(&h->backoff);
    new_round(h);
    h->due = now;
}

unsigned homes_next(struct homes *h, int64_t now)
{
    int i = pick(h, now);

    CHECK(h->state != HOMES_OPEN && i >= 0);
    h->state = HOMES_TRY;
    h->visiting = false;
    h->at = i < 0 ? 0 : (unsigned)i;
    return h->at;
}

void homes_visit(struct homes *h)
{
    CHECK(h->state == HOMES_WAIT);
    h->state = HOMES_TRY;
    h->visiting = true;
}

/* When it is time to look whether the first one serves. */
static int64_t return_at(const struct homes *h, int64_t now)
{
    const struct home *first = &h->home[0];
    int64_t at = first->failures > 0 ? forgotten_at(h, first) : now + h->return_ms;

    return at > first->not_before ? at : first->not_before;
}

void homes_opened(struct homes *h, int64_t now)
{
    bool stays = h->visiting || h->at == 0 || h->return_ms == 0;

    CHECK(h->state == HOMES_TRY);
    h->state = HOMES_OPEN;
    h->back = -1;
    h->due = stays ? INT64_MAX : return_at(h, now);
}

/* ---- the end of an attempt or a session ---- */

static void remember(struct homes *h, int64_t now)
{
    struct home *home = current(h);

    if (home->failures < UINT32_MAX)
        home->failures++;
    home->failed_at = now;
    h->tried |= 1u << h->at;
}

/* After a session of use another gateway takes over at once if it is as good as this one, which has
 * failed once. One that is known to be worse waits until this one was dialled again. */
static void leave_out_worse(struct homes *h, int64_t now)
{
    for (unsigned i = 0; i < h->count; i++) {
        if (failures_of(h, i, now) > 1)
            h->tried |= 1u << i;
    }
}

/* The delay; and as long as all gateways want to be left alone. */
static void pause_until(struct homes *h, uint32_t random, int64_t now)
{
    uint32_t delay = backoff_next(&h->backoff, random);
    int64_t first = INT64_MAX;

    new_round(h);
    for (unsigned i = 0; i < h->count; i++) {
        if (h->home[i].not_before < first)
            first = h->home[i].not_before;
    }
    h->due = now + (delay > h->least_ms ? delay : h->least_ms);
    if (h->due < first)
        h->due = first;
    h->least_ms = 0;
}

bool homes_ended(struct homes *h, enum homes_end how, bool proven, uint32_t random, int64_t now)
{
    bool home = !h->visiting;

    if (h->state == HOMES_WAIT)
        return true;
    h->state = HOMES_WAIT;
    if (proven) {
        backoff_reset(&h->backoff);
        new_round(h);
        if (home)
            current(h)->failures = 0;
    }
    if (how == HOMES_RETURN) {
        new_round(h);
        h->back = (int)h->at;
        h->due = now;
        return true;
    }
    if (home && (how == HOMES_FAILED || !proven))
        remember(h, now);
    if (!backoff_failed(&h->backoff))
        return false;
    if (proven)
        leave_out_worse(h, now);
    if (how == HOMES_FAILED && pick(h, now) >= 0)
        h->due = now;
    else
        pause_until(h, random, now);
    return true;
}

/* ---- what others ask for ---- */

void homes_later(struct homes *h, uint32_t ms, int64_t now)
{
    if (!h->visiting)
        current(h)->not_before = now + ms;
}

void homes_away(struct homes *h, uint32_t ms)
{
    h->least_ms = ms;
}

bool homes_returns(const struct homes *h, int64_t now)
{
    return h->state == HOMES_OPEN && now >= h->due;
}

void homes_now(struct homes *h, int64_t now)
{
    if (h->state == HOMES_OPEN)
        return;
    backoff_reset(&h->backoff);
    new_round(h);
    h->least_ms = 0;
    for (unsigned i = 0; i < h->count; i++)
        h->home[i] = (struct home){ 0 };
    h->due = now;
}
