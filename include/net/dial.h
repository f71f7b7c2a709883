/*
 * From a host name or address to a connected TCP socket: resolves, then tries each address in
 * turn, the next one when one fails or has had its share of the owner's time.
 * Source: RFC 8305 section 4 (both families in turn, as the resolver has them).
 *
 *   IDLE --start--> RESOLVING --> CONNECTING --> DONE (fd is the owner's) | FAILED
 */
#ifndef ADIT_DIAL_H
#define ADIT_DIAL_H

#include "net/resolver.h"

struct dial {
    /* read by the owner: wait for `want` on `fd` until `deadline` */
    int fd; /* -1: none */
    unsigned want;
    int64_t deadline;
    struct ip peer;       /* the address in use, or the last one tried; len 0: none yet */
    struct resolver resolver; /* its private paths and port may be set by tests before the start */
    /* set by the owner before the start */
    int64_t until;        /* its time is up: at most UINT32_MAX ms from now */
    uint32_t round;       /* starts that came to nothing before: each begins with another address */
    /* private */
    uint8_t state;
    unsigned next;
    uint16_t port;
};

/* Starts as all zeroes, or where an earlier one has ended. All calls: 1 connected (take fd with
 * dial_take), 0 under way, < 0 failed: what the resolver says, ERR_REFUSED or ERR_UNREACHABLE
 * (the last address's fault), ERR_FD, ERR_SYS; ERR_STATE: nothing is under way. `random` is fresh.
 * `host` stays the owner's, unchanged until the next start. */
int dial_start(struct dial *d, struct str host, uint16_t port, uint32_t random, int64_t now);
int dial_on_event(struct dial *d, uint32_t random, int64_t now);
int dial_on_time(struct dial *d, uint32_t random, int64_t now);
/* After 1: hands the connected descriptor over. */
int dial_take(struct dial *d);
/* Gives up; nothing when there is nothing to give up. */
void dial_stop(struct dial *d);

#endif
