/*
 * A tunnel session, either role: authentication, health, streams with credit. The protocol of
 * include/WIRE.md as a state machine without descriptors or clocks.
 *
 *   agent:    AUTH --AuthSuccess--> OPEN --close sent or received--> ENDED
 *   gateway:  AUTH --Auth, session_accept--> OPEN --the same--> ENDED
 *
 * A stream is one request and its response. It lives in a slot of the owner's array; the slot
 * index is the owner's handle. Each direction ends by itself; the slot is free when both have
 * ended and what was due has been sent.
 *
 *   agent slot:   free --HttpRequest--> used --response's end and request's end, or Error--> free
 *
 * What is due (pong, window, error, ping, stats, close) is a flag or a number, never a queue: it
 * is put as soon as there is room, before any body, and takes no memory.
 */
#ifndef ADIT_SESSION_H
#define ADIT_SESSION_H

#include "core/link.h"

enum stream_state {
    STREAM_FREE,
    STREAM_OPEN,
    STREAM_DOOMED, /* given up, by either side, while its head is out in part: go on with
                      session_head_put and the same message until *done, when the slot is no longer
                      the owner's */
    STREAM_BROKEN, /* an abort is due; the owner has let go of it */
};

/* Of either direction: its HttpRequest or HttpResponse (final, not interim) is not through, whole;
 * its body goes on; it has ended. */
enum stream_way { STREAM_HEAD, STREAM_BODY, STREAM_ENDED };

struct stream {
    /* read by the owner */
    enum stream_state state;
    enum stream_way rx, tx; /* the peer's direction, and ours */
    uint64_t tx_credit; /* body bytes we may send */
    uint64_t rx_credit; /* body bytes the peer may send */
    /* private */
    bool upgraded;      /* answered with 101 */
    uint8_t id_len;
    uint8_t id[ID_MAX];
    uint64_t grant;     /* credit to be told with Window */
    uint16_t abort_code;
    const char *abort_text;
    size_t put_offset;  /* of a head in parts */
};

/* Slots of one session: a bit each in a word. */
#define SESSION_STREAMS_MAX 64

enum session_state { SESSION_AUTH, SESSION_OPEN, SESSION_ENDED };

/* Counters of WIRE.md "Stats" that outlive a session; the owner's. */
struct session_counters {
    uint64_t requests_processed;
    uint64_t requests_failed;
    uint64_t bytes_transferred; /* body bytes, both directions */
    uint64_t reconnects;
    int64_t started_ms;
};

struct session_config {
    struct str token, agent;      /* agent: sent with Auth */
    uint32_t window;              /* credit that each new stream gives the peer */
    uint32_t max_streams;         /* slots, up to SESSION_STREAMS_MAX */
    uint32_t ping_interval_ms;    /* 0: none */
    uint32_t ping_timeout_ms;
    uint32_t stats_interval_ms;   /* 0: none; agent */
};

/* Which end this is: what only one of them receives and sends. A program that names one of them has
 * nothing of the other in it. */
struct session_role;
extern const struct session_role session_agent, session_gateway;

struct session {
    struct session_config config;  /* its token may be changed until Auth is out */
    /* read by the owner */
    struct link link;
    enum session_state state;
    struct stream *stream;         /* config.max_streams slots, the owner's */
    unsigned stream_count;         /* used ones */
    uint64_t peer_window;          /* first credit for our bodies on each stream */
    uint64_t peer_max_streams;     /* gateway: what the agent can take */
    int64_t server_time;           /* agent: Unix seconds of AuthSuccess, 0: none */
    uint64_t avoid;                /* written by the owner: slots to use last when they are free */
    uint32_t rtt_ms;               /* of the last Ping, 1 at least; 0: none yet */
    uint32_t retry_after;          /* agent: seconds, with ERR_AUTH */
    /* private */
    const struct session_role *role;
    struct session_counters *counters;
    int err;
    uint64_t due;                  /* slots with an abort or a window to tell */
    uint64_t used;                 /* slots in use */
    int current;                   /* slot of the message that is being received, or -1 */
    bool interim;                  /* ... which is a 1xx response */
    int tx_slot;                   /* slot of the message in parts that is being sent, or -1 */
    uint32_t next_id;              /* gateway */
    unsigned flags;                /* what is due of the session itself */
    uint64_t pong_value;
    int64_t ping_at;               /* when the last Ping became due */
    int64_t ping_sent;             /* when a Ping was put last */
    int64_t ping_value;            /* its timestamp */
    bool auth_seen;                /* gateway: Auth came */
    bool ping_out;                 /* nothing was heard since */
    int64_t probe_at;              /* an answer to session_probe has to have come by then */
    bool probe_out;                /* its Ping has been put */
    bool draining;                 /* agent: no new streams */
    int64_t ping_next;
    int64_t stats_next;
    int64_t stall_at;              /* the peer must have taken something by then */
    uint64_t taken;                /* what it had taken when that was set */
    int64_t error_at;              /* until then a refusal waits for a message in parts */
    uint16_t close_code;
    uint16_t error_code;           /* an Error for an id without a slot */
    uint8_t error_id_len;
    uint8_t error_id[ID_MAX];
    uint8_t ws_pong_len;
    uint8_t ws_pong[WS_CONTROL_MAX];
    struct wire_msg reply;         /* gateway: AuthSuccess or AuthError; slices are the owner's */
    uint64_t goaway_ms;
    bool leaves;                   /* gateway: Goaway was said, or is due */
};

enum session_event {
    SESSION_EV_MORE,     /* input used up */
    SESSION_EV_AUTH,     /* gateway: in.msg.token; call session_accept or session_refuse */
    SESSION_EV_OPENED,   /* agent: in.msg.session_id, url */
    SESSION_EV_REQUEST,  /* agent: a new stream; in.msg has the head */
    SESSION_EV_INTERIM,  /* gateway: a 1xx response (not 101) of `slot` */
    SESSION_EV_RESPONSE, /* gateway: the response head of `slot` */
    SESSION_EV_CONTINUES, /* agent: the HttpRequest is complete, HttpBody messages will follow */
    SESSION_EV_BODY,     /* `body`: bytes of `slot`, within its credit */
    SESSION_EV_END,      /* the peer's direction of `slot` ended; `broken` if not as it should */
    SESSION_EV_ABORT,    /* `slot` was given up, by the peer or for what it sent: code, text. The
                            slot is no longer the owner's, unless it is doomed */
    SESSION_EV_CREDIT,   /* we may send more on `slot` */
    SESSION_EV_STATS,    /* gateway: in.msg */
    SESSION_EV_GOAWAY,   /* agent: in.msg.delay_ms, url */
    SESSION_EV_ERROR,    /* Error about the session: in.msg.code, error; for the log */
    SESSION_EV_IGNORED,  /* a message of unknown type, for a stream that is gone, or a request that
                            was refused without a stream; for the log */
    SESSION_EV_CLOSED,   /* the peer closed: link.close_code */
};

/* What an event does not have is not for use. The slices last until the next session_recv. */
struct session_in {
    enum session_event event;
    int slot;
    struct str body;
    bool broken;
    unsigned code;
    struct str text;     /* ABORT, ERROR; END: why it is broken; with ERR_AUTH: why */
    const struct wire_msg *msg;
};

/* Starts in AUTH. `config` is copied, but not what its token and agent point to. The slots are
 * cleared; they and the counters stay the owner's, for as long as the session is in use. */
void session_init(struct session *s, const struct session_role *role,
                  enum upgrade_protocol protocol, const struct session_config *config,
                  struct stream *slots, struct session_counters *counters, int64_t now);

/*
 * Consumes up to n bytes (see link_recv for what happens to them) and tells one event. With MORE
 * it may leave bytes: after the end, and while the Error for a refused request is due (there is
 * memory for one); give them again after session_put.
 * Returns the bytes consumed, or the error that ends the session: ERR_AUTH, ERR_STATE, ERR_CREDIT,
 * or one of link_recv's. The close frame is due then; session_put sends it.
 */
int session_recv(struct session *s, uint8_t *p, size_t n, int64_t now, struct session_in *in);

/*
 * Is the peer alive? One that gives nothing for the ping timeout after a Ping is not, and one that
 * takes nothing for so long while there is something for it is not either, whatever it gives.
 * Both are told once a turn.
 *
 * heard: bytes came from it; or its input waits for work of our own, which is never the waiting for
 * the peer itself to take something.
 * unsent: is there anything that it has not taken? taken: what it has taken, ever, in bytes of any
 * one measure.
 */
void session_heard(struct session *s, int64_t now);
void session_unsent(struct session *s, bool unsent, uint64_t taken, int64_t now);
/* Wants to know rtt_ms: a Ping is due, unless it is known, one is out, or this is plain mode. */
void session_measure(struct session *s);
/* A doubt, as when the network has changed: a Ping is due (when the session is open), and something
 * has to come from the peer after that, within limit_ms from now. */
void session_probe(struct session *s, uint32_t limit_ms, int64_t now);
/* Does input wait for a message of our own, in parts, that keeps a refusal from going out? (Plain
 * mode.) */
bool session_waits_for_itself(const struct session *s);
/* Agent, once a turn: the slot of that message when it has been in the way for the ping timeout (it
 * may have no end): to be given up. -1: none. */
int session_obstacle(struct session *s, int64_t now);
/* The peer hears nothing any more: nothing is due from now on, and nothing stops the input. */
void session_mute(struct session *s);
/* When session_on_time must be called at the latest; INT64_MAX: never. */
int64_t session_deadline(const struct session *s);
/* 0, ERR_PING_TIMEOUT or ERR_STALLED. */
int session_on_time(struct session *s, int64_t now);

/* ---- agent ---- */
/* From now on a new HttpRequest is answered with Error 503; streams that are open go on. */
void session_drain(struct session *s);

/* ---- gateway ---- */
/* The slices given here must last until session_put has sent them. */
void session_accept(struct session *s, struct str session_id, struct str url,
                    uint64_t server_time);
/* And ends the session, with WS_CLOSE_TOKEN. retry_after in seconds, 0: none. */
void session_refuse(struct session *s, struct str error, uint64_t retry_after);
/* May another stream be opened: is the session open, was the agent not asked to leave, and has it
 * room? */
bool session_may_open(const struct session *s);
/* Opens a stream: its slot, or ERR_STATE when there may be none. The owner sends the HttpRequest
 * with session_head_put or session_body_begin; one with a `connection: upgrade` leaves the
 * request's direction open. */
int session_open(struct session *s);
/* Asks the agent to leave: a Goaway (not in plain mode). No stream is opened any more; those that
 * are may end, and then, or when they must, session_close follows. Once accepted. */
void session_goaway(struct session *s, uint64_t delay_ms);

/* ---- both ---- */

/* Ends the session with a close frame of this code (agent: 1000, or 1001 to come again). The
 * first one counts. */
void session_close(struct session *s, uint16_t code);
/* Gives a stream up, at once: an Error with this HTTP-like code goes to the peer. The slot is no
 * longer the owner's, but when it is `doomed`. `text` is static. Nothing happens to a stream that
 * was given up already, or to a free slot. */
void session_abort(struct session *s, int slot, unsigned code, const char *text);
/* n body bytes of a stream have left our buffers: the peer may send as many again. It is told when
 * they are half a window, or when it has no credit left. The slot is in use. */
void session_grant(struct session *s, int slot, uint64_t n);

/*
 * Puts the next thing that is due (see the top), one frame a call; returns its length, 0 when
 * nothing is due or it does not fit. unix_now is for Ping.
 */
size_t session_put(struct session *s, uint8_t *out, size_t cap, const uint8_t key[4], int64_t now,
                   int64_t unix_now);
/* Is there anything that session_put would put? */
bool session_due(const struct session *s);

/*
 * Puts a stream's head (HttpRequest, HttpResponse; the id is filled in) without any body bytes,
 * in parts where needed: call with the same message until *done. m->more says whether a body
 * follows; it is cleared where the body follows within the same message (plain mode).
 * An interim response (1xx but 101) leaves the stream as it was.
 * Returns the bytes put, 0: no room or another message in parts is under way.
 */
size_t session_head_put(struct session *s, int slot, struct wire_msg *m, uint8_t *out, size_t cap,
                        bool *done, const uint8_t key[4]);
/* Can stream bytes be put at all, or does another message in parts keep the connection? */
bool session_may_put(const struct session *s, int slot);

/*
 * The way of body bytes (see link_body_begin): m is the head to carry along with the first body
 * bytes, or NULL for HttpBody. False when nothing can be sent now: no credit, no room, another
 * message in parts under way. b->max is within the credit; at least 1.
 * A message without body bytes (the end of a body) needs no credit: `empty`; b->max may be 0 then.
 */
bool session_body_begin(struct session *s, int slot, struct wire_msg *m, struct link_body *b,
                        uint8_t *out, size_t cap, bool empty);
/* more false: our direction ends. error (plain and JSON): the body broke off. */
size_t session_body_end(struct session *s, int slot, struct link_body *b, size_t n, bool more,
                        struct str error, const uint8_t key[4]);

#endif
