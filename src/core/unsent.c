#include "core/unsent.h"

void unsent_init(struct unsent *u, int64_t now)
{
    *u = (struct unsent){ .limit = UNSENT_START, .since = now };
}

static uint64_t limit_of(const struct unsent *u, uint64_t bytes, uint64_t took_ms)
{
    uint64_t limit = bytes * UNSENT_MS / took_ms, least = u->at_ease ? u->limit : u->limit / 2;

    if (limit < least)
        limit = least;
    if (limit < UNSENT_MIN)
        return UNSENT_MIN;
    return limit < UNSENT_MAX ? limit : UNSENT_MAX;
}

bool unsent_look(struct unsent *u, uint64_t sent, bool busy, int64_t now)
{
    uint64_t bytes = sent - u->sent;
    int64_t took = now - u->since;
    uint32_t old = u->limit;

    u->at_ease = u->at_ease || !busy;
    if (took < UNSENT_PERIOD_MS ||
        (took < UNSENT_PERIOD_MAX_MS && bytes < UNSENT_PERIOD_LIMITS * (uint64_t)old))
        return false;
    u->limit = (uint32_t)limit_of(u, bytes, (uint64_t)took);
    u->since = now;
    u->sent = sent;
    u->at_ease = !busy;
    return u->limit != old;
}
