/* Validation in pieces == validation of the whole == a decoder written the plain way. */
#include "codec/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool property)
{
    if (!property)
        abort();
}

/* Length of the character at p by its code point; 0: none, -1: perhaps, with more bytes. */
static int char_plainly(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = p[0] < 0x80   ? 1
                 : p[0] < 0xc0 ? 0
                 : p[0] < 0xe0 ? 2
                 : p[0] < 0xf0 ? 3
                 : p[0] < 0xf8 ? 4
                               : 0;
    uint32_t code = len == 1 ? p[0] : p[0] & (0x7fU >> len);
    size_t have = len < n ? len : n;
    uint32_t low, high;

    if (len == 0)
        return 0;
    for (size_t i = 1; i < have; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
        code = code << 6 | (p[i] & 63);
    }
    /* The code points that the bytes still to come may make of it. */
    low = code << 6 * (len - have);
    high = low | ((1U << 6 * (len - have)) - 1);
    if (high < least[len] || low > 0x10ffff || (low >= 0xd800 && high <= 0xdfff))
        return 0;
    return have < len ? -1 : (int)len;
}

/* 1: good, 0: bad, -1: good so far. */
static int judge_plainly(const uint8_t *p, size_t n)
{
    while (n > 0) {
        int len = char_plainly(p, n);

        if (len <= 0)
            return len;
        p += len;
        n -= (size_t)len;
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct utf8 whole = { 0 };
    struct utf8 parts = { 0 };
    size_t step = size ? 1 + data[0] % 11 : 1;
    bool good = utf8_feed(&whole, data, size);
    bool good_in_parts = true;

    for (size_t at = 0; at < size; at += step) {
        size_t n = step < size - at ? step : size - at;

        good_in_parts = utf8_feed(&parts, data + at, n) && good_in_parts;
    }
    expect(good == good_in_parts && utf8_ends(&whole) == utf8_ends(&parts));
    expect(judge_plainly(data, size) == (good ? utf8_ends(&whole) ? 1 : -1 : 0));
    return 0;
}
