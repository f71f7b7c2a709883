/*
 * WebSocket framing: heads, masking, close codes, the accept key.
 * Source: RFC 6455. No extensions, so every RSV bit is an error (section 5.2).
 */
#ifndef ADIT_WS_H
#define ADIT_WS_H

#include "codec/buf.h"
#include "limits.h"

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

/* Section 7.4.1, and those of include/WIRE.md from 4000 on. */
enum ws_close {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_AWAY = 1001,
    WS_CLOSE_PROTOCOL = 1002,
    WS_CLOSE_UNSUPPORTED = 1003,
    WS_CLOSE_NONE = 1005, /* never on the wire: the frame had no code */
    WS_CLOSE_TEXT = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_BIG = 1009,
    WS_CLOSE_INTERNAL = 1011,
    WS_CLOSE_TOKEN = 4401,
    WS_CLOSE_REPLACED = 4409,
};

struct ws_head {
    uint64_t len;    /* payload bytes */
    uint8_t opcode;  /* enum ws_opcode */
    bool fin;
    bool masked;
    uint8_t key[4];  /* when masked */
};

static inline bool ws_is_control(uint8_t opcode)
{
    return (opcode & 8) != 0;
}

/*
 * Reads a frame head, section 5.2.
 * Input: n bytes that begin at a frame. `from_client`: the sender's role, which decides whether
 * it must mask (section 5.1).
 * Returns the head's length (2 to WS_HEAD_MAX), 0 when more bytes are needed, or ERR_WS_*; an
 * error is told from the first byte that shows it. *head is of use with a length only.
 */
int ws_head_parse(const uint8_t *in, size_t n, bool from_client, struct ws_head *head);

/* Writes a head in its minimal form into out[WS_HEAD_MAX]; returns its length. */
size_t ws_head_write(const struct ws_head *head, uint8_t *out);
/* The length ws_head_write would give. */
size_t ws_head_len(uint64_t payload_len, bool masked);

/*
 * Section 5.3: XORs n bytes at p (any alignment) with the key, beginning at payload offset
 * `offset`. Works in words of 8 bytes.
 */
void ws_mask(uint8_t *p, size_t n, const uint8_t key[4], uint64_t offset);

/*
 * The order of opcodes in a message, section 5.4. Zero it to start; feed every frame head.
 * Returns 0, or ERR_WS_FRAGMENT. After a data frame `opcode` is the message's (WS_TEXT or
 * WS_BINARY) and `open` tells that its last frame is still to come.
 */
struct ws_order {
    uint8_t opcode;
    bool open;
};
int ws_order_feed(struct ws_order *o, const struct ws_head *head);

/*
 * A close frame's payload, sections 5.5.1 and 7.4: code WS_CLOSE_NONE when empty.
 * Returns 0, or ERR_WS_CLOSE (one byte, a forbidden code), ERR_UTF8 (the reason, which lies in p).
 */
int ws_close_parse(const uint8_t *p, size_t n, uint16_t *code, struct str *reason);
/* Payload of a close frame into out[WS_CONTROL_MAX]; returns its length, 0 with WS_CLOSE_NONE. A
 * reason beyond 123 bytes is cut at a character. */
size_t ws_close_write(uint16_t code, struct str reason, uint8_t *out);

/* Length of a Sec-WebSocket-Key and of a Sec-WebSocket-Accept value. */
#define WS_KEY_LEN 24
#define WS_ACCEPT_LEN 28

/* Section 4.1: the key from 16 random bytes. */
void ws_key(const uint8_t random[16], uint8_t out[WS_KEY_LEN]);
/* Section 4.2.2: the accept value of a key (any length that the peer sent). */
void ws_accept(struct str key, uint8_t out[WS_ACCEPT_LEN]);

#endif
