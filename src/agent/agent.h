/*
 * The agent: one static struct, and the files that move it.
 *
 *   agent.c          the connection's life: wait, connect, session, wait again
 *   connect.c        dial, TLS handshake, WebSocket upgrade
 *   gateway_trust.c  whom TLS trusts, and as of when
 *   state.c          what outlasts a restart
 *   tunnel_io.c      the open session: events in, messages out
 *   response.c       from the local server's connections into the tunnel
 *   request.c        from the tunnel to the local server's connections
 *   local.c          the local server's address, and idle connections to it
 *   record.c         the record that goes out to the gateway
 *
 * Each file uses those below it, and none above: what an upper one has to know is returned.
 */
#ifndef ADIT_AGENT_H
#define ADIT_AGENT_H

#include "config.h"
#include "core/exchange.h"
#include "core/homes.h"
#include "core/session.h"
#include "core/watchdog.h"
#include "net/dial.h"
#include "net/mtls.h"
#include "net/notify.h"
#include "net/origin.h"
#include "net/tls_client.h"
#include "net/transport.h"
#include "sys/entropy.h"
#include "sys/loop.h"

#define NEXT_URL_MAX 320

/* A stream's connection to the local server. */
struct local_conn {
    int fd;                    /* -1: none */
    uint8_t at, tried;         /* the origin's address it goes to; how many were tried before */
    int err;                   /* why the last one was no connection, or is none any more */
    size_t room;               /* bytes that its socket is sure to take */
    size_t room_used;          /* written since it was asked for that */
};

enum phase {
    PHASE_WAIT,    /* for the next attempt */
    PHASE_DIAL,
    PHASE_TLS,
    PHASE_UPGRADE, /* the request is out, or going out */
    PHASE_SESSION,
    PHASE_CLOSING, /* our close frame is out; the peer's is awaited for a moment */
    PHASE_ENDED,
};

/* After SIGTERM. */
enum stopping {
    STOPPING_NOT,
    STOPPING_DRAINS, /* open requests may end, until the deadline */
    STOPPING_CLOSES,
};

struct agent {
    struct config config;
    struct target target;
    struct uri uri;            /* where this connection goes */
    struct loop loop;
    struct watchdog watchdog;
    struct notify notify;
    enum phase phase;
    int64_t deadline;          /* of the phase */
    int exit_code;
    enum stopping stopping;
    bool told_entropy;
    struct homes homes;
    int64_t opened_at;         /* when the session opened; NET_NEVER: not yet */
    uint64_t answered_before;  /* requests_processed as it was before the session */
    struct entropy entropy;
    struct trust trust;
    int64_t floor;             /* Unix seconds: it is not earlier */
    int64_t floor_kept;        /* as in the state file */
    bool told_clock;
    int64_t state_next;        /* news for the state file wait until then */
    struct dns_cache names;    /* of the gateway, and of the local server */
    struct dial dial;
    struct resolver local;     /* looks up the local server's name */
    int64_t local_next;        /* not before this */
    bool local_down;           /* no connection to it could be made, which has been said */
    struct tls_client tls;
    struct transport transport;
    uint8_t upgrade_key[WS_KEY_LEN];
    size_t upgrade_len;        /* bytes of the response head gathered */
    struct session session;
    uint8_t next_url[NEXT_URL_MAX]; /* of a Goaway: where to dial once */
    size_t next_url_len;
    struct session_counters counters;
    struct stream stream[STREAMS_MAX];
    struct exchange_shared shared;
    struct exchange exchange[STREAMS_MAX];
    struct local_conn conn[STREAMS_MAX];
    unsigned next_exchange;    /* round robin */
    struct str held;           /* body bytes that found no room yet, still in the record buffer */
    int held_slot;
    size_t held_ack;
    bool blocked;              /* something is ready to go out, and the record is full */
    bool again;                /* there is more to do than one turn should */
    size_t record_len;         /* bytes put into the present record */
    uint32_t bulk_max;         /* how many of them may be of bodies */
    bool leaving;              /* closes when no request is open: a Goaway, or our own end */
    int closed_err;            /* why the session ended, told by the peer */
    struct origin origin;
    uint8_t block[POOL_BLOCKS][POOL_BLOCK];
#ifdef ADIT_MTLS
    struct mtls mtls;          /* last: what is near has shorter addresses */
#endif
};

/* What the owner of a device has to spare: checked where the struct is defined. */
#ifdef ADIT_TINY
#define AGENT_RAM_MAX (96 * 1024)
#else
#define AGENT_RAM_MAX (224 * 1024 + POOL_BLOCKS * POOL_BLOCK)
#endif

/* ---- agent.c ---- */
/* The exit code of a program that turned and turned without getting on: start it again. */
#define AGENT_EXIT_SPINS 3
void agent_init(struct agent *a);
/* Runs until it is told to stop or out of attempts; returns the exit code. */
int agent_run(struct agent *a);

/* ---- connect.c: from PHASE_WAIT to PHASE_SESSION; an error ends the attempt ---- */
int connect_start(struct agent *a);
int connect_turn_dial(struct agent *a);
int connect_turn_tls(struct agent *a);
int connect_turn_upgrade(struct agent *a);
/* The gateway asks to be left alone for so long; up to a day of it is heeded. */
void connect_wait_seconds(struct agent *a, uint32_t seconds);

/* ---- gateway_trust.c ---- */
/* At the start: authorities, pins, the state file. 0 or ERR_USAGE, said. */
int gateway_trust_init(struct agent *a);
/* Prepares TLS for a connection; as tls_client_start. */
int gateway_trust_start(struct agent *a);
/* The handshake is done. */
void gateway_trust_done(struct agent *a);
/* The session is open: the gateway's clock, from AuthSuccess, in Unix seconds; and it is at the
 * address that was dialled. */
void gateway_trust_learn(struct agent *a, int64_t server_time);
/* Into the log line at hand: why TLS failed, and what to do. */
void gateway_trust_log(const struct agent *a, int tls_err);
/* The gateway refuses us: what to do, if that may be for our certificate's sake; or empty. */
const char *gateway_trust_hint(const struct agent *a);

/* ---- state.c: the file of --state, the time and the gateway's last good addresses ---- */
/* Its addresses become known, without being asked for. Returns its time; 0: there is no file; < 0:
 * it holds none. What is damaged in the rest is said. */
int64_t state_read(struct agent *a);
/* Replaces it; that this fails is said. */
void state_write(struct agent *a, int64_t time);

/* ---- local.c: the local server's address, and the connections to it that are idle ---- */
void local_init(struct agent *a);
void local_want(struct agent *a);
/* Begins to look its name up, if it has one and that is not under way: for each connection anew,
 * for it may have moved, and when a request cannot reach it. */
void local_look_up(struct agent *a);
void local_turn(struct agent *a);
/* No connection to it could be made; returns the sentence for the visitor. */
const char *local_failed(struct agent *a, int err);
/* It has answered. */
void local_answers(struct agent *a);

/* ---- tunnel_io.c ---- */
void tunnel_start(struct agent *a, enum upgrade_protocol protocol);
/* Says what to wait for; works on what came. An error ends the connection. */
void tunnel_want(struct agent *a);
int tunnel_turn(struct agent *a);
/* One more thing that is due, put and pushed: the close frame of a session that failed. */
bool tunnel_say(struct agent *a);
/* Closes all that belongs to the session. */
void tunnel_end(struct agent *a);

/* ---- response.c: `slot` is the stream's ---- */
/* The local connection has something to read. */
void response_read(struct agent *a, int slot);
/* Puts what is ready into the record; true when something was put. */
bool response_put(struct agent *a, int slot);

/* ---- request.c ---- */
/* A request's head has come. */
void request_begin(struct agent *a, int slot);
/* The message with the head is complete, the body follows in others. */
void request_continue(struct agent *a, int slot);
/* Body bytes have come; returns how many found room (all of them but in plain mode, and
 * where a socket took less than it was sure to). */
size_t request_body(struct agent *a, int slot, struct str body);
/* The visitor's direction ended. */
void request_end(struct agent *a, int slot);
/* The stream is gone. */
void request_abort(struct agent *a, int slot);
/* Gives the request up with an answer for the visitor. */
void request_fail(struct agent *a, int slot, unsigned code, const char *text);
/* Writes as much as the local server takes. */
void request_flush(struct agent *a, int slot);
/* Looks whether the local server had time enough. */
void request_on_time(struct agent *a, int slot);
/* Does what the exchange wants, and ends it if its stream is over. */
void request_obey(struct agent *a, int slot, enum exchange_verdict verdict);
void request_settle(struct agent *a, int slot);

/* ---- record.c ---- */
/* Room in the record, *n bytes, or NULL. */
uint8_t *record_room(struct agent *a, size_t *n);
/* A fresh frame mask. */
const uint8_t *record_key(struct agent *a, uint8_t key[4]);
/* n bytes were put into it. */
void record_ack(struct agent *a, size_t n);
void record_send(struct agent *a);

#endif
