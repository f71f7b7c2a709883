#include "varint.h"

#include "check.h"

size_t varint_len(uint8_t first)
{
    return (size_t)1 << (first >> 6);
}

size_t varint_parse(const uint8_t *in, size_t n, uint64_t *value)
{
    size_t len;

    if (n == 0)
        return 0;
    len = varint_len(in[0]);
    if (len > n)
        return 0;
    *value = in[0] & 0x3f;
    for (size_t i = 1; i < len; i++)
        *value = *value << 8 | in[i];
    return len;
}

void varint_write(struct writer *w, uint64_t value)
{
    unsigned form = 0;

    CHECK(value <= VARINT_MAX);
    /* Form f has 8 * 2^f - 2 bits of value. */
    while (form < 3 && value >> ((8U << form) - 2) != 0)
        form++;
    writer_be(w, value | (uint64_t)form << ((8U << form) - 2), (size_t)1 << form);
}

void varint_write4(uint8_t *out, uint32_t value)
{
    CHECK(value >> 30 == 0);
    out[0] = (uint8_t)(value >> 24 | 0x80);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}
