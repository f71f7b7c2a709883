#include "codec/json.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"

/* What may come next. A zeroed tokenizer awaits a value. */
enum state {
    VALUE,
    FIRST_VALUE, /* or the end of the array */
    FIRST_KEY,   /* or the end of the object */
    KEY,
    COLON,
    AFTER, /* a comma, or the end of the object or array */
    DONE,
    STRING,
    ESCAPE,    /* the character after a backslash */
    HEX,       /* `sub` of four digits read */
    PAIR,      /* the backslash of a low surrogate's escape */
    PAIR_U,    /* its u */
    NUMBER,    /* `sub` is an enum number */
    LITERAL,   /* `sub` is an index into literals */
};

/* Section 6: the part of a number that was read last. */
enum number { ENDS, SIGN, ZERO, INTEGER, POINT, FRACTION, E, E_SIGN, EXPONENT };

static const char literals[] = "true\0false\0null";
enum { AT_TRUE = 0, AT_FALSE = 5, AT_NULL = 11 };

static const uint8_t replacement[3] = { 0xef, 0xbf, 0xbd };

static size_t fail(struct json *j, int err)
{
    j->err = err;
    return 0;
}

static bool in_object(const struct json *j)
{
    unsigned at = j->depth - 1;

    return j->depth > 0 && (j->nest[at / 8] >> at % 8 & 1) != 0;
}

static uint8_t after_value(const struct json *j)
{
    return j->depth > 0 ? AFTER : DONE;
}

static size_t open_level(struct json *j, bool object, struct json_token *t)
{
    unsigned at = j->depth;
    unsigned bit = 1U << at % 8;

    if (at == JSON_DEPTH_MAX)
        return fail(j, ERR_JSON_DEPTH);
    j->nest[at / 8] = (uint8_t)(object ? j->nest[at / 8] | bit : j->nest[at / 8] & ~bit);
    j->depth++;
    j->state = object ? FIRST_KEY : FIRST_VALUE;
    t->kind = object ? JSON_OBJECT : JSON_ARRAY;
    return 1;
}

static size_t close_level(struct json *j, bool object, struct json_token *t)
{
    if (j->depth == 0 || in_object(j) != object)
        return fail(j, ERR_JSON);
    j->depth--;
    j->state = after_value(j);
    t->kind = object ? JSON_OBJECT_END : JSON_ARRAY_END;
    return 1;
}

/* ---- strings, section 7 ---- */

static size_t open_string(struct json *j, bool key)
{
    j->state = STRING;
    j->in_key = key;
    return 1;
}

/* Not at each of its five calls: they are larger than it. */
__attribute__((noinline)) static void give_piece(const struct json *j, const uint8_t *p, size_t n,
                                                 struct json_token *t)
{
    t->kind = j->in_key ? JSON_KEY : JSON_STRING;
    t->piece = (struct str){ p, n };
}

static size_t string(struct json *j, const uint8_t *in, size_t n, struct json_token *t)
{
    size_t run = json_plain_run(in, n);

    if (!utf8_feed(&j->utf8, in, run) || (run < n && !utf8_ends(&j->utf8)))
        return fail(j, ERR_UTF8);
    if (run < n && in[run] < 0x20)
        return fail(j, ERR_JSON);
    if (run > 0)
        give_piece(j, in, run, t);
    if (run == n)
        return n;
    if (in[run] == '\\') {
        j->state = ESCAPE;
        return run + 1;
    }
    give_piece(j, in, run, t);
    t->last = true;
    j->state = j->in_key ? COLON : after_value(j);
    return run + 1;
}

static size_t open_hex(struct json *j)
{
    j->state = HEX;
    j->sub = 0;
    j->code = 0;
    return 1;
}

static size_t escape(struct json *j, uint8_t c, struct json_token *t)
{
    static const char names[8] = "\"\\/bfnrt";
    static const char meant[8] = "\"\\/\b\f\n\r\t";
    const char *name = memchr(names, c, sizeof names);

    if (c == 'u')
        return open_hex(j);
    if (!name)
        return fail(j, ERR_JSON);
    j->piece[0] = (uint8_t)meant[name - names];
    j->state = STRING;
    give_piece(j, j->piece, 1, t);
    return 1;
}

static bool is_high(uint16_t unit)
{
    return (unit & 0xfc00) == 0xd800;
}

static bool is_low(uint16_t unit)
{
    return (unit & 0xfc00) == 0xdc00;
}

/* A UTF-16 code unit is complete. */
static void take_unit(struct json *j, struct json_token *t)
{
    uint16_t high = j->surrogate;
    uint32_t code = is_low(j->code) ? 0xfffd : j->code;
    size_t n = 0;

    j->surrogate = 0;
    j->state = STRING;
    if (high && is_low(j->code)) {
        code = 0x10000 + ((uint32_t)(high & 0x3ff) << 10 | (j->code & 0x3ff));
    } else if (high) {
        memcpy(j->piece, replacement, sizeof replacement);
        n = sizeof replacement;
    }
    if (is_high(j->code)) {
        j->surrogate = j->code;
        j->state = PAIR;
    } else {
        n += utf8_encode(code, j->piece + n);
    }
    if (n > 0)
        give_piece(j, j->piece, n, t);
}

static size_t hex(struct json *j, uint8_t c, struct json_token *t)
{
    int digit = ascii_hex_value(c);

    if (digit < 0)
        return fail(j, ERR_JSON);
    j->code = (uint16_t)((unsigned)j->code << 4 | (unsigned)digit);
    if (++j->sub == 4)
        take_unit(j, t);
    return 1;
}

/* After a high surrogate only \u may follow; else that one stood alone, and `c` is read anew. */
static size_t pair(struct json *j, uint8_t c, struct json_token *t)
{
    if (j->state == PAIR && c == '\\') {
        j->state = PAIR_U;
        return 1;
    }
    if (j->state == PAIR_U && c == 'u')
        return open_hex(j);
    j->state = j->state == PAIR ? STRING : ESCAPE;
    j->surrogate = 0;
    give_piece(j, replacement, sizeof replacement, t);
    return 0;
}

/* ---- numbers and literals, sections 6 and 3 ---- */

static enum number number_next(uint8_t part, uint8_t c)
{
    bool digit = ascii_is_digit(c);

    switch (part) {
    case SIGN:
        return c == '0' ? ZERO : digit ? INTEGER : ENDS;
    case ZERO:
    case INTEGER:
        if (digit && part == INTEGER)
            return INTEGER;
        if (c == '.')
            return POINT;
        break;
    case POINT:
        return digit ? FRACTION : ENDS;
    case FRACTION:
        if (digit)
            return FRACTION;
        break;
    case E:
        if (c == '+' || c == '-')
            return E_SIGN;
        return digit ? EXPONENT : ENDS;
    default:
        return digit ? EXPONENT : ENDS;
    }
    return ascii_lower(c) == 'e' ? E : ENDS;
}

static void add_digit(struct json *j, uint8_t c)
{
    unsigned digit = c - (unsigned)'0';

    if (j->uint > UINT64_MAX / 10 || j->uint * 10 > UINT64_MAX - digit)
        j->no_uint = true;
    else
        j->uint = j->uint * 10 + digit;
}

static void end_number(struct json *j, struct json_token *t)
{
    if (j->sub != ZERO && j->sub != INTEGER && j->sub != FRACTION && j->sub != EXPONENT) {
        fail(j, ERR_JSON);
        return;
    }
    j->state = after_value(j);
    t->kind = JSON_NUMBER;
    t->is_uint = !j->no_uint;
    t->uint = j->no_uint ? 0 : j->uint;
}

static size_t number(struct json *j, const uint8_t *in, size_t n, struct json_token *t)
{
    for (size_t at = 0; at < n; at++) {
        enum number next = number_next(j->sub, in[at]);

        if (next == ENDS) {
            end_number(j, t);
            return at;
        }
        if (next == ZERO || next == INTEGER)
            add_digit(j, in[at]);
        else
            j->no_uint = true;
        j->sub = (uint8_t)next;
    }
    return n;
}

static size_t open_number(struct json *j, uint8_t c)
{
    j->state = NUMBER;
    j->sub = SIGN;
    j->uint = 0;
    j->no_uint = c == '-';
    return c == '-' ? 1 : 0;
}

static size_t literal(struct json *j, uint8_t c, struct json_token *t)
{
    uint8_t at = j->sub++;

    if (c != (uint8_t)literals[at])
        return fail(j, ERR_JSON);
    if (literals[j->sub] == '\0') {
        t->kind = at < AT_FALSE ? JSON_TRUE : at < AT_NULL ? JSON_FALSE : JSON_NULL;
        j->state = after_value(j);
    }
    return 1;
}

static size_t open_literal(struct json *j, uint8_t at)
{
    j->state = LITERAL;
    j->sub = at;
    return 0;
}

/* ---- structure, sections 2 to 5 ---- */

static size_t value(struct json *j, uint8_t c, struct json_token *t)
{
    switch (c) {
    case '{':
    case '[':
        return open_level(j, c == '{', t);
    case ']':
        return j->state == FIRST_VALUE ? close_level(j, false, t) : fail(j, ERR_JSON);
    case '"':
        return open_string(j, false);
    case 't':
        return open_literal(j, AT_TRUE);
    case 'f':
        return open_literal(j, AT_FALSE);
    case 'n':
        return open_literal(j, AT_NULL);
    default:
        if (c == '-' || ascii_is_digit(c))
            return open_number(j, c);
        return fail(j, ERR_JSON);
    }
}

static size_t structure(struct json *j, uint8_t c, struct json_token *t)
{
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        return 1;
    if (j->state == VALUE || j->state == FIRST_VALUE)
        return value(j, c, t);
    if (c == '"' && (j->state == KEY || j->state == FIRST_KEY))
        return open_string(j, true);
    if (c == '}' && (j->state == FIRST_KEY || j->state == AFTER))
        return close_level(j, true, t);
    if (c == ']' && j->state == AFTER)
        return close_level(j, false, t);
    if (c == ':' && j->state == COLON)
        j->state = VALUE;
    else if (c == ',' && j->state == AFTER)
        j->state = in_object(j) ? KEY : VALUE;
    else
        return fail(j, ERR_JSON);
    return 1;
}

static size_t step(struct json *j, const uint8_t *in, size_t n, struct json_token *t)
{
    switch (j->state) {
    case STRING:
        return string(j, in, n, t);
    case ESCAPE:
        return escape(j, *in, t);
    case HEX:
        return hex(j, *in, t);
    case PAIR:
    case PAIR_U:
        return pair(j, *in, t);
    case NUMBER:
        return number(j, in, n, t);
    case LITERAL:
        return literal(j, *in, t);
    default:
        return structure(j, *in, t);
    }
}

int json_next(struct json *j, const uint8_t *in, size_t n, struct json_token *t)
{
    size_t at = 0;

    *t = (struct json_token){ .kind = JSON_MORE };
    while (at < n && j->err == 0 && t->kind == JSON_MORE)
        at += step(j, in + at, n - at, t);
    return j->err ? j->err : (int)at;
}

int json_end(struct json *j, struct json_token *t)
{
    *t = (struct json_token){ .kind = JSON_MORE };
    if (j->err == 0 && j->state == NUMBER && j->depth == 0)
        end_number(j, t);
    if (j->err == 0 && t->kind == JSON_MORE && j->state != DONE)
        fail(j, ERR_JSON);
    return j->err ? j->err : t->kind == JSON_NUMBER;
}
