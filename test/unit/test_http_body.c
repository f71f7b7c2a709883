/* Bodies as they come from a connection: by length, chunked, to the end. */
#include "err.h"
#include "core/http_body.h"
#include "tap.h"

static struct http_body body;

static void begin(enum http_body_kind kind, uint64_t length)
{
    struct http_framing f = { .kind = kind, .length = length };

    /* What was there before must not matter. */
    memset(&body, 0xa5, sizeof body);
    http_body_init(&body, &f);
}

/* Reads `in` in pieces of `step` coded bytes as http_body_want allows; the data read, coded bytes
 * taken, or the error. */
static int read_all(const char *in, size_t n, size_t step, char *data, size_t *data_len)
{
    size_t at = 0;

    *data_len = 0;
    while (at < n && !body.done) {
        size_t len = n - at < step ? n - at : step;
        uint8_t *piece;
        size_t got;
        int used;

        len = http_body_want(&body, len);
        piece = tap_guard_end(len);
        memcpy(piece, in + at, len);
        used = http_body_decode(&body, piece, len, &got);
        memcpy(data + *data_len, piece, got);
        *data_len += got;
        tap_guard_free(piece, len);
        if (used < 0)
            return used;
        if ((size_t)used != len && !body.done)
            return -1000;
        at += (size_t)used;
    }
    return (int)at;
}

static void is_read(enum http_body_kind kind, uint64_t length, const char *in, const char *expected,
                    int taken, bool done)
{
    char data[200];
    size_t n;
    size_t step;
    bool good = true;

    for (step = 1; step <= strlen(in); step++) {
        begin(kind, length);
        good = good && read_all(in, strlen(in), step, data, &n) == taken && body.done == done;
        good = good && n == strlen(expected) && memcmp(data, expected, n) == 0;
    }
    ok(good, "kind %d: \"%s\" in pieces of any size", (int)kind, expected);
}

static void by_length(void)
{
    size_t got;
    uint8_t byte = 'x';

    begin(HTTP_BODY_LENGTH, 0);
    ok(body.done, "a length of 0 is complete at once");
    is_int(http_body_want(&body, 100), 0, "nothing is wanted");
    is_int(http_body_decode(&body, &byte, 1, &got), 0, "nothing is taken");
    is_int(got, 0, "nor given");
    is_int(http_body_eof(&body), 0, "it may end");
    begin(HTTP_BODY_LENGTH, 5);
    is_int(http_body_want(&body, 100), 5, "what is left is wanted");
    is_int(http_body_want(&body, 3), 3, "up to the room");
    is_int(http_body_eof(&body), ERR_TRUNCATED, "it may not end before");
    ok(!body.done, "and is not complete then");
    is_read(HTTP_BODY_LENGTH, 5, "12345next", "12345", 5, true);
    is_read(HTTP_BODY_LENGTH, 5, "1234", "1234", 4, false);
    begin(HTTP_BODY_LENGTH, UINT64_C(1) << 40);
    is_int(http_body_want(&body, SIZE_MAX), sizeof(size_t) > 4 ? INT64_C(1) << 40 : SIZE_MAX,
           "lengths beyond 32 bits");
    begin(HTTP_BODY_LENGTH, 5);
    is_int(http_body_decode(&body, (uint8_t[9]){ 0 }, 9, &got), 5, "never more than its length");
    ok(got == 5 && body.done, "which completes it");
}

static void chunked(void)
{
    size_t got;
    uint8_t bad[] = "zz\r\n";

    is_read(HTTP_BODY_CHUNKED, 0, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde", 24, true);
    is_read(HTTP_BODY_CHUNKED, 0, "0\r\nTrailer: x\r\n\r\nnext", "", 17, true);
    is_read(HTTP_BODY_CHUNKED, 0, "3\r\nab", "ab", 5, false);
    begin(HTTP_BODY_CHUNKED, 0);
    is_int(http_body_want(&body, 100), 100, "all the room is wanted");
    is_int(http_body_eof(&body), ERR_TRUNCATED, "it may not end by itself");
    is_int(http_body_decode(&body, bad, 4, &got), ERR_HTTP, "bad chunking");
    ok(!body.done, "is never complete");
}

static void to_the_end(enum http_body_kind kind)
{
    is_read(kind, 0, "anything", "anything", 8, false);
    begin(kind, 7);
    is_int(http_body_want(&body, 100), 100, "all the room is wanted");
    is_int(http_body_eof(&body), 0, "the end is its end");
    ok(body.done, "and completes it");
    is_int(http_body_want(&body, 100), 0, "nothing is wanted then");
}

int main(void)
{
    by_length();
    chunked();
    to_the_end(HTTP_BODY_CLOSE);
    to_the_end(HTTP_BODY_TUNNEL);
    begin(HTTP_BODY_NONE, 9);
    ok(body.done && http_body_want(&body, 9) == 0, "no body is complete at once");
    return done_testing();
}
