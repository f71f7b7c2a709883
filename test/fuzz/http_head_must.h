/* What holds for request and response heads alike. */
#ifndef ADIT_TEST_HTTP_HEAD_MUST_H
#define ADIT_TEST_HTTP_HEAD_MUST_H

#include "must.h"

#include "err.h"
#include "codec/http.h"

typedef int head_parser(const uint8_t *in, size_t n, size_t from, struct http_head *head);

/* Fed in pieces, a head gives at the first line that decides what it gives as a whole. */
static inline void head_in_pieces(head_parser *parse, const uint8_t *in, size_t n, size_t piece,
                                  int whole)
{
    struct http_head head;
    size_t have = 0;
    int got = 0;

    while (got == 0 && have < n) {
        size_t from = have;

        have = n - have < piece ? n : have + piece;
        got = parse(in, have, from, &head);
    }
    MUST(got == whole);
}

static inline int inside(struct str s, const uint8_t *in, size_t n)
{
    return s.n == 0 || (s.p >= in && s.n <= n && (size_t)(s.p - in) <= n - s.n);
}

/* No reader that takes a bare CR or LF for the end of a line, or NUL for that of a string, sees
 * another head. */
static inline void head_is_plain(const uint8_t *in, size_t n)
{
    MUST(n >= 4 && memcmp(in + n - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < n; i++) {
        MUST(in[i] != '\0');
        MUST(in[i] != '\n' || (i > 0 && in[i - 1] == '\r'));
        MUST(in[i] != '\r' || (i + 1 < n && in[i + 1] == '\n'));
    }
}

/* Every field has a name and a value that may be sent on; together they are all of the lines. */
static inline void fields_are_good(struct str fields, const uint8_t *in, size_t n)
{
    struct str rest = fields;
    struct str name;
    struct str value;
    size_t lines = 0;

    while (http_field_next(&rest, &name, &value)) {
        struct str found;

        MUST(inside(name, in, n) && inside(value, in, n));
        MUST(http_name_valid(name) && name.n <= HTTP_NAME_MAX && http_value_valid(value));
        MUST(value.n == 0 || (value.p[0] != ' ' && value.p[0] != '\t' &&
                              value.p[value.n - 1] != ' ' && value.p[value.n - 1] != '\t'));
        while (http_list_next(&value, &found))
            MUST(found.n > 0 && inside(found, in, n));
        lines++;
    }
    for (size_t i = 0; i < fields.n; i++)
        lines -= fields.p[i] == '\n';
    MUST(lines == 0);
}

static inline void head_holds(head_parser *parse, const uint8_t *in, size_t n, size_t piece,
                              struct http_head *head, int *got)
{
    *got = parse(in, n, 0, head);
    head_in_pieces(parse, in, n, piece, *got);
    MUST(*got >= 0 || *got == ERR_HTTP || *got == ERR_HTTP_VERSION || *got == ERR_HTTP_SIZE);
    if (*got <= 0)
        return;
    MUST((size_t)*got == head->len && head->len <= n && head->minor <= 1);
    head_is_plain(in, head->len);
    MUST(inside(head->fields, in, head->len));
    fields_are_good(head->fields, in, head->len);
}

/* The head written anew from its parts. Returns its length. */
static inline size_t head_write(const struct http_head *head, uint8_t *out, size_t cap)
{
    struct str rest = head->fields;
    struct str name;
    struct str value;
    struct writer w;

    writer_init(&w, out, cap);
    if (head->status == 0) {
        writer_str(&w, head->method);
        writer_u8(&w, ' ');
        writer_str(&w, head->target);
        writer_text(&w, head->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
    } else {
        writer_text(&w, head->minor ? "HTTP/1.1 " : "HTTP/1.0 ");
        writer_u64(&w, head->status);
        writer_u8(&w, ' ');
        writer_str(&w, head->reason);
        writer_text(&w, "\r\n");
    }
    while (http_field_next(&rest, &name, &value)) {
        writer_str(&w, name);
        writer_text(&w, ": ");
        writer_str(&w, value);
        writer_text(&w, "\r\n");
    }
    writer_text(&w, "\r\n");
    MUST(writer_fits(&w));
    return w.len;
}

/* parse(write(x)) is x; writing that again changes nothing. */
static inline void head_round_trip(head_parser *parse, const struct http_head *head)
{
    size_t cap = head->len * 2 + 64;
    uint8_t *first = malloc(cap);
    uint8_t *second = malloc(cap);
    struct http_head again;
    size_t n;

    MUST(first && second);
    n = head_write(head, first, cap);
    MUST(parse(first, n, 0, &again) == (int)n);
    MUST(str_eq(again.method, head->method) && str_eq(again.target, head->target));
    MUST(again.status == head->status && str_eq(again.reason, head->reason));
    MUST(again.minor == head->minor);
    MUST(head_write(&again, second, cap) == n && memcmp(first, second, n) == 0);
    free(first);
    free(second);
}

#endif
