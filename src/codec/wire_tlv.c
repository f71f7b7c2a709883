#include "wire_decode.h"

#include <string.h>

#include "err.h"
#include "varint.h"

enum state {
    TYPE,
    TAG,
    LENGTH,
    NUMBER,
    ID,
    NAME_LEN, /* of a header */
    COPY,     /* to the arena */
    SKIP,
    BODY,
    AFTER_BODY,
    UNKNOWN, /* a message of unknown type, whole */
};

static int take_type(struct wire_in *in, const uint8_t *p)
{
    in->msg.type = wire_type_name(*p) ? *p : WIRE_NONE;
    in->type_known = true;
    in->state = in->msg.type == WIRE_NONE ? UNKNOWN : TAG;
    return 1;
}

static int take_tag(struct wire_in *in, const uint8_t *p)
{
    in->field = wire_field_by_tag(in->msg.type, *p);
    in->small_len = 0;
    in->state = LENGTH;
    return 1;
}

static int open_number(struct wire_in *in)
{
    if (in->left == 0 || in->left > 8)
        return ERR_WIRE_FIELD;
    in->state = NUMBER;
    return 0;
}

/* Strings fill the arena from its end, since headers, which may stand on both sides of one, must
 * lie together. */
static int open_string(struct wire_in *in)
{
    if (in->left > in->arena_cap - in->arena_len) {
        wire_in_big(in);
        in->state = SKIP;
        return 0;
    }
    in->arena_cap -= (size_t)in->left;
    in->mark = in->arena_cap;
    *wire_in_str(in, in->field) = (struct str){ in->arena + in->mark, (size_t)in->left };
    wire_in_got(in);
    in->state = COPY;
    return 0;
}

static int open_id(struct wire_in *in)
{
    if (in->left > ID_MAX)
        return ERR_WIRE_SIZE;
    wire_in_got(in);
    in->state = ID;
    return 0;
}

static int open_header(struct wire_in *in)
{
    if (in->left == 0)
        return ERR_WIRE_FIELD;
    in->state = NAME_LEN;
    return 0;
}

static int open_body(struct wire_in *in, enum wire_event *ev)
{
    wire_in_got(in);
    int r = wire_in_settle(in);
    in->head_told = true;
    *ev = WIRE_EV_HEAD;
    in->state = BODY;
    return r;
}

static int open_value(struct wire_in *in, enum wire_event *ev)
{
    const struct wire_field *f = in->field;

    if (!f) {
        in->state = SKIP;
        return 0;
    }
    if (f->kind != WIRE_KIND_HEADERS && (in->seen & WIRE_ROW(f)))
        return ERR_WIRE_FIELD;
    in->seen |= WIRE_ROW(f);
    switch (f->kind) {
    case WIRE_KIND_UINT:
    case WIRE_KIND_BOOL:
        return open_number(in);
    case WIRE_KIND_HEADERS:
        return open_header(in);
    case WIRE_KIND_BODY:
        return open_body(in, ev);
    default:
        return f->tag == WIRE_ID ? open_id(in) : open_string(in);
    }
}

static int take_length(struct wire_in *in, const uint8_t *p, enum wire_event *ev)
{
    in->small[in->small_len++] = *p;
    if (!varint_parse(in->small, in->small_len, &in->left))
        return 1;
    int r = open_value(in, ev);
    return r < 0 ? r : 1;
}

static int take_number(struct wire_in *in, const uint8_t *p)
{
    uint64_t *value = wire_in_uint(in, in->field);

    *value = *value << 8 | *p;
    if (--in->left)
        return 1;
    if (in->field->kind == WIRE_KIND_BOOL && *value > 1)
        return ERR_WIRE_FIELD;
    wire_in_got(in);
    return 1;
}

static int take_name_len(struct wire_in *in, const uint8_t *p)
{
    size_t room = in->arena_cap - in->arena_len;
    uint64_t value_len = in->left - 1 - *p;

    if (*p > --in->left)
        return ERR_WIRE_FIELD;
    if (value_len > UINT16_MAX || room < WIRE_PACKED_HEAD || in->left > room - WIRE_PACKED_HEAD) {
        wire_in_big(in);
        in->state = SKIP;
        return 1;
    }
    const uint8_t head[WIRE_PACKED_HEAD] = { *p, (uint8_t)(value_len >> 8), (uint8_t)value_len };
    wire_in_append(in, head, sizeof head);
    in->mark = in->arena_len;
    in->arena_len += (size_t)in->left;
    in->msg.headers.packed = (struct str){ in->arena, in->arena_len };
    wire_in_got(in);
    in->state = COPY;
    return 1;
}

/* The states that take many bytes at once. */
static int take_block(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev)
{
    if (n > in->left)
        n = (size_t)in->left;
    in->left -= n;
    if (in->state == ID) {
        wire_in_id_append(in, p, n);
    } else if (in->state == COPY) {
        memcpy(in->arena + in->mark, p, n);
        in->mark += n;
    } else if (in->state == BODY && !in->too_big) {
        in->body = (struct str){ p, n };
        *ev = WIRE_EV_BODY;
    }
    return (int)n;
}

static int step(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev)
{
    switch (in->state) {
    case TYPE:
        return take_type(in, p);
    case TAG:
        return take_tag(in, p);
    case LENGTH:
        return take_length(in, p, ev);
    case NUMBER:
        return take_number(in, p);
    case NAME_LEN:
        return take_name_len(in, p);
    case AFTER_BODY:
        return ERR_WIRE_FIELD;
    case UNKNOWN:
        return (int)n;
    default:
        return take_block(in, p, n, ev);
    }
}

/* Values may be empty: looks whether the present one is complete, also before any byte of it. */
static void close_value(struct wire_in *in)
{
    if (in->left || in->state < NUMBER || in->state > BODY)
        return;
    in->state = in->state == BODY ? AFTER_BODY : TAG;
}

int wire_tlv_feed(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev)
{
    size_t used = 0;

    while (used < n && *ev == WIRE_EV_MORE) {
        int r = step(in, p + used, n - used, ev);
        if (r < 0)
            return r;
        used += (size_t)r;
        close_value(in);
    }
    return (int)used;
}

int wire_tlv_ends(const struct wire_in *in)
{
    bool ends = in->state == TAG || in->state == AFTER_BODY || in->state == UNKNOWN;

    return ends ? 0 : ERR_WIRE_FIELD;
}
