/*
 * The end of a gateway, step by step, so that another one takes over and no request is lost.
 *
 *   OFF --drain_start--> GRACE --a moment--> LEAVES --the drain's time--> CUTS --a moment--> OVER
 *
 * GRACE: visitors who were promised another request on their connection may still send it, and
 *        connections that are being made come to stand.
 * LEAVES: no new connection. Agents are told to dial again, one after the other and evenly spread,
 *        so that they do not come to the next gateway in step; what is under way goes on.
 * CUTS:  what is still under way ends; whoever is connected is told.
 *
 * Agents are told within half of the drain's time, and within half of the time for which the next
 * gateway lets visitors wait for one (hold.h), which is taken to be this one's; a few sooner. A
 * drain of no length has no GRACE, and tells no agent before CUTS, which comes a second later.
 *
 * Input: the time in ms.
 */
#ifndef ADIT_DRAIN_H
#define ADIT_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRAIN_GRACE_MS 500
/* Without a drain: for requests under way. */
#define DRAIN_SHORT_MS 1000
/* For the last words to leave. */
#define DRAIN_CUT_MS 700
/* Between two agents, at most: a few need not be spread over seconds, in which their visitors wait.
 * Any gateway stands so many handshakes. */
#define DRAIN_GAP_MAX_MS 50
/* What those who are told at the end, all at once, are asked to wait. */
#define DRAIN_DELAY_CUT_MS 1000

enum drain_phase { DRAIN_OFF, DRAIN_GRACE, DRAIN_LEAVES, DRAIN_CUTS, DRAIN_OVER };

/* Starts as all zeroes. */
struct drain {
    /* read by the owner */
    enum drain_phase phase;
    size_t told;     /* written by the owner: agents that were told */
    int64_t began_at;
    /* private */
    size_t count;    /* agents, at the start; without a drain 0 */
    int64_t leaves_at, must_at, cuts_at, over_at;
    int64_t spread;  /* from leaves_at on */
};

void drain_start(struct drain *d, uint32_t drain_ms, uint32_t hold_ms, size_t agents, int64_t now);
/* What is under way is cut now. */
void drain_hasten(struct drain *d, int64_t now);
/* Goes on to the next phase, one a call, when it is time for that: true, and `phase` is that. */
bool drain_step(struct drain *d, int64_t now);
/* How many agents are to have been told by now. */
size_t drain_due(const struct drain *d, int64_t now);
/* Must an agent that is due be told now, though it had better be later? */
bool drain_must_tell(const struct drain *d, int64_t now);
/* What an agent that is told now is asked to wait. */
uint32_t drain_delay_ms(const struct drain *d);
/* When there is something to do next; INT64_MAX: never. */
int64_t drain_next(const struct drain *d, int64_t now);

#endif
