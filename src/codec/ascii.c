#include "codec/ascii.h"

#include <string.h>

uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

uint8_t ascii_upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c;
}

bool ascii_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool ascii_is_tchar(uint8_t c)
{
    /* A bit a character, from 0x20 on: !#$%&'*+-. 0-9 A-Z ^_ ` a-z | ~ */
    static const uint32_t set[3] = { 0x03ff6cfa, 0xc7fffffe, 0x57ffffff };

    return c >= 0x20 && c < 0x80 && (set[(c >> 5) - 1] >> (c & 31) & 1) != 0;
}

int ascii_hex_value(uint8_t c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ascii_u64(struct str s, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)s.p[i] - '0';

        if (digit > 9 || sum > UINT64_MAX / 10 || sum * 10 > UINT64_MAX - digit)
            return false;
        sum = sum * 10 + digit;
    }
    if (s.n == 0 || sum > max)
        return false;
    *value = sum;
    return true;
}

size_t ascii_from_u64(uint64_t value, uint8_t out[20])
{
    uint8_t reverse[20];
    size_t n = 0;

    do {
        reverse[n++] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < n; i++)
        out[i] = reverse[n - 1 - i];
    return n;
}

uint8_t ascii_hex_digit(uint32_t value)
{
    static const char digits[] = "0123456789abcdef";

    return (uint8_t)digits[value & 15];
}

void ascii_to_hex(const uint8_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = ascii_hex_digit(in[i] >> 4);
        *out++ = ascii_hex_digit(in[i]);
    }
}

bool ascii_from_hex(struct str s, uint8_t *out, size_t n)
{
    if (s.n % 2 != 0 || s.n / 2 != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = ascii_hex_value(s.p[2 * i]);
        int low = ascii_hex_value(s.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Bit n: month n has 31 days. */
#define LONG_MONTHS 0x15aau

static uint32_t month_len(uint32_t year, uint32_t month)
{
    return month == 2 ? 28 + (year % 4 == 0) : 30 + (LONG_MONTHS >> month & 1);
}

/* Century, year in it, month, day. */
static void date_of(uint32_t day, uint32_t part[4])
{
    uint32_t year = 1970, month = 1, n;

    for (; day >= (n = year % 4 == 0 ? 366 : 365); day -= n)
        year++;
    for (; day >= (n = month_len(year, month)); day -= n)
        month++;
    part[0] = year / 100;
    part[1] = year % 100;
    part[2] = month;
    part[3] = day + 1;
}

void ascii_time(int64_t unix_seconds, uint8_t out[ASCII_TIME_LEN])
{
    /* 86400 is 128 * 675, and a 32-bit machine divides 32 bits. */
    uint32_t of128 = (uint32_t)(unix_seconds >> 7);
    uint32_t second = of128 % 675 * 128 + (uint32_t)(unix_seconds & 127);
    uint32_t part[7] = { 0, 0, 0, 0, second / 3600, second / 60 % 60, second % 60 };

    date_of(of128 / 675, part);
    memcpy(out, "0000-00-00T00:00:00Z", ASCII_TIME_LEN);
    for (size_t i = 0; i < 7; i++) {
        uint8_t *p = out + (i < 2 ? 2 * i : 3 * i - 1);

        p[0] = (uint8_t)('0' + part[i] / 10 % 10);
        p[1] = (uint8_t)('0' + part[i] % 10);
    }
}
