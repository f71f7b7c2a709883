/* Certificates in pieces: their times, and which bytes are the key. */
#include "leaf.h"

#include <string.h>

#include "tap.h"

#define UTC 0x17
#define GENERALIZED 0x18

static uint8_t cert[1024];
static size_t cert_len;
static size_t key_at, key_len;

static void put(uint8_t tag, const void *p, size_t n)
{
    cert[cert_len++] = tag;
    if (n > 127) {
        cert[cert_len++] = 0x82;
        cert[cert_len++] = (uint8_t)(n >> 8);
    }
    cert[cert_len++] = (uint8_t)n;
    memcpy(cert + cert_len, p, n);
    cert_len += n;
}

/* Puts a head of four bytes before what came since `at`. */
static void wrap(size_t at, uint8_t tag)
{
    size_t n = cert_len - at;

    memmove(cert + at + 4, cert + at, n);
    cert[at] = tag;
    cert[at + 1] = 0x82;
    cert[at + 2] = (uint8_t)(n >> 8);
    cert[at + 3] = (uint8_t)n;
    cert_len += 4;
}

static void make(bool version, uint8_t tag, const char *from, const char *to)
{
    static const uint8_t filler[300] = { 1, 2, 3 };
    size_t validity;

    cert_len = 0;
    if (version)
        put(0xa0, "\x02\x01\x02", 3);
    put(0x02, "\x01\x02\x03", 3);
    put(0x30, filler, 13);
    put(0x30, filler, 200);
    validity = cert_len;
    put(tag, from, strlen(from));
    put(tag, to, strlen(to));
    wrap(validity, 0x30);
    put(0x30, filler, 0);
    key_at = cert_len;
    put(0x30, filler, 294);
    key_len = cert_len - key_at;
    put(0xa3, filler, 40);
    wrap(0, 0x30);
    put(0x30, filler, 20);
    wrap(0, 0x30);
    key_at += 8;
}

/* Feeds it in pieces of this size; the key's bytes must come in one run. */
static bool feed(struct leaf *l, size_t piece)
{
    size_t at = 0, got = 0;
    bool good = true;

    memset(l, 0, sizeof *l);
    while (at < cert_len) {
        size_t n = piece < cert_len - at ? piece : cert_len - at;
        struct str key = leaf_feed(l, cert + at, n);

        good = good && (key.n == 0 || key.p == cert + key_at + got);
        got += key.n;
        at += n;
    }
    return good && got == key_len;
}

static void test_pieces(void)
{
    struct leaf l;

    for (int version = 0; version < 2; version++) {
        make(version, UTC, "240229120000Z", "491231235959Z");
        for (size_t piece = 1; piece < 20; piece++) {
            ok(feed(&l, piece), "the key, in pieces of %zu", piece);
            is_int(l.step, LEAF_DONE, "all of it");
            ok(l.from == 1709208000 && l.to == 2524607999, "both times");
        }
        ok(feed(&l, cert_len), "in one piece");
    }
}

static void is_time(uint8_t tag, const char *text, int64_t expected)
{
    struct leaf l;

    make(true, tag, text, text);
    feed(&l, 64);
    if (expected < 0)
        is_int(l.step, LEAF_BAD, "no time: %s", text);
    else
        ok(l.step == LEAF_DONE && l.from == expected && l.to == expected, "%s is %lld", text,
           (long long)expected);
}

static void test_times(void)
{
    is_time(UTC, "700101000000Z", 0);
    is_time(UTC, "691231235959Z", 0);
    is_time(UTC, "500101000000Z", 0);
    is_time(UTC, "000229000000Z", 951782400);
    is_time(UTC, "000301000000Z", 951868800);
    is_time(UTC, "990101000000Z", 915148800);
    is_time(GENERALIZED, "20500101000000Z", 2524608000);
    is_time(GENERALIZED, "21000301000000Z", 4107542400);
    is_time(GENERALIZED, "99991231235959Z", 253402300799);
    is_time(GENERALIZED, "19000101000000Z", 0);
    is_time(UTC, "20500101000000Z", -1);
    is_time(GENERALIZED, "500101000000Z", -1);
    is_time(UTC, "7001010000Z", -1);
    is_time(UTC, "700101000000+0000", -1);
    is_time(UTC, "700001000000Z", -1);
    is_time(UTC, "701301000000Z", -1);
    is_time(UTC, "700100000000Z", -1);
    is_time(UTC, "700132000000Z", -1);
    is_time(UTC, "700101240000Z", -1);
    is_time(UTC, "700101006000Z", -1);
    is_time(UTC, "70010100:000Z", -1);
    is_time(UTC, "7x0101000000Z", -1);
    is_time(GENERALIZED, "x9700101000000Z", -1);
    is_time(GENERALIZED, "20240101000000.5Z", -1);
    is_time(GENERALIZED, "20240101000000000000000000000000Z", -1);
    is_time(0x0c, "240101000000Z", -1);
}

static void test_bad(void)
{
    struct leaf l;

    make(true, UTC, "240229120000Z", "491231235959Z");
    cert[0] = 0x31;
    feed(&l, 7);
    is_int(l.step, LEAF_BAD, "no sequence");
    cert[0] = 0x30;
    cert[1] = 0x80;
    feed(&l, 7);
    is_int(l.step, LEAF_BAD, "an endless one");
    cert[1] = 0x84;
    feed(&l, 7);
    is_int(l.step, LEAF_BAD, "a length beyond 2^24");
    make(true, UTC, "", "491231235959Z");
    feed(&l, 7);
    is_int(l.step, LEAF_BAD, "an empty time");
    memset(&l, 0, sizeof l);
    is_int(leaf_feed(&l, cert, 0).n, 0, "nothing in, nothing out");
}

int main(void)
{
    test_pieces();
    test_times();
    test_bad();
    return done_testing();
}
