/*
 * The agent: one static struct, and the files that move it.
 *
 *   agent.c     the connection's life: wait, connect, session, wait again
 *   connect.c   dial, TLS handshake, WebSocket upgrade
 *   verify.c    whom TLS trusts, and as of when
 *   local.c     the local server's address
 *   serve.c     the open session: events in, messages out
 *   exchange.c  one request: from the tunnel to the local server and back; its two ways are in
 *               upload.c (visitor to local server) and download.c (local server to visitor)
 */
#ifndef ADIT_AGENT_H
#define ADIT_AGENT_H

#include "backoff.h"
#include "config.h"
#include "dial.h"
#include "entropy.h"
#include "http_body.h"
#include "loop.h"
#include "mtls.h"
#include "notify.h"
#include "origin.h"
#include "pool.h"
#include "relay.h"
#include "session.h"
#include "tls.h"
#include "transport.h"
#include "watchdog.h"

#define NEXT_URL_MAX 320

enum exchange_up {
    UP_NONE,   /* no request */
    UP_NEW,    /* its head is known, whether it has a body not yet */
    UP_HEAD,   /* writing the head */
    UP_BODY,   /* writing the body, or waiting for more of it */
    UP_DONE,   /* all of it is written */
};

enum exchange_down {
    DOWN_NONE,  /* no request */
    DOWN_HEAD,  /* reading the response head (from when the request head is written) */
    DOWN_PUT,   /* the response head is here; it goes out, with the first of the body */
    DOWN_BODY,  /* passing on the body */
    DOWN_DONE,  /* passed on, or given up */
};

/*
 * One request. `head` serves both ways: first the request head, kept until the first byte of a
 * response so that it can be sent again; then the response head, packed for the message, and
 * the body bytes that were read along with it.
 */
struct exchange {
    enum exchange_up up;
    enum exchange_down down;
    int fd;                    /* to the local server; -1: none */
    bool reused;               /* the connection was an idle one */
    uint8_t at, tried;         /* the origin's place that it goes to; how many were tried before */
    bool up_ended;             /* the visitor's body is complete */
    bool uploading;            /* counted in agent.uploads */
    bool answering;            /* the first byte of a response has come: no second try */
    bool keep_alive;           /* the connection may serve another request */
    bool readable;             /* the connection may have something to read */
    bool interim;              /* the response head at hand is a 1xx */
    uint8_t interims;          /* how many there were */
    int64_t deadline;          /* for the local server's next sign of progress */
    struct relay_request request;
    struct queue queue;        /* body bytes that the local server has not taken yet */
    uint64_t up_left;          /* of a body with a length */
    uint64_t excess;           /* its share of POOL_SPARE */
    struct str lead;           /* what must be written before body bytes */
    uint64_t chunk_left;       /* bytes of the chunk that was begun */
    bool chunk_ended;          /* the last chunk is in `lead` */
    uint8_t chunk_lead[HTTP_CHUNK_HEAD_MAX];
    unsigned status;
    struct wire_headers fields;
    struct http_body body;
    size_t head_len;           /* bytes in head */
    size_t ready_at, ready_len; /* decoded body bytes that lie in head */
    uint8_t head[HTTP_HEAD_MAX];
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
    bool stopping;
    bool told_entropy;
    struct backoff backoff;
    int64_t opened_at;         /* when the session opened; NET_NEVER: not yet */
    uint64_t answered_before;  /* requests_processed as it was before the session */
    int64_t wait_least_ms;     /* the next delay is at least this: the gateway asked */
    struct entropy entropy;
    struct trust trust;
    int64_t floor;             /* Unix seconds: it is not earlier */
    int64_t floor_kept;        /* as in the state file */
    bool told_clock;
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
    struct exchange exchange[STREAMS_MAX];
    unsigned next_exchange;    /* round robin */
    unsigned uploads;          /* exchanges whose visitor's body goes on */
    uint64_t spare_used;       /* of POOL_SPARE */
    struct str held;           /* body bytes that found no room yet, still in the record buffer */
    int held_slot;
    size_t held_ack;
    bool blocked;              /* something is ready to go out, and the record is full */
    bool again;                /* there is more to do than one turn should */
    size_t record_len;         /* bytes put into the present record */
    bool leaving;              /* the gateway said Goaway */
    int closed_err;            /* why the session ended, told by the peer */
    struct origin origin;
    struct pool pool;
    uint8_t block[POOL_BLOCKS][POOL_BLOCK];
#ifdef ADIT_MTLS
    struct mtls mtls;          /* last: what is near has shorter addresses */
#endif
};

/* What the owner of a device has to spare: checked where the struct is defined. */
#ifdef ADIT_TINY
#define AGENT_RAM_MAX (96 * 1024)
#else
#define AGENT_RAM_MAX (384 * 1024)
#endif

/* ---- agent.c ---- */
/* The exit code of a program that turned and turned without getting on: start it again. */
#define AGENT_EXIT_SPINS 3
void agent_init(struct agent *a);
/* Runs until it is told to stop or out of attempts; returns the exit code. */
int agent_run(struct agent *a);
/* Takes the connection down, in whatever phase it is, and plans the next one. */
void agent_disconnect(struct agent *a, int err);
/* The gateway asks to be left alone for so long; up to a day of it is heeded. */
void agent_wait_seconds(struct agent *a, uint32_t seconds);
uint32_t agent_random(struct agent *a);

/* ---- connect.c: from PHASE_WAIT to PHASE_SESSION ---- */
void connect_start(struct agent *a);
void connect_turn_dial(struct agent *a);
void connect_turn_tls(struct agent *a);
void connect_turn_upgrade(struct agent *a);

/* ---- verify.c ---- */
/* At the start: authorities, pins, the state file. 0 or ERR_USAGE, said. */
int verify_init(struct agent *a);
/* Prepares TLS for a connection; as tls_client_start. */
int verify_start(struct agent *a);
/* The handshake is done. */
void verify_done(struct agent *a);
/* The gateway's clock, from AuthSuccess: Unix seconds. */
void verify_learn(struct agent *a, int64_t server_time);
/* Into the log line at hand: why TLS failed, and what to do. */
void verify_log(const struct agent *a, int tls_err);
/* The gateway refuses us: what to do, if that may be for our certificate's sake; or empty. */
const char *verify_hint(const struct agent *a);

/* ---- local.c: the local server's address ---- */
void local_init(struct agent *a);
/* Begins to look its name up, if it has one and that is not under way: for each connection anew,
 * for it may have moved, and when a request cannot reach it. */
void local_look_up(struct agent *a);
void local_turn(struct agent *a);
/* No connection to it could be made; returns the sentence for the visitor. */
const char *local_failed(struct agent *a, int err);
/* It has answered. */
void local_answers(struct agent *a);

/* ---- serve.c ---- */
void serve_start(struct agent *a, enum upgrade_protocol protocol);
/* Says what to wait for; works on what came. An error ends the connection. */
void serve_want(struct agent *a);
int serve_turn(struct agent *a);
/* One more thing that is due, put and pushed: the close frame of a session that failed. */
bool serve_say(struct agent *a);
/* Closes all that belongs to the session. */
void serve_end(struct agent *a);
/* A fresh frame mask. */
const uint8_t *serve_key(struct agent *a, uint8_t key[4]);
/* n bytes were put into the record. */
void serve_ack(struct agent *a, size_t n);

/* ---- exchange.c: `slot` is the stream's ---- */
void exchange_init(struct agent *a);
/* A request's head has come. */
void exchange_request(struct agent *a, int slot);
/* Body bytes have come; returns how many found a place (all of them but in plain mode). */
size_t exchange_body(struct agent *a, int slot, struct str body);
/* The message with the head is complete, the body follows in others. */
void exchange_continue(struct agent *a, int slot);
/* The visitor's direction ended. */
void exchange_end(struct agent *a, int slot);
/* The stream is gone. */
void exchange_abort(struct agent *a, int slot);
/* The local connection is ready for `ready`; the time is looked at, too. */
void exchange_turn(struct agent *a, int slot, unsigned ready);
unsigned exchange_want(struct agent *a, int slot, int64_t *deadline);
/* Gives the request up with an answer for the visitor. */
void exchange_fail(struct agent *a, int slot, unsigned code, const char *text);
/* Ends what is left of the exchange if its stream is over. */
void exchange_settle(struct agent *a, int slot);
#define EXCHANGE_NO_ANSWER "the local server does not answer"
/* The local server made progress. */
void exchange_progress(struct agent *a, struct exchange *x);
/* Opens a connection, to which the head is to be written (again). */
void exchange_connect(struct agent *a, int slot, bool fresh);
/* No connection could be made: opens one to another address, or gives up. */
void exchange_unreached(struct agent *a, int slot, int err);
/* Has nothing been written to the connection yet? */
bool exchange_unwritten(const struct exchange *x);

/* ---- upload.c ---- */
void upload_start(struct agent *a, int slot, bool has_body, int64_t body_len);
size_t upload_body(struct agent *a, int slot, struct str body);
/* Writes as much as the local server takes. */
void upload_write(struct agent *a, int slot);
bool upload_wants(const struct agent *a, int slot);
/* Gives the peer credit up to the stream's fair share. */
void upload_grant(struct agent *a, int slot);
void upload_release(struct agent *a, struct exchange *x);

/* ---- download.c ---- */
void download_read_head(struct agent *a, int slot);
void download_gather(struct agent *a, int slot);
/* Puts what is ready into the record; true when something was put. */
bool download_put(struct agent *a, int slot);
bool download_wants(const struct agent *a, int slot);

#endif
