/*
 * A visitor's HTTP/1.1 connection, request after request, each through one stream of a tunnel: the
 * server that the gateway is, as exchange.h is the client that the agent is. Without descriptors
 * and clocks: the owner reads, writes, looks at the time, and says what the tunnel says.
 * Source: RFC 9110 (interim responses, Expect, upgrade), RFC 9112 (framing, persistence).
 *
 * The two ways of a visit run beside each other; their states are in tables in visit.c:
 *
 *   request   IDLE --first byte--> HEAD --complete--> WAITS --a stream--> SENDS --its head is out
 *             --> BODY --all is out--> DONE
 *   response  ASKED --its head--> ANSWERS --its end--> ANSWERED --all is written--> IDLE
 *
 * The next request of a pipelining visitor waits in the owner's receive buffer.
 */
#ifndef ADIT_VISIT_H
#define ADIT_VISIT_H

#include "core/http_body.h"
#include "core/http_sender.h"
#include "core/relay.h"
#include "core/ring.h"
#include "limits.h"

enum visit_up {
    VISIT_IDLE,  /* no request */
    VISIT_HEAD,  /* a part of its head is here */
    VISIT_WAITS, /* it is complete; a stream is waited for, or a tunnel */
    VISIT_SENDS, /* there is one, and nothing of the head is in the tunnel */
    VISIT_PART,  /* a part of the head is */
    VISIT_BODY,  /* all of it is; the body follows, or the other protocol's bytes */
    VISIT_END,   /* upgraded: the visitor has ended his direction, which is to be told */
    VISIT_DONE,  /* all of the request is in the tunnel, or nobody wants more, and it is read */
    VISIT_DROPS, /* the stream is gone; what is left of the body is of use to nobody */
};

enum visit_down {
    VISIT_ASKED,    /* no final response, or no request */
    VISIT_ANSWERS,  /* its head is written or in the ring; the body follows */
    VISIT_ANSWERED, /* all of it has come; it may still lie in the ring */
    VISIT_SHUT,     /* upgraded: so has the visitor been told on the socket */
    VISIT_BROKEN,   /* it ended, and not as it should: the visitor has to see that */
};

enum visit_upgrade { VISIT_HTTP, VISIT_ASKS_UPGRADE, VISIT_UPGRADED };

/* What the owner does next. */
enum visit_verdict {
    VISIT_GOES_ON,
    VISIT_NEXT,   /* another request may come: visit_next */
    VISIT_FINISH, /* all is handed over: the connection ends in order */
    VISIT_CUT,    /* what was handed over is sent; then the connection ends so that nobody can take
                     that for the end of the response (RFC 9112 section 8) */
    VISIT_HALF,   /* all is handed over: sent, and our direction ended; then visit_shut */
    VISIT_CLOSE,  /* the connection ends at once */
    VISIT_REFUSE, /* a page: `code`, `text` */
};

/* In milliseconds; those which may be 0 have no limit then. */
struct visit_times {
    uint32_t header_ms;  /* for a request's head; how far a body may be behind the least rate */
    uint32_t idle_ms;    /* between requests */
    uint32_t queue_ms;   /* for a stream */
    uint32_t hold_ms;    /* for a tunnel that is not there */
    uint32_t request_ms; /* without progress; or 0 */
    uint32_t upgrade_ms; /* upgraded, and neither side says anything; or 0 */
    uint32_t least_rate; /* bytes a second of a request's body; 0: any */
};

/* A response head of the tunnel, unpacked: a byte more for each field than WIRE_HEAD_MAX, and a
 * field takes 4 there at least; the status line and what a gateway adds. */
#define VISIT_RESPONSE_HEAD_MAX (WIRE_HEAD_MAX + WIRE_HEAD_MAX / 4 + 256)
/* Of the ring, beside the body bytes of a stream's window: response heads, interim ones too. */
#define VISIT_RING_EXTRA (2 * VISIT_RESPONSE_HEAD_MAX)
/* What the owner adds to a request's fields stands behind them. */
#define VISIT_HEAD_ROOM 2048

#define VISIT_NEVER INT64_MAX

struct visit {
    enum visit_up up;
    enum visit_down down;
    enum visit_upgrade upgrade;
    const struct visit_times *times;
    int64_t deadline;     /* when visit_on_time has to be called */
    unsigned code;        /* with VISIT_REFUSE; the text is static */
    const char *text;
    /* the request */
    bool served;          /* the connection has had an answer before */
    bool keep_alive;      /* it may have another request; the owner may clear it */
    bool expects;         /* the body may be kept back (RFC 9110 section 10.1.1) */
    unsigned minor;       /* HTTP/1.minor */
    size_t head_len;
    struct http_body body;
    struct wire_msg msg;  /* HttpRequest, written by the owner; its slices are in `head` */
    /* the response */
    uint8_t interims;     /* passed on; those beyond HTTP_INTERIM_MAX are no progress */
    struct http_sender sender;
    struct ring ring;     /* what the visitor has not taken; its memory is the owner's */
    size_t raw_left;      /* bytes at the ring's front that go out as they are: heads */
    /* private: time */
    int64_t until;        /* some progress must be made; WAITS: there must be a stream */
    int64_t late_at;      /* the body must have come faster; 0: not begun */
    uint64_t heard;       /* bytes of the visitor, when this was last looked at */
    uint8_t head[HTTP_HEAD_MAX + VISIT_HEAD_ROOM];
};

/* A new connection. The ring's memory is there. */
void visit_start(struct visit *v, const struct visit_times *times, int64_t now);
/* After VISIT_NEXT. */
void visit_next(struct visit *v, int64_t now);

/* ---- the request: from the visitor ---- */

/*
 * Gathers a head out of n bytes (IDLE and HEAD); *taken of them. They are copied, because it may
 * come in pieces, and has to stay until it has gone into the tunnel.
 * Returns 0: more is needed; its length: *head is complete, up is WAITS; or an error of
 * http_request_parse, also for a head that does not fit.
 */
int visit_read(struct visit *v, const uint8_t *p, size_t n, int64_t now, size_t *taken,
               struct http_head *head);
/* Takes from a complete head how its body is framed, and what becomes of the connection. 0, or an
 * error of http_request_framing. */
int visit_begin(struct visit *v, const struct http_head *head);
/* A `connection: upgrade` of it goes into the tunnel. Before a stream is taken. */
void visit_ask_upgrade(struct visit *v);
/* Its request waits for a tunnel; for a stream; has one (then the message is written). It may wait
 * for one after the other, but no longer than for both. */
void visit_hold(struct visit *v, int64_t now);
void visit_wait(struct visit *v, int64_t now);
void visit_open(struct visit *v);
/* Has all of the request been read, or at least all that there will be before a response? */
bool visit_is_read(const struct visit *v);
/* A connection that is kept for another request takes what is left of a body. Bytes of the n at p
 * that were thrown away; 0: none may be. */
size_t visit_discard(struct visit *v, uint8_t *p, size_t n);
/* The visitor has ended his direction: false when the visit is over by that. */
bool visit_half_close(struct visit *v);

/* ---- the request: into the tunnel ---- */

/* Is there anything to put? received: bytes of the visitor wait; credit: the stream has some. */
bool visit_pending(const struct visit *v, bool received, bool credit);
/* May body bytes go out: with the head (VISIT_SENDS), or after it? */
bool visit_may_put_body(const struct visit *v, bool received);
/* Is the head, or the rest of it, to be put by itself? */
bool visit_must_put_head(const struct visit *v);
/* A part of the head was put, or with `done` the last one; body bytes, and the head if it was not
 * out; `more` of them will follow. */
void visit_head_put(struct visit *v, bool done);
void visit_body_put(struct visit *v, bool more);
/* The visit has no stream, nor a place in a queue, any more. */
void visit_let_go(struct visit *v);

/* ---- the response: from the tunnel, or a page of the owner's ---- */

/* Is a 1xx response passed on? One is; `go_on`: it says 100. */
bool visit_wants_interim(const struct visit *v);
void visit_interim(struct visit *v, bool go_on);
/* The final head, and what relay_response_write says of it: false when it makes no sense here. */
bool visit_answer(struct visit *v, const struct relay_response *framing, bool keep_alive);
/* A page of the owner's, all of it; visit_let_go was called if it could be. closing: the connection
 * cannot be kept. */
void visit_page(struct visit *v, bool closing);
/* Bytes of a head or page that the connection did not take at once. */
void visit_keep_raw(struct visit *v, const uint8_t *p, size_t n);
/* n body bytes have come: what the connection takes at once goes through visit_gather, the rest to
 * visit_keep. Returns 1; 0: nobody wants them; ERR_HTTP: more than the length says. */
int visit_body(struct visit *v, size_t n);
void visit_keep(struct visit *v, struct str rest);
/* The agent's direction has ended, `broken` if not as it should: false before any answer. */
bool visit_end(struct visit *v, bool broken);
/* The stream broke: false before any answer. */
bool visit_break(struct visit *v);
/* Plain mode, which knows no credit: how many body bytes may come. */
size_t visit_room(const struct visit *v);

/* ---- the response: to the visitor ---- */

/*
 * What to write now, up to three pieces that follow each other, and their sum; 0: nothing. `fresh`:
 * body bytes that have just come, which are behind all that is kept. After n of them were written:
 * takes those of `fresh` off its front, and returns how many body bytes have left the ring.
 */
size_t visit_gather(struct visit *v, struct str fresh, struct str piece[3]);
size_t visit_wrote(struct visit *v, const struct str piece[3], size_t n, struct str *fresh);
/* What becomes of the visit, now that the connection has taken what it takes. `closing`: there is
 * to be no other request; `both`: its directions end together, as TLS's do (RFC 5246 section
 * 7.2.1). */
enum visit_verdict visit_settle(const struct visit *v, bool closing, bool both);
/* After VISIT_HALF. */
void visit_shut(struct visit *v, int64_t now);

/* ---- time ---- */

/* Bytes went through, either way: the deadline moves. heard: bytes of the visitor, ever. */
void visit_progress(struct visit *v, int64_t now, uint64_t heard);
/* The deadline has passed; `received`, `credit` as in visit_pending. */
enum visit_verdict visit_on_time(struct visit *v, int64_t now, uint64_t heard, bool received,
                                 bool credit);

#endif
