#include "core/link.h"

#include <string.h>

#include "err.h"

void link_init(struct link *l, bool client, enum upgrade_protocol protocol)
{
    memset(l, 0, sizeof *l);
    l->client = client;
    l->plain = protocol == UPGRADE_PLAIN;
    l->enc = protocol == UPGRADE_TLV ? WIRE_TLV : WIRE_JSON;
    l->opcode = l->enc == WIRE_TLV ? WS_BINARY : WS_TEXT;
    /* The payload's length is known only when it stands there, and two bytes of length hold what
     * fits a TLS record. */
    l->head_room = client ? 8 : 4;
}

uint16_t link_close_code(int err)
{
    switch (err) {
    case ERR_UTF8:
        return WS_CLOSE_TEXT;
    case ERR_WIRE_SIZE:
        return WS_CLOSE_BIG;
    case ERR_AUTH:
        return WS_CLOSE_TOKEN;
    case ERR_REPLACED:
        return WS_CLOSE_REPLACED;
    default:
        return WS_CLOSE_PROTOCOL;
    }
}

/* A message is binary in TLV form and text in JSON form, nothing else. */
static int check_frame(struct link *l)
{
    int err = ws_order_feed(&l->order, &l->frame);

    if (err < 0 || ws_is_control(l->frame.opcode))
        return err;
    if (l->order.opcode != l->opcode)
        return ERR_STATE;
    if (l->frame.opcode != WS_CONTINUATION)
        wire_in_begin(&l->in, l->enc, l->arena, sizeof l->arena);
    return 0;
}

/* Gathers a frame head that may come in pieces; returns the bytes consumed. */
static int take_head(struct link *l, const uint8_t *p, size_t n)
{
    size_t old = l->head_len;
    size_t room = sizeof l->head - old;
    size_t add = n < room ? n : room;
    int len;
    int err;

    memcpy(l->head + old, p, add);
    len = ws_head_parse(l->head, old + add, !l->client, &l->frame);
    if (len < 0)
        return len;
    if (len == 0) {
        l->head_len = (uint8_t)(old + add);
        return (int)add;
    }
    err = check_frame(l);
    if (err < 0)
        return err;
    l->head_len = 0;
    l->in_frame = true;
    l->frame_left = l->frame.len;
    l->frame_at = 0;
    l->control_len = 0;
    l->clear = 0;
    return len - (int)old;
}

static int take_control(struct link *l, const uint8_t *p, size_t n, enum link_event *ev)
{
    size_t take = n < l->frame_left ? n : (size_t)l->frame_left;
    struct str reason;
    int err;

    memcpy(l->control + l->control_len, p, take);
    l->control_len = (uint8_t)(l->control_len + take);
    l->frame_left -= take;
    if (l->frame_left > 0)
        return (int)take;
    l->in_frame = false;
    if (l->frame.masked)
        ws_mask(l->control, l->control_len, l->frame.key, 0);
    *ev = l->frame.opcode == WS_PING ? LINK_PING
          : l->frame.opcode == WS_PONG ? LINK_PONG : LINK_CLOSE;
    if (*ev == LINK_CLOSE) {
        err = ws_close_parse(l->control, l->control_len, &l->close_code, &reason);
        if (err < 0)
            return err;
    }
    return (int)take;
}

static enum link_event told(enum wire_event ev)
{
    switch (ev) {
    case WIRE_EV_HEAD:
        return LINK_HEAD;
    case WIRE_EV_BODY:
        return LINK_BODY;
    case WIRE_EV_END:
        return LINK_END;
    default:
        return LINK_MORE;
    }
}

static int take_payload(struct link *l, uint8_t *p, size_t n, enum link_event *ev)
{
    size_t take = n < l->frame_left ? n : (size_t)l->frame_left;
    enum wire_event wire;
    int used;

    if (l->frame.masked && take > l->clear)
        ws_mask(p + l->clear, take - l->clear, l->frame.key, l->frame_at + l->clear);
    used = wire_in_feed(&l->in, p, take, &wire);
    if (used < 0)
        return used;
    if (l->clear < take)
        l->clear = take;
    l->clear -= (size_t)used;
    l->frame_left -= (size_t)used;
    l->frame_at += (size_t)used;
    *ev = told(wire);
    return used;
}

static int take_end(struct link *l, enum link_event *ev)
{
    enum wire_event wire;
    int err = wire_in_finish(&l->in, &wire);

    if (err < 0)
        return err;
    *ev = told(wire);
    if (*ev == LINK_END)
        l->finishing = false;
    return 0;
}

static int step(struct link *l, uint8_t *p, size_t n, enum link_event *ev)
{
    int used;

    if (l->finishing)
        return take_end(l, ev);
    if (!l->in_frame)
        return take_head(l, p, n);
    if (ws_is_control(l->frame.opcode))
        return take_control(l, p, n, ev);
    used = take_payload(l, p, n, ev);
    if (used >= 0 && l->frame_left == 0) {
        l->in_frame = false;
        l->finishing = l->frame.fin;
    }
    return used;
}

int link_recv(struct link *l, uint8_t *p, size_t n, enum link_event *ev)
{
    size_t at = 0;

    *ev = LINK_MORE;
    /* A frame or a message without bytes has its say before any input is looked at. */
    while (l->err == 0 && *ev == LINK_MORE &&
           (at < n || l->finishing || (l->in_frame && l->frame_left == 0))) {
        int used = step(l, p + at, n - at, ev);

        if (used < 0)
            l->err = used;
        else
            at += (size_t)used;
    }
    return l->err < 0 ? l->err : (int)at;
}
