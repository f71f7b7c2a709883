#include "codec/json.h"

#include <string.h>

#include "codec/ascii.h"

/* True when no byte of the word is a quote, a backslash or a control character. */
static bool word_is_plain(size_t word)
{
    const size_t ones = (size_t)-1 / 255;
    size_t quote = word ^ ones * '"';
    size_t slash = word ^ ones * '\\';
    size_t control = (word - ones * 0x20) & ~word;

    quote = (quote - ones) & ~quote;
    slash = (slash - ones) & ~slash;
    return ((quote | slash | control) & ones * 0x80) == 0;
}

size_t json_plain_run(const uint8_t *p, size_t n)
{
    size_t at = 0;
    size_t word;

    for (; n - at >= sizeof word; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        if (!word_is_plain(word))
            break;
    }
    while (at < n && p[at] >= 0x20 && p[at] != '"' && p[at] != '\\')
        at++;
    return at;
}

/*
 * Length of the UTF-8 character at p, or minus the bytes that begin none: as many as one U+FFFD
 * stands for (Unicode section 3.9, "substitution of maximal subparts").
 */
static int char_len(const uint8_t *p, size_t n)
{
    struct utf8 u = { 0 };
    int len = 0;

    while ((size_t)len < n) {
        if (!utf8_feed(&u, p + len, 1))
            return len > 0 ? -len : -1;
        len++;
        if (utf8_ends(&u))
            return len;
    }
    return -len;
}

/* Bytes without any that section 7 escapes. */
static void write_plain(struct writer *w, const uint8_t *p, size_t n)
{
    struct utf8 u = { 0 };

    if (utf8_feed(&u, p, n) && utf8_ends(&u)) {
        writer_bytes(w, p, n);
        return;
    }
    while (n > 0) {
        int len = char_len(p, n);
        size_t used = (size_t)(len < 0 ? -len : len);

        if (len < 0)
            writer_text(w, "\xef\xbf\xbd");
        else
            writer_bytes(w, p, used);
        p += used;
        n -= used;
    }
}

static void write_escape(struct writer *w, uint8_t c)
{
    /* From \b (8) to \r (13); 11 has no short form. */
    static const char names[6] = { 'b', 't', 'n', 0, 'f', 'r' };

    writer_u8(w, '\\');
    if (c >= 0x20) {
        writer_u8(w, c);
    } else if (c >= 8 && c <= 13 && names[c - 8]) {
        writer_u8(w, (uint8_t)names[c - 8]);
    } else {
        writer_text(w, "u00");
        writer_u8(w, ascii_hex_digit(c >> 4));
        writer_u8(w, ascii_hex_digit(c));
    }
}

void json_write_string(struct writer *w, struct str s)
{
    writer_u8(w, '"');
    for (;;) {
        size_t run = json_plain_run(s.p, s.n);

        write_plain(w, s.p, run);
        if (run == s.n)
            break;
        write_escape(w, s.p[run]);
        s.p += run + 1;
        s.n -= run + 1;
    }
    writer_u8(w, '"');
}
