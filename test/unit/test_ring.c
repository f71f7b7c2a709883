#include "tap.h"

#include <sys/wait.h>

#include "core/ring.h"

#define CAP 37

static uint32_t state = 1;

static size_t pick(size_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

/* Bytes in and out by any amounts: each byte comes out once and in order, whatever the ring's
 * edge does to it. */
static void against_counters(void)
{
    uint8_t data[CAP], piece[CAP];
    struct ring r = { data, CAP, 0, 0 };
    uint8_t in = 0, out = 0;
    bool good = true;

    for (int round = 0; round < 20000; round++) {
        size_t n = pick(ring_room(&r) + 1);
        struct str front;

        for (size_t i = 0; i < n; i++)
            piece[i] = in++;
        ring_push(&r, piece, n);
        front = ring_peek(&r);
        good = good && (front.n > 0) == (r.len > 0) && front.n <= r.len;
        n = pick(front.n + 1);
        for (size_t i = 0; i < n; i++)
            good = good && front.p[i] == out++;
        ring_pop(&r, n);
        good = good && r.len == (uint8_t)(in - out);
    }
    ok(good, "20000 random steps keep every byte and its order");
}

static void edges(void)
{
    uint8_t data[4];
    struct ring r = { data, 4, 0, 0 };

    is_int((int64_t)ring_room(&r), 4, "an empty ring has all its room");
    is_int((int64_t)ring_peek(&r).n, 0, "and nothing to give");
    ring_push(&r, (const uint8_t *)"abcd", 4);
    is_int((int64_t)ring_room(&r), 0, "a full one has none");
    ring_pop(&r, 3);
    ring_push(&r, (const uint8_t *)"ef", 2);
    is_int((int64_t)ring_peek(&r).n, 1, "only what lies in one piece");
    ring_pop(&r, 1);
    ok(str_eq(ring_peek(&r), STR("ef")), "then what lies behind the edge");
    ring_pop(&r, 2);
    is_int((int64_t)r.at, 0, "an empty ring begins at its start again");
    r.cap = 2;
    ok(ring_resize(&r, 4) && ring_room(&r) == 4, "it may have more memory");
    ring_push(&r, (const uint8_t *)"abc", 3);
    ring_pop(&r, 1);
    ok(!ring_resize(&r, 2) && r.cap == 4, "less only where no bytes lie");
    ok(ring_resize(&r, 3) && ring_is_straight(&r), "as here");
    ring_push(&r, (const uint8_t *)"d", 1);
    ok(!ring_is_straight(&r) && !ring_resize(&r, 4) && r.cap == 3, "not behind bytes that turn");
    ring_pop(&r, 2);
    ok(ring_is_straight(&r) && str_eq(ring_peek(&r), STR("d")), "which are in their order");
}

/* A promise that is broken ends a test build there, and nothing is written behind the ring. */
static void overrun(void)
{
#ifdef ADIT_CHECKS
    uint8_t data[8];
    struct ring r = { data, 4, 0, 0 };
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        ring_push(&r, (const uint8_t *)"abcde", 5);
        _exit(0);
    }
    waitpid(child, &status, 0);
    ok(WIFSIGNALED(status), "a byte more than there is room for");
#endif
}

int main(void)
{
    against_counters();
    edges();
    overrun();
    return done_testing();
}
