/*
 * Requests for a tunnel that is not there wait for it, if it was there a moment ago: its agent was
 * told to dial again, or its connection broke, or this gateway has just begun and no agent has had
 * the time to come. So a restart or a short outage costs a visitor a pause, and no error.
 *
 * Only requests of which nothing was sent to any agent: nobody can know what has come of others.
 * Limits: those of the queue for a stream, in number and for each address (share.h).
 */
#ifndef ADIT_HOLD_H
#define ADIT_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hold {
    uint32_t ms;   /* how long a tunnel may be missed; 0: nobody waits for any */
    size_t places; /* for each tunnel */
};

enum hold_verdict {
    HOLD_GONE, /* it is missed too long to come soon */
    HOLD_FULL, /* it may come soon, but too many wait for it, or too many of this address */
    HOLD_WAITS,
};

/* One more? missing_since: when the tunnel ended, or the gateway began. held: who waits for it
 * already; mine: of this address, for anything; limited: whether that counts. */
enum hold_verdict hold_may(const struct hold *h, int64_t now, int64_t missing_since, size_t held,
                           size_t mine, bool limited);

#endif
