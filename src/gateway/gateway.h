/*
 * The gateway as a whole: one static struct, one loop.
 *
 *   gateway.c   start, signals; turn.c: a turn of the loop; leave.c: the end
 *   load.c      files that are read, and read again
 *   listen.c    sockets, own ones or handed over; accept.c: who may connect
 *   conn_turn.c a connection's turn: a visitor's, or an agent's after its first request
 *   visitor.c   a visitor's connection from request to request; timeouts
 *   request.c   a request's head: read, and given to its tunnel
 *   tunnel_io.c an agent's messages; tunnel_pace.c: plain mode's slow visitors;
 *               request_put.c: visitor -> tunnel: head and body of a request
 *   tunnel.c    an agent's connection: its session and its end
 *   tunnel_queue.c  who gets the streams of a tunnel, and who waits for a tunnel
 *   request_head.c  the message that a request's head becomes
 *   response.c  tunnel -> visitor: head and body of a response; page.c: pages
 *   conn.c      a TCP connection, TLS or not
 *   stream.c    a visitor's place in a tunnel; buffer.c: what he has not taken yet
 *   schedule.c  marks and deadlines
 *   limit.c     what one address may ask for; peers.c: what it has of everything
 *
 * Each file uses those below it, and none above. Those not named here (forward.c, cookie.c,
 * certificate.c and others) are used by one or two of these.
 *
 * Every turn of the loop marks connections that have something to do, and then serves them one by
 * one, each once and within a budget; serving one may mark others, and itself, for the next turn.
 * What gathers for one connection in between leaves it in one record and one write.
 */
#ifndef ADIT_GATEWAY_GATEWAY_H
#define ADIT_GATEWAY_GATEWAY_H

#include "config.h"
#include "conn.h"
#include "core/drain.h"
#include "core/wheel.h"
#include "core/window.h"
#include "net/notify.h"
#include "net/tls_server.h"
#include "sys/poller.h"
#include "tunnel.h"

/* Agents that have not said their token yet, or whose end is being told: beyond --max-tunnels, so
 * that neither takes a tunnel from those who are known. The oldest goes when one more comes. */
#define TUNNELS_UNNAMED_MAX 32

/* First in what the poller's events point to. */
enum source { SOURCE_LISTENER, SOURCE_CONN };

struct listener {
    enum source source;
    int fd; /* -1: none */
    unsigned polled;
    bool tls;
    bool agents; /* may agents connect here? */
    bool adopted; /* others may have it as well: see listen.h */
};

struct gateway {
    struct config config;
    struct poller poller;
    struct wheel wheel;
    int64_t now;
    struct visit_times times;
    struct listener listener[2];
    int64_t accept_at; /* no connection is accepted before: there was no descriptor for one */
    struct str url_port; /* ":8443", or empty */
    uint8_t url_port_text[8];
    bool url_tls;

    struct conn *conn;
    size_t conn_count;
    struct list unused;  /* connections that are free */
    struct list closed;  /* free after this turn */
    struct list dirty;   /* to be served in the next turn */
    struct list served;  /* what they wait for may have changed */
    struct list idle;    /* visitors without a complete request, the longest first */
    size_t open_count;
    size_t stranger_count;       /* those that are no known agents' */
    struct peers peers;

    struct tunnel *tunnel;
    size_t tunnel_count;         /* max_tunnels and TUNNELS_UNNAMED_MAX */
    size_t named_count;          /* those that have a name: max_tunnels at most */
    struct list unused_tunnels;
    struct list unnamed_tunnels; /* before Auth, or at their end; the oldest first */
    struct tunnel_names *names;       /* the table in use; the other one is for the next reload */
    struct tunnel_names tunnel_names_table[2];
    uint8_t *file;             /* room for the tokens file */
    size_t file_cap;
    const struct tls_identity *identity;
    struct tls_identity identities[2];
    struct tls_clients clients[2];
    struct tls_shared tls;

    struct window_budget windows; /* --buffer-memory */
    size_t window_max;            /* that there is address space for */
    struct session_counters counters;
    uint64_t looks;    /* see struct peer */
    uint64_t requests;
    uint64_t refused;  /* answered by the gateway itself */
    size_t held;       /* requests that wait for a tunnel to come */
    uint64_t turned_away; /* connections closed and requests answered 429, by address */
    struct notify notify;
    struct drain drain;
    size_t streams_cut; /* at its end */
};

/* Reads the files, listens. All memory, `config` too, is there before (main.c). 0, or an error
 * after having said why. */
int gateway_start(struct gateway *g);
/* Until the end that SIGTERM begins is over: see leave.h. */
void gateway_run(struct gateway *g);

#endif
