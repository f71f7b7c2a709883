/* The input as text: decoded in pieces == whole == in place; what decodes encodes back to itself.
 * The input as bytes: encoded apart == in place, and decoded back. */
#include "codec/base64.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

enum { INPUT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t whole[BASE64_LEN(INPUT_MAX)];
static uint8_t other[BASE64_LEN(INPUT_MAX)];

static void expect(bool property)
{
    if (!property)
        abort();
}

/* Decodes over the input, `step` characters a time, each piece behind what is decoded already. */
static int decode_in_place(uint8_t *text, size_t size, size_t step, bool *ends)
{
    struct base64 b = { 0 };
    size_t len = 0;
    int n = 0;

    for (size_t at = 0; at < size && n >= 0; at += step) {
        n = base64_decode(&b, text + at, step < size - at ? step : size - at, text + len);
        len += n < 0 ? 0 : (size_t)n;
    }
    *ends = base64_ends(&b);
    return n < 0 ? n : (int)len;
}

static void check_decode(const uint8_t *text, size_t size, size_t step)
{
    struct base64 b = { 0 };
    int n = base64_decode(&b, text, size, whole);
    bool ends;

    expect(n == ERR_BASE64 || (n >= 0 && (size_t)n <= size));
    memcpy(other, text, size);
    expect(decode_in_place(other, size, step, &ends) == n && ends == base64_ends(&b));
    if (n < 0)
        return;
    expect(memcmp(other, whole, (size_t)n) == 0);
    if (ends) {
        expect(base64_encode(whole, (size_t)n, other) == size);
        expect(memcmp(other, text, size) == 0);
    }
}

static void check_encode(const uint8_t *bytes, size_t size)
{
    size_t len = BASE64_LEN(size);
    struct base64 b = { 0 };

    expect(base64_encode(bytes, size, whole) == len);
    memcpy(other + len - size, bytes, size);
    expect(base64_encode(other + len - size, size, other) == len && memcmp(whole, other, len) == 0);
    expect(base64_decode(&b, whole, len, whole) == (int)size && base64_ends(&b));
    expect(memcmp(whole, bytes, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    check_decode(data + 1, size - 1, 1 + data[0] % 13);
    check_encode(data, size);
    return 0;
}
