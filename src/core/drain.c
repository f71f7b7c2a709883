#include "core/drain.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void drain_start(struct drain *d, uint32_t drain_ms, uint32_t hold_ms, size_t agents, int64_t now)
{
    int64_t grace = least(DRAIN_GRACE_MS, drain_ms / 4);
    int64_t told_by = drain_ms / 2;

    if (hold_ms > 0)
        told_by = least(told_by, hold_ms / 2);
    d->phase = DRAIN_GRACE;
    d->told = 0;
    d->began_at = now;
    d->count = drain_ms > 0 ? agents : 0;
    d->leaves_at = now + grace;
    d->must_at = d->leaves_at + (told_by > grace ? told_by - grace : 0);
    d->spread = least(d->must_at - d->leaves_at, (int64_t)agents * DRAIN_GAP_MAX_MS);
    d->cuts_at = now + (drain_ms > 0 ? drain_ms : DRAIN_SHORT_MS);
    d->over_at = d->cuts_at + DRAIN_CUT_MS;
}

void drain_hasten(struct drain *d, int64_t now)
{
    if (d->phase >= DRAIN_CUTS)
        return;
    d->leaves_at = least(d->leaves_at, now);
    d->cuts_at = now;
    d->over_at = now + DRAIN_CUT_MS;
}

/* The end of the phase. */
static int64_t ends_at(const struct drain *d)
{
    switch (d->phase) {
    case DRAIN_GRACE:
        return d->leaves_at;
    case DRAIN_LEAVES:
        return d->cuts_at;
    case DRAIN_CUTS:
        return d->over_at;
    default:
        return INT64_MAX;
    }
}

bool drain_step(struct drain *d, int64_t now)
{
    if (now < ends_at(d))
        return false;
    d->phase++;
    return true;
}

/* When the agent after so many others is told. */
static int64_t told_at(const struct drain *d, size_t others)
{
    return d->leaves_at + d->spread * (int64_t)others / (int64_t)d->count;
}

size_t drain_due(const struct drain *d, int64_t now)
{
    size_t due;

    if (d->phase != DRAIN_LEAVES || d->count == 0 || now < d->leaves_at)
        return 0;
    if (now - d->leaves_at >= d->spread)
        return d->count;
    due = (size_t)((now - d->leaves_at) * (int64_t)d->count / d->spread);
    /* Both were rounded down. */
    while (due < d->count && told_at(d, due) <= now)
        due++;
    return due;
}

bool drain_must_tell(const struct drain *d, int64_t now)
{
    return now >= d->must_at;
}

uint32_t drain_delay_ms(const struct drain *d)
{
    if (d->phase != DRAIN_LEAVES)
        return DRAIN_DELAY_CUT_MS;
    /* They are spread already: no more than to fill the gaps. */
    return d->count > 1 ? (uint32_t)(d->spread / (int64_t)d->count) : 0;
}

int64_t drain_next(const struct drain *d, int64_t now)
{
    int64_t at = ends_at(d);
    size_t due = drain_due(d, now);

    if (d->phase != DRAIN_LEAVES)
        return at;
    /* Who was due and had better be told later. */
    if (d->told < due && !drain_must_tell(d, now))
        at = least(at, d->must_at);
    return due < d->count ? least(at, told_at(d, due)) : at;
}
