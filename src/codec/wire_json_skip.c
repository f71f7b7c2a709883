#include "wire_decode.h"

void wire_json_skip_from(struct wire_in *in, uint8_t depth)
{
    in->skip_depth = depth;
    in->state = AT_SKIP;
}

int wire_json_skipped(struct wire_in *in, const struct json_token *t)
{
    bool part = t->kind == JSON_KEY || (t->kind == JSON_STRING && !t->last);

    if (!part && in->json.depth == in->skip_depth)
        in->state = in->skip_depth == WIRE_JSON_IN_MESSAGE ? AT_MEMBER : AT_FIELD;
    return 0;
}

int wire_json_skip(struct wire_in *in, const struct json_token *t)
{
    wire_json_skip_from(in, WIRE_JSON_IN_DATA);
    return wire_json_skipped(in, t);
}

int wire_json_wrong(struct wire_in *in, const struct json_token *t, int err)
{
    if (in->type_known)
        return err;
    in->bad |= WIRE_ROW(in->field);
    return wire_json_skip(in, t);
}

int wire_json_too_big(struct wire_in *in, const struct json_token *t)
{
    wire_in_big(in);
    in->arena_len = in->mark;
    return wire_json_skip(in, t);
}
