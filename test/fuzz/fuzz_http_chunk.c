/*
 * Input: a byte of piece length, then bytes that may be a chunked body.
 * Properties: in pieces as in one; both as a decoder that reads the whole body by the grammar of
 * RFC 9112 section 7.1; what chunks were written from comes back.
 */
#include "must.h"

#include "codec/ascii.h"
#include "err.h"
#include "codec/http.h"

struct result {
    int verdict; /* 1 done, 0 more is needed, ERR_HTTP */
    size_t used;
    uint8_t *data;
    size_t len;
};

/* ---- the reference: by lines, over all the bytes at once ---- */

/* Finds the line at `at`: 1 and its length without CR LF, 0 when it is cut off but good so far,
 * ERR_HTTP for a bare CR or LF, a control character, or one too long. */
static int line_at(const uint8_t *in, size_t n, size_t at, size_t *len)
{
    for (size_t i = at; i < n; i++) {
        if (i - at >= HTTP_CHUNK_LINE_MAX)
            return ERR_HTTP;
        if (in[i] == '\r') {
            *len = i - at;
            if (i + 1 == n)
                return 0;
            return in[i + 1] == '\n' && i + 2 - at <= HTTP_CHUNK_LINE_MAX ? 1 : ERR_HTTP;
        }
        if ((in[i] < 0x20 && in[i] != '\t') || in[i] == 0x7f)
            return ERR_HTTP;
    }
    *len = n - at;
    return 0;
}

/* A size line, or the beginning of one: is it good so far, and what does it say? */
static bool size_good(const uint8_t *p, size_t len, bool whole, uint64_t *size)
{
    size_t i = 0;

    *size = 0;
    while (i < len && ascii_hex_value(p[i]) >= 0) {
        *size = *size * 16 + (unsigned)ascii_hex_value(p[i++]);
        if (i > 16 || *size > INT64_MAX)
            return false;
    }
    if (i == 0)
        return !whole && len == 0;
    if (i == len || p[i] == ';')
        return true;
    while (i < len && (p[i] == ' ' || p[i] == '\t'))
        i++;
    return i < len ? p[i] == ';' : !whole;
}

static bool trailer_good(const uint8_t *p, size_t len, bool whole)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] == ':')
            return i > 0;
        if (!ascii_is_tchar(p[i]))
            return false;
    }
    return !whole;
}

static int reference_trailers(const uint8_t *in, size_t n, size_t at, size_t *end)
{
    size_t began = at;

    for (;;) {
        size_t len;
        int got = line_at(in, n, at, &len);
        bool cut = got == 0 && at + len < n; /* ends in CR */

        if (got < 0 || !trailer_good(in + at, len, (got == 1 || cut) && len > 0))
            return ERR_HTTP;
        if ((got == 1 ? at + len + 2 : n) - began > HTTP_TRAILER_MAX)
            return ERR_HTTP;
        if (got == 0)
            return 0;
        at += len + 2;
        *end = at;
        if (len == 0)
            return 1;
    }
}

static struct result reference(const uint8_t *in, size_t n)
{
    struct result r = { .data = malloc(n + 1) };
    size_t at = 0;

    MUST(r.data);
    for (;;) {
        uint64_t size;
        size_t len;
        int got = line_at(in, n, at, &len);
        bool cut = got == 0 && at + len < n;
        size_t take;

        r.verdict = got;
        if (got >= 0 && !size_good(in + at, len, got == 1 || cut, &size))
            r.verdict = ERR_HTTP;
        if (r.verdict <= 0)
            return r;
        at += len + 2;
        if (size == 0) {
            r.verdict = reference_trailers(in, n, at, &r.used);
            return r;
        }
        take = size < n - at ? (size_t)size : n - at;
        memcpy(r.data + r.len, in + at, take);
        r.len += take;
        at += take;
        r.verdict = 0;
        if (take < size || at == n)
            return r;
        r.verdict = in[at] == '\r' && (at + 1 == n || in[at + 1] == '\n') ? 0 : ERR_HTTP;
        at += 2;
        if (r.verdict < 0 || at > n)
            return r;
    }
}

/* ---- ours ---- */

static struct result decode(const uint8_t *in, size_t n, size_t piece)
{
    struct result r = { .data = malloc(n + 1) };
    struct http_chunk c = { 0 };

    MUST(r.data);
    while (r.used < n && !c.done) {
        size_t len = n - r.used < piece ? n - r.used : piece;
        uint8_t *copy = malloc(len);
        size_t got;
        int used;

        MUST(copy);
        memcpy(copy, in + r.used, len);
        used = http_chunk_decode(&c, copy, len, &got);
        memcpy(r.data + r.len, copy, got);
        r.len += got;
        free(copy);
        MUST(used < 0 || (size_t)used == len || c.done);
        if (used < 0) {
            r.verdict = used;
            return r;
        }
        r.used += (size_t)used;
    }
    r.verdict = c.done;
    return r;
}

static void same(const struct result *a, const struct result *b)
{
    MUST(a->verdict == b->verdict);
    MUST(a->verdict != 1 || a->used == b->used);
    MUST(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

/* Cuts the input into chunks, and takes it out of them again. */
static void round_trip(const uint8_t *in, size_t n, size_t piece)
{
    size_t cap = n + (n / piece + 2) * (HTTP_CHUNK_HEAD_MAX + 2) + 5;
    uint8_t *coded = malloc(cap);
    struct result r;
    size_t len = 0;

    MUST(coded);
    for (size_t at = 0; at < n; at += piece) {
        size_t part = n - at < piece ? n - at : piece;

        len += http_chunk_head((uint32_t)part, coded + len);
        memcpy(coded + len, in + at, part);
        len += part;
        memcpy(coded + len, "\r\n", 2);
        len += 2;
    }
    memcpy(coded + len, "0\r\n\r\n", 5);
    r = decode(coded, len + 5, cap);
    MUST(r.verdict == 1 && r.used == len + 5 && r.len == n && memcmp(r.data, in, n) == 0);
    free(r.data);
    free(coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result expected, whole, pieces;

    if (size < 2)
        return 0;
    expected = reference(data + 1, size - 1);
    whole = decode(data + 1, size - 1, size);
    pieces = decode(data + 1, size - 1, (size_t)data[0] % 32 + 1);
    same(&whole, &expected);
    same(&pieces, &expected);
    free(expected.data);
    free(whole.data);
    free(pieces.data);
    round_trip(data + 1, size - 1, (size_t)data[0] + 1);
    return 0;
}
