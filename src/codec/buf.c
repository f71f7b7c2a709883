#include "codec/buf.h"

#include <string.h>

#include "check.h"
#include "codec/ascii.h"

struct str str_of(const char *terminated)
{
    return (struct str){ (const uint8_t *)terminated, strlen(terminated) };
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_ieq(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    }
    return true;
}

struct str str_from(struct str s, size_t n)
{
    CHECK(n <= s.n);
    return (struct str){ s.p + n, s.n - n };
}

bool str_take(struct str *s, struct str prefix)
{
    if (s->n < prefix.n || !str_eq((struct str){ s->p, prefix.n }, prefix))
        return false;
    *s = str_from(*s, prefix.n);
    return true;
}

size_t str_find(struct str s, uint8_t byte)
{
    const uint8_t *at = s.n > 0 ? memchr(s.p, byte, s.n) : NULL;

    return at == NULL ? s.n : (size_t)(at - s.p);
}

struct str str_take_until(struct str *rest, uint8_t end)
{
    struct str taken = { rest->p, str_find(*rest, end) };

    *rest = str_from(*rest, taken.n < rest->n ? taken.n + 1 : taken.n);
    return taken;
}

struct str str_take_word(struct str *rest)
{
    struct str word;

    while (rest->n > 0 && rest->p[0] <= ' ')
        *rest = str_from(*rest, 1);
    word = (struct str){ rest->p, 0 };
    while (word.n < rest->n && word.p[word.n] > ' ')
        word.n++;
    *rest = str_from(*rest, word.n);
    return word;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = str_from(s, 1);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

const char *texts_at(const char *texts, unsigned at)
{
    while (at-- > 0)
        texts += strlen(texts) + 1;
    return texts;
}

unsigned texts_find(const char *texts, unsigned count, struct str s,
                    bool (*equal)(struct str, struct str))
{
    unsigned at = 0;

    for (; at < count; at++) {
        struct str text = str_of(texts);

        if (equal(text, s))
            break;
        texts += text.n + 1;
    }
    return at;
}

void reader_init(struct reader *r, const uint8_t *p, size_t n)
{
    r->p = p;
    r->end = n ? p + n : p;
    r->bad = false;
}

size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->p);
}

/* What is left of a reader that failed is not to be trusted as aligned to a field. */
static void fail(struct reader *r)
{
    r->p = r->end;
    r->bad = true;
}

uint8_t reader_u8(struct reader *r)
{
    if (r->p == r->end) {
        fail(r);
        return 0;
    }
    return *r->p++;
}

uint64_t reader_be(struct reader *r, size_t n)
{
    uint64_t value = 0;

    if (n > reader_left(r)) {
        fail(r);
        return 0;
    }
    while (n-- > 0)
        value = value << 8 | *r->p++;
    return value;
}

struct str reader_str(struct reader *r, size_t n)
{
    struct str s = { r->p, n };

    if (n > reader_left(r)) {
        fail(r);
        return (struct str){ NULL, 0 };
    }
    if (n)
        r->p += n;
    return s;
}

void writer_init(struct writer *w, uint8_t *out, size_t cap)
{
    writer_init_at(w, out, cap, 0);
}

/* Not at each of its ten calls: they are larger than it. */
__attribute__((noinline)) void writer_init_at(struct writer *w, uint8_t *out, size_t cap,
                                              size_t skip)
{
    w->out = out;
    w->cap = cap;
    w->skip = skip;
    w->len = 0;
}

size_t writer_stored(const struct writer *w)
{
    size_t past = w->len > w->skip ? w->len - w->skip : 0;

    return past < w->cap ? past : w->cap;
}

bool writer_fits(const struct writer *w)
{
    return w->len <= w->skip || w->len - w->skip <= w->cap;
}

void writer_u8(struct writer *w, uint8_t byte)
{
    if (w->len >= w->skip && w->len - w->skip < w->cap)
        w->out[w->len - w->skip] = byte;
    w->len++;
}

void writer_be(struct writer *w, uint64_t value, size_t n)
{
    while (n-- > 0)
        writer_u8(w, (uint8_t)(value >> 8 * n));
}

void writer_bytes(struct writer *w, const void *p, size_t n)
{
    size_t drop = w->skip > w->len ? w->skip - w->len : 0;
    size_t room = w->cap - writer_stored(w);

    if (n > drop && room > 0) {
        size_t keep = n - drop < room ? n - drop : room;

        memmove(w->out + writer_stored(w), (const uint8_t *)p + drop, keep);
    }
    w->len += n;
}

void writer_str(struct writer *w, struct str s)
{
    writer_bytes(w, s.p, s.n);
}

void writer_u64(struct writer *w, uint64_t value)
{
    uint8_t digits[20];

    writer_bytes(w, digits, ascii_from_u64(value, digits));
}

void writer_text(struct writer *w, const char *text)
{
    writer_bytes(w, text, strlen(text));
}
