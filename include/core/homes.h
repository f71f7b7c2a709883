/*
 * Which of its gateways an agent dials next, and when: a list in order of preference, with failover
 * and return.
 *
 *   WAIT --next (at `due`)--> TRY        homes_visit instead of next: where a Goaway leads, once
 *   TRY  --opened--> OPEN
 *   TRY  --ended: FAILED--> WAIT         due at once while this round has another gateway, else
 *                                        after the delay
 *   OPEN --ended: FAILED--> WAIT         the same, this one has had its turn; a session of use
 *                                        began a new round, without those that are known worse
 *   OPEN --ended: AWAY--> WAIT           due after the delay, and what homes_away asked for
 *   OPEN (not the first) --homes_returns, ended: RETURN--> WAIT  due at once: the first, and when
 *                                        that fails the one that was left
 *   TRY, WAIT --now--> the same          all memory is lost, WAIT is due at once
 *
 * A round tries every gateway once, without a pause: first those that did not fail of late, then
 * those that failed less often in a row, then by preference. Then comes the delay, which grows from
 * round to round (core/backoff.h). A failure is remembered for `return_ms`, twice as long when the
 * next attempt failed too, up to eight times: so long it comes later in a round, and a session with
 * another gateway is not given up for the first one.
 *
 * What one gateway asks for (homes_later) keeps the agent from that one alone.
 *
 * Input: what became of each attempt, the time in ms, a fresh random number.
 * Not handled: two connections at once; there is memory for one.
 */
#ifndef ADIT_HOMES_H
#define ADIT_HOMES_H

#include "core/backoff.h"
#include "limits.h"

/* The memory of a failure where none but the first is ever returned to (return_ms 0). */
#define HOMES_MEMORY_MS 600000
/* It doubles so often. */
#define HOMES_DOUBLINGS 3

enum homes_state { HOMES_WAIT, HOMES_TRY, HOMES_OPEN };

enum homes_end {
    HOMES_FAILED, /* whatever broke off, or never was */
    HOMES_AWAY,   /* the gateway asked to leave it */
    HOMES_RETURN, /* we left it for the first one */
};

struct home {
    uint32_t failures;  /* in a row */
    /* private */
    int64_t failed_at;  /* the last of them */
    int64_t not_before; /* the gateway asked */
};

/* Starts as all zeroes but for the configuration, then homes_start. */
struct homes {
    /* configuration */
    struct backoff backoff;
    uint32_t return_ms; /* 0: never; up to a day */
    unsigned count;     /* 1 to HOMES_MAX */
    /* read by the owner */
    enum homes_state state;
    unsigned at;        /* the one that is dialled, or in use; after a visit the one before it */
    bool visiting;
    int64_t due;        /* WAIT: dial then; OPEN: look whether homes_returns; INT64_MAX: never */
    struct home home[HOMES_MAX];
    /* private */
    uint32_t least_ms;  /* the next delay is at least this */
    int back;           /* the one that was left for the first; -1: none */
    unsigned tried;     /* bits: in this round */
};

void homes_start(struct homes *h, int64_t now);
/* It is time: the index of the gateway to be dialled, in `at` too. */
unsigned homes_next(struct homes *h, int64_t now);
/* The same for a place that is not in the list. */
void homes_visit(struct homes *h);
void homes_opened(struct homes *h, int64_t now);
/* The attempt, or its session, is over (in WAIT: nothing is). proven: that was of use
 * (backoff_is_proven). False: all attempts are used up. */
bool homes_ended(struct homes *h, enum homes_end how, bool proven, uint32_t random, int64_t now);

/* The gateway in use, or dialled, wants to be left alone for so long. */
void homes_later(struct homes *h, uint32_t ms, int64_t now);
/* It wants to be left, and us to wait for so long. */
void homes_away(struct homes *h, uint32_t ms);
/* Is it time to leave this session for the first gateway? The owner does when that harms nobody. */
bool homes_returns(const struct homes *h, int64_t now);
/* The network may be another now, and what was learned before is no guide. A session goes on. */
void homes_now(struct homes *h, int64_t now);

#endif
