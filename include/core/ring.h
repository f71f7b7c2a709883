/*
 * A byte queue in a fixed buffer: what a slow connection has not taken yet.
 */
#ifndef ADIT_RING_H
#define ADIT_RING_H

#include "codec/buf.h"

struct ring {
    uint8_t *data;
    size_t cap;
    size_t at;  /* of the first byte */
    size_t len;
};

size_t ring_room(const struct ring *r);
/* All of it; n <= ring_room. */
void ring_push(struct ring *r, const uint8_t *p, size_t n);
/* The first bytes, as many as lie in one piece. */
struct str ring_peek(const struct ring *r);
/* Do its bytes lie in one piece, in their order? */
bool ring_is_straight(const struct ring *r);
/* Its memory has grown to `cap` bytes, or is about to shrink to them. False, and nothing changes,
 * when its bytes would not lie in one piece there. */
bool ring_resize(struct ring *r, size_t cap);
/* n <= len. An empty ring begins at its start again: little used, it touches little memory. */
void ring_pop(struct ring *r, size_t n);

#endif
