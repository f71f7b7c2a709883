/*
 * A visitor's HTTP/1.1 connection: requests one after the other, each through one stream.
 *
 *   IDLE --bytes--> HEAD --complete--> QUEUED --a stream is free--> OPEN --all is sent--> IDLE
 *   any --a page of our own--> OPEN without a stream
 *
 * The next request of a pipelining visitor waits in the receive buffer.
 */
#ifndef ADIT_GATEWAY_VISITOR_H
#define ADIT_GATEWAY_VISITOR_H

#include "http_body.h"
#include "http_sender.h"
#include "list.h"
#include "relay.h"
#include "ring.h"
#include "session.h"

struct conn;

enum visitor_state { VISITOR_IDLE, VISITOR_HEAD, VISITOR_QUEUED, VISITOR_OPEN };

/* A response head of the tunnel, unpacked: a byte more for each field than WIRE_HEAD_MAX, and a
 * field takes 4 there at least; the status line and our own fields. */
#define VISITOR_RESPONSE_HEAD_MAX (WIRE_HEAD_MAX + WIRE_HEAD_MAX / 4 + 256)
/* Beside the stream window: response heads, interim ones too. */
#define VISITOR_RING_EXTRA (2 * VISITOR_RESPONSE_HEAD_MAX)
/* What the gateway adds to a request's fields stands behind them. */
#define VISITOR_HEAD_ROOM 2048

struct visitor {
    enum visitor_state state;
    /* the request */
    size_t head_len;
    bool served;          /* had an answer before */
    unsigned minor;
    bool keep_alive;
    bool upgrade;         /* asked for */
    bool expects;         /* it may keep its body back (RFC 9110 section 10.1.1) */
    struct http_body body;
    int64_t until;        /* OPEN: some progress must be made */
    int64_t late_at;      /* the body must have come faster; 0: not begun */
    uint64_t heard;       /* by the transport, when this was last looked at */
    struct wire_msg msg;  /* HttpRequest, its slices in `head` */
    struct list ready;    /* in the tunnel's list of those that have something to send */
    struct list wait;     /* in the tunnel's queue for a stream */
    int slot;             /* -1: no stream (any more) */
    bool head_put;        /* HttpRequest is out, whole */
    bool head_part;       /* ... a part of it */
    bool end_due;         /* upgraded: the visitor has ended its direction */
    bool request_done;    /* our direction has ended */
    /* the response */
    uint8_t interims;     /* passed on; those beyond HTTP_INTERIM_MAX are no progress */
    bool answered;        /* its head is in the ring or gone */
    bool upgraded;        /* with 101 */
    bool response_done;   /* the other direction has ended; more may be in the ring */
    bool broken;          /* ... and not as it should */
    bool shut;            /* upgraded: the visitor was told the end of the response */
    struct relay_response framing;
    struct http_sender sender; /* of its body */
    struct ring ring;
    size_t raw_left;      /* bytes at the ring's front that go out as they are: heads */
    uint8_t head[HTTP_HEAD_MAX + VISITOR_HEAD_ROOM];
};

/* A new connection. The ring's memory is set once, at the start. */
void visitor_start(struct conn *c);
/* Takes what it can of what was received; false when nothing. */
bool visitor_input(struct conn *c);
void visitor_output(struct conn *c);
/* The connection's read side has ended. */
void visitor_ended(struct conn *c);
void visitor_on_time(struct conn *c);

/* Progress: the deadline moves. */
void visitor_progress(struct conn *c);
/* Is it he who is waited for? */
bool visitor_is_waited_for(const struct conn *c);
/* ... and nothing of his lies here. */
bool visitor_is_slow(struct conn *c);
/* He is not, after all. */
void visitor_go_on(struct conn *c);

#endif
