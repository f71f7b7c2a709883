#include "codec/utf8.h"

#include <string.h>

#include "check.h"

/* Bytes of ASCII at the front, whole machine words only. */
static size_t ascii_words(const uint8_t *p, size_t n)
{
    const size_t top_bits = (size_t)-1 / 255 * 128;
    size_t at = 0;
    size_t word;

    for (; n - at >= sizeof word; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        if (word & top_bits)
            break;
    }
    return at;
}

/* RFC 3629 section 4: the table of first bytes and the bounds of the second. */
static bool start(struct utf8 *u, uint8_t c)
{
    u->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    u->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    u->need = (uint8_t)((c >= 0x80) + (c >= 0xe0) + (c >= 0xf0));
    return c < 0x80 || (c >= 0xc2 && c <= 0xf4);
}

static bool step(struct utf8 *u, uint8_t c)
{
    if (u->need == 0)
        return start(u, c);
    if (c < u->low || c > u->high)
        return false;
    u->need--;
    u->low = 0x80;
    u->high = 0xbf;
    return true;
}

bool utf8_feed(struct utf8 *u, const uint8_t *p, size_t n)
{
    size_t at = 0;

    while (at < n) {
        if (u->need == 0 && p[at] < 0x80)
            at += ascii_words(p + at, n - at);
        if (at < n && !step(u, p[at++])) {
            /* Bounds that no byte meets: what failed stays failed. */
            *u = (struct utf8){ .need = 1, .low = 0xff, .high = 0 };
            return false;
        }
    }
    return true;
}

bool utf8_ends(const struct utf8 *u)
{
    return u->need == 0;
}

size_t utf8_encode(uint32_t code, uint8_t out[4])
{
    /* What the first byte of so many says. */
    static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    CHECK(code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (uint8_t)(0x80 | (code & 63));
    out[0] = (uint8_t)(first[n] | code);
    return n;
}
