#include "tap.h"

#include "core/pool.h"

static uint8_t blocks[POOL_BLOCKS][POOL_BLOCK];
static uint8_t in[POOL_BLOCKS * POOL_BLOCK + 1];

static void fill(void)
{
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* Takes everything out and compares; returns the bytes that were as expected. */
static size_t drain(struct pool *p, struct queue *q, const uint8_t *expected)
{
    size_t done = 0;
    struct str s;

    while ((s = queue_peek(p, q)).n > 0 && memcmp(s.p, expected + done, s.n) == 0) {
        done += s.n;
        queue_pop(p, q, s.n);
    }
    return done;
}

static void whole(void)
{
    struct pool p;
    struct queue q;

    pool_init(&p, blocks);
    queue_init(&q);
    is_int(p.free_count, POOL_BLOCKS, "all blocks are free");
    is_int(queue_peek(&p, &q).n, 0, "an empty queue has nothing");
    is_int(queue_push(&p, &q, in, 0), 0, "pushing nothing");
    is_int(p.free_count, POOL_BLOCKS, "takes no block");
    is_int(queue_push(&p, &q, in, sizeof in), POOL_BLOCKS * POOL_BLOCK, "fills the pool");
    is_int(p.free_count, 0, "no block is free");
    is_int(q.len, POOL_BLOCKS * POOL_BLOCK, "length");
    is_int(queue_push(&p, &q, in, 1), 0, "no room for another byte");
    is_int(drain(&p, &q, in), POOL_BLOCKS * POOL_BLOCK, "all come out in order");
    is_int(p.free_count, POOL_BLOCKS, "all blocks are free again");
    is_int(queue_push(&p, &q, in, 1), 1, "the emptied queue works on");
    is_mem(queue_peek(&p, &q).p, queue_peek(&p, &q).n, in, 1, "with a single byte");
    queue_clear(&p, &q);
    is_int(p.free_count, POOL_BLOCKS, "cleared");
    is_int(q.len, 0, "cleared to nothing");
    queue_clear(&p, &q);
    is_int(p.free_count, POOL_BLOCKS, "clearing twice");
}

/* Steady traffic: as much out as in, at sizes that never match a block. */
static void bounded(void)
{
    struct pool p;
    struct queue q;
    size_t pushed = 0;
    size_t popped = 0;
    int good = 1;

    pool_init(&p, blocks);
    queue_init(&q);
    while (pushed + 700 < sizeof in) {
        pushed += queue_push(&p, &q, in + pushed, 700);
        while (q.len > 1400) {
            struct str s = queue_peek(&p, &q);
            size_t n = s.n < 333 ? s.n : 333;

            good = good && memcmp(s.p, in + popped, n) == 0;
            queue_pop(&p, &q, n);
            popped += n;
        }
        good = good && q.len == pushed - popped &&
               (size_t)(POOL_BLOCKS - p.free_count) <= q.len / POOL_BLOCK + 2;
    }
    ok(good, "order and bounds hold through %zu bytes", pushed);
    is_int(drain(&p, &q, in + popped), pushed - popped, "the rest comes out");
    is_int(p.free_count, POOL_BLOCKS, "all blocks are free again");
}

/* Many queues at random against a plain model of each: counters of bytes in and out. */
static void shared(void)
{
    enum { QUEUES = 5 };
    struct pool p;
    struct queue q[QUEUES];
    size_t head[QUEUES] = { 0 };
    size_t tail[QUEUES] = { 0 };
    uint32_t random = 7;
    int good = 1;

    pool_init(&p, blocks);
    for (size_t i = 0; i < QUEUES; i++)
        queue_init(&q[i]);
    for (int step = 0; step < 20000; step++) {
        size_t i = (random >> 8) % QUEUES;
        size_t n = (random >> 12) % (2 * POOL_BLOCK);
        struct str s = queue_peek(&p, &q[i]);

        random = random * 1664525 + 1013904223;
        if (random >> 31 && tail[i] + n <= sizeof in) {
            size_t got = queue_push(&p, &q[i], in + tail[i], n);

            tail[i] += got;
            good = good && (got == n || p.free_count == 0);
        } else if (s.n > 0) {
            good = good && memcmp(s.p, in + head[i], s.n) == 0;
            n = n < q[i].len ? n : q[i].len;
            queue_pop(&p, &q[i], n);
            head[i] += n;
        } else if (tail[i] + n > sizeof in) {
            head[i] = tail[i] = 0;
        }
        good = good && q[i].len == tail[i] - head[i];
    }
    ok(good, "queues that share a pool keep their bytes apart");
    for (size_t i = 0; i < QUEUES; i++)
        queue_clear(&p, &q[i]);
    is_int(p.free_count, POOL_BLOCKS, "no block is lost");
}

int main(void)
{
    fill();
    whole();
    bounded();
    shared();
    return done_testing();
}
