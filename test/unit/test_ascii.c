#include "codec/ascii.h"

#include <time.h>

#include "tap.h"

static void test_classes(void)
{
    /* RFC 9110 section 5.6.2, as it is written there. */
    static const char tchars[] = "!#$%&'*+-.^_`|~0123456789"
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    int wrong = 0;

    for (int c = 0; c < 256; c++) {
        wrong += ascii_is_tchar((uint8_t)c) != (memchr(tchars, c, sizeof tchars - 1) != NULL);
        wrong += ascii_is_digit((uint8_t)c) != (c >= '0' && c <= '9');
        wrong += ascii_lower((uint8_t)c) != (c >= 'A' && c <= 'Z' ? c + 32 : c);
        wrong += ascii_upper((uint8_t)c) != (c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    is_int(wrong, 0, "tchar, digit and both cases of all 256");
}

static void test_decimal(void)
{
    static const struct {
        const char *text;
        uint64_t max;
        int64_t value; /* -1: refused */
    } cases[] = {
        { "0", 10, 0 }, { "10", 10, 10 }, { "11", 10, -1 }, { "", 10, -1 }, { "007", 10, 7 },
        { "1x", 10, -1 }, { "-1", 10, -1 }, { "+1", 10, -1 }, { " 1", 10, -1 }, { "1 ", 10, -1 },
        { "/", 10, -1 }, { ":", 10, -1 }, { "9223372036854775807", INT64_MAX, INT64_MAX },
        { "9223372036854775808", INT64_MAX, -1 }, { "18446744073709551616", UINT64_MAX, -1 },
        { "18446744073709551620", UINT64_MAX, -1 }, { "99999999999999999999", UINT64_MAX, -1 },
        { "184467440737095516150", UINT64_MAX, -1 },
    };
    static const uint64_t values[] = { 0, 1, 9, 10, 99, 100, 4294967295, 4294967296, UINT64_MAX };
    uint64_t value = 42;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool good = ascii_u64(str_of(cases[i].text), cases[i].max, &value);

        is_int(good ? (int64_t)value : -1, cases[i].value, "decimal \"%s\"", cases[i].text);
    }
    value = 42;
    ok(!ascii_u64(STR("x"), 9, &value) && value == 42, "a refused number leaves the value alone");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char expected[24];
        uint8_t *out = tap_guard_end(20);
        size_t n;

        snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
        n = ascii_from_u64(values[i], out);
        is_mem(out, n, expected, strlen(expected), "digits of %s", expected);
        ok(ascii_u64((struct str){ out, n }, UINT64_MAX, &value) && value == values[i], "and back");
        tap_guard_free(out, 20);
    }
}

static void test_hex(void)
{
    static const char *const bad[] = { "", "0", "0g", "00f", "0 ", "000" };
    uint8_t bytes[256];
    uint8_t text[512];
    uint8_t back[256];

    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    ascii_to_hex(bytes, 256, text);
    is_mem(text + 2 * 0xab, 2, "ab", 2, "lower case");
    ok(ascii_from_hex((struct str){ text, 512 }, back, 256) && memcmp(back, bytes, 256) == 0,
       "all bytes there and back");
    ok(ascii_from_hex(STR("aBCd"), back, 2) && back[0] == 0xab && back[1] == 0xcd, "either case");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok(!ascii_from_hex(str_of(bad[i]), back, 1), "hex \"%s\" is no byte", bad[i]);
    is_int(ascii_hex_value('G'), -1, "G is no digit");
    is_int(ascii_hex_value('F'), 15, "F is");
    is_int(ascii_hex_value('@'), -1, "the character before A");
    is_int(ascii_hex_value('`'), -1, "the character before a");
}

/* Every day until 2100, each at another second. */
static void test_time(void)
{
    const int64_t end = INT64_C(4107542400);
    int64_t second = 0, differs = -1;

    for (; second < end && differs < 0; second += 86400 - 61) {
        time_t seconds = (time_t)second;
        char expected[32];
        uint8_t out[ASCII_TIME_LEN];

        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
        ascii_time(second, out);
        if (memcmp(out, expected, sizeof out) != 0)
            differs = second;
    }
    is_int(differs, -1, "time as strftime has it");
    for (second = INT64_MIN; second < INT64_MAX - (INT64_C(1) << 58); second += INT64_C(1) << 58) {
        uint8_t *out = tap_guard_end(ASCII_TIME_LEN);

        ascii_time(second, out);
        differs += out[4] == '-' && out[19] == 'Z' ? 0 : 1;
        tap_guard_free(out, ASCII_TIME_LEN);
    }
    is_int(differs, -1, "any number has the form");
}

int main(void)
{
    test_classes();
    test_decimal();
    test_hex();
    test_time();
    return done_testing();
}
