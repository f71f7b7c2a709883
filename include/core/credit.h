/*
 * Credit for uploads (WIRE.md "Window"): every stream has its window, and those whose body goes on
 * share what else there is room for. One body alone may have all of it.
 */
#ifndef ADIT_CREDIT_H
#define ADIT_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as all zeroes, and so does each share. */
struct credit {
    unsigned sharers; /* streams whose body goes on */
    uint64_t used;    /* of POOL_SPARE */
};

struct credit_share {
    bool shares;
    uint64_t excess;  /* what the stream may hold of the spare room at the most */
};

void credit_join(struct credit *c, struct credit_share *s);
/* The stream has nothing more to come; `held` bytes of it are still here. What it had of the spare
 * room is given back when the rest fits its window: call again when it may. */
void credit_leave(struct credit *c, struct credit_share *s, uint64_t held);
/*
 * How much may be granted to a stream that holds `held`, credit that it has not used included. Not
 * less than 1 / CREDIT_STEPS of all it may have (else 0): each grant is a message, and the peer's
 * work. room: what its reader is sure to take besides, without the pool. LOCAL_ROOM is shared, too.
 */
#define CREDIT_STEPS 8
uint64_t credit_grant(struct credit *c, struct credit_share *s, uint64_t held, uint64_t room);

#endif
