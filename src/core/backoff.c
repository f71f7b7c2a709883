#include "core/backoff.h"

void backoff_reset(struct backoff *b)
{
    b->attempts = 0;
    b->next_ms = b->base_ms;
}

/* Rounded up, so that a small base with a small factor grows all the same. */
static uint32_t grow(const struct backoff *b)
{
    uint64_t grown = ((uint64_t)b->next_ms * b->factor_milli + 999) / 1000;

    return grown < b->max_ms ? (uint32_t)grown : b->max_ms;
}

bool backoff_failed(struct backoff *b)
{
    if (b->attempts < UINT32_MAX)
        b->attempts++;
    return b->attempts_max == 0 || b->attempts < b->attempts_max;
}

uint32_t backoff_next(struct backoff *b, uint32_t random)
{
    uint32_t span = (uint32_t)((uint64_t)b->next_ms * b->jitter_milli / 1000);
    /* random / 2^32 of span + 1 values: every one as likely, without a division. */
    uint32_t delay = b->next_ms - (uint32_t)(((uint64_t)span + 1) * random >> 32);

    b->next_ms = grow(b);
    return delay;
}

uint64_t backoff_spread(uint32_t ms, uint32_t random)
{
    return ms + (((uint64_t)ms + 1) * random >> 32);
}

bool backoff_is_proven(int64_t open_ms, uint64_t answered)
{
    return answered > 0 || open_ms >= BACKOFF_PROVEN_MS;
}
