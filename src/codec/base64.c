#include "codec/base64.h"

#include "err.h"

static const uint8_t alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789+/";

/* Of a character of the alphabet its value with VALID set, of any other ASCII character 0. */
#define VALID 0x40
#define ASCII_MAX 0x7f
#define V(n) (VALID | (n))
static const uint8_t values[ASCII_MAX + 1] = {
    ['A'] = V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10), V(11), V(12), V(13),
    V(14), V(15), V(16), V(17), V(18), V(19), V(20), V(21), V(22), V(23), V(24), V(25),
    ['a'] = V(26), V(27), V(28), V(29), V(30), V(31), V(32), V(33), V(34), V(35), V(36), V(37),
    V(38), V(39), V(40), V(41), V(42), V(43), V(44), V(45), V(46), V(47), V(48), V(49), V(50),
    V(51),
    ['0'] = V(52), V(53), V(54), V(55), V(56), V(57), V(58), V(59), V(60), V(61),
    ['+'] = V(62),
    ['/'] = V(63),
};

size_t base64_encode(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t len = BASE64_LEN(n);

    for (; n >= 3; n -= 3, in += 3, out += 4) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

        out[0] = alphabet[bits >> 18];
        out[1] = alphabet[bits >> 12 & 63];
        out[2] = alphabet[bits >> 6 & 63];
        out[3] = alphabet[bits & 63];
    }
    if (n > 0) {
        uint32_t bits = (uint32_t)in[0] << 16 | (n > 1 ? (uint32_t)in[1] << 8 : 0);

        out[0] = alphabet[bits >> 18];
        out[1] = alphabet[bits >> 12 & 63];
        out[2] = n > 1 ? alphabet[bits >> 6 & 63] : '=';
        out[3] = '=';
    }
    return len;
}

/* Whole quanta without padding; returns how many there were before the first other thing. */
static size_t decode_quanta(const uint8_t *in, size_t n, uint8_t *out)
{
    /* What the four VALID bits add up to. */
    const uint32_t bias = VALID * (1U + (1U << 6) + (1U << 12) + (1U << 18));
    size_t i;

    for (i = 0; i < n / 4; i++, in += 4, out += 3) {
        uint32_t a = values[in[0] & ASCII_MAX];
        uint32_t b = values[in[1] & ASCII_MAX];
        uint32_t c = values[in[2] & ASCII_MAX];
        uint32_t d = values[in[3] & ASCII_MAX];
        uint32_t bits = (a << 18) + (b << 12) + (c << 6) + d - bias;

        if ((a & b & c & d & VALID) == 0 || (in[0] | in[1] | in[2] | in[3]) > ASCII_MAX)
            break;
        out[0] = (uint8_t)(bits >> 16);
        out[1] = (uint8_t)(bits >> 8);
        out[2] = (uint8_t)bits;
    }
    return i;
}

/* One padding character: stands third or fourth, after zero bits (RFC 4648 section 3.5). */
static void pad(struct base64 *b)
{
    if (b->count < 2 || b->bits != 0)
        b->failed = true;
    b->pads++;
    b->count = (b->count + 1) & 3;
}

/* One character; returns the bytes written, 0 or 1. */
static size_t decode_one(struct base64 *b, uint8_t c, uint8_t *out)
{
    unsigned have = 2U * b->count;
    uint8_t known = c > ASCII_MAX ? 0 : values[c];
    unsigned value = known & 63U;

    if (c == '=' && (b->pads == 0 || b->count == 3)) {
        pad(b);
        return 0;
    }
    if (known == 0 || b->pads > 0) {
        b->failed = true;
        return 0;
    }
    b->count = (b->count + 1) & 3;
    if (have == 0) {
        b->bits = (uint8_t)value;
        return 0;
    }
    *out = (uint8_t)((unsigned)b->bits << have | value >> (6 - have));
    b->bits = (uint8_t)(value & (63U >> have));
    return 1;
}

int base64_decode(struct base64 *b, const uint8_t *in, size_t n, uint8_t *out)
{
    const uint8_t *start = out;

    while (n > 0 && !b->failed) {
        if (b->count == 0 && b->pads == 0) {
            size_t quanta = decode_quanta(in, n, out);

            in += 4 * quanta;
            n -= 4 * quanta;
            out += 3 * quanta;
            if (n == 0)
                break;
        }
        out += decode_one(b, *in++, out);
        n--;
    }
    return b->failed ? ERR_BASE64 : (int)(out - start);
}

bool base64_ends(const struct base64 *b)
{
    return !b->failed && b->count == 0;
}
