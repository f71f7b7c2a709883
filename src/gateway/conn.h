/*
 * A TCP connection of the gateway.
 *
 *   FREE --accept--> VISITOR --request to /_adit--> AGENT
 *   VISITOR, AGENT --all is handed over--> LINGER --it is sent--> SHUT
 *   VISITOR, AGENT --at once: it broke, or has to--> CLOSED
 *   LINGER, SHUT --peer's end, or time--> CLOSED --end of turn--> FREE
 *   VISITOR --leaves while half of its request's head is in the tunnel--> DOOMED --> CLOSED
 */
#ifndef ADIT_GATEWAY_CONN_H
#define ADIT_GATEWAY_CONN_H

#include "core/wheel.h"
#include "list.h"
#include "net/tls_server.h"
#include "net/transport.h"
#include "peers.h"
#include "visitor.h"

/* A peer that was told the end: its silence. */
#define CONN_LINGER_MS 2000

struct gateway;
struct listener;
struct tunnel;

enum conn_role {
    CONN_FREE,
    CONN_VISITOR,
    CONN_AGENT,
    CONN_LINGER, /* the last bytes are on their way */
    CONN_SHUT,   /* they are sent, and our end was said on the socket */
    CONN_DOOMED, /* without a socket: see enum stream_state */
    CONN_CLOSED,
};

struct conn {
    int source;              /* SOURCE_CONN; first, for the poller */
    enum conn_role role;
    struct gateway *gateway;
    struct transport transport;
    struct tls_server *tls;  /* its memory; in the clear its two buffers are used */
    struct ip peer;
    struct peer *from;       /* its address's entry; NULL: exempt from what is limited by address */
    bool known;              /* see conn_know */
    bool secure;
    bool agents;
    bool readable;           /* there may be something to read */
    bool starved;            /* something waits for what was sent to have left */
    unsigned end;            /* POLLER_END, POLLER_BROKEN: what the poller told of the peer's end */
    unsigned polled;
    int64_t deadline;
    int64_t armed_at;
    int64_t linger_end;
    struct wheel_node timer; /* armed for the deadline, or for an earlier one that was moved */
    struct list node;       /* unused, closed, or idle */
    struct list dirty;
    struct list served;
    struct visitor visitor;
    struct tunnel *tunnel;   /* AGENT: its own; VISITOR: where its request goes */
};

/* Takes a connection that was accepted; there is an unused struct for it. fd is its own from now
 * on, whatever comes of it. `from` as in struct conn. NULL: TLS could not start, which is said. */
struct conn *conn_start(struct gateway *g, const struct listener *l, int fd, const struct ip *peer,
                        struct peer *from);
/* It is an agent's whose token was accepted, or is that no more. */
void conn_know(struct conn *c, bool known);

/* ---- schedule.c: who is served when ---- */

/* Does it still have a socket? */
bool conn_is_live(const struct conn *c);
/* To be served in the next turn. */
void conn_mark(struct conn *c);
/* The same, and read on: something was taken out of its buffer, or the poller says so. */
void conn_read_on(struct conn *c);
/* Moving a deadline away costs nothing: the timer finds out when it fires. */
void conn_set_deadline(struct conn *c, int64_t at);

/* ---- conn.c: its socket ---- */

/* Room to send, *n bytes: as many as wanted, made by sending what gathered if need be, or a whole
 * record where that is less. A peer may have asked for records of 512 bytes (RFC 6066 section 4),
 * so that *n alone counts. NULL when the peer takes no more now, or during the handshake. */
uint8_t *conn_room(struct conn *c, size_t wanted, size_t *n);
/* Sends of these bytes what the peer takes now, in as many records as it needs; how many. */
size_t conn_put(struct conn *c, const uint8_t *p, size_t n);

/* Everything was handed over: sends it, says the end, waits a little for the peer to read it. */
void conn_finish(struct conn *c);
/* At once; what was not sent is lost. */
void conn_close(struct conn *c);
/* At once, as a reset: where nothing else could show that something is missing. */
void conn_reset(struct conn *c);
/* Of a doomed connection: its head is sent. */
void conn_release(struct conn *c);
/* At the end of a turn: a closed connection may be used again. */
void conn_recycle(struct conn *c);

/* ---- conn_turn.c: a connection's turn, whatever it is ---- */

/* The poller told of it. */
void conn_on_event(struct conn *c, unsigned ready);
void conn_turn(struct conn *c);
/* Tells the poller what the connection waits for now. */
void conn_watch(struct conn *c);
void conn_on_time(struct conn *c);

#endif
