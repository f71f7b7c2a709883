/*
 * One request and its response, between a stream of the tunnel and an HTTP/1.1 connection to the
 * local server: the client that the agent is. Without descriptors and clocks: the owner connects,
 * reads, writes and looks at the time; a call returns what he has to do about it.
 * Source: RFC 9110 (methods, interim responses, upgrade), RFC 9112 (framing, persistence).
 *
 * The two ways of an exchange run beside each other; their states are in tables in exchange.c:
 *
 *   request   NONE --request--> NEW --its body is known of--> SENDS --all is written--> DONE
 *   response  WAIT --first byte--> HEAD --complete--> PUT --head and first bytes--> BODY --> DONE
 */
#ifndef ADIT_EXCHANGE_H
#define ADIT_EXCHANGE_H

#include "core/credit.h"
#include "core/http_body.h"
#include "core/http_sender.h"
#include "core/pool.h"
#include "core/relay.h"

enum exchange_up {
    UP_NONE,   /* no request */
    UP_NEW,    /* its head is known, whether it has a body not yet */
    UP_SENDS,  /* it goes out, or waits for more of its body: see `sender` */
    UP_DONE,   /* all of it is written, or nobody wants the rest */
};

enum exchange_down {
    DOWN_NONE,    /* no request */
    DOWN_WAIT,    /* for the first byte of a response */
    DOWN_HEAD,    /* a part of its head is here */
    DOWN_INTERIM, /* a 1xx head is here; it goes out */
    DOWN_PUT,     /* the response head is here; it goes out, with the first of the body */
    DOWN_BODY,    /* passing on the body */
    DOWN_DONE,    /* passed on, or given up */
};

/* What the owner does next. */
enum exchange_verdict {
    EXCHANGE_GOES_ON,
    EXCHANGE_CONNECT,   /* connect, to an idle connection unless `fresh`; then exchange_connected */
    EXCHANGE_ELSEWHERE, /* nothing was sent, and no connection stands: connect to another address,
                           or exchange_fail */
    EXCHANGE_FAILED,    /* tell the visitor `code` and `text`; the exchange is over */
    EXCHANGE_SHUT,     /* our direction of an upgraded connection has ended: say so on the socket */
    EXCHANGE_COMPLETE, /* the connection is not needed any more: `keep_alive` tells what becomes of
                          it; the exchange is over */
};

/* What the exchanges of an agent have in common. */
struct exchange_shared {
    struct pool pool;
    struct credit credit;
    struct relay_rules rules;
    bool plain;                /* the session's form, see WIRE.md */
    uint32_t timeout_ms;       /* for a local server that makes no progress */
};

struct exchange {
    enum exchange_up up;
    enum exchange_down down;
    bool fresh;                /* with EXCHANGE_CONNECT */
    bool may_repeat;           /* on an idle connection, and nothing would be done twice */
    bool keep_alive;           /* the connection may serve another request */
    bool readable;             /* written by the owner: there may be something to read */
    uint8_t interims;          /* how many 1xx there were */
    struct exchange_shared *shared;
    int64_t deadline;          /* for the local server's next sign of progress */
    struct relay_request request;
    struct http_sender sender;
    struct queue queue;        /* body bytes that the local server has not taken yet */
    struct credit_share share;
    unsigned status;
    struct wire_headers fields;
    struct http_body body;
    size_t head_len;           /* bytes in head */
    size_t ready_at, ready_len; /* decoded body bytes that lie in head */
    unsigned code;             /* with EXCHANGE_FAILED; the text is static */
    const char *text;
    /*
     * Serves both ways: first the request head, kept until the first byte of a response so that it
     * can be sent again; then the response head, packed for the message, and the body bytes that
     * were read along with it.
     */
    uint8_t head[HTTP_HEAD_MAX];
};

#define EXCHANGE_NEVER INT64_MAX
/* The same bits as NET_IN and NET_OUT. */
enum { EXCHANGE_IN = 1, EXCHANGE_OUT = 2 };

#define EXCHANGE_NO_ANSWER "the local server does not answer"

/* No request. */
void exchange_init(struct exchange *x, struct exchange_shared *shared);
/* Lets go of what is shared, but not of `head`, which may still be going out in parts. */
void exchange_release(struct exchange *x);
/* Gives the request up. */
enum exchange_verdict exchange_fail(struct exchange *x, unsigned code, const char *text);

/* ---- the request: out of the tunnel ---- */

/* It has come; `m` of the calls that follow is its message, whose slices last as long as it is
 * being received. */
void exchange_request(struct exchange *x);
/* Its head is complete; a body will come. */
enum exchange_verdict exchange_continue(struct exchange *x, const struct wire_msg *m);
/* n body bytes have come. Those which exchange_is_direct lets write at once (sender_gather) are
 * told by exchange_sent, and the rest goes to exchange_store, which returns how many found room:
 * all, but in plain mode, where nothing limits them, and where a socket took less than it was sure
 * to. Bytes that a DONE request gets are nobody's. */
enum exchange_verdict exchange_body(struct exchange *x, const struct wire_msg *m, size_t n);
bool exchange_is_direct(const struct exchange *x);
void exchange_sent(struct exchange *x, size_t n);
size_t exchange_store(struct exchange *x, struct str body);
/* The visitor's direction ended. */
enum exchange_verdict exchange_end(struct exchange *x, const struct wire_msg *m);
/* Credit for the peer, which has `open` of its credit left; 0: none. room: see credit_grant. What
 * does not find it after all goes to exchange_store, and may find no room there either. */
uint64_t exchange_grant(struct exchange *x, uint64_t open, uint64_t room);

/* ---- the request: to the local server ---- */

/* A connection (which may still be under way), one that was idle if `reused`. The address has
 * `limit_ms` to be reached. */
void exchange_connected(struct exchange *x, bool reused, int64_t now, uint32_t limit_ms);
/* What waits to be written, as sender_gather's `data`; what was written of it. */
struct str exchange_peek(const struct exchange *x);
void exchange_pop(struct exchange *x, size_t n);
/* The connection took some. */
void exchange_progress(struct exchange *x, int64_t now);
/* It takes no more. */
enum exchange_verdict exchange_cut(struct exchange *x);
/* To be called when the connection took all that it was given: is that the end? */
enum exchange_verdict exchange_flushed(struct exchange *x);

/* ---- the response: from the local server ---- */

/* May the connection be read? Not before the request's head is out: what it has to say then, it
 * says to nobody. */
bool exchange_listens(const struct exchange *x);
/* Room for a response head, *n bytes; after a read of n of them, or an error (n < 0). */
uint8_t *exchange_head_room(struct exchange *x, size_t *n);
enum exchange_verdict exchange_head_read(struct exchange *x, int n, int64_t now);
/* How many coded bytes of the body may be read now into room for `max`; 0: none. What became of a
 * read of n bytes to p (or its error): data bytes that stand at p now, 0: none, or an error. */
size_t exchange_want_body(const struct exchange *x, size_t max);
int exchange_body_read(struct exchange *x, uint8_t *p, int n, size_t wanted, int64_t now);
/* Plain mode: a response that fits the buffer goes out whole, so that it does not keep the tunnel
 * from others while it is slow. Room for more of it, or NULL: it does not gather, or no more. */
uint8_t *exchange_gather_room(struct exchange *x, size_t *n);
void exchange_gathered(struct exchange *x, size_t n);

/* ---- the response: into the tunnel ---- */

/* Is there anything to put, as far as can be told without trying? */
bool exchange_has_something(const struct exchange *x);
/* Nothing more comes behind what is here. */
bool exchange_is_last(const struct exchange *x);
/* Body bytes that were read with the head, up to max of them, moved to p. */
size_t exchange_take_ready(struct exchange *x, uint8_t *p, size_t max);
/* A message was put, whole: an interim head, or the head, body bytes or both. */
enum exchange_verdict exchange_put(struct exchange *x);

/* ---- time ---- */

/* What the connection waits for, EXCHANGE_IN and EXCHANGE_OUT. may_put: the tunnel takes body bytes
 * of it. more: body bytes wait outside. Moves the deadline away where it is not the local server's
 * turn. */
unsigned exchange_want(struct exchange *x, bool may_put, bool more, int64_t now);
/* The deadline has passed. */
enum exchange_verdict exchange_on_time(struct exchange *x);
/* An upgraded connection that is over for the tunnel, while the local server has not taken the
 * visitor's last bytes yet. It keeps the slot until then, or until a request needs it. */
bool exchange_lingers(const struct exchange *x);

#endif
