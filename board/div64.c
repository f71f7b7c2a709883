/* 64-bit division in 0.4 KB, for 32-bit boards whose compiler's helpers take 1.1 KB each, four of them.
 * One bit per step is slow (about a microsecond) and enough for times and decimal numbers.
 * Not handled: a divisor of 0, as everywhere in C.
 */
#include <stdint.h>

uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);
int64_t __divdi3(int64_t n, int64_t d);
int64_t __moddi3(int64_t n, int64_t d);

static uint64_t divide(uint64_t n, uint64_t d, uint64_t *rest)
{
    uint64_t quotient = 0;
    uint64_t bit = 1;

    if (n <= UINT32_MAX && d <= UINT32_MAX) {
        *rest = (uint32_t)n % (uint32_t)d;
        return (uint32_t)n / (uint32_t)d;
    }
    while (d < n && !(d >> 63)) {
        d <<= 1;
        bit <<= 1;
    }
    for (; bit; bit >>= 1, d >>= 1) {
        if (n >= d) {
            n -= d;
            quotient |= bit;
        }
    }
    *rest = n;
    return quotient;
}

/* The value without its sign, also of INT64_MIN. */
static uint64_t size_of(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static int64_t with_sign(uint64_t size, int negative)
{
    return (int64_t)(negative ? 0 - size : size);
}

uint64_t __udivdi3(uint64_t n, uint64_t d)
{
    uint64_t rest;

    return divide(n, d, &rest);
}

uint64_t __umoddi3(uint64_t n, uint64_t d)
{
    uint64_t rest;

    divide(n, d, &rest);
    return rest;
}

int64_t __divdi3(int64_t n, int64_t d)
{
    uint64_t rest;

    return with_sign(divide(size_of(n), size_of(d), &rest), (n < 0) != (d < 0));
}

/* The remainder has the dividend's sign (C11 6.5.5). */
int64_t __moddi3(int64_t n, int64_t d)
{
    uint64_t rest;

    divide(size_of(n), size_of(d), &rest);
    return with_sign(rest, n < 0);
}
