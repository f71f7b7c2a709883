/* The input in pieces gives the same verdict as whole and, when it is JSON, the same tokens.
 * Strings are UTF-8, and each is read back the same after the writer wrote it. */
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

enum { INPUT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The tokens as bytes: a mark each; strings joined and ended by a 0xff, which UTF-8 has not. */
struct trace {
    struct writer w;
    size_t string_at;
    bool in_string;
    uint8_t bytes[4 * INPUT_MAX + 64];
};

static struct trace whole, parts;

static void expect(bool property)
{
    if (!property)
        abort();
}

static void check_string(const uint8_t *p, size_t n)
{
    static uint8_t text[6 * INPUT_MAX + 2];
    struct json j = { 0 };
    struct json_token t;
    struct utf8 u = { 0 };
    struct writer w;
    size_t at = 0, same = 0;

    expect(utf8_feed(&u, p, n) && utf8_ends(&u));
    writer_init(&w, text, sizeof text);
    json_write_string(&w, (struct str){ p, n });
    expect(writer_fits(&w));
    do {
        int used = json_next(&j, text + at, w.len - at, &t);

        expect(used >= 0 && t.kind == JSON_STRING && t.piece.n <= n - same);
        expect(t.piece.n == 0 || memcmp(t.piece.p, p + same, t.piece.n) == 0);
        at += (size_t)used;
        same += t.piece.n;
    } while (!t.last);
    expect(at == w.len && same == n && json_end(&j, &t) == 0);
}

static void note(struct trace *trace, const struct json_token *t)
{
    bool string = t->kind == JSON_KEY || t->kind == JSON_STRING;

    if (!trace->in_string) {
        writer_u8(&trace->w, (uint8_t)t->kind);
        trace->string_at = trace->w.len;
    }
    expect(!trace->in_string || string);
    trace->in_string = string && !t->last;
    writer_str(&trace->w, t->piece);
    if (string && t->last) {
        if (trace == &whole)
            check_string(trace->bytes + trace->string_at, trace->w.len - trace->string_at);
        writer_u8(&trace->w, 0xff);
    }
    if (t->kind == JSON_NUMBER && t->is_uint)
        writer_be(&trace->w, t->uint, 8);
    expect(writer_fits(&trace->w));
}

static int feed(struct json *j, const uint8_t *in, size_t n, struct trace *trace)
{
    struct json_token t;
    size_t at = 0;

    do {
        int used = json_next(j, in + at, n - at, &t);

        if (used < 0)
            return used;
        expect((size_t)used <= n - at && j->depth <= JSON_DEPTH_MAX);
        at += (size_t)used;
        if (t.kind != JSON_MORE)
            note(trace, &t);
    } while (t.kind != JSON_MORE);
    expect(at == n);
    return 0;
}

static int judge(const uint8_t *in, size_t n, size_t step, struct trace *trace)
{
    struct json j = { 0 };
    struct json_token t;
    int result = 0;

    writer_init(&trace->w, trace->bytes, sizeof trace->bytes);
    trace->in_string = false;
    for (size_t at = 0; at < n && result == 0; at += step)
        result = feed(&j, in + at, step < n - at ? step : n - at, trace);
    if (result == 0 && (result = json_end(&j, &t)) == 1) {
        note(trace, &t);
        result = json_end(&j, &t);
    }
    expect(result == 0 || result == ERR_JSON || result == ERR_UTF8 || result == ERR_JSON_DEPTH);
    expect(result == 0 ? j.depth == 0 && !trace->in_string : json_end(&j, &t) == result);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int result;

    if (size == 0 || size > INPUT_MAX)
        return 0;
    result = judge(data + 1, size - 1, size, &whole);
    expect(judge(data + 1, size - 1, 1 + data[0] % 17, &parts) == result);
    if (result == 0)
        expect(whole.w.len == parts.w.len && memcmp(whole.bytes, parts.bytes, whole.w.len) == 0);
    return 0;
}
