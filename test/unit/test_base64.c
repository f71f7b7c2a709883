#include "codec/base64.h"

#include "err.h"
#include "tap.h"

static const struct {
    const char *plain;
    const char *text;
} vectors[] = {
    /* RFC 4648 section 10. */
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
    /* RFC 4648 section 9, and the last characters of the alphabet. */
    { "\x14\xfb\x9c\x03\xd9\x7e", "FPucA9l+" },
    { "\x14\xfb\x9c\x03\xd9", "FPucA9k=" },
    { "\x14\xfb\x9c\x03", "FPucAw==" },
    { "\xff\xff\xff\xfb\xef\xbe", "////++++" },
};

static void test_vector(size_t i)
{
    struct base64 b = { 0 };
    size_t plain_len = strlen(vectors[i].plain);
    size_t text_len = strlen(vectors[i].text);
    unsigned char *out = tap_guard_end(text_len);
    size_t n = base64_encode((const uint8_t *)vectors[i].plain, plain_len, out);
    int got;

    is_mem(out, n, vectors[i].text, text_len, "\"%s\" is written", vectors[i].text);
    got = base64_decode(&b, out, text_len, out);
    ok(base64_ends(&b), "and ends when read");
    is_mem(out, got < 0 ? 0 : (size_t)got, vectors[i].plain, plain_len, "in place, as it was");
    tap_guard_free(out, text_len);
}

static const struct {
    const char *text;
    bool complete; /* bad bytes, or only an end too early */
} bad[] = {
    { "Z", false }, { "Zg", false }, { "Zm8", false }, { "Zg=", false }, { "Zm9vZ", false },
    { "=", true }, { "Z=", true }, { "Z===", true }, { "====", true }, { "Zm9v=", true },
    { "Zg==Zg==", true }, { "Zg==Z", true }, { "Zg===", true }, { "Zm8==", true },
    { "Zm8=Zm8=", true },
    { "Zg=g", true }, { "Zg= =", true }, { "Zh==", true }, { "Zv==", true }, { "Zm9=", true },
    { "Zm8=\n", true }, { "Zm9v\n", true }, { " Zm9v", true }, { "Zm 9v", true },
    { "Zm9v\r\nZm9v", true },
    { "Zm9-", true }, { "Zm9_", true }, { "Zm9,", true }, { "Zm9.", true }, { "Zm9:", true },
    { "Zm9@", true }, { "Zm9[", true }, { "Zm9`", true }, { "Zm9{", true }, { "Zm9\x80", true },
    { "Zm9\xff", true }, { "Zm9\xda", true }, { "Zm9vZm9vZm9vZm!vZm9v", true },
};

static void test_bad(size_t i)
{
    size_t n = strlen(bad[i].text);
    uint8_t out[32];
    char shown[32] = "";
    int wrong = 0;

    for (size_t at = 0; at < n; at++)
        shown[at] = '!' <= bad[i].text[at] && bad[i].text[at] <= '~' ? bad[i].text[at] : '.';
    for (size_t split = 0; split <= n; split++) {
        struct base64 b = { 0 };
        int first = base64_decode(&b, (const uint8_t *)bad[i].text, split, out);
        int second = base64_decode(&b, (const uint8_t *)bad[i].text + split, n - split, out);

        wrong += (second == ERR_BASE64) != bad[i].complete || base64_ends(&b);
        wrong += first < 0 && second >= 0;
        if (bad[i].complete)
            wrong += base64_decode(&b, (const uint8_t *)"Zg==", 4, out) != ERR_BASE64;
    }
    is_int(wrong, 0, "\"%s\" is refused%s", shown, bad[i].complete ? "" : " at its end");
}

static void test_nul(void)
{
    struct base64 b = { 0 };
    uint8_t out[4];

    is_int(base64_decode(&b, (const uint8_t *)"Zm\0v", 4, out), ERR_BASE64, "a NUL within");
}

/* Lengths 0 to 99: apart, in place from the end of the region, split everywhere, back in place. */
static void test_round_trips(void)
{
    uint8_t plain[99];
    uint8_t apart[BASE64_LEN(sizeof plain)];
    uint8_t back[BASE64_LEN(sizeof plain)];
    int wrong = 0;

    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 167 + (i >> 1));
    for (size_t n = 0; n <= sizeof plain; n++) {
        size_t len = BASE64_LEN(n);
        unsigned char *region = tap_guard_end(len);

        base64_encode(plain, n, apart);
        if (n)
            memcpy(region + len - n, plain, n);
        wrong += base64_encode(region + len - n, n, region) != len;
        wrong += memcmp(region, apart, len) != 0;
        for (size_t split = 0; split <= len; split++) {
            struct base64 b = { 0 };
            int first = base64_decode(&b, apart, split, back);
            int second = base64_decode(&b, apart + split, len - split, back + first);

            wrong += first + second != (int)n || !base64_ends(&b) || memcmp(back, plain, n) != 0;
        }
        tap_guard_free(region, len);
    }
    is_int(wrong, 0, "every length there and back, in place and split everywhere");
}

int main(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        test_vector(i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        test_bad(i);
    test_nul();
    test_round_trips();
    return done_testing();
}
