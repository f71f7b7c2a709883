#include "wire_decode.h"

#include <string.h>

#include "err.h"

#define REQUEST_ID WIRE_HAS(WIRE_REQUEST_ID)
#define IDS (REQUEST_ID | WIRE_HAS(WIRE_ID))

struct str *wire_in_str(struct wire_in *in, const struct wire_field *field)
{
    return (struct str *)(uintptr_t)wire_at(&in->msg, field);
}

uint64_t *wire_in_uint(struct wire_in *in, const struct wire_field *field)
{
    return (uint64_t *)(uintptr_t)wire_at(&in->msg, field);
}

/* 0 id, 1 request_id. */
static unsigned which_id(const struct wire_field *field)
{
    return WIRE_ROW(field) == REQUEST_ID;
}

bool wire_in_id_append(struct wire_in *in, const uint8_t *p, size_t n)
{
    uint8_t *len = &in->id_len[which_id(in->field)];

    if (n > ID_MAX - (size_t)*len)
        return false;
    memcpy(in->id[which_id(in->field)] + *len, p, n);
    *len = (uint8_t)(*len + n);
    return true;
}

void wire_in_got(struct wire_in *in)
{
    in->got |= WIRE_ROW(in->field);
}

void wire_in_big(struct wire_in *in)
{
    if (in->head_told)
        wire_in_got(in);
    else
        in->big |= WIRE_ROW(in->field);
}

bool wire_in_append(struct wire_in *in, const void *p, size_t n)
{
    if (n > in->arena_cap - in->arena_len)
        return false;
    if (n)
        memcpy(in->arena + in->arena_len, p, n);
    in->arena_len += n;
    return true;
}

/* `row`: of the id that this type has. One that is empty names no stream; in an Error that means
 * the session. */
static int settle_id(struct wire_in *in, uint32_t row)
{
    unsigned which = row == REQUEST_ID;

    if (in->bad & row)
        return ERR_WIRE_FIELD;
    if (in->big & row)
        return ERR_WIRE_SIZE;
    if (!(in->got & row))
        return 0;
    if (in->id_len[which] == 0)
        return which ? 0 : ERR_WIRE_FIELD;
    in->msg.id = (struct str){ in->id[which], in->id_len[which] };
    in->msg.has = WIRE_HAS(WIRE_ID);
    return 0;
}

int wire_in_settle(struct wire_in *in)
{
    uint32_t required;
    uint32_t fields = wire_type_fields(in->msg.type, &required);
    uint32_t others = fields & ~IDS;
    int r;

    in->msg.has = 0;
    if (in->msg.type == WIRE_NONE)
        return 0;
    if (in->bad & WIRE_ROW_DATA)
        return ERR_WIRE_FIELD;
    r = settle_id(in, fields & IDS);
    if (r < 0)
        return r;
    if (in->bad & others)
        return ERR_WIRE_FIELD;
    in->too_big |= in->big & others;
    in->msg.has |= in->got & others & ~in->big;
    if (in->too_big) {
        required &= WIRE_HAS(WIRE_ID);
        in->msg.has &= ~WIRE_HAS(WIRE_BODY);
        in->msg.has |= in->too_big & WIRE_HAS(WIRE_BODY);
    }
    return required & ~in->msg.has ? ERR_WIRE_FIELD : 0;
}
