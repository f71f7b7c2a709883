/* The tables of good and bad messages, each whole and split at every byte. */
#include "http_cases.h"

#include "codec/http.h"

struct verdict {
    const char *stage;
    int error;
    struct http_framing framing;
    unsigned char body[2048];
    size_t body_len;
};

static int parse(int response, const unsigned char *in, size_t n, size_t from,
                 struct http_head *head)
{
    return response ? http_response_parse(in, n, from, head)
                    : http_request_parse(in, n, from, head);
}

/* Decodes a chunked body in pieces of `piece` bytes. */
static int decode(struct verdict *v, const unsigned char *in, size_t n, size_t piece)
{
    struct http_chunk chunk = { 0 };

    for (size_t at = 0; at < n && !chunk.done; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        unsigned char *copy = tap_guard_end(len);
        size_t got;
        int used;

        memcpy(copy, in + at, len);
        used = http_chunk_decode(&chunk, copy, len, &got);
        memcpy(v->body + v->body_len, copy, got);
        v->body_len += got;
        tap_guard_free(copy, len);
        if (used < 0)
            return used;
    }
    return chunk.done ? 0 : 1;
}

static int body(struct verdict *v, const unsigned char *in, size_t n, size_t piece)
{
    v->stage = "chunk";
    if (v->framing.kind == HTTP_BODY_CHUNKED)
        return decode(v, in, n, piece);
    if (v->framing.kind == HTTP_BODY_LENGTH)
        n = n < v->framing.length ? n : (size_t)v->framing.length;
    else if (v->framing.kind != HTTP_BODY_CLOSE)
        n = 0;
    memcpy(v->body, in, n);
    v->body_len = n;
    return 0;
}

/* The way of a message through all stages, arriving in pieces. */
static struct verdict judge(int response, const char *method, const struct http_case *c,
                            size_t piece)
{
    struct verdict v = { .stage = "head" };
    struct http_head head = { 0 };
    struct http_target target;
    size_t have = 0;
    int got = 0;

    while (got == 0 && have < c->len) {
        size_t from = have;

        have = c->len - have < piece ? c->len : have + piece;
        got = parse(response, c->bytes, have, from, &head);
    }
    v.error = got;
    if (got <= 0)
        return v;
    v.stage = "framing";
    v.error = response ? http_response_framing(&head, str_of(method), &v.framing)
                       : http_request_framing(&head, &v.framing);
    if (v.error < 0)
        return v;
    v.stage = "target";
    v.error = response ? 0 : http_target_split(&head, &target);
    if (v.error < 0)
        return v;
    v.error = body(&v, c->bytes + head.len, c->len - head.len, piece);
    return v;
}

static void bad(int response, const char *file_name, int least)
{
    FILE *file = http_cases_open(file_name);
    struct http_case c;
    int count = 0;

    for (; http_case_next(file, 3, &c); count++) {
        int error = http_case_error(c.word[2]);
        size_t piece = c.len;
        struct verdict v = judge(response, "GET", &c, piece);

        ok(error < 0, "%s names an error", c.word[0]);
        while (v.error == error && strcmp(v.stage, c.word[1]) == 0 && --piece > 0)
            v = judge(response, "GET", &c, piece);
        ok(piece == 0, "%s: %s at %s", c.word[0], c.word[2], c.word[1]);
        if (piece != 0)
            diag("got %d at %s in pieces of %zu", v.error, v.stage, piece);
        http_case_free(&c);
    }
    fclose(file);
    ok(count >= least, "%s has %d cases or more: %d", file_name, least, count);
}

static int fits(const struct verdict *v, const char *kind, const char *keep, const char *expected,
                size_t expected_len)
{
    static const char *const kinds[] = { "none", "length", "chunked", "close", "tunnel" };

    return v->error == 0 && strcmp(kinds[v->framing.kind], kind) == 0 &&
           strcmp(v->framing.keep_alive ? "keep" : "close", keep) == 0 &&
           (v->framing.length == (v->framing.kind == HTTP_BODY_LENGTH ? expected_len : 0)) &&
           v->body_len == expected_len && memcmp(v->body, expected, expected_len) == 0;
}

static void good(int response, const char *file_name)
{
    FILE *file = http_cases_open(file_name);
    struct http_case c;
    int count = 0;

    for (; http_case_next(file, 5, &c); count++) {
        const char *expected = strcmp(c.word[4], "-") == 0 ? "" : c.word[4];
        size_t expected_len = *expected ? unescape(c.word[4]) : 0;
        size_t piece = c.len;
        struct verdict v = judge(response, c.word[1], &c, piece);

        while (fits(&v, c.word[2], c.word[3], expected, expected_len) && --piece > 0)
            v = judge(response, c.word[1], &c, piece);
        ok(piece == 0, "%s %s: %s, %s", file_name, c.word[0], c.word[2], c.word[3]);
        if (piece != 0)
            diag("got error %d, kind %d, keep %d, %zu bytes in pieces of %zu", v.error,
                 v.framing.kind, v.framing.keep_alive, v.body_len, piece);
        http_case_free(&c);
    }
    fclose(file);
    ok(count > 30, "%s has its cases: %d", file_name, count);
}

int main(void)
{
    bad(0, "http_bad_requests.txt", 60);
    bad(1, "http_bad_responses.txt", 40);
    good(0, "http_good_requests.txt");
    good(1, "http_good_responses.txt");
    return done_testing();
}
