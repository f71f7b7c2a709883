#include "core/link.h"

#include <string.h>

#include "check.h"
#include "err.h"

/* What JSON form may put after a body: the closing quote, `more`, an error text (one of ours,
 * nothing to escape), two braces. */
#define SUFFIX_MAX 160
#define SUFFIX_ERROR_MAX 64
/* A part shorter than this is not worth its frame, unless it is the last. */
#define PART_MIN 256
#define PAYLOAD_MAX UINT16_MAX

static size_t payload_room(const struct link *l, size_t cap)
{
    size_t room = cap > l->head_room ? cap - l->head_room : 0;

    return room < PAYLOAD_MAX ? room : PAYLOAD_MAX;
}

/* Puts the head before a payload that stands behind the room for it. The one copy on this way:
 * payloads of up to 125 bytes have a head two bytes shorter, and move up to it. */
static size_t frame(struct link *l, uint8_t *out, uint8_t opcode, bool fin, size_t n,
                    const uint8_t key[4])
{
    struct ws_head head = { .len = n, .opcode = opcode, .fin = fin, .masked = l->client };
    uint8_t *payload = out + ws_head_len(n, l->client);

    if (payload != out + l->head_room)
        memmove(payload, out + l->head_room, n);
    if (l->client) {
        memcpy(head.key, key, sizeof head.key);
        ws_mask(payload, n, key, 0);
    }
    return ws_head_write(&head, out) + n;
}

size_t link_put_control(struct link *l, uint8_t *out, size_t cap, uint8_t opcode,
                        const uint8_t *payload, size_t n, const uint8_t key[4])
{
    if (cap < l->head_room + n)
        return 0;
    if (n > 0)
        memcpy(out + l->head_room, payload, n);
    return frame(l, out, opcode, true, n, key);
}

size_t link_put(struct link *l, uint8_t *out, size_t cap, const struct wire_msg *m,
                const uint8_t key[4])
{
    struct writer w;

    if (l->tx_open || payload_room(l, cap) == 0)
        return 0;
    writer_init(&w, out + l->head_room, payload_room(l, cap));
    wire_put(&w, l->enc, m);
    if (!writer_fits(&w))
        return 0;
    return frame(l, out, l->opcode, true, w.len, key);
}

size_t link_put_part(struct link *l, uint8_t *out, size_t cap, const struct wire_msg *m, bool open,
                     size_t *offset, bool *done, const uint8_t key[4])
{
    struct writer w;
    size_t n;
    uint8_t opcode = *offset == 0 ? l->opcode : WS_CONTINUATION;

    *done = false;
    if (l->tx_open != (*offset > 0) || payload_room(l, cap) == 0)
        return 0;
    writer_init_at(&w, out + l->head_room, payload_room(l, cap), *offset);
    if (open)
        wire_open(&w, l->enc, m);
    else
        wire_put(&w, l->enc, m);
    n = writer_stored(&w);
    if (*offset + n < w.len && n < PART_MIN)
        return 0;
    *offset += n;
    *done = *offset == w.len;
    l->tx_open = !*done || open;
    return frame(l, out, opcode, !l->tx_open, n, key);
}

/* Where body bytes go that will be spread to base64 in place: at the end of the room. */
static void place_json(struct link *l, struct link_body *b, size_t room)
{
    size_t groups = room > SUFFIX_MAX ? (room - SUFFIX_MAX) / 4 : 0;

    b->raw_at = l->head_room + b->prefix + groups;
    b->max = groups * 3 > l->carry_len ? groups * 3 - l->carry_len : 0;
    b->body = b->out + b->raw_at + l->carry_len;
    if (b->max > 0)
        memcpy(b->out + b->raw_at, l->carry, l->carry_len);
}

bool link_body_begin(struct link *l, struct link_body *b, uint8_t *out, size_t cap, size_t least,
                     const struct wire_msg *m)
{
    size_t room = payload_room(l, cap);
    struct writer w;

    if (l->tx_open != (m == NULL) || room == 0)
        return false;
    writer_init(&w, out + l->head_room, room);
    if (m != NULL)
        wire_open(&w, l->enc, m);
    if (!writer_fits(&w))
        return false;
    *b = (struct link_body){ .out = out, .prefix = w.len, .first = m != NULL };
    if (l->enc == WIRE_JSON) {
        place_json(l, b, room - w.len);
        return b->max > 0 && b->max >= least;
    }
    b->body = out + l->head_room + w.len;
    b->max = room - w.len;
    return b->max >= least;
}

/* Encodes what stands at raw_at; returns the payload's length so far. */
static size_t spread(struct link *l, struct link_body *b, size_t n, bool part)
{
    uint8_t *raw = b->out + b->raw_at;
    size_t total = l->carry_len + n;
    /* Only the last part may have a quantum that is not full (RFC 4648 section 4). */
    size_t now = part ? total - total % 3 : total;

    l->carry_len = (uint8_t)(total - now);
    memcpy(l->carry, raw + now, l->carry_len);
    return b->prefix + base64_encode(raw, now, b->out + l->head_room + b->prefix);
}

size_t link_body_end(struct link *l, struct link_body *b, size_t n, bool more, bool part,
                     struct str error, const uint8_t key[4])
{
    uint8_t *payload = b->out + l->head_room;
    uint8_t opcode = b->first ? l->opcode : WS_CONTINUATION;
    size_t len = b->prefix + n;
    struct writer w;

    CHECK(n <= b->max);
    if (error.n > SUFFIX_ERROR_MAX)
        error.n = SUFFIX_ERROR_MAX;
    if (l->enc == WIRE_JSON)
        len = spread(l, b, n, part);
    else
        wire_patch(payload + b->prefix, (uint32_t)n, more);
    if (!part) {
        writer_init(&w, payload + len, SUFFIX_MAX);
        wire_close(&w, l->enc, more && !l->plain, error);
        len += writer_stored(&w);
    }
    l->tx_open = part;
    return frame(l, b->out, opcode, !part, len, key);
}
