#include "core/pool.h"

#include <string.h>

#include "check.h"

void pool_init(struct pool *p, uint8_t (*blocks)[POOL_BLOCK])
{
    p->block = blocks;
    for (size_t i = 0; i < POOL_BLOCKS; i++)
        p->next[i] = (uint16_t)(i + 1 < POOL_BLOCKS ? i + 1 : POOL_NONE);
    p->free_head = 0;
    p->free_count = POOL_BLOCKS;
}

static uint16_t block_take(struct pool *p)
{
    uint16_t taken = p->free_head;

    if (taken != POOL_NONE) {
        p->free_head = p->next[taken];
        p->free_count--;
        p->next[taken] = POOL_NONE;
    }
    return taken;
}

static void block_give(struct pool *p, uint16_t block)
{
    p->next[block] = p->free_head;
    p->free_head = block;
    p->free_count++;
}

void queue_init(struct queue *q)
{
    *q = (struct queue){ .head = POOL_NONE, .tail = POOL_NONE };
}

/* A tail block with room; false when the pool is empty. */
static bool tail_ensure(struct pool *p, struct queue *q)
{
    uint16_t block;

    if (q->tail != POOL_NONE && q->tail_at < POOL_BLOCK)
        return true;
    block = block_take(p);
    if (block == POOL_NONE)
        return false;
    if (q->tail == POOL_NONE)
        q->head = block;
    else
        p->next[q->tail] = block;
    q->tail = block;
    q->tail_at = 0;
    return true;
}

size_t queue_push(struct pool *p, struct queue *q, const uint8_t *in, size_t n)
{
    size_t done = 0;

    while (done < n && tail_ensure(p, q)) {
        size_t room = POOL_BLOCK - (size_t)q->tail_at;
        size_t len = n - done < room ? n - done : room;

        memcpy(p->block[q->tail] + q->tail_at, in + done, len);
        q->tail_at = (uint16_t)(q->tail_at + len);
        q->len += len;
        done += len;
    }
    return done;
}

struct str queue_peek(const struct pool *p, const struct queue *q)
{
    size_t end = q->head == q->tail ? q->tail_at : POOL_BLOCK;

    if (q->len == 0)
        return (struct str){ NULL, 0 };
    return (struct str){ p->block[q->head] + q->head_at, end - q->head_at };
}

/* Gives the head block back; the queue is as new after its last one. */
static void head_drop(struct pool *p, struct queue *q)
{
    uint16_t block = q->head;
    uint16_t next = p->next[block];

    block_give(p, block);
    q->head = next;
    q->head_at = 0;
    if (next == POOL_NONE)
        queue_init(q);
}

void queue_pop(struct pool *p, struct queue *q, size_t n)
{
    CHECK(n <= q->len);
    while (n > 0 && q->len > 0) {
        size_t there = queue_peek(p, q).n;
        size_t len = n < there ? n : there;

        q->head_at = (uint16_t)(q->head_at + len);
        q->len -= len;
        n -= len;
        if (len == there)
            head_drop(p, q);
    }
}

void queue_clear(struct pool *p, struct queue *q)
{
    while (q->head != POOL_NONE)
        head_drop(p, q);
}
