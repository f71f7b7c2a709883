/*
 * A fixed pool of blocks, shared by byte queues: the agent's upload buffers.
 *
 * A queue is a chain of blocks; bytes go in at the tail and out at the head. A queue of n bytes
 * holds at most n / POOL_BLOCK + 2 blocks.
 */
#ifndef ADIT_POOL_H
#define ADIT_POOL_H

#include "codec/buf.h"
#include "limits.h"

#define POOL_NONE 0xffff

struct pool {
    uint8_t (*block)[POOL_BLOCK]; /* POOL_BLOCKS of them, the owner's */
    uint16_t next[POOL_BLOCKS];
    uint16_t free_head;
    uint16_t free_count;
};

struct queue {
    uint16_t head;
    uint16_t tail;
    uint16_t head_at; /* first byte in the head block */
    uint16_t tail_at; /* end of bytes in the tail block */
    size_t len;
};

void pool_init(struct pool *p, uint8_t (*blocks)[POOL_BLOCK]);
void queue_init(struct queue *q);
/* Appends up to n bytes; returns how many found room. */
size_t queue_push(struct pool *p, struct queue *q, const uint8_t *in, size_t n);
/* The bytes at the head that lie in one piece; empty when the queue is. */
struct str queue_peek(const struct pool *p, const struct queue *q);
/* Removes n bytes (n <= len); blocks that become empty return to the pool. */
void queue_pop(struct pool *p, struct queue *q, size_t n);
void queue_clear(struct pool *p, struct queue *q);

#endif
