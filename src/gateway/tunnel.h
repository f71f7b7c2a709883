/*
 * An agent's connection: its session, and the visitors whose requests are its streams.
 *
 *   upgrade --> session AUTH --Auth accepted--> OPEN --> ending (close frame out) --> gone
 */
#ifndef ADIT_GATEWAY_TUNNEL_H
#define ADIT_GATEWAY_TUNNEL_H

#include "core/session.h"
#include "list.h"
#include "tunnel_names.h"

struct conn;
struct gateway;
struct http_head;

#define TUNNEL_URL_MAX (8 + TUNNEL_NAME_LABEL_MAX + 1 + HOST_MAX + 8)

struct tunnel {
    struct conn *conn;
    struct tunnel_name *name;          /* after Auth, until its end; it is what makes it count */
    uint8_t label[TUNNEL_NAME_LABEL_MAX];
    uint8_t label_len;
    struct session session;
    struct stream *stream;      /* max_streams of them */
    struct conn **visitor;      /* of each stream; NULL: none, or it has let go */
    struct list ready;          /* visitors with something to send */
    struct list wait;           /* visitors without a stream */
    size_t wait_count;
    size_t admitted_at;         /* streams when those who wait were last looked at */
    uint64_t heard;             /* of the transport, at the upgrade */
    bool stalled;               /* plain mode: a visitor has no room, nothing is read */
    int64_t slow_until;         /* stalled: when that visitor has to have taken enough */
    size_t slow_taken;          /* ... and what has come for him so far */
    bool asks_again;            /* the session may have another event without more input */
    bool ending;                /* the session is over: its close frame goes out */
    uint32_t bulk_max;          /* bytes of a record that may be of bodies */
    struct list node;           /* unused, or without a name */
    uint8_t session_id[32];
    uint8_t url[TUNNEL_URL_MAX];
};

/* A request for /_adit, complete: becomes an agent's connection, or gets a page. */
void tunnel_upgrade(struct conn *c, const struct http_head *head);
/* Takes what it can of what was received; false when nothing. */
bool tunnel_input(struct conn *c);
void tunnel_output(struct conn *c);
/* What was put has been handed to the socket, as far as it takes it. */
void tunnel_sent(struct conn *c);
void tunnel_on_time(struct conn *c);
/* The connection ended, or has to. */
void tunnel_lost(struct conn *c, int err);
/* Ends the session with this close code. Visitors who have a stream get a page that says why; those
 * who wait for one wait for the next tunnel, unless the token was withdrawn (WS_CLOSE_TOKEN). */
void tunnel_end(struct tunnel *t, uint16_t code, const char *why);
/* Asks an agent whose token was accepted to leave; what is under way may end. Visitors who wait for
 * a stream get a page. */
void tunnel_leave(struct tunnel *t, uint32_t delay_ms);
/* Its close frame is out. */
void tunnel_finish(struct conn *c);
/* Auth has come. */
void tunnel_authenticate(struct tunnel *t, const struct wire_msg *m);

/* ---- tunnel_queue.c ---- */

/* A visitor with a complete request, its head as in request_head_pack: gives it a stream, or a
 * place in the queue, or a page. */
void tunnel_request(struct tunnel *t, struct conn *visitor, struct http_head *head);
/* The same where the name has no tunnel: he waits for it, if it may come soon, or has a page that
 * says why. */
void tunnel_miss(struct tunnel_name *name, struct conn *visitor, const char *why);
/* Gives free streams to visitors who wait: in their order, each address within its share. */
void tunnel_admit(struct tunnel *t);
/* Those who were held for the tunnel's name wait for its streams now. */
void tunnel_take_held(struct tunnel *t);
/* The name's place in the table is another one, or (NULL) there is none any more. */
void tunnel_move_held(struct tunnel_name *from, struct tunnel_name *to);
/* The tunnel will not come here any more. */
void tunnel_refuse_held(struct tunnel_name *name);

/* ---- tunnel_pace.c ---- */

/* When tunnel_on_time has to be called. */
int64_t tunnel_deadline(const struct tunnel *t);
/* Plain mode: breaks off a response whose visitor has held up others for too long. */
void tunnel_break_slow(struct tunnel *t);
/* Plain mode knows no credit: of n bytes, how many every visitor has room for. */
size_t tunnel_plain_room(const struct tunnel *t, size_t n);
/* Plain mode, what was taken in: how fast those who have no room are. */
void tunnel_note_pace(struct tunnel *t, bool caught_up);

#endif
