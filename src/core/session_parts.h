/*
 * What the files of the session share: session.c (streams, health), session_recv.c, session_put.c,
 * and session_agent.c and session_gateway.c, the two roles.
 */
#ifndef ADIT_SESSION_PARTS_H
#define ADIT_SESSION_PARTS_H

#include "core/session.h"

/* session.flags: things of the session itself that are due. */
enum {
    SESSION_DUE_AUTH = 1,
    SESSION_DUE_REPLY = 2,
    SESSION_DUE_PING = 4,
    SESSION_DUE_PONG = 8,
    SESSION_DUE_WS_PONG = 16,
    SESSION_DUE_STATS = 32,
    SESSION_DUE_ERROR = 64, /* for an id without a slot; no further input until it is out */
    SESSION_DUE_GOAWAY = 128,
    SESSION_DUE_CLOSE = 256,
    SESSION_CLOSE_SENT = 512,
    SESSION_MUTE = 1024,   /* the peer hears nothing: instead of all of these */
};

/* Where a frame goes, and with what. */
struct session_dest {
    uint8_t *out;
    size_t cap;
    const uint8_t *key;
};

struct session_role {
    bool client; /* of WebSocket */
    /* in->msg up to its body, of any type; 0 or an error. */
    int (*on_head)(struct session *s, struct session_in *in);
    /* The peer's direction of the slot has ended. */
    void (*on_end)(struct session *s, int slot);
    /* A complete message that session_recv.c does not know, ignored unless `event` is set. */
    int (*on_message)(struct session *s, struct session_in *in, int64_t now);
    /* What a flag of this role asks for; its length, 0 when it does not fit. */
    size_t (*put)(struct session *s, unsigned flag, const struct session_dest *at, int64_t now);
};

/* The message that is being received is not for any stream that we have: skip its body. */
enum session_event session_ignore(struct session *s);
size_t session_put_message(struct session *s, const struct session_dest *at,
                           const struct wire_msg *m);
/* AuthSuccess was received or sent: timers start. */
void session_opened(struct session *s, int64_t now);
/* The slot of an open stream, -1 when there is none. */
int session_find(const struct session *s, struct str id);
/* A free slot for a new stream, -1 when there is none. */
int session_take(struct session *s, struct str id);
void session_free(struct session *s, int slot);
/* session_abort without counting a failure. Code 0: the peer knows, no Error is due. */
void session_break(struct session *s, int slot, unsigned code, const char *text);
/* The same when no head is out in part, or not any more. */
void session_break_now(struct session *s, int slot);
/* The most credit that can make sense; beyond it the peer's arithmetic is broken. */
#define SESSION_CREDIT_MAX (UINT64_C(1) << 62)
/* Frees the slot when both directions have ended. */
void session_settle(struct session *s, int slot);

#endif
