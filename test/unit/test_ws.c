#include "codec/ws.h"

#include "err.h"
#include "tap.h"

#define KEY { 0x37, 0xfa, 0x21, 0x3d }

static const struct {
    const char *name;
    const char *bytes;
    size_t n;
    bool from_client;
    struct ws_head head;
} heads[] = {
    /* RFC 6455 section 5.7. */
    { "unmasked Hello", "\x81\x05", 2, false, { .len = 5, .opcode = WS_TEXT, .fin = true } },
    { "masked Hello", "\x81\x85\x37\xfa\x21\x3d", 6, true,
      { .len = 5, .opcode = WS_TEXT, .fin = true, .masked = true, .key = KEY } },
    { "fragment Hel", "\x01\x03", 2, false, { .len = 3, .opcode = WS_TEXT } },
    { "fragment lo", "\x80\x02", 2, false, { .len = 2, .opcode = WS_CONTINUATION, .fin = true } },
    { "ping Hello", "\x89\x05", 2, false, { .len = 5, .opcode = WS_PING, .fin = true } },
    { "masked pong Hello", "\x8a\x85\x37\xfa\x21\x3d", 6, true,
      { .len = 5, .opcode = WS_PONG, .fin = true, .masked = true, .key = KEY } },
    { "256 bytes", "\x82\x7e\x01\x00", 4, false, { .len = 256, .opcode = WS_BINARY, .fin = true } },
    { "64 KiB", "\x82\x7f\0\0\0\0\0\1\0\0", 10, false,
      { .len = 65536, .opcode = WS_BINARY, .fin = true } },
    /* The bounds of each length form, section 5.2. */
    { "empty", "\x82\x00", 2, false, { .len = 0, .opcode = WS_BINARY, .fin = true } },
    { "125", "\x82\x7d", 2, false, { .len = 125, .opcode = WS_BINARY, .fin = true } },
    { "126", "\x82\x7e\0\x7e", 4, false, { .len = 126, .opcode = WS_BINARY, .fin = true } },
    { "65535", "\x82\x7e\xff\xff", 4, false, { .len = 65535, .opcode = WS_BINARY, .fin = true } },
    { "the longest, masked", "\x02\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4", 14, true,
      { .len = INT64_MAX, .opcode = WS_BINARY, .masked = true, .key = { 1, 2, 3, 4 } } },
    { "close", "\x88\x02", 2, false, { .len = 2, .opcode = WS_CLOSE, .fin = true } },
    { "ping of 125", "\x89\x7d", 2, false, { .len = 125, .opcode = WS_PING, .fin = true } },
};

static bool same_head(const struct ws_head *a, const struct ws_head *b)
{
    return a->len == b->len && a->opcode == b->opcode && a->fin == b->fin &&
           a->masked == b->masked && memcmp(a->key, b->key, 4) == 0;
}

static void test_head(size_t i)
{
    size_t n = heads[i].n;
    struct ws_head head;
    unsigned char *out;
    int wrong = 0;

    for (size_t cut = 0; cut <= n; cut++) {
        unsigned char *in = tap_guard_end(cut);

        memset(&head, 0x55, sizeof head);
        memcpy(in, heads[i].bytes, cut);
        wrong += ws_head_parse(in, cut, heads[i].from_client, &head) != (cut < n ? 0 : (int)n);
        tap_guard_free(in, cut);
    }
    is_int(wrong, 0, "%s: complete with its last byte only", heads[i].name);
    ok(same_head(&head, &heads[i].head), "%s: is read", heads[i].name);
    out = tap_guard_end(WS_HEAD_MAX);
    is_mem(out, ws_head_write(&heads[i].head, out), heads[i].bytes, n, "%s: is written",
           heads[i].name);
    is_int(ws_head_len(heads[i].head.len, heads[i].head.masked), n, "%s: its length",
           heads[i].name);
    tap_guard_free(out, WS_HEAD_MAX);
}

static const struct {
    const char *name;
    const char *bytes;
    size_t n; /* the error shows with the last of these */
    bool from_client;
    int err;
} bad_heads[] = {
    { "RSV1", "\xc1", 1, false, ERR_WS_RESERVED },
    { "RSV2", "\xa1", 1, false, ERR_WS_RESERVED },
    { "RSV3", "\x91", 1, false, ERR_WS_RESERVED },
    { "all RSV bits in a ping", "\xf9", 1, true, ERR_WS_RESERVED },
    { "opcode 3", "\x83", 1, false, ERR_WS_RESERVED },
    { "opcode 4", "\x84", 1, false, ERR_WS_RESERVED },
    { "opcode 5, not the last", "\x05", 1, false, ERR_WS_RESERVED },
    { "opcode 6", "\x86", 1, true, ERR_WS_RESERVED },
    { "opcode 7", "\x87", 1, false, ERR_WS_RESERVED },
    { "opcode 11", "\x8b", 1, false, ERR_WS_RESERVED },
    { "opcode 12", "\x8c", 1, false, ERR_WS_RESERVED },
    { "opcode 13", "\x8d", 1, true, ERR_WS_RESERVED },
    { "opcode 14", "\x8e", 1, false, ERR_WS_RESERVED },
    { "opcode 15", "\x8f", 1, false, ERR_WS_RESERVED },
    { "fragmented close", "\x08", 1, false, ERR_WS_CONTROL },
    { "fragmented ping", "\x09", 1, false, ERR_WS_CONTROL },
    { "fragmented pong", "\x0a", 1, true, ERR_WS_CONTROL },
    { "ping of 126", "\x89\x7e", 2, false, ERR_WS_CONTROL },
    { "pong of 64 bits", "\x8a\x7f", 2, false, ERR_WS_CONTROL },
    { "masked close of 126", "\x88\xfe", 2, true, ERR_WS_CONTROL },
    { "a server that masks", "\x81\x85", 2, false, ERR_WS_MASK },
    { "a server that masks nothing", "\x81\x80", 2, false, ERR_WS_MASK },
    { "a client that does not mask", "\x81\x05", 2, true, ERR_WS_MASK },
    { "a client that does not mask a close", "\x88\x00", 2, true, ERR_WS_MASK },
    { "0 in 16 bits", "\x82\x7e\0\0", 4, false, ERR_WS_LENGTH },
    { "125 in 16 bits", "\x82\x7e\0\x7d", 4, false, ERR_WS_LENGTH },
    { "125 in 16 bits, masked", "\x82\xfe\0\x7d", 4, true, ERR_WS_LENGTH },
    { "65535 in 64 bits", "\x82\x7f\0\0\0\0\0\0", 8, false, ERR_WS_LENGTH },
    { "the top bit", "\x82\x7f\x80", 3, false, ERR_WS_LENGTH },
    { "all bits", "\x82\xff\xff", 3, true, ERR_WS_LENGTH },
};

static void test_bad_head(size_t i)
{
    size_t n = bad_heads[i].n;
    struct ws_head head;
    int wrong = 0;

    for (size_t cut = 0; cut <= n; cut++) {
        unsigned char *in = tap_guard_end(cut);
        int expected = cut < n ? 0 : bad_heads[i].err;

        memcpy(in, bad_heads[i].bytes, cut);
        wrong += ws_head_parse(in, cut, bad_heads[i].from_client, &head) != expected;
        tap_guard_free(in, cut);
    }
    is_int(wrong, 0, "%s: refused at the byte that shows it", bad_heads[i].name);
}

static void test_mask(void)
{
    static const uint8_t key[4] = KEY;
    uint8_t hello[5] = { 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
    int wrong = 0;

    ws_mask(hello, 5, key, 0);
    is_mem(hello, 5, "Hello", 5, "section 5.7: masked Hello");
    for (size_t len = 0; len < 140; len++) {
        /* The buffer ends at an unreadable page, so that `at` moves it through all alignments. */
        unsigned char *buffer = tap_guard_end(len + 8);

        for (size_t at = 0; at < 8; at++) {
            for (size_t split = 0; split <= len; split += 1 + split / 3) {
                memset(buffer, 0, len + 8);
                ws_mask(buffer + at, split, key, 3);
                ws_mask(buffer + at + split, len - split, key, 3 + split);
                for (size_t i = 0; i < len + 8; i++)
                    wrong += buffer[i] != (i < at || i >= at + len ? 0 : key[(3 + i - at) % 4]);
            }
        }
        tap_guard_free(buffer, len + 8);
    }
    is_int(wrong, 0, "every length, alignment and split against one byte at a time");
    memset(hello, 0, 5);
    ws_mask(hello, 5, key, UINT64_C(0x100000001));
    is_mem(hello, 5, "\xfa\x21\x3d\x37\xfa", 5, "an offset beyond 32 bits");
}

static void test_order(void)
{
    static const struct {
        const char *name;
        const char *frames; /* letters: t b c as not last, T B C as last, P a ping, X a close */
        int fails_at;       /* -1: never */
        bool open;
    } cases[] = {
        { "messages of one frame", "TBTT", -1, false },
        { "section 5.7, Hel lo", "tC", -1, false },
        { "a ping between fragments", "tPcPCP", -1, false },
        { "three, then another", "bccCT", -1, false },
        { "still open", "Ttc", -1, true },
        { "a close within", "tX", -1, true },
        { "a continuation of nothing", "C", 0, false },
        { "a continuation of nothing, not last", "c", 0, false },
        { "a continuation after the last", "tCC", 2, false },
        { "a start within", "tT", 1, true },
        { "a start within, not last", "tb", 1, true },
        { "a start after a ping within", "tPB", 2, true },
        { "a continuation after a ping", "PC", 1, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ws_order order = { 0 };
        int failed = -1;

        for (int at = 0; cases[i].frames[at] && failed < 0; at++) {
            char c = cases[i].frames[at];
            struct ws_head head = { .fin = c < 'a' };

            c = (char)(c | 0x20);
            head.opcode = c == 't' ? WS_TEXT : c == 'b' ? WS_BINARY : c == 'c' ? WS_CONTINUATION
                        : c == 'p' ? WS_PING : WS_CLOSE;
            if (ws_order_feed(&order, &head) < 0)
                failed = at;
            else if (head.opcode == WS_TEXT || head.opcode == WS_BINARY)
                is_int(order.opcode, head.opcode, "%s: frame %d starts its kind", cases[i].name,
                       at);
        }
        is_int(failed, cases[i].fails_at, "%s: where the order breaks", cases[i].name);
        is_int(order.open, cases[i].open, "%s: open", cases[i].name);
    }
}

static bool close_code_is_good(unsigned code)
{
    uint8_t bytes[2] = { (uint8_t)(code >> 8), (uint8_t)code };
    struct str reason;
    uint16_t got;

    return ws_close_parse(bytes, 2, &got, &reason) == 0 && got == code;
}

static void test_close_codes(void)
{
    static const struct {
        unsigned from;
        unsigned to;
        bool good;
    } ranges[] = {
        { 0, 999, false }, { 1000, 1003, true }, { 1004, 1006, false }, { 1007, 1014, true },
        { 1015, 2999, false }, { 3000, 4999, true }, { 5000, 65535, false },
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        int wrong = 0;

        for (unsigned code = ranges[i].from; code <= ranges[i].to; code++)
            wrong += close_code_is_good(code) != ranges[i].good;
        is_int(wrong, 0, "codes %u to %u are %s", ranges[i].from, ranges[i].to,
               ranges[i].good ? "good" : "refused");
    }
}

static void test_close(void)
{
    uint16_t code = 0;
    struct str reason;
    unsigned char *out = tap_guard_end(WS_CONTROL_MAX);
    uint8_t text[130];
    size_t n;

    is_int(ws_close_parse(NULL, 0, &code, &reason), 0, "an empty close");
    is_int(code, WS_CLOSE_NONE, "has no code");
    is_int(ws_close_parse((const uint8_t *)"\x03", 1, &code, &reason), ERR_WS_CLOSE, "half a code");
    is_int(ws_close_parse((const uint8_t *)"\x03\xe8" "bye", 5, &code, &reason), 0,
           "a code and a reason");
    is_int(code, 1000, "the code");
    is_mem(reason.p, reason.n, "bye", 3, "the reason");
    is_int(ws_close_parse((const uint8_t *)"\x03\xe8\xce\xba\xff", 5, &code, &reason), ERR_UTF8,
           "a reason that is not UTF-8");
    is_int(ws_close_parse((const uint8_t *)"\x03\xe8\xce", 3, &code, &reason), ERR_UTF8,
           "a reason that ends within a character");
    is_mem(out, ws_close_write(4401, STR("token"), out), "\x11\x31token", 7, "written");
    is_int(ws_close_write(WS_CLOSE_NONE, STR("x"), out), 0, "no code, no payload");
    memset(text, 'a', sizeof text);
    is_int(ws_close_write(1000, (struct str){ text, 123 }, out), 125, "the longest reason");
    is_int(ws_close_write(1000, (struct str){ text, 124 }, out), 125, "a longer one is cut");
    for (size_t at = 119; at <= 123; at++) {
        memset(text, 'a', sizeof text);
        memcpy(text + at, "\xf0\x9f\x98\x80", 4);
        n = ws_close_write(1000, (struct str){ text, sizeof text }, out);
        is_int(n, at == 119 ? 125 : at + 2, "cut before the character at %zu", at);
        is_int(ws_close_parse(out, n, &code, &reason), 0, "and good");
    }
    tap_guard_free(out, WS_CONTROL_MAX);
}

static void test_accept(void)
{
    static const uint8_t bytes[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
    uint8_t key[WS_KEY_LEN];
    uint8_t accept[WS_ACCEPT_LEN];

    ws_accept(STR("dGhlIHNhbXBsZSBub25jZQ=="), accept);
    is_mem(accept, sizeof accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28, "section 1.3");
    ws_key((const uint8_t *)"the sample nonce", key);
    is_mem(key, sizeof key, "dGhlIHNhbXBsZSBub25jZQ==", 24, "section 1.3, the key");
    ws_key(bytes, key);
    is_mem(key, sizeof key, "AQIDBAUGBwgJCgsMDQ4PEA==", 24, "section 4.1");
}

int main(void)
{
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        test_head(i);
    for (size_t i = 0; i < sizeof bad_heads / sizeof bad_heads[0]; i++)
        test_bad_head(i);
    test_mask();
    test_order();
    test_close_codes();
    test_close();
    test_accept();
    return done_testing();
}
