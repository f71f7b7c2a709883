#include "codec/wire.h"

#include "codec/ascii.h"
#include "codec/base64.h"
#include "varint.h"

/* What wire_open writes last in TLV form: `more` with its value, the body's tag, its length. */
#define OPEN_MORE 6
#define OPEN_LEN 4

static const struct str *str_at(const struct wire_msg *m, const struct wire_field *f)
{
    return wire_at(m, f);
}

static uint64_t uint_at(const struct wire_msg *m, const struct wire_field *f)
{
    return *(const uint64_t *)wire_at(m, f);
}

static bool is_put(const struct wire_field *f, const struct wire_msg *m, uint32_t has)
{
    return (f->types & WIRE_TYPE_BIT(m->type)) && (has & WIRE_HAS(f->tag));
}

/* ---- TLV ---- */

static void tlv_str(struct writer *w, uint8_t tag, struct str s)
{
    writer_u8(w, tag);
    varint_write(w, s.n);
    writer_str(w, s);
}

static void tlv_uint(struct writer *w, uint8_t tag, uint64_t value)
{
    uint8_t n = 1;

    while (n < 8 && value >> (8 * n))
        n++;
    writer_u8(w, tag);
    writer_u8(w, n);
    writer_be(w, value, n);
}

static void tlv_headers(struct writer *w, struct str rest)
{
    struct str name, value;

    while (wire_header_next(&rest, &name, &value)) {
        writer_u8(w, WIRE_HEADER);
        varint_write(w, 1 + name.n + value.n);
        writer_u8(w, (uint8_t)name.n);
        writer_str(w, name);
        writer_str(w, value);
    }
}

static void tlv_put(struct writer *w, const struct wire_msg *m, uint32_t has)
{
    writer_u8(w, (uint8_t)m->type);
    for (const struct wire_field *f = wire_fields; f < WIRE_FIELDS_END; f++) {
        if (!is_put(f, m, has))
            continue;
        if (f->kind == WIRE_KIND_UINT || f->kind == WIRE_KIND_BOOL)
            tlv_uint(w, f->tag, uint_at(m, f));
        else if (f->kind == WIRE_KIND_HEADERS)
            tlv_headers(w, m->headers.packed);
        else
            tlv_str(w, f->tag, *str_at(m, f));
    }
}

/* ---- JSON ---- */

static void json_base64(struct writer *w, struct str s)
{
    uint8_t text[64];

    writer_u8(w, '"');
    while (s.n) {
        size_t n = s.n < sizeof text / 4 * 3 ? s.n : sizeof text / 4 * 3;
        writer_bytes(w, text, base64_encode(s.p, n, text));
        s.p += n;
        s.n -= n;
    }
    writer_u8(w, '"');
}

/* A header value is bytes, not text: one beyond ASCII is the code point of the same number. */
static void json_bytes(struct writer *w, struct str s)
{
    uint8_t hex[2];

    writer_u8(w, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= 0x20 && s.p[i] < 0x7f && s.p[i] != '"' && s.p[i] != '\\') {
            writer_u8(w, s.p[i]);
            continue;
        }
        ascii_to_hex(s.p + i, 1, hex);
        writer_text(w, "\\u00");
        writer_bytes(w, hex, sizeof hex);
    }
    writer_u8(w, '"');
}

static void json_header_value(struct writer *w, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= 0x80) {
            json_bytes(w, s);
            return;
        }
    }
    json_write_string(w, s);
}

/* The first field of that name, where its name begins; NULL when there is none. */
static const uint8_t *find(struct str rest, struct str wanted)
{
    struct str name, value;

    while (wire_header_next(&rest, &name, &value))
        if (str_eq(name, wanted))
            return name.p;
    return NULL;
}

static void json_values(struct writer *w, struct str rest, struct str wanted)
{
    struct str name, value;

    while (wire_header_next(&rest, &name, &value)) {
        if (!str_eq(name, wanted))
            continue;
        writer_u8(w, ',');
        json_header_value(w, value);
    }
    writer_u8(w, ']');
}

/* A name stands once in an object: its first occurrence takes the values of all later ones. Each is
 * compared with each, which HTTP_FIELDS_MAX bounds. */
static void json_headers(struct writer *w, struct str all)
{
    struct str rest = all, name, value;
    uint8_t before = '{';

    while (wire_header_next(&rest, &name, &value)) {
        bool several = find(rest, name) != NULL;

        if (find(all, name) != name.p)
            continue;
        writer_u8(w, before);
        json_write_string(w, name);
        writer_text(w, several ? ":[" : ":");
        json_header_value(w, value);
        if (several)
            json_values(w, rest, name);
        before = ',';
    }
    writer_text(w, before == '{' ? "{}" : "}");
}

static void json_value(struct writer *w, const struct wire_msg *m, const struct wire_field *f)
{
    switch (f->kind) {
    case WIRE_KIND_UINT:
        writer_u64(w, uint_at(m, f));
        break;
    case WIRE_KIND_BOOL:
        writer_text(w, uint_at(m, f) ? "true" : "false");
        break;
    case WIRE_KIND_HEADERS:
        json_headers(w, m->headers.packed);
        break;
    case WIRE_KIND_BODY:
        json_base64(w, m->body);
        break;
    default:
        json_write_string(w, *str_at(m, f));
    }
}

static void json_put(struct writer *w, const struct wire_msg *m, uint32_t has)
{
    const char *name = wire_type_name(m->type);
    const char *before = "\"";

    writer_text(w, "{\"type\":\"");
    writer_text(w, name ? name : "");
    writer_text(w, "\",\"data\":{");
    for (unsigned i = 0; i < WIRE_FIELDS; i++) {
        const struct wire_field *f = &wire_fields[i];

        if (!is_put(f, m, has))
            continue;
        writer_text(w, before);
        writer_text(w, texts_at(wire_names, i));
        writer_text(w, "\":");
        json_value(w, m, f);
        before = ",\"";
    }
}

/* ---- both ---- */

void wire_put(struct writer *w, enum wire_encoding enc, const struct wire_msg *m)
{
    if (enc == WIRE_TLV) {
        tlv_put(w, m, m->has);
        return;
    }
    json_put(w, m, m->has);
    writer_text(w, "}}");
}

void wire_open(struct writer *w, enum wire_encoding enc, const struct wire_msg *m)
{
    uint32_t has = m->has & ~(WIRE_HAS(WIRE_MORE) | WIRE_HAS(WIRE_BODY));

    if (enc == WIRE_JSON) {
        json_put(w, m, has);
        writer_text(w, ",\"body\":\"");
        return;
    }
    tlv_put(w, m, has);
    tlv_uint(w, WIRE_MORE, 0);
    writer_u8(w, WIRE_BODY);
    writer_be(w, 0, OPEN_LEN);
}

void wire_patch(uint8_t *at, uint32_t body_len, bool more)
{
    varint_write4(at - OPEN_LEN, body_len);
    at[-OPEN_MORE] = more;
}

void wire_close(struct writer *w, enum wire_encoding enc, bool more, struct str error)
{
    if (enc == WIRE_TLV)
        return;
    writer_u8(w, '"');
    if (more)
        writer_text(w, ",\"more\":true");
    if (error.n) {
        writer_text(w, ",\"error\":");
        json_write_string(w, error);
    }
    writer_text(w, "}}");
}
