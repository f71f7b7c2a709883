/* What is to be written of a message, whatever the connection takes of it at a time. */
#include "tap.h"

#include "err.h"
#include "core/http_sender.h"

static struct http_sender s;
static char out[200];
static size_t len;

static void start(enum http_body_kind kind, uint64_t length, const char *head, bool held)
{
    sender_start(&s, kind, length, str_of(head), held);
    len = 0;
}

/* Writes up to `most` bytes a call; returns how many of the data were taken. */
static size_t write_some(const char *text, size_t most)
{
    struct str data = str_of(text), piece[3];
    size_t given = data.n, all;

    while ((all = sender_gather(&s, data, piece)) > 0) {
        size_t n = all < most ? all : most, left = n;

        for (int i = 0; i < 3; i++) {
            size_t part = left < piece[i].n ? left : piece[i].n;

            memcpy(out + len, part > 0 ? (const char *)piece[i].p : "", part);
            len += part;
            left -= part;
        }
        sender_wrote(&s, piece, n, &data);
        /* That `data` is used up says nothing of what comes. */
        if (given > 0 && data.n == 0)
            break;
    }
    out[len] = '\0';
    return given - data.n;
}

static void test_framings(void)
{
    for (size_t most = 1; most < 40; most++) {
        start(HTTP_BODY_CHUNKED, 0, "head\r\n\r\n", false);
        is_int(write_some("0123456789abcdef-", most), 17, "%zu bytes at a time: taken", most);
        is_int(write_some("x", most), 1, "and one more");
        is_int(sender_end(&s), 0, "any length is right");
        write_some("", most);
        is_str(out, "head\r\n\r\n11\r\n0123456789abcdef-\r\n1\r\nx\r\n0\r\n\r\n", "in chunks");
        is_int(s.state, SENDER_DONE, "to the end");

        start(HTTP_BODY_LENGTH, 5, "head\r\n\r\n", false);
        is_int(sender_count(&s, 5), 0, "as long as it says");
        write_some("01234", most);
        is_int(sender_end(&s), 0, "not shorter");
        write_some("", most);
        is_str(out, "head\r\n\r\n01234", "as it is");
        is_int(s.state, SENDER_DONE, "to the end");
    }
}

static void test_none(void)
{
    start(HTTP_BODY_NONE, 0, "GET / HTTP/1.1\r\n\r\n", false);
    sender_end(&s);
    write_some("", 100);
    is_str(out, "GET / HTTP/1.1\r\n\r\n", "a head alone");
    is_int(s.state, SENDER_DONE, "is all");
    start(HTTP_BODY_CHUNKED, 0, "", false);
    is_int(s.state, SENDER_BODY, "a head that somebody else writes");
    ok(!sender_is_untouched(&s), "counts as written");
    sender_end(&s);
    write_some("", 100);
    is_str(out, "0\r\n\r\n", "no bytes are a last chunk");
}

static void test_lengths(void)
{
    start(HTTP_BODY_LENGTH, 10, "h", false);
    is_int(sender_count(&s, 4), 0, "four of ten");
    is_int(sender_count(&s, 7), ERR_HTTP, "eleven are too many");
    is_int(s.left, 6, "and not counted");
    is_int(sender_end(&s), ERR_TRUNCATED, "four are too few");
    start(HTTP_BODY_CLOSE, 0, "h", false);
    is_int(sender_count(&s, 1000), 0, "without a length, any number");
    is_int(sender_end(&s), 0, "is right");
}

static void test_held(void)
{
    start(HTTP_BODY_TUNNEL, 0, "head", true);
    is_int(write_some("early", 100), 0, "no byte of the other protocol");
    is_str(out, "head", "but the head");
    is_int(s.state, SENDER_HELD, "it is held");
    sender_let_go(&s);
    is_int(write_some("early", 100), 5, "now");
    is_str(out, "headearly", "it goes");
    is_int(s.state, SENDER_BODY, "and goes on");
    start(HTTP_BODY_TUNNEL, 0, "head", true);
    write_some("", 2);
    sender_end(&s);
    sender_let_go(&s);
    write_some("", 100);
    is_int(s.state, SENDER_DONE, "let go before its head is out, and ended: all is written");
    start(HTTP_BODY_TUNNEL, 0, "head", true);
    write_some("", 100);
    sender_end(&s);
    write_some("", 100);
    is_int(s.state, SENDER_HELD, "an end waits, too");
}

static void test_again(void)
{
    struct str piece[3], data = STR("data");

    start(HTTP_BODY_CHUNKED, 0, "head", false);
    ok(sender_is_untouched(&s), "nothing is written yet");
    sender_gather(&s, data, piece);
    sender_wrote(&s, piece, 1, &data);
    ok(!sender_is_untouched(&s), "a byte is");
    write_some("data", 100);
    sender_again(&s, STR("head"));
    ok(sender_is_untouched(&s), "from the start");
    len = 0;
    write_some("new", 100);
    is_str(out, "head3\r\nnew\r\n", "nothing is left of what was");
}

/* A chunk whose end was not taken: it goes before whatever comes next. */
static void test_end_of_chunk(void)
{
    struct str piece[3], data = STR("ab");

    start(HTTP_BODY_CHUNKED, 0, "", false);
    is_int(sender_gather(&s, data, piece), 7, "head, data, end");
    sender_wrote(&s, piece, 6, &data);
    is_int(data.n, 0, "all but the last byte");
    data = STR("c");
    is_int(sender_gather(&s, data, piece), 1, "which goes alone");
    is_int(*piece[0].p, '\n', "first");
    sender_wrote(&s, piece, 1, &data);
    is_int(data.n, 1, "no data in it");
    is_int(sender_gather(&s, data, piece), 6, "then the next chunk");
}

int main(void)
{
    test_framings();
    test_none();
    test_lengths();
    test_held();
    test_again();
    test_end_of_chunk();
    return done_testing();
}
