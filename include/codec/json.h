/*
 * A streaming JSON tokenizer and the writing of strings.
 * Source: RFC 8259. Strict: UTF-8 only, no BOM, one value, nothing after it but white space.
 *
 * The input may be split anywhere; nothing is buffered but a number's value and an escape.
 * Strings come as pieces: slices of the input where it has no escapes, else of the tokenizer
 * itself, so a string of any length costs no memory. A piece may end within a character; the
 * whole string is UTF-8. A surrogate escape without its partner (section 8.2 leaves it open) is
 * U+FFFD: senders make them of visitors' bytes, and one visitor must not end everyone's session.
 * Numbers: value when it is an unsigned integer up to 2^64 - 1 (`is_uint`); others are checked
 * and told without a value, since no message has any and the agent has no floating point.
 */
#ifndef ADIT_JSON_H
#define ADIT_JSON_H

#include "codec/buf.h"
#include "codec/utf8.h"
#include "limits.h"

enum json_kind {
    JSON_MORE,       /* all input consumed, no token complete */
    JSON_OBJECT,     /* { */
    JSON_OBJECT_END, /* } */
    JSON_ARRAY,      /* [ */
    JSON_ARRAY_END,  /* ] */
    JSON_KEY,        /* a piece of a member name; `last` ends it (the piece may be empty) */
    JSON_STRING,     /* a piece of a string value; the same */
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_token {
    enum json_kind kind;
    struct str piece; /* decoded; valid until the next call */
    bool last;
    bool is_uint;
    uint64_t uint;
};

/* Private, but `depth`: how many objects and arrays are open. Zero it to start. */
struct json {
    unsigned depth;
    uint8_t state;
    uint8_t sub;        /* within a literal, number or escape */
    bool in_key;
    int err;
    uint16_t surrogate; /* high half read, low half to come */
    uint16_t code;
    bool no_uint;
    uint64_t uint;
    struct utf8 utf8;
    uint8_t piece[8];
    uint8_t nest[JSON_DEPTH_MAX / 8]; /* a bit a level: 1 = object */
};

/*
 * Consumes input up to the end of the next token or piece; n below 2^31.
 * Returns the bytes consumed (0 to n; t->kind says what came), or ERR_JSON, ERR_JSON_DEPTH,
 * ERR_UTF8; an error stays. A number is told by the byte after it, or by json_end.
 */
int json_next(struct json *j, const uint8_t *in, size_t n, struct json_token *t);

/*
 * The input ends here. Returns 1 with a last token (a top-level number), 0 when the value is
 * complete, or ERR_JSON when it is not. Call again after 1.
 */
int json_end(struct json *j, struct json_token *t);

/* How many bytes come before the first that section 7 escapes: a quote, a backslash or a control
 * character. */
size_t json_plain_run(const uint8_t *p, size_t n);

/* A string with its quotes, escaped as section 7 asks; bytes beyond ASCII pass unchanged, those
 * that are not UTF-8 as U+FFFD. */
void json_write_string(struct writer *w, struct str s);

#endif
