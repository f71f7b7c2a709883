/* Reading: never beyond the input, and what is read is written back the same or shorter. */
#include "../../src/codec/varint.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool property)
{
    if (!property)
        abort();
}

/* RFC 9000 section 16, in other words: the low 62, 30, 14 or 6 bits of a big-endian number. */
static uint64_t read_plainly(const uint8_t *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value * 256 + p[i];
    return value % (UINT64_C(1) << (8 * n - 2));
}

static void check_shortest(uint64_t value, size_t read_len)
{
    uint8_t out[8];
    uint64_t back;
    struct writer w;

    writer_init(&w, out, sizeof out);
    varint_write(&w, value);
    expect(w.len <= read_len && varint_parse(out, w.len, &back) == w.len && back == value);
    /* No shorter form holds the value. */
    expect(w.len == 1 || value >> (8 * (w.len / 2) - 2) != 0);
    if (value < UINT64_C(1) << 30) {
        varint_write4(out, (uint32_t)value);
        expect(varint_parse(out, 4, &back) == 4 && back == value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t len = varint_len(data[0]);
        uint64_t value;
        size_t n = varint_parse(data, size, &value);

        expect(n == (len <= size ? len : 0));
        if (n == 0)
            break;
        expect(value == read_plainly(data, n));
        check_shortest(value, n);
        data += n;
        size -= n;
    }
    return 0;
}
