#include "wire_decode.h"

#include "err.h"

/* ---- strings, numbers, booleans ---- */

static int string(struct wire_in *in, const struct json_token *t)
{
    bool is_id = in->field->tag == WIRE_ID;

    if (t->kind != JSON_STRING)
        return wire_json_wrong(in, t, ERR_WIRE_FIELD);
    if (is_id ? !wire_in_id_append(in, t->piece.p, t->piece.n)
              : !wire_in_append(in, t->piece.p, t->piece.n))
        return wire_json_too_big(in, t);
    if (!t->last)
        return 0;
    if (!is_id)
        *wire_in_str(in, in->field) =
            (struct str){ in->arena + in->mark, in->arena_len - in->mark };
    wire_in_got(in);
    in->state = AT_FIELD;
    return 0;
}

static int scalar(struct wire_in *in, const struct json_token *t)
{
    bool is_bool = t->kind == JSON_TRUE || t->kind == JSON_FALSE;
    bool is_uint = t->kind == JSON_NUMBER && t->is_uint;

    if (in->field->kind == WIRE_KIND_BOOL ? !is_bool : !is_uint)
        return wire_json_wrong(in, t, ERR_WIRE_FIELD);
    *wire_in_uint(in, in->field) = is_uint ? t->uint : t->kind == JSON_TRUE;
    wire_in_got(in);
    in->state = AT_FIELD;
    return 0;
}

/* ---- header fields: each is packed behind the one before ---- */

static void drop_header(struct wire_in *in)
{
    wire_in_big(in);
    in->arena_len = in->mark;
    in->dropping = true;
}

static void header_append(struct wire_in *in, const void *p, size_t n)
{
    if (!in->dropping && !wire_in_append(in, p, n))
        drop_header(in);
}

static int headers(struct wire_in *in, const struct json_token *t)
{
    if (t->kind != JSON_OBJECT)
        return wire_json_wrong(in, t, ERR_WIRE_FIELD);
    in->msg.headers.packed.p = in->arena + in->arena_len;
    in->state = AT_HEADER;
    return 0;
}

static int header(struct wire_in *in, const struct json_token *t)
{
    static const uint8_t head[WIRE_PACKED_HEAD];

    if (t->kind == JSON_OBJECT_END) {
        struct str *packed = &in->msg.headers.packed;
        packed->n = (size_t)(in->arena + in->arena_len - packed->p);
        wire_in_got(in);
        in->state = AT_FIELD;
        return 0;
    }
    if (!in->in_name) {
        in->in_name = true;
        in->dropping = false;
        in->mark = in->arena_len;
        header_append(in, head, sizeof head);
    }
    header_append(in, t->piece.p, t->piece.n);
    if (!t->last)
        return 0;
    in->in_name = false;
    in->state = AT_HEADER_VALUE;
    if (in->dropping)
        return 0;
    size_t name_len = in->arena_len - in->mark - WIRE_PACKED_HEAD;
    if (name_len > UINT8_MAX)
        drop_header(in);
    else
        in->arena[in->mark] = (uint8_t)name_len;
    return 0;
}

/* A header value is bytes, not text: the code points U+0080 to U+00FF stand for those bytes. */
static size_t text_to_bytes(uint8_t *p, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if ((p[i] & 0xfe) == 0xc2 && i + 1 < n) {
            p[len++] = (uint8_t)(p[i] << 6 | (p[i + 1] & 0x3f));
            i++;
        } else {
            p[len++] = p[i];
        }
    }
    return len;
}

/* Appends to a value; with its last piece its length is known. */
static void header_text(struct wire_in *in, const struct json_token *t)
{
    header_append(in, t->piece.p, t->piece.n);
    if (!t->last || in->dropping)
        return;
    uint8_t *head = in->arena + in->mark;
    uint8_t *value = head + WIRE_PACKED_HEAD + head[0];
    size_t value_len = text_to_bytes(value, (size_t)(in->arena + in->arena_len - value));
    in->arena_len = (size_t)(value + value_len - in->arena);
    if (value_len > UINT16_MAX) {
        drop_header(in);
        return;
    }
    head[1] = (uint8_t)(value_len >> 8);
    head[2] = (uint8_t)value_len;
}

static int header_value(struct wire_in *in, const struct json_token *t)
{
    if (t->kind == JSON_ARRAY) {
        in->state = AT_HEADER_ITEM;
        return 0;
    }
    if (t->kind != JSON_STRING)
        return wire_json_wrong(in, t, ERR_WIRE_FIELD);
    header_text(in, t);
    if (t->last)
        in->state = AT_HEADER;
    return 0;
}

/* Each item gets the name again; the one that the last item did not need is taken back. */
static int header_item(struct wire_in *in, const struct json_token *t)
{
    if (t->kind == JSON_ARRAY_END) {
        if (!in->dropping)
            in->arena_len = in->mark;
        in->state = AT_HEADER;
        return 0;
    }
    if (t->kind != JSON_STRING)
        return wire_json_wrong(in, t, ERR_WIRE_FIELD);
    header_text(in, t);
    if (!t->last || in->dropping)
        return 0;
    const uint8_t *before = in->arena + in->mark;
    in->mark = in->arena_len;
    header_append(in, before, (size_t)WIRE_PACKED_HEAD + before[0]);
    return 0;
}

/* ---- body ---- */

static int body_wrong(struct wire_in *in, const struct json_token *t, int err,
                      struct wire_piece *out)
{
    out->n = 0;
    return wire_json_wrong(in, t, err);
}

static int end_body(struct wire_in *in, struct wire_piece *out)
{
    enum wire_event none;

    in->state = AT_FIELD;
    wire_in_got(in);
    if (in->head_told)
        return 0;
    if (out->n)
        wire_json_flush(in, out, &none);
    in->msg.body = (struct str){ in->arena + in->mark, in->arena_len - in->mark };
    in->body_waits = in->msg.body.n > 0;
    return 0;
}

static int body_text(struct wire_in *in, const struct json_token *t, struct wire_piece *out)
{
    /* More characters than consumed bytes: an escape's replacement, which is not base64. */
    int r = ERR_BASE64;

    if (t->piece.n <= out->room - out->n)
        r = base64_decode(&in->base64, t->piece.p, t->piece.n, out->p + out->n);
    if (r < 0 || (t->last && !base64_ends(&in->base64)))
        return body_wrong(in, t, ERR_BASE64, out);
    out->n += (size_t)r;
    return t->last ? end_body(in, out) : 0;
}

static int body_bytes(struct wire_in *in, const struct json_token *t, struct wire_piece *out)
{
    if (t->kind == JSON_ARRAY_END)
        return end_body(in, out);
    if (t->kind != JSON_NUMBER || !t->is_uint || t->uint > UINT8_MAX)
        return body_wrong(in, t, ERR_WIRE_FIELD, out);
    /* The number's digits came with earlier calls: nothing of this input is consumed yet. */
    if (out->room == 0)
        out->p = in->small;
    out->p[out->n++] = (uint8_t)t->uint;
    return 0;
}

static int body(struct wire_in *in, const struct json_token *t, struct wire_piece *out)
{
    if (in->too_big)
        return wire_json_skip(in, t);
    if (t->kind == JSON_ARRAY) {
        in->state = AT_BODY_BYTES;
        return 0;
    }
    if (t->kind != JSON_STRING)
        return wire_json_wrong(in, t, ERR_WIRE_FIELD);
    in->state = AT_BODY_TEXT;
    return body_text(in, t, out);
}

void wire_json_flush(struct wire_in *in, struct wire_piece *out, enum wire_event *ev)
{
    bool big = (in->big & WIRE_ROW(in->field)) != 0;

    if (in->head_told) {
        in->body = (struct str){ out->p, out->n };
        *ev = WIRE_EV_BODY;
    } else if (!big && !wire_in_append(in, out->p, out->n)) {
        wire_in_big(in);
        in->arena_len = in->mark;
    }
    out->n = 0;
}

int wire_json_value(struct wire_in *in, const struct json_token *t, struct wire_piece *out)
{
    if (t->kind == JSON_NULL && in->state <= AT_BODY) {
        in->state = AT_FIELD;
        return 0;
    }
    switch (in->state) {
    case AT_STRING:
        return string(in, t);
    case AT_SCALAR:
        return scalar(in, t);
    case AT_HEADERS:
        return headers(in, t);
    case AT_HEADER:
        return header(in, t);
    case AT_HEADER_VALUE:
        return header_value(in, t);
    case AT_HEADER_ITEM:
        return header_item(in, t);
    case AT_BODY:
        return body(in, t, out);
    case AT_BODY_TEXT:
        return body_text(in, t, out);
    default:
        return body_bytes(in, t, out);
    }
}
