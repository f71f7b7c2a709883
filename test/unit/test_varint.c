#include "../../src/codec/varint.h"

#include "tap.h"

static const struct {
    uint64_t value;
    const char *bytes;
    size_t n;
} cases[] = {
    /* RFC 9000 appendix A.1. */
    { 151288809941952652, "\xc2\x19\x7c\x5e\xff\x14\xe8\x8c", 8 },
    { 494878333, "\x9d\x7f\x3e\x7d", 4 },
    { 15293, "\x7b\xbd", 2 },
    { 37, "\x25", 1 },
    /* The bounds of each form, section 16. */
    { 0, "\0", 1 },
    { 63, "\x3f", 1 },
    { 64, "\x40\x40", 2 },
    { 16383, "\x7f\xff", 2 },
    { 16384, "\x80\0\x40\0", 4 },
    { 1073741823, "\xbf\xff\xff\xff", 4 },
    { 1073741824, "\xc0\0\0\0\x40\0\0\0", 8 },
    { VARINT_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
};

static void test_case(size_t i)
{
    uint8_t *guarded = tap_guard_end(cases[i].n);
    struct writer w;
    uint64_t value = 0;
    size_t n = cases[i].n;

    memcpy(guarded, cases[i].bytes, n);
    is_int(varint_parse(guarded, n, &value), n, "%" PRIu64 " is read", cases[i].value);
    ok(value == cases[i].value, "as that value");
    is_int(varint_len(guarded[0]), n, "its first byte tells the length");
    tap_guard_free(guarded, n);
    for (size_t cut = 0; cut < n; cut++) {
        guarded = tap_guard_end(cut);
        memcpy(guarded, cases[i].bytes, cut);
        is_int(varint_parse(guarded, cut, &value), 0, "%zu bytes of it are too few", cut);
        tap_guard_free(guarded, cut);
    }
    guarded = tap_guard_end(n);
    writer_init(&w, guarded, n);
    varint_write(&w, cases[i].value);
    is_mem(guarded, w.len, cases[i].bytes, n, "and written in the shortest form");
    tap_guard_free(guarded, n);
}

int main(void)
{
    uint8_t out[4];
    uint64_t value;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_case(i);
    is_int(varint_parse((const uint8_t *)"\x40\x25", 2, &value), 2,
           "37 in two bytes (appendix A.1)");
    is_int(value, 37, "is 37 as well");
    varint_write4(out, 5);
    is_mem(out, 4, "\x80\0\0\5", 4, "a small number in the 4-byte form");
    varint_write4(out, 1073741823);
    is_mem(out, 4, "\xbf\xff\xff\xff", 4, "the largest of that form");
    return done_testing();
}
