#include "wire_decode.h"

#include <string.h>

#include "err.h"

/* ---- names ---- */

/* Collects a short name; a longer one is none of ours and becomes empty. */
static void collect(struct wire_in *in, const struct json_token *t)
{
    size_t room = sizeof in->small - in->small_len;

    if (in->small_len == UINT8_MAX || t->piece.n > room) {
        in->small_len = UINT8_MAX;
        return;
    }
    memcpy(in->small + in->small_len, t->piece.p, t->piece.n);
    in->small_len = (uint8_t)(in->small_len + t->piece.n);
}

static struct str collected(struct wire_in *in)
{
    struct str name = { in->small, in->small_len == UINT8_MAX ? 0 : in->small_len };

    in->small_len = 0;
    return name;
}

static int open_member(struct wire_in *in)
{
    struct str name = collected(in);
    bool is_type = str_eq(name, STR("type")), is_data = str_eq(name, STR("data"));

    if ((is_type && in->type_seen) || (is_data && in->data_seen))
        return ERR_WIRE_FIELD;
    in->type_seen |= is_type;
    in->data_seen |= is_data;
    if (is_type)
        in->state = AT_TYPE;
    else if (is_data && !(in->type_known && in->msg.type == WIRE_NONE))
        in->state = AT_DATA;
    else
        wire_json_skip_from(in, WIRE_JSON_IN_MESSAGE);
    return 0;
}

static int member(struct wire_in *in, const struct json_token *t)
{
    if (t->kind == JSON_OBJECT_END) {
        in->state = AT_END;
        return 0;
    }
    collect(in, t);
    return t->last ? open_member(in) : 0;
}

static int type(struct wire_in *in, const struct json_token *t)
{
    if (t->kind != JSON_STRING)
        return ERR_WIRE_FIELD;
    collect(in, t);
    if (!t->last)
        return 0;
    in->msg.type = wire_type_by_name(collected(in));
    in->type_known = true;
    in->state = AT_MEMBER;
    return 0;
}

static int data(struct wire_in *in, const struct json_token *t)
{
    in->state = AT_MEMBER;
    if (t->kind == JSON_OBJECT)
        in->state = AT_FIELD;
    else if (t->kind != JSON_NULL) {
        if (in->type_known)
            return ERR_WIRE_FIELD;
        in->bad |= WIRE_ROW_DATA;
        wire_json_skip_from(in, WIRE_JSON_IN_MESSAGE);
        return wire_json_skipped(in, t);
    }
    return 0;
}

static int open_field(struct wire_in *in)
{
    static const uint8_t states[] = {
        [WIRE_KIND_STR] = AT_STRING, [WIRE_KIND_UINT] = AT_SCALAR, [WIRE_KIND_BOOL] = AT_SCALAR,
        [WIRE_KIND_HEADERS] = AT_HEADERS, [WIRE_KIND_BODY] = AT_BODY,
    };
    const struct wire_field *f = wire_field_by_name(in->msg.type, collected(in));

    in->field = f;
    in->mark = in->arena_len;
    wire_json_skip_from(in, WIRE_JSON_IN_DATA);
    if (!f)
        return 0;
    if (!(in->seen & WIRE_ROW(f)))
        in->state = states[f->kind];
    else if (in->type_known)
        return ERR_WIRE_FIELD;
    else
        in->bad |= WIRE_ROW(f);
    in->seen |= WIRE_ROW(f);
    return 0;
}

static int field(struct wire_in *in, const struct json_token *t)
{
    if (t->kind == JSON_OBJECT_END) {
        in->state = AT_MEMBER;
        return 0;
    }
    collect(in, t);
    return t->last ? open_field(in) : 0;
}

/* ---- the message ---- */

/* Is everything known that must be known before body bytes can flow? */
static bool may_stream(const struct wire_in *in)
{
    uint32_t needed;
    uint32_t fields = wire_type_fields(in->msg.type, &needed);

    needed |= fields & WIRE_HAS(WIRE_HEADER);
    return in->type_known && !(needed & ~in->seen);
}

static int step(struct wire_in *in, const struct json_token *t, struct wire_piece *out)
{
    switch (in->state) {
    case AT_TOP:
        in->state = AT_MEMBER;
        return t->kind == JSON_OBJECT ? 0 : ERR_WIRE_FIELD;
    case AT_MEMBER:
        return member(in, t);
    case AT_TYPE:
        return type(in, t);
    case AT_DATA:
        return data(in, t);
    case AT_FIELD:
        return field(in, t);
    case AT_SKIP:
        return wire_json_skipped(in, t);
    default:
        return wire_json_value(in, t, out);
    }
}

static int tell_head(struct wire_in *in, enum wire_event *ev)
{
    wire_in_got(in);
    int r = wire_in_settle(in);
    in->head_told = true;
    *ev = WIRE_EV_HEAD;
    return r;
}

/*
 * The head is told before the quote or bracket that opens the body is consumed, so that a response
 * whose body comes later is not held back. Until then nothing but white space and a colon can
 * come, or null: it is read byte by byte.
 */
static bool body_is_due(const struct wire_in *in)
{
    return in->state == AT_BODY && !in->head_told && may_stream(in);
}

/* Up to the next token, which is taken; returns the bytes consumed or an error. */
static int take_token(struct wire_in *in, const uint8_t *p, size_t n, struct wire_piece *out)
{
    struct json_token t;
    int used = json_next(&in->json, p, n, &t);
    int r = 0;

    if (used < 0)
        return used;
    out->room += (size_t)used;
    if (t.kind != JSON_MORE)
        r = step(in, &t, out);
    return r < 0 ? r : used;
}

static bool must_flush(const struct wire_in *in, const struct wire_piece *out, bool last)
{
    bool in_body = in->state == AT_BODY_TEXT || in->state == AT_BODY_BYTES;

    return out->n && (last || !in_body || out->p == in->small);
}

int wire_json_feed(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev)
{
    struct wire_piece out = { p, 0, 0 };
    size_t used = 0;

    while (used < n && *ev == WIRE_EV_MORE) {
        bool due = body_is_due(in);
        int r;

        if (due && (p[used] == '"' || p[used] == '['))
            r = tell_head(in, ev);
        else
            r = take_token(in, p + used, due ? 1 : n - used, &out);
        if (r < 0)
            return r;
        used += (size_t)r;
        if (must_flush(in, &out, used == n)) {
            wire_json_flush(in, &out, ev);
            out.p = p;
        }
    }
    return (int)used;
}

int wire_json_ends(struct wire_in *in)
{
    struct json_token t;
    int r = json_end(&in->json, &t);

    if (r < 0)
        return r;
    return in->state == AT_END && in->type_known ? 0 : ERR_WIRE_FIELD;
}
