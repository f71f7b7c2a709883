/*
 * Who may have one more of what everybody shares: streams, places in a queue.
 *
 * One address may have so many times as many as are left besides: three quarters of all when it is
 * alone, and the less the more others there are, so that those who come last find some too
 * ("dynamic thresholds", Choudhury and Hahne 1998).
 */
#ifndef ADIT_SHARE_H
#define ADIT_SHARE_H

#include <stdbool.h>
#include <stddef.h>

/* May somebody who has `mine` take one of the `left` that nobody has? The last one is for somebody
 * who has none. */
bool share_may_take(size_t mine, size_t left);

#endif
