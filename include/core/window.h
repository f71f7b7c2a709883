/*
 * How much of a body may be on its way, and wait here, for a reader who keeps up: the window of a
 * stream (WIRE.md section 7). It follows the path. When a whole window was passed on within little
 * more than a round trip, then it was what held the sender back, and it doubles; a reader who takes
 * a small part of it in many round trips needs no such window, and it shrinks. What streams have
 * beyond their first window comes out of one budget, of which each has half of what the others
 * leave at most: so that there is always some for one more.
 */
#ifndef ADIT_WINDOW_H
#define ADIT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* 100 ms at 1.3 Gbit/s. */
#define WINDOW_MAX (16u << 20)

struct window_budget {
    uint64_t size;
    uint64_t used; /* of it, promised */
};

struct window {
    uint64_t promised; /* credit of the sender and bytes that are here, at the most */
    /* private */
    uint64_t first, size; /* `promised` is larger than `size` while it shrinks */
    uint64_t passed;      /* in this round */
    int64_t since;
};

/* A new stream, with its first window. */
void window_start(struct window *w, uint64_t first, int64_t now);
/*
 * n bytes were passed on: how much credit to grant; 0: none. rtt_ms: the path's round trip; 0: not
 * known, and the window stays as it is. most: what memory can hold; it grows no further.
 */
uint64_t window_pass(struct window *w, struct window_budget *b, uint64_t n, uint32_t rtt_ms,
                     uint64_t most, int64_t now);
/* Would the round trip be of use? A large part of the window was passed on. */
bool window_wants_rtt(const struct window *w);
/* The stream has ended, and `held` bytes of it are still here: gives back what is beyond them
 * and the first window. Again, when fewer are. */
void window_end(struct window *w, struct window_budget *b, uint64_t held);

#endif
