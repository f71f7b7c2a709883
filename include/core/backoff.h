/*
 * Delays between attempts: base, growing by a factor up to a maximum, for ever or up to a number
 * of attempts; with jitter, so that a fleet that lost its gateway does not return in step.
 */
#ifndef ADIT_BACKOFF_H
#define ADIT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
    /* configuration */
    uint32_t base_ms;       /* the first delay, 1 or more */
    uint32_t max_ms;        /* >= base_ms */
    uint32_t factor_milli;  /* 2000 is a doubling; >= 1000 */
    uint32_t jitter_milli;  /* 0 to 1000: a delay d becomes one of d - d * jitter to d */
    uint32_t attempts_max;  /* 0: for ever */
    /* state */
    uint32_t attempts;      /* that failed since the last reset */
    uint32_t next_ms;
};

void backoff_reset(struct backoff *b);
/* An attempt failed, or what it led to did; false when they are used up. */
bool backoff_failed(struct backoff *b);
/* The delay before what comes next, which may be more than one attempt. */
uint32_t backoff_next(struct backoff *b, uint32_t random);
/* Has a session that was open for so long (negative: never) and answered so many requests been of
 * use, so that delays start over? A gateway that accepts and drops sees growing ones. */
#define BACKOFF_PROVEN_MS 30000
bool backoff_is_proven(int64_t open_ms, uint64_t answered);
/* ms and a random part of as much again: what somebody else asked to wait, not in step. */
uint64_t backoff_spread(uint32_t ms, uint32_t random);

#endif
