#include "codec/utf8.h"

#include "tap.h"

static const struct {
    const char *name;
    const char *text;
    int fails_at; /* index of the byte that shows it; -1: good; -2: good so far, incomplete */
} cases[] = {
    { "nothing", "", -1 },
    { "ASCII", "hello", -1 },
    { "RFC 3629 section 7, A<not identical>Alpha.", "\x41\xe2\x89\xa2\xce\x91\x2e", -1 },
    { "RFC 3629 section 7, Korean", "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4", -1 },
    { "RFC 3629 section 7, Japanese", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", -1 },
    { "RFC 3629 section 7, beyond the BMP", "\xef\xbb\xbf\xf0\xa3\x8e\xb4", -1 },
    { "first of two bytes", "\xc2\x80", -1 },
    { "last of two bytes", "\xdf\xbf", -1 },
    { "first of three bytes", "\xe0\xa0\x80", -1 },
    { "last before the surrogates", "\xed\x9f\xbf", -1 },
    { "first after the surrogates", "\xee\x80\x80", -1 },
    { "noncharacter U+FFFF", "\xef\xbf\xbf", -1 },
    { "first of four bytes", "\xf0\x90\x80\x80", -1 },
    { "U+10FFFF", "\xf4\x8f\xbf\xbf", -1 },
    { "overlong slash in two", "\xc0\xaf", 0 },
    { "overlong in two, C1", "\xc1\xbf", 0 },
    { "overlong slash in three", "\xe0\x80\xaf", 1 },
    { "overlong in three, last", "\xe0\x9f\xbf", 1 },
    { "overlong slash in four", "\xf0\x80\x80\xaf", 1 },
    { "overlong in four, last", "\xf0\x8f\xbf\xbf", 1 },
    { "first surrogate", "\xed\xa0\x80", 1 },
    { "last surrogate", "\xed\xbf\xbf", 1 },
    { "U+110000", "\xf4\x90\x80\x80", 1 },
    { "F5", "\xf5\x80\x80\x80", 0 },
    { "five bytes", "\xf8\x88\x80\x80\x80", 0 },
    { "six bytes", "\xfc\x84\x80\x80\x80\x80", 0 },
    { "FE", "a\xfe", 1 },
    { "FF", "ab\xff", 2 },
    { "a continuation alone", "\x80", 0 },
    { "a continuation too many", "\xc3\xa9\xa9", 2 },
    { "two of three, then ASCII", "\xe2\x82 ", 2 },
    { "three of four, then a first byte", "\xf0\x9f\x98\xc3", 3 },
    { "one of two", "\xc3", -2 },
    { "two of three", "\xe2\x82", -2 },
    { "three of four", "\xf0\x9f\x98", -2 },
};

static void test_case(size_t i)
{
    size_t n = strlen(cases[i].text);
    int expected = cases[i].fails_at;
    unsigned char *guarded = tap_guard_end(n);
    int wrong = 0;

    memcpy(guarded, cases[i].text, n);
    for (size_t split = 0; split <= n; split++) {
        struct utf8 u = { 0 };
        bool good = utf8_feed(&u, guarded, split) && utf8_feed(&u, guarded + split, n - split);

        wrong += good != (expected < 0);
        wrong += utf8_ends(&u) != (expected == -1);
        wrong += !good && utf8_feed(&u, (const uint8_t *)"a", 1);
    }
    is_int(wrong, 0, "%s: the same however it is split", cases[i].name);
    for (size_t at = 0; at < n && expected >= 0; at++) {
        struct utf8 u = { 0 };

        wrong += utf8_feed(&u, guarded, at + 1) != ((int)at < expected);
    }
    is_int(wrong, 0, "%s: fails at the earliest byte", cases[i].name);
    tap_guard_free(guarded, n);
}

/* Section 3's table by arithmetic: the plain way, to compare with. */
static size_t encode_plainly(uint32_t code, uint8_t *out)
{
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = n; i-- > 1; code /= 64)
        out[i] = (uint8_t)(0x80 + code % 64);
    out[0] = (uint8_t)(marks[n] + code);
    return n;
}

static void test_all_code_points(void)
{
    int wrong = 0;

    for (uint32_t code = 0; code < 0x120000; code++) {
        bool good = code < 0xd800 || (code >= 0xe000 && code <= 0x10ffff);
        struct utf8 u = { 0 };
        uint8_t bytes[4];
        uint8_t ours[4];
        size_t n = encode_plainly(code, bytes);

        wrong += (utf8_feed(&u, bytes, n) && utf8_ends(&u)) != good;
        if (good)
            wrong += utf8_encode(code, ours) != n || memcmp(ours, bytes, n) != 0;
    }
    is_int(wrong, 0, "every code point is written, and read when it is one");
}

/* Good when it can be cut into code points that are written so. */
static bool is_plainly_good(const uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        uint32_t code = len == 1 ? p[0] : p[0] & (0x7fU >> len);
        uint8_t back[4];

        for (size_t i = 1; i < len && i < n; i++)
            code = code << 6 | (p[i] & 63);
        if (len > n || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return false;
        if (encode_plainly(code, back) != len || memcmp(back, p, len) != 0)
            return false;
        p += len;
        n -= len;
    }
    return true;
}

static void test_all_short(void)
{
    static const uint8_t bounds[] = {
        0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
        0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    };
    const size_t count = sizeof bounds;
    int wrong = 0;

    for (unsigned pair = 0; pair < 0x10000; pair++) {
        uint8_t bytes[2] = { (uint8_t)(pair >> 8), (uint8_t)pair };
        struct utf8 u = { 0 };

        wrong += (utf8_feed(&u, bytes, 2) && utf8_ends(&u)) != is_plainly_good(bytes, 2);
    }
    for (size_t i = 0; i < count * count * count * count; i++) {
        uint8_t bytes[4] = { bounds[i % count], bounds[i / count % count],
                             bounds[i / count / count % count], bounds[i / count / count / count] };
        struct utf8 u = { 0 };

        wrong += (utf8_feed(&u, bytes, 4) && utf8_ends(&u)) != is_plainly_good(bytes, 4);
    }
    is_int(wrong, 0, "all pairs, and all fours of the bounds");
}

/* One bad byte, or one good character, anywhere in ASCII that is read by the word. */
static void test_words(void)
{
    int wrong = 0;

    for (size_t len = 1; len < 40; len++) {
        unsigned char *text = tap_guard_end(len);

        for (size_t at = 0; at < len; at++) {
            struct utf8 u = { 0 };

            memset(text, 'a', len);
            text[at] = 0x80;
            wrong += utf8_feed(&u, text, len);
            if (at + 1 < len) {
                u = (struct utf8){ 0 };
                memcpy(text + at, "\xc3\xa9", 2);
                wrong += !utf8_feed(&u, text, len) || !utf8_ends(&u);
            }
        }
        tap_guard_free(text, len);
    }
    is_int(wrong, 0, "a byte beyond ASCII is seen wherever it stands");
}

/* Words of ASCII are skipped, but not where another byte is due. */
static void test_words_within(void)
{
    struct utf8 u = { 0 };

    ok(!utf8_feed(&u, (const uint8_t *)"\xc3" "abcdefghijklmnop\xa9", 18),
       "a sequence is not continued behind words of ASCII");
}

int main(void)
{
    test_words_within();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_case(i);
    test_all_code_points();
    test_all_short();
    test_words();
    return done_testing();
}
