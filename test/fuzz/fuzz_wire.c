/*
 * Input: a byte of encoding and arena size, a byte of piece length, a message.
 * Properties: in pieces as in one, decode(encode(x)) is x in both encodings, any window of an
 * encoding is a part of the whole, nothing outside the arena is written (by the sanitizer).
 */
#include "err.h"
#include "codec/utf8.h"
#include "wire_feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_result(const struct feed *whole, const struct feed *parts)
{
    struct wire_msg a, b;

    MUST((whole->err == 0) == (parts->err == 0));
    if (whole->err)
        return;
    a = feed_msg(whole);
    b = feed_msg(parts);
    MUST(whole->in.too_big == parts->in.too_big);
    MUST(feed_same(&a, &b));
}

static void check_window(enum wire_encoding enc, const struct wire_msg *m, const uint8_t *all,
                         size_t len, size_t skip, size_t cap)
{
    uint8_t *out = malloc(cap ? cap : 1);
    struct writer w;

    MUST(out);
    writer_init_at(&w, out, cap, skip);
    wire_put(&w, enc, m);
    MUST(w.len == len);
    MUST(writer_stored(&w) == (skip >= len ? 0 : len - skip < cap ? len - skip : cap));
    MUST(memcmp(out, all + (skip < len ? skip : 0), writer_stored(&w)) == 0);
    free(out);
}

static bool is_text(struct str s)
{
    struct utf8 u = { 0 };

    return utf8_feed(&u, s.p, s.n) && utf8_ends(&u);
}

static bool names_are_text(struct str rest)
{
    struct str name, value;

    while (wire_header_next(&rest, &name, &value))
        if (!is_text(name))
            return false;
    return true;
}

/* JSON replaces bytes that are not UTF-8: there the text must be a fixed point instead. */
static void round_trip(enum wire_encoding enc, const struct wire_msg *m, size_t room)
{
    size_t len, again_len;
    uint8_t *text = feed_encode(enc, m, &len), *again = NULL;
    struct wire_msg back;
    struct feed f;

    feed_all(&f, enc, text, len, 0, len, room);
    if (enc == WIRE_JSON && f.err == ERR_WIRE_SIZE && !is_text(m->id))
        goto out; /* replacement characters are longer than what they replace */
    MUST(f.err == 0 && !f.in.too_big);
    back = feed_msg(&f);
    if (enc == WIRE_TLV)
        MUST(feed_same(m, &back));
    again = feed_encode(enc, &back, &again_len);
    /* Two names that are not text may have become one. */
    if (enc == WIRE_TLV || names_are_text(m->headers.packed))
        MUST(again_len == len && memcmp(again, text, len) == 0);
    check_window(enc, m, text, len, len / 3, len / 5);
out:
    free(again);
    free(text);
    feed_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed whole, parts;
    struct wire_msg m;

    if (size < 2)
        return 0;
    enum wire_encoding enc = data[0] & 1 ? WIRE_JSON : WIRE_TLV;
    size_t arena = (size_t)(data[0] >> 1) * 8, step = data[1] % 32 + 1u;

    feed_all(&whole, enc, data + 2, size - 2, 0, size, arena);
    feed_all(&parts, enc, data + 2, size - 2, data[1] / 32, step, arena);
    same_result(&whole, &parts);
    m = feed_msg(&whole);
    if (whole.err == 0 && !whole.in.too_big && m.type != WIRE_NONE) {
        round_trip(WIRE_TLV, &m, size * 4);
        round_trip(WIRE_JSON, &m, size * 4);
    }
    feed_free(&whole);
    feed_free(&parts);
    return 0;
}
