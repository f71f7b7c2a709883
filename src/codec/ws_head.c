#include "codec/ws.h"

#include "err.h"

/* Section 5.2: these follow in 2 or 8 more bytes. */
enum { LEN_16 = 126, LEN_64 = 127 };

/* Bytes of the extended length. */
static size_t extra_len(uint8_t second)
{
    uint8_t len = second & 0x7f;

    return len == LEN_64 ? 8 : len == LEN_16 ? 2 : 0;
}

static int check_first(uint8_t first)
{
    uint8_t opcode = first & 15;

    if ((first & 0x70) != 0 || (opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG)
        return ERR_WS_RESERVED; /* section 5.2 */
    if (ws_is_control(opcode) && (first & 0x80) == 0)
        return ERR_WS_CONTROL; /* section 5.5: never fragmented */
    return 0;
}

static int check_second(uint8_t opcode, uint8_t second, bool from_client)
{
    if (((second & 0x80) != 0) != from_client)
        return ERR_WS_MASK; /* section 5.1 */
    if (ws_is_control(opcode) && (second & 0x7f) > WS_CONTROL_MAX)
        return ERR_WS_CONTROL; /* section 5.5 */
    return 0;
}

/* The extended length as far as it is there: `have` of `want` bytes. */
static int check_extra(const uint8_t *in, size_t have, size_t want, uint64_t *len)
{
    size_t zeroes = 0;

    if (have > 0 && want == 8 && in[0] >= 0x80)
        return ERR_WS_LENGTH; /* section 5.2: the top bit must be 0 */
    while (zeroes < have && in[zeroes] == 0)
        zeroes++;
    /* Section 5.2: minimal. Eight bytes are for more than two can say, two for more than 125. */
    if (want == 8 && zeroes >= 6)
        return ERR_WS_LENGTH;
    if (want == 2 && have >= 2 && zeroes >= 1 && in[1] < LEN_16)
        return ERR_WS_LENGTH;
    for (size_t i = 0; i < have; i++)
        *len = *len << 8 | in[i];
    return 0;
}

int ws_head_parse(const uint8_t *in, size_t n, bool from_client, struct ws_head *head)
{
    size_t extra, total;
    int err;

    if (n < 1)
        return 0;
    err = check_first(in[0]);
    if (err || n < 2)
        return err;
    head->fin = (in[0] & 0x80) != 0;
    head->opcode = in[0] & 15;
    head->masked = from_client;
    err = check_second(head->opcode, in[1], from_client);
    if (err)
        return err;
    extra = extra_len(in[1]);
    head->len = extra ? 0 : in[1] & 0x7f;
    err = check_extra(in + 2, n - 2 < extra ? n - 2 : extra, extra, &head->len);
    if (err)
        return err;
    total = 2 + extra + (from_client ? 4 : 0);
    if (n < total)
        return 0;
    for (size_t i = 0; i < 4; i++)
        head->key[i] = from_client ? in[2 + extra + i] : 0;
    return (int)total;
}

size_t ws_head_len(uint64_t payload_len, bool masked)
{
    size_t extra = payload_len > 0xffff ? 8 : payload_len >= LEN_16 ? 2 : 0;

    return 2 + extra + (masked ? 4 : 0);
}

size_t ws_head_write(const struct ws_head *head, uint8_t *out)
{
    size_t extra = ws_head_len(head->len, false) - 2;
    struct writer w;

    writer_init(&w, out, WS_HEAD_MAX);
    writer_u8(&w, (uint8_t)((head->fin ? 0x80 : 0) | head->opcode));
    writer_u8(&w, (uint8_t)((head->masked ? 0x80 : 0) |
                            (extra == 8 ? LEN_64 : extra == 2 ? LEN_16 : (uint8_t)head->len)));
    writer_be(&w, head->len, extra);
    if (head->masked)
        writer_bytes(&w, head->key, 4);
    return w.len;
}

int ws_order_feed(struct ws_order *o, const struct ws_head *head)
{
    if (ws_is_control(head->opcode))
        return 0; /* section 5.4: may stand between fragments */
    if (o->open != (head->opcode == WS_CONTINUATION))
        return ERR_WS_FRAGMENT;
    if (!o->open)
        o->opcode = head->opcode;
    o->open = !head->fin;
    return 0;
}
