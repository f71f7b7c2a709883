/*
 * Cursors over byte buffers, with the bounds checked in one place. What reads bytes as they come,
 * or moves them within a buffer, has its own arithmetic and says so.
 *
 * struct str     a slice: not terminated, not owned; p may be NULL when n is 0.
 * struct reader  consumes a slice. A read beyond the end returns zeroes and sets `bad`, which
 *                stays: check it once, after a group of reads.
 * struct writer  fills a caller's buffer through a window: the first `skip` bytes written are
 *                dropped, the next `cap` are stored, the rest only counted. An encoder that is a
 *                pure function of its message becomes resumable that way: run it again with a
 *                larger skip. `len` counts everything.
 */
#ifndef ADIT_BUF_H
#define ADIT_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const uint8_t *p;
    size_t n;
};

/* A literal as a slice: STR("host"). */
#define STR(literal) ((struct str){ (const uint8_t *)(literal), sizeof(literal) - 1 })

struct str str_of(const char *terminated);
bool str_eq(struct str a, struct str b);
/* ASCII case folded (RFC 9110 section 5.1: field names). */
bool str_ieq(struct str a, struct str b);

/* What is left of s behind its first n bytes; n is at most s.n. */
struct str str_from(struct str s, size_t n);
/* Takes `prefix` off *s; false, and nothing changes, when s begins otherwise. */
bool str_take(struct str *s, struct str prefix);
/* Where the first `byte` is; s.n when there is none. */
size_t str_find(struct str s, uint8_t byte);
/* Takes what is before the first `end` off *rest, and that `end`; all of it when there is none. */
struct str str_take_until(struct str *rest, uint8_t end);
/* Takes the first word off *rest; an empty one when there are no more. What is between words is
 * white space or other control characters. */
struct str str_take_word(struct str *rest);
/* Without the spaces and tabs around it (RFC 9110 section 5.6.3: OWS). */
struct str str_trim(struct str s);

/* Lists of texts in one literal, each ended by NUL: no table of pointers is needed.
 * The one at `at`, below the count. */
const char *texts_at(const char *texts, unsigned at);
/* Which of them s is, by str_eq or str_ieq; `count` when it is none of them. */
unsigned texts_find(const char *texts, unsigned count, struct str s,
                    bool (*equal)(struct str, struct str));

struct reader {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

void reader_init(struct reader *r, const uint8_t *p, size_t n);
size_t reader_left(const struct reader *r);
uint8_t reader_u8(struct reader *r);
/* Big-endian, n of 1 to 8 bytes. */
uint64_t reader_be(struct reader *r, size_t n);
/* The next n bytes as a slice of the input; {NULL, 0} and bad when fewer are left. */
struct str reader_str(struct reader *r, size_t n);

struct writer {
    uint8_t *out;
    size_t cap;
    size_t skip;
    size_t len;
};

void writer_init(struct writer *w, uint8_t *out, size_t cap);
void writer_init_at(struct writer *w, uint8_t *out, size_t cap, size_t skip);
/* Bytes that lie in `out` now: min(cap, len - skip). */
size_t writer_stored(const struct writer *w);
/* True when everything written so far fitted the window. */
bool writer_fits(const struct writer *w);
void writer_u8(struct writer *w, uint8_t byte);
/* Big-endian, n of 1 to 8 bytes. */
void writer_be(struct writer *w, uint64_t value, size_t n);
/* p may lie in `out`, at or behind where it is written. */
void writer_bytes(struct writer *w, const void *p, size_t n);
void writer_str(struct writer *w, struct str s);
/* Decimal. */
void writer_u64(struct writer *w, uint64_t value);
/* A terminated string, without its terminator. */
void writer_text(struct writer *w, const char *text);

#endif
