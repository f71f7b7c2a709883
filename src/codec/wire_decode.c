#include "wire_decode.h"

#include <string.h>

#include "err.h"

void wire_in_begin(struct wire_in *in, enum wire_encoding enc, uint8_t *arena, size_t cap)
{
    memset(in, 0, sizeof *in);
    in->encoding = (uint8_t)enc;
    in->arena = arena;
    in->arena_cap = cap;
}

int wire_in_feed(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev)
{
    int r = in->err;

    *ev = WIRE_EV_MORE;
    if (!r)
        r = in->encoding == WIRE_TLV ? wire_tlv_feed(in, p, n, ev) : wire_json_feed(in, p, n, ev);
    if (r < 0)
        in->err = r;
    return r;
}

static int finish(struct wire_in *in, enum wire_event *ev)
{
    int r = in->encoding == WIRE_TLV ? wire_tlv_ends(in) : wire_json_ends(in);

    if (r == 0)
        r = wire_in_settle(in);
    if (r < 0)
        return r;
    if (!in->head_told) {
        in->head_told = true;
        *ev = WIRE_EV_HEAD;
    } else if (in->body_waits && (in->msg.has & WIRE_HAS(WIRE_BODY)) && !in->too_big) {
        in->body_waits = false;
        in->body = in->msg.body;
        *ev = WIRE_EV_BODY;
    } else {
        *ev = WIRE_EV_END;
    }
    return 0;
}

int wire_in_finish(struct wire_in *in, enum wire_event *ev)
{
    *ev = WIRE_EV_MORE;
    if (!in->err)
        in->err = finish(in, ev);
    return in->err;
}
