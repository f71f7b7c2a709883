/*
 * Feeds bytes to a link and writes down what it tells, in a form that does not depend on how the
 * bytes were cut. For unit tests and fuzz targets; a broken rule aborts.
 */
#ifndef ADIT_TEST_LINK_TRACE_H
#define ADIT_TEST_LINK_TRACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "core/link.h"

#define TRACE_MUST(condition)                                                                     \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "# %s:%d: not %s\n", __FILE__, __LINE__, #condition);                 \
            abort();                                                                              \
        }                                                                                         \
    } while (0)

struct trace {
    struct link link;
    char *text; /* events, bodies joined */
    size_t len, room;
    bool in_message;
    bool closed; /* nothing comes after a close frame */
    int err;
    unsigned heads, ends;
};

static inline void trace_init(struct trace *t, bool client, enum upgrade_protocol protocol)
{
    memset(t, 0, sizeof *t);
    link_init(&t->link, client, protocol);
}

static inline void trace_free(struct trace *t)
{
    free(t->text);
    t->text = NULL;
}

static inline void trace_add(struct trace *t, const void *p, size_t n)
{
    if (t->len + n + 1 > t->room) {
        t->room = (t->len + n + 1) * 2;
        t->text = realloc(t->text, t->room);
        TRACE_MUST(t->text != NULL);
    }
    if (n > 0)
        memcpy(t->text + t->len, p, n);
    t->len += n;
    t->text[t->len] = '\0';
}

static inline void trace_word(struct trace *t, const char *word)
{
    trace_add(t, word, strlen(word));
}

/* The head as TLV, which is the same whatever it came in. */
static inline void trace_msg(struct trace *t)
{
    struct wire_msg m = t->link.in.msg;
    uint8_t out[2 * WIRE_HEAD_MAX];
    struct writer w;

    m.has &= ~(WIRE_HAS(WIRE_BODY) | WIRE_HAS(WIRE_MORE));
    if (t->link.in.too_big)
        m.has &= WIRE_HAS(WIRE_ID);
    writer_init(&w, out, sizeof out);
    wire_put(&w, WIRE_TLV, &m);
    TRACE_MUST(writer_fits(&w));
    trace_word(t, t->link.in.too_big ? "<big" : "<");
    trace_add(t, out, writer_stored(&w));
    trace_word(t, ">");
}

static inline void trace_event(struct trace *t, enum link_event ev)
{
    char text[32], letter;

    switch (ev) {
    case LINK_HEAD:
        TRACE_MUST(!t->in_message);
        t->in_message = true;
        t->heads++;
        trace_msg(t);
        break;
    case LINK_BODY:
        TRACE_MUST(t->in_message && t->link.in.body.n > 0);
        trace_add(t, t->link.in.body.p, t->link.in.body.n);
        break;
    case LINK_END:
        TRACE_MUST(t->in_message);
        t->in_message = false;
        t->ends++;
        trace_word(t, t->link.in.msg.more ? "+." : ".");
        break;
    case LINK_PING:
    case LINK_PONG:
    case LINK_CLOSE:
        letter = "ioc"[ev - LINK_PING];
        snprintf(text, sizeof text, "{%c%u,", letter, t->link.close_code);
        trace_word(t, text);
        trace_add(t, t->link.control, t->link.control_len);
        trace_word(t, "}");
        break;
    default:
        break;
    }
}

/* One piece, in a buffer of exactly its length; `again`: at most so many bytes of what an event
 * left are given next, 0: all. */
static inline void trace_piece(struct trace *t, const uint8_t *p, size_t n, size_t again)
{
    uint8_t *copy = malloc(n ? n : 1);
    size_t at = 0;
    size_t give = n;
    enum link_event ev = LINK_HEAD;

    TRACE_MUST(copy != NULL);
    memcpy(copy, p, n);
    while (t->err == 0 && !t->closed && (at < n || ev != LINK_MORE)) {
        int used = link_recv(&t->link, copy + at, give, &ev);

        if (used < 0) {
            t->err = used;
            break;
        }
        TRACE_MUST((size_t)used <= give && (ev != LINK_MORE || (size_t)used == give));
        trace_event(t, ev);
        at += (size_t)used;
        give = again > 0 && again < n - at ? again : n - at;
        t->closed = ev == LINK_CLOSE;
    }
    free(copy);
}

/* In pieces of `step` bytes, after a first one of `first` (0: none). */
static inline void trace_all(struct trace *t, const uint8_t *p, size_t n, size_t first, size_t step,
                             size_t again)
{
    size_t at = 0;

    while (at < n && t->err == 0) {
        size_t len = at == 0 && first > 0 ? first : step;

        if (len > n - at)
            len = n - at;
        trace_piece(t, p + at, len, again);
        at += len;
    }
    if (t->err < 0)
        TRACE_MUST(link_recv(&t->link, NULL, 0, &(enum link_event){ LINK_MORE }) == t->err);
}

#endif
