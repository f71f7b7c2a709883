/* 64-bit division: the board's own helpers where it has them, the compiler's elsewhere. The
 * expected values come from multiplication, never from the division under test. */
#include <stdint.h>

#include "tap.h"

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> (state & 63);
}

/* n = q * d + r and r < d hold for one q and one r only. */
static int unsigned_right(volatile uint64_t n, volatile uint64_t d)
{
    uint64_t q = n / d;
    uint64_t r = n % d;

    return r < d && q * d + r == n && (q == 0 || n / q >= d);
}

/* Truncation toward zero; the remainder has the sign of the dividend (C11 6.5.5). */
static int signed_right(volatile int64_t n, volatile int64_t d)
{
    int64_t q = n / d;
    int64_t r = n % d;
    uint64_t back = (uint64_t)q * (uint64_t)d + (uint64_t)r;
    uint64_t size_r = r < 0 ? 0 - (uint64_t)r : (uint64_t)r;
    uint64_t size_d = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;

    return back == (uint64_t)n && size_r < size_d && (r == 0 || (r < 0) == (n < 0));
}

static void known(void)
{
    volatile uint64_t n = 10000000000000000000u;
    volatile uint64_t d = 1000000007u;
    volatile int64_t minus = -7000000000;

    is_int(n / d, 9999999930, "10^19 / 1000000007");
    is_int(n % d, 490, "10^19 %% 1000000007");
    is_int(minus / 1000000000 * 10 + minus % 1000000000, -70, "a negative number of seconds");
    is_int((minus - 1) / (int64_t)3000000000, -2, "rounds toward zero");
    is_int((minus - 1) % (int64_t)3000000000, -1000000001, "and leaves a negative rest");
}

static void edges(void)
{
    static const uint64_t edge[] = { 1, 2, 3, 10, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
                                     0x100000000, 0x100000001, 0x7fffffffffffffff,
                                     0x8000000000000000, 0x8000000000000001, 0xffffffffffffffff };
    size_t count = sizeof edge / sizeof edge[0];
    int wrong = 0;

    for (size_t i = 0; i < count * count; i++) {
        uint64_t n = edge[i / count];
        uint64_t d = edge[i % count];
        int overflows = n == 0x8000000000000000 && d == UINT64_MAX;

        wrong += !unsigned_right(n, d) || !unsigned_right(n - 1, d);
        wrong += !overflows && !signed_right((int64_t)n, (int64_t)d);
    }
    is_int(wrong, 0, "edge values divided by each other");
}

static void random_values(void)
{
    int wrong = 0;

    for (int i = 0; i < 20000; i++) {
        uint64_t n = next_random();
        uint64_t d = next_random() | 1;

        wrong += !unsigned_right(n, d) || !signed_right((int64_t)n, (int64_t)(d >> 1) | 1);
        wrong += !signed_right((int64_t)(0 - n), (int64_t)(d >> 1) | 1);
    }
    is_int(wrong, 0, "20000 random values");
}

int main(void)
{
    known();
    edges();
    random_values();
    return done_testing();
}
