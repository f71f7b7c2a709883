/*
 * Bytes over a connected socket, through TLS or in the clear, with the same calls.
 *
 * Both directions work on the transport's own record buffers, in place: what is to be sent is
 * written into the record buffer (transport_send_buf) and encrypted there; what was received is
 * read where it was decrypted. Bulk is never copied here, and one send_ack + flush is one record
 * and one write(): fill the buffer with everything that is ready before the flush.
 *
 * TLS: BearSSL's engine (client or server; only its br_ssl_engine_context is used). The owner
 * has set up the engine (tls.h). BearSSL asks for a record's head and body one after the other;
 * reading what follows into a small stash in the same system call makes that one read() per record
 * instead of two, and a single one for several small records.
 *
 * A turn of the owner:
 *   transport_pump(&t)                          when the descriptor is ready
 *   while ((p = transport_recv_buf(&t, &n)))    take all there is ...
 *       transport_recv_ack(&t, consume(p, n));
 *   ... or leave some, and come back by itself: what lies here already makes no descriptor ready.
 *   transport_send_buf, _send_ack ..., transport_flush(&t), transport_push(&t)
 */
#ifndef ADIT_TRANSPORT_H
#define ADIT_TRANSPORT_H

#include "core/unsent.h"
#include "net/sock.h"

/* Bytes of following records that are read ahead, and copied once; more would only save system
 * calls for records of some hundred bytes that come in bursts. */
#define TRANSPORT_STASH_MAX 2048

/*
 * HANDSHAKE (TLS only) --done--> OPEN --transport_close--> CLOSING; any of them ends as soon as
 * `err` is set.
 */
enum transport_state { TRANSPORT_HANDSHAKE, TRANSPORT_OPEN, TRANSPORT_CLOSING };

/* What the peer still does. */
enum transport_peer {
    PEER_TALKS,   /* it says something, and takes what we say */
    PEER_LISTENS, /* it has ended its direction; see transport_send_on */
    PEER_DEAF,    /* writing has failed: pump, until nothing more is read */
};

/* See tls.h. */
struct tls_engine;

struct transport {
    int fd;                       /* owned; -1 when ended */
    struct tls_engine *engine;    /* NULL: in the clear */
    int err;                      /* 0, ERR_CLOSED (clean end), ERR_TRUNCATED, ERR_TLS, ERR_SYS */
    int tls_err;                  /* BearSSL's code with ERR_TLS */
    uint64_t heard;               /* bytes received from the socket, ever (liveness) */
    uint64_t sent;                /* bytes that the socket took, ever */
    bool write_blocked;           /* the socket took less than there is */
    bool read_idle;               /* the socket had nothing more to give at the last pump */
    enum transport_state state;
    enum transport_peer peer;
    struct unsent unsent;         /* used by transport_pace */
    bool choked;                  /* it said 0 */
    int64_t paced_at;
    uint64_t paced_held, paced_sent; /* unsent, and sent, by then */
    /* private; in the clear only */
    uint8_t *in, *out;
    size_t cap, in_at, in_len, out_at, out_len;
    bool flushing;                /* what is in `out` goes to the socket */
    /* private; TLS only */
    bool gathered;                /* the engine has what was acknowledged, and no record of it */
    size_t stash_at, stash_len;
    uint8_t stash[TRANSPORT_STASH_MAX];
};

/* In the clear: two buffers of `cap` bytes each. Takes the descriptor. */
void transport_init_clear(struct transport *t, int fd, uint8_t *in, uint8_t *out, size_t cap);
/* Takes the descriptor; the engine stays the owner's. */
void transport_init_tls(struct transport *t, int fd, struct tls_engine *engine);

/* What to wait for on the descriptor. NET_IN only while there is room for what comes: an owner
 * that does not take what was received exerts back-pressure without further ado. */
unsigned transport_want(const struct transport *t);

/*
 * Moves bytes between socket and record buffers as far as both allow, the handshake included.
 * Returns 0, or the error that ended the transport (then also in `err`). Bytes received before the
 * end can still be read afterwards. Reads no more than one record that the owner has to take:
 * for bulk, pump again while !read_idle.
 */
int transport_pump(struct transport *t);
/* The same for what is to be sent only: after a flush, it saves asking the socket for input. */
int transport_push(struct transport *t);

/* True once application data may flow (the handshake is done). */
bool transport_ready(const struct transport *t);

/* Received bytes, *n of them, that may be overwritten in place; NULL when there are none. */
uint8_t *transport_recv_buf(struct transport *t, size_t *n);
void transport_recv_ack(struct transport *t, size_t n);

/* Room for bytes to send, contiguous, in the present record; NULL while a full record waits for
 * the socket, before the handshake is done, and after the end. */
uint8_t *transport_send_buf(struct transport *t, size_t *n);
/* A record that is full by this is closed, as by transport_flush. */
void transport_send_ack(struct transport *t, size_t n);
/* Makes a record of what was acknowledged; transport_push or _pump sends it. */
void transport_flush(struct transport *t);
/*
 * Before each record, for a connection that carries many things at once: keeps what the kernel
 * holds unsent to what the path needs (unsent.h). Returns how many bytes of bulk a record should
 * have at most, half of that: on a slow path a full one would take seconds, in which nothing else
 * gets through. 0: no bulk now; transport_want waits until there may be more.
 */
uint32_t transport_pace(struct transport *t, int64_t now);
/* Is anything acknowledged or encrypted that the socket has not taken? */
bool transport_unsent(const struct transport *t);

/* Does what we have to send wait for the peer to take something: unsent, or kept back by
 * transport_pace? */
bool transport_waits(const struct transport *t);
/* Bytes that the peer has taken, ever, as far as the kernel knows: what was sent, less what lies in
 * the socket. For liveness: a slow peer takes some, a frozen one none. */
uint64_t transport_taken(const struct transport *t);

/* Flushes, says close_notify, and sends that (push while transport_unsent and no error). What was
 * received and not taken, and what still comes, is discarded. */
void transport_close(struct transport *t);
/*
 * After ERR_CLOSED in the clear: the peer has ended its direction, which leaves ours open (TCP's
 * half close). Clears the error, and goes on with sending only: nothing is read any more. False,
 * and nothing happens, where that cannot be: with TLS, after another error, after transport_close.
 */
bool transport_send_on(struct transport *t);
/* Closes the descriptor and forgets everything; `err` is ERR_CLOSED then. */
void transport_end(struct transport *t);

#endif
