/*
 * Feeds one whole message to the decoder in pieces and collects what it tells, checking on the way
 * what must hold for every message. For unit tests and fuzz targets; a broken rule aborts.
 */
#ifndef ADIT_TEST_WIRE_FEED_H
#define ADIT_TEST_WIRE_FEED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/wire.h"

#define MUST(condition)                                                                           \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "# %s:%d: not %s\n", __FILE__, __LINE__, #condition);                 \
            abort();                                                                              \
        }                                                                                         \
    } while (0)

struct feed {
    struct wire_in in;
    uint8_t *arena;
    uint8_t *body;
    size_t body_len;
    size_t pieces;
    int err;
    size_t error_at;  /* bytes consumed before the call that failed */
    size_t head_at;   /* bytes consumed when the head was told */
    bool head, end;
};

static inline void feed_event(struct feed *f, enum wire_event ev, size_t at)
{
    MUST(!f->end);
    if (ev == WIRE_EV_HEAD) {
        MUST(!f->head);
        f->head = true;
        f->head_at = at;
    } else if (ev == WIRE_EV_BODY) {
        MUST(f->head && !f->in.too_big && f->in.body.n > 0);
        MUST(f->in.msg.has & WIRE_HAS(WIRE_BODY));
        f->body = realloc(f->body, f->body_len + f->in.body.n);
        MUST(f->body);
        memcpy(f->body + f->body_len, f->in.body.p, f->in.body.n);
        f->body_len += f->in.body.n;
        f->pieces++;
    } else if (ev == WIRE_EV_END) {
        MUST(f->head);
        f->end = true;
    }
}

/* One piece, in a buffer of exactly its length. */
static inline void feed_piece(struct feed *f, const uint8_t *p, size_t n, size_t at)
{
    uint8_t *copy = malloc(n ? n : 1);
    size_t used = 0;
    enum wire_event ev = WIRE_EV_HEAD;

    MUST(copy);
    memcpy(copy, p, n);
    while (f->err == 0 && (used < n || ev != WIRE_EV_MORE)) {
        int r = wire_in_feed(&f->in, copy + used, n - used, &ev);
        if (r < 0) {
            f->err = r;
            f->error_at = at + used;
            break;
        }
        MUST((size_t)r <= n - used);
        used += (size_t)r;
        MUST(ev != WIRE_EV_END && (ev != WIRE_EV_MORE || used == n));
        feed_event(f, ev, at + used);
    }
    free(copy);
}

/* Pieces of `step` bytes, or, when `first` is not 0, `first` bytes and the rest. */
static inline void feed_all(struct feed *f, enum wire_encoding enc, const uint8_t *p, size_t n,
                            size_t first, size_t step, size_t arena_cap)
{
    memset(f, 0, sizeof *f);
    f->arena = malloc(arena_cap ? arena_cap : 1);
    MUST(f->arena);
    wire_in_begin(&f->in, enc, f->arena, arena_cap);
    for (size_t at = 0, len; at < n && f->err == 0; at += len) {
        len = at == 0 && first ? first : step;
        if (len > n - at)
            len = n - at;
        feed_piece(f, p + at, len, at);
    }
    while (f->err == 0 && !f->end) {
        enum wire_event ev;
        f->err = wire_in_finish(&f->in, &ev);
        f->error_at = n;
        MUST(f->err < 0 || (f->err == 0 && ev != WIRE_EV_MORE));
        if (f->err == 0)
            feed_event(f, ev, n);
    }
    /* What failed stays failed. */
    enum wire_event ev;
    uint8_t byte = 0;
    if (f->err)
        MUST(wire_in_feed(&f->in, &byte, 1, &ev) == f->err);
}

static inline void feed_free(struct feed *f)
{
    free(f->arena);
    free(f->body);
    f->arena = f->body = NULL;
}

/* The message that was read, its body gathered. */
static inline struct wire_msg feed_msg(const struct feed *f)
{
    struct wire_msg m = f->in.msg;

    m.body = (struct str){ f->body, f->body_len };
    return m;
}

static inline bool feed_same_headers(struct str a, struct str b)
{
    struct str a_name, a_value, b_name, b_value;

    while (wire_header_next(&a, &a_name, &a_value)) {
        if (!wire_header_next(&b, &b_name, &b_value))
            return false;
        if (!str_ieq(a_name, b_name) || !str_eq(a_value, b_value))
            return false;
    }
    return !wire_header_next(&b, &b_name, &b_value);
}

/* Same type, fields and values; names of header fields case folded; `headers` without a field is
 * as good as none. */
static inline bool feed_same(const struct wire_msg *a, const struct wire_msg *b)
{
    uint32_t differ = a->has ^ b->has;

    if (a->type != b->type || (differ & ~WIRE_HAS(WIRE_HEADER)))
        return false;
    for (const struct wire_field *f = wire_fields; f < WIRE_FIELDS_END; f++) {
        const void *x = wire_at(a, f), *y = wire_at(b, f);
        const struct str *s = x, *t = y;
        const uint64_t *u = x, *v = y;
        bool number = f->kind == WIRE_KIND_UINT || f->kind == WIRE_KIND_BOOL;
        bool same;

        if (!(f->types & WIRE_TYPE_BIT(a->type)) || !(a->has & WIRE_HAS(f->tag)))
            continue;
        same = f->kind == WIRE_KIND_HEADERS ? feed_same_headers(*s, *t)
             : number ? *u == *v : str_eq(*s, *t);
        if (!same)
            return false;
    }
    return true;
}

/* Encodes to a new buffer. */
static inline uint8_t *feed_encode(enum wire_encoding enc, const struct wire_msg *m, size_t *len)
{
    struct writer w;
    uint8_t *out;

    writer_init(&w, NULL, 0);
    wire_put(&w, enc, m);
    *len = w.len;
    out = malloc(*len);
    MUST(out);
    writer_init(&w, out, *len);
    wire_put(&w, enc, m);
    MUST(w.len == *len && writer_fits(&w));
    return out;
}

#endif
