/*
 * The local server: its address, and the connections to it that wait to be used again.
 * Source: RFC 9112 section 9.3 (persistence).
 *
 * A connection that dies idle is noticed by the owner's loop (origin_idle tells what to watch) and
 * dropped; whatever else comes on one, too, at the latest before it is used again. One that dies
 * in the moment it is used again is the exchange's to retry.
 */
#ifndef ADIT_ORIGIN_H
#define ADIT_ORIGIN_H

#include "limits.h"
#include "net/sock.h"

/* Idle connections kept: as many as there can be requests. */
#define ORIGIN_IDLE_MAX STREAMS_MAX
/* Servers close idle connections after 5 s (Apache) to 75 s (nginx); there is no use in holding
 * one of a small server's few for long. */
#define ORIGIN_IDLE_MS 15000

/* Two of each family, as the resolver orders them: a server on this device or beside it has no
 * more. 68 bytes. */
#define ORIGIN_ADDRESSES_MAX 4

struct origin {
    struct str unix_path;  /* not empty: a unix socket */
    struct ip ip[ORIGIN_ADDRESSES_MAX];
    unsigned count;        /* of addresses to connect to; 0: the address is not known yet */
    unsigned at;           /* the one that new connections go to */
    uint16_t port;
    /* private: oldest first */
    unsigned idle_count;
    struct {
        int fd;
        int64_t until;
    } idle[ORIGIN_IDLE_MAX];
};

/* A connection, the most recently used idle one or (`fresh`, or none is idle) a new one that may
 * still be connecting: write to it when it is writable. *reused tells which. < 0: ERR_RESOLVE
 * (the address is not known), or as sock_connect. */
int origin_open(struct origin *o, bool fresh, bool *reused);
/* New addresses, `count` of them; more than there is room for are left out. */
void origin_set(struct origin *o, const struct ip *ip, unsigned count);
/* No connection could be made to the address `at`: new ones go to the next, unless they do already.
 */
void origin_failed(struct origin *o, unsigned at);
/* Keeps a connection whose last response is complete; the oldest one makes room when there is none.
 */
void origin_keep(struct origin *o, int fd, int64_t now);
/* The i-th idle descriptor (wait for input on it: that means it is of no use), its time limit; -1
 * at the end. */
int origin_idle(const struct origin *o, unsigned i, int64_t *until);
/* Closes the i-th, which there is. */
void origin_drop(struct origin *o, unsigned i);
void origin_drop_all(struct origin *o);

#endif
