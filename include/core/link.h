/*
 * One tunnel connection after the upgrade: WebSocket frames around encoded messages, either role.
 *
 * Receiving: bytes in, events out. Sending: each call puts one frame at `out`. No stream, no
 * clock, no socket: session.h knows those.
 *
 * Source: RFC 6455 sections 5 and 7; include/WIRE.md.
 */
#ifndef ADIT_LINK_H
#define ADIT_LINK_H

#include "codec/wire.h"
#include "codec/ws.h"
#include "core/upgrade.h"

enum link_event {
    LINK_MORE,  /* input used up */
    LINK_HEAD,  /* in.msg: a message up to its body; in.too_big: refuse this one */
    LINK_BODY,  /* in.body: a piece of the body */
    LINK_END,   /* the message is complete */
    LINK_PING,  /* control, control_len: answer with a pong of the same payload */
    LINK_PONG,
    LINK_CLOSE, /* close_code; nothing comes after it */
};

struct link {
    /* read by the owner */
    struct wire_in in;
    uint8_t control[WS_CONTROL_MAX]; /* payload of a ping, pong or close */
    uint8_t control_len;
    uint16_t close_code;
    bool tx_open; /* a message in parts is under way: only control frames may come between */
    bool plain;
    bool client;
    enum wire_encoding enc;
    /* private */
    int err;
    uint8_t head_room; /* that frames which are sent keep for their head */
    uint8_t opcode;    /* of data frames */
    uint8_t head[WS_HEAD_MAX];
    uint8_t head_len;
    struct ws_head frame;
    struct ws_order order;
    bool in_frame;
    bool finishing;
    uint64_t frame_left;
    uint64_t frame_at;
    size_t clear; /* bytes at the front of the next input that are unmasked already */
    uint8_t carry[2]; /* base64: body bytes of a message in parts that wait for their third */
    uint8_t carry_len;
    uint8_t arena[WIRE_HEAD_MAX];
};

void link_init(struct link *l, bool client, enum upgrade_protocol protocol);

/*
 * Consumes up to n bytes and tells the next event. What it did not consume must be given again,
 * unchanged: it may be unmasked already. `p` is overwritten (unmasking, base64);
 * it may be NULL with n 0: an event can be due without input.
 * Returns the bytes consumed, or the error that ends the link; it stays. link_close_code turns it
 * into the close code to send.
 */
int link_recv(struct link *l, uint8_t *p, size_t n, enum link_event *ev);
uint16_t link_close_code(int err);

/* ---- sending: every call returns the bytes it put at out, 0 when they do not fit ---- */
/* key: 4 fresh random bytes (RFC 6455 section 5.3); the server's role does not read it. */

/* A close, ping or pong frame; n <= WS_CONTROL_MAX. May come between parts. */
size_t link_put_control(struct link *l, uint8_t *out, size_t cap, uint8_t opcode,
                        const uint8_t *payload, size_t n, const uint8_t key[4]);

/* A whole message in one frame. 0 also while tx_open. */
size_t link_put(struct link *l, uint8_t *out, size_t cap, const struct wire_msg *m,
                const uint8_t key[4]);

/*
 * A message that may be longer than the room, in as many parts (fragments) as it takes. *offset
 * is 0 at first; all is put when *done. The same message must be given each time.
 * `open`: the message's body follows as further parts, by link_body_begin with m NULL.
 */
size_t link_put_part(struct link *l, uint8_t *out, size_t cap, const struct wire_msg *m, bool open,
                     size_t *offset, bool *done, const uint8_t key[4]);

/*
 * A message with a body that the owner writes in place:
 *
 *   if (link_body_begin(l, &b, out, cap, m)) { n = read(fd, b.body, b.max); ... link_body_end }
 *
 * begin puts everything before the body and tells where the body goes and how long it may be;
 * false when less than `least` bytes of body would fit. Nothing has happened until end; after
 * begin the owner may as well do nothing.
 * end puts the rest and returns the frame's length. `part`: this frame is not the message's last
 * (plain mode, where one message carries the whole body); begin with m NULL continues it.
 */
struct link_body {
    uint8_t *body;
    size_t max;
    /* private */
    uint8_t *out;
    size_t prefix; /* payload bytes before the body */
    bool first;
    size_t raw_at; /* JSON: offset in out of the raw bytes, the carry first */
};

bool link_body_begin(struct link *l, struct link_body *b, uint8_t *out, size_t cap, size_t least,
                     const struct wire_msg *m);
/* error: not empty when the body broke off (JSON form only): of it 64 bytes at most are sent, none
 * of which may need an escape. */
size_t link_body_end(struct link *l, struct link_body *b, size_t n, bool more, bool part,
                     struct str error, const uint8_t key[4]);

#endif
