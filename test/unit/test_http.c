/* What the tables of test_http_cases.c do not show: slices, fields, limits, chunks in place. */
#include "tap.h"

#include "err.h"
#include "codec/http.h"

static struct str slice(const char *text)
{
    return str_of(text);
}

static void is_slice(struct str got, const char *expected, const char *what)
{
    is_mem(got.p, got.n, expected, strlen(expected), "%s", what);
}

static void request_slices(void)
{
    static const char text[] = "\r\nGET /a?b HTTP/1.0\r\nHost: x\r\nA:\t b c \r\n\r\nbody";
    struct http_head head;
    int got = http_request_parse((const uint8_t *)text, sizeof text - 1, 0, &head);

    is_int(got, sizeof text - 1 - 4, "the head's length, with the empty line before it");
    is_int(head.len, sizeof text - 1 - 4, "also within the head");
    is_slice(head.method, "GET", "method");
    is_slice(head.target, "/a?b", "target");
    is_int(head.minor, 0, "version");
    is_slice(head.fields, "Host: x\r\nA:\t b c \r\n", "fields");
}

static void response_slices(void)
{
    static const char text[] = "HTTP/1.1 404 Not Found\r\n\r\n";
    struct http_head head;

    is_int(http_response_parse((const uint8_t *)text, sizeof text - 1, 0, &head),
           sizeof text - 1, "a response without fields");
    is_int(head.status, 404, "status");
    is_int(head.minor, 1, "version");
    is_slice(head.reason, "Not Found", "reason");
    is_slice(head.fields, "", "no fields");
}

/* An error shows with its line, before the head is complete; nothing is said before. */
static void early(void)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost : x\r\n";
    struct http_head head;

    for (size_t n = 1; n < sizeof text - 1; n++) {
        if (http_request_parse((const uint8_t *)text, n, n - 1, &head) != 0) {
            ok(0, "said something at %zu", n);
            return;
        }
    }
    is_int(http_request_parse((const uint8_t *)text, sizeof text - 1, sizeof text - 2, &head),
           ERR_HTTP, "told at the end of the line");
}

/* Every byte at every offset of a value as long as two machine words and more. */
static void value_bytes(void)
{
    int good = 1;

    for (size_t len = 1; len <= 20; len++) {
        unsigned char *value = tap_guard_end(len);

        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                int legal = byte == '\t' || (byte >= 0x20 && byte != 0x7f);

                memset(value, (int)(byte & 1 ? 0x20 : 0xff), len);
                value[at] = (uint8_t)byte;
                good = good && http_value_valid((struct str){ value, len }) == legal;
            }
        }
        tap_guard_free(value, len);
    }
    ok(good, "a value may hold what RFC 9110 section 5.5 allows, at any offset");
    ok(http_value_valid((struct str){ NULL, 0 }), "an empty value is one");
}

static void names(void)
{
    static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    uint8_t byte = 0;
    int good = 1;

    do {
        int legal = byte != 0 && strchr(tchars, byte) != NULL;

        good = good && http_name_valid((struct str){ &byte, 1 }) == legal;
    } while (++byte != 0);
    ok(good, "a name is made of the characters of RFC 9110 section 5.6.2");
    ok(!http_name_valid(slice("")), "an empty name is none");
    ok(http_method_valid(slice("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF")), "a method of 32");
    ok(!http_method_valid(slice("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG")), "not of 33");
    ok(http_target_valid(slice("/\xc3\xa4")), "a target with high bytes");
    ok(!http_target_valid(slice("/a b")) && !http_target_valid(slice("/a\tb")) &&
       !http_target_valid(slice("/\x7f")) && !http_target_valid(slice("")),
       "not with white space, controls, or empty");
}

static void fields(void)
{
    struct str rest = slice("A: 1\r\nb:2, 3\r\nB: ,4 ,,\tFive\r\nE:\r\n");
    struct str whole = rest;
    struct str name;
    struct str value;

    ok(http_field_next(&rest, &name, &value), "first");
    is_slice(name, "A", "its name");
    is_slice(value, "1", "its value");
    ok(http_field_next(&rest, &name, &value) && http_field_next(&rest, &name, &value), "third");
    is_slice(value, ",4 ,,\tFive", "its value is trimmed at its ends only");
    ok(http_field_next(&rest, &name, &value) && value.n == 0, "an empty value");
    ok(!http_field_next(&rest, &name, &value), "the end");
    ok(http_field_find(whole, "B", &value), "found by a folded name");
    is_slice(value, "2, 3", "the first of that name");
    ok(!http_field_find(whole, "C", &value), "not found");
    is_int(http_field_count(whole, "b", &value), 2, "counted");
    is_int(http_field_count(whole, "x", &value), 0, "none");
    ok(http_field_lists(whole, "b", "2") && http_field_lists(whole, "b", "3") &&
       http_field_lists(whole, "b", "4") && http_field_lists(whole, "B", "FIVE"), "members");
    ok(!http_field_lists(whole, "b", "2, 3") && !http_field_lists(whole, "b", "") &&
       !http_field_lists(whole, "a", "2"), "no members");
}

/* A head of that many fields, whole or in two pieces. */
static void is_counted(const char *start, int (*parse)(const uint8_t *, size_t, size_t,
                                                       struct http_head *),
                       unsigned count, bool good)
{
    static char text[16 * HTTP_FIELDS_MAX];
    struct http_head head;
    size_t n = (size_t)snprintf(text, sizeof text, "%s", start);

    for (unsigned i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "x%u:\r\n", i);
    n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
    for (size_t from = 0; from < n; from += n - 1)
        is_int(parse((const uint8_t *)text, n, from, &head), good ? (int)n : ERR_HTTP_SIZE,
               "%u fields, %zu bytes seen before", count, from);
}

static void field_counts(void)
{
    is_counted("GET / HTTP/1.1\r\n", http_request_parse, HTTP_FIELDS_MAX, true);
    is_counted("GET / HTTP/1.1\r\n", http_request_parse, HTTP_FIELDS_MAX + 1, false);
    is_counted("HTTP/1.1 200 OK\r\n", http_response_parse, HTTP_FIELDS_MAX, true);
    is_counted("HTTP/1.1 200 OK\r\n", http_response_parse, HTTP_FIELDS_MAX + 1, false);
}

static void hop_by_hop(void)
{
    static const char *const hops[] = { "Connection", "keep-alive", "Proxy-Connection", "TE",
                                        "Trailer", "TRANSFER-ENCODING", "Upgrade" };
    static const char *const ends[] = { "Content-Length", "Host", "Date", "T", "TEE", "",
                                        "Set-Cookie", "Proxy-Authorization" };

    for (size_t i = 0; i < sizeof hops / sizeof hops[0]; i++)
        ok(http_is_hop_by_hop(slice(hops[i])), "one connection's: %s", hops[i]);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        ok(!http_is_hop_by_hop(slice(ends[i])), "not one connection's: \"%s\"", ends[i]);
}

static void reasons(void)
{
    int good = 1;

    is_str(http_reason(100), "Continue", "the first reason");
    is_str(http_reason(404), "Not Found", "one in the middle");
    is_str(http_reason(511), "Network Authentication Required", "the last");
    is_str(http_reason(599), "", "an unknown one");
    for (unsigned status = 0; status < 1000; status++)
        good = good && http_value_valid(slice(http_reason(status)));
    ok(good, "every reason may stand in a status line");
}

static void statuses(void)
{
    struct str get = STR("GET"), head = STR("HEAD");

    ok(http_is_interim(100) && http_is_interim(103) && http_is_interim(199), "1xx is interim");
    ok(!http_is_interim(101) && !http_is_interim(200), "101 and 200 are final");
    ok(http_is_bodiless(103, get) && http_is_bodiless(204, get) && http_is_bodiless(304, get),
       "no body after 1xx, 204, 304");
    ok(!http_is_bodiless(200, get) && !http_is_bodiless(205, get) && !http_is_bodiless(404, get),
       "a body after others");
    ok(http_is_bodiless(200, head) && http_is_bodiless(500, head), "none after any to HEAD");
    ok(!http_is_bodiless(200, STR("head")), "methods have a case");
    ok(!http_may_have_length(101) && !http_may_have_length(199) && !http_may_have_length(204),
       "no length with 1xx and 204");
    ok(http_may_have_length(200) && http_may_have_length(205) && http_may_have_length(304),
       "one with others, 304 too");
}

static void targets(void)
{
    struct http_head head = { .method = STR("GET"), .target = STR("http://a.example:81/x?y") };
    struct http_target t;

    is_int(http_target_split(&head, &t), 0, "absolute form");
    is_int(t.form, HTTP_TARGET_ABSOLUTE, "is known");
    is_slice(t.authority, "a.example:81", "its authority");
    is_slice(t.path, "/x?y", "its path");
    head.target = STR("HTTPS://a");
    is_int(http_target_split(&head, &t), 0, "absolute form without a path");
    is_slice(t.path, "/", "has the path /");
    head.target = STR("http://a?y");
    is_int(http_target_split(&head, &t), ERR_HTTP, "a query without a path is not handled");
    head.target = STR("//a/b");
    is_int(http_target_split(&head, &t), 0, "two slashes are a path");
    is_int(t.form, HTTP_TARGET_ORIGIN, "in origin form");
    head.method = STR("OPTIONS");
    head.target = STR("*");
    is_int(http_target_split(&head, &t), 0, "asterisk form");
    is_slice(t.path, "*", "its path");
    head.target = STR("http://a:81");
    is_int(http_target_split(&head, &t), 0, "OPTIONS of a whole server");
    is_slice(t.path, "*", "is the asterisk to it");
    head.target = STR("http://a/");
    is_int(http_target_split(&head, &t), 0, "with a path");
    is_slice(t.path, "/", "it is one of that path");
    head.method = STR("CONNECT");
    head.target = STR("[::1]:22");
    is_int(http_target_split(&head, &t), 0, "authority form");
    is_slice(t.authority, "[::1]:22", "its authority");
    is_int(t.path.n, 0, "no path");
}

static void chunk_heads(void)
{
    static const struct {
        uint32_t len;
        const char *text;
    } cases[] = {
        { 0, "0\r\n" }, { 1, "1\r\n" }, { 15, "f\r\n" }, { 16, "10\r\n" }, { 255, "ff\r\n" },
        { 0x1000, "1000\r\n" }, { 0xabcdef0, "abcdef0\r\n" }, { UINT32_MAX, "ffffffff\r\n" },
    };
    uint8_t out[HTTP_CHUNK_HEAD_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_mem(out, http_chunk_head(cases[i].len, out), cases[i].text, strlen(cases[i].text),
               "the head of a chunk of %u bytes", cases[i].len);
}

/* One decoder over a text in pieces, each within a buffer of its own. */
static int feed(struct http_chunk *c, const char *text, size_t n, char *out, size_t *out_len)
{
    uint8_t *copy = tap_guard_end(n);
    int used;

    memcpy(copy, text, n);
    used = http_chunk_decode(c, copy, n, out_len);
    memcpy(out, copy, *out_len);
    tap_guard_free(copy, n);
    return used;
}

static void chunk_pieces(void)
{
    struct http_chunk c = { 0 };
    char out[64];
    size_t n;

    is_int(feed(&c, "3\r", 2, out, &n), 2, "half a size line");
    is_int(n, 0, "gives nothing");
    is_int(feed(&c, "\nab", 3, out, &n), 3, "data begin");
    is_mem(out, n, "ab", 2, "and come to the front");
    is_int(feed(&c, "c\r\n2\r\nde\r\n0\r\nX: y\r\n\r\nrest", 25, out, &n), 21, "up to the end");
    is_mem(out, n, "cde", 3, "across two chunks");
    ok(c.done, "done");
    is_int(feed(&c, "rest", 4, out, &n), 0, "then takes nothing more");
    is_int(n, 0, "and gives nothing");
}

/* A decoder that failed stays so; what came before the error is given. */
static void chunk_failed(void)
{
    struct http_chunk c = { 0 };
    char out[64];
    size_t n;

    is_int(feed(&c, "2\r\nabX", 6, out, &n), ERR_HTTP, "no CR LF after the data");
    is_mem(out, n, "ab", 2, "the data before it");
    is_int(feed(&c, "0\r\n\r\n", 5, out, &n), ERR_HTTP, "fails for good");
    is_int(n, 0, "without data");
    is_int(feed(&c, "", 0, out, &n), ERR_HTTP, "even on nothing");
}

static void chunk_size_of_all(void)
{
    static const char most[] = "7fffffffffffffff\r\nab";
    struct http_chunk c = { 0 };
    char out[64];
    size_t n;

    is_int(feed(&c, most, sizeof most - 1, out, &n), sizeof most - 1, "the longest chunk");
    is_int(n, 2, "begins");
    ok(c.left == INT64_MAX - 2 && !c.done, "and is waited for");
}

/* Size lines and trailers at their limits. */
static void chunk_limits(void)
{
    static char text[HTTP_TRAILER_MAX + 64];
    char out[64];
    size_t n;

    for (int over = 0; over < 2; over++) {
        struct http_chunk c = { 0 };
        size_t line = HTTP_CHUNK_LINE_MAX + (size_t)over;

        memset(text, 'x', sizeof text);
        memcpy(text, "1;", 2);
        memcpy(text + line - 2, "\r\n", 2);
        is_int(feed(&c, text, line, out, &n), over ? ERR_HTTP : (int)line,
               "a size line of %zu bytes", line);
    }
    for (int over = 0; over < 2; over++) {
        struct http_chunk c = { 0 };
        size_t len = HTTP_TRAILER_MAX - 2 + (size_t)over;

        memset(text, 'x', sizeof text);
        memcpy(text, "0\r\n", 3);
        for (size_t at = 3; at < 3 + len; at += 512) {
            size_t end = 3 + len - at < 512 ? 3 + len : at + 512;

            text[at + 1] = ':';
            memcpy(text + end - 2, "\r\n", 2);
        }
        memcpy(text + 3 + len, "\r\n", 2);
        is_int(feed(&c, text, len + 5, out, &n), over ? ERR_HTTP : (int)len + 5,
               "a trailer section of %zu bytes", len + 2);
    }
}

int main(void)
{
    request_slices();
    response_slices();
    early();
    value_bytes();
    names();
    fields();
    field_counts();
    hop_by_hop();
    reasons();
    statuses();
    targets();
    chunk_heads();
    chunk_pieces();
    chunk_failed();
    chunk_size_of_all();
    chunk_limits();
    return done_testing();
}
