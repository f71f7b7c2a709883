/*
 * A message on its way out of the tunnel onto an HTTP/1.1 connection: its head, then the body bytes
 * as they come, framed as the head says, then what ends them. Nothing is copied: the owner is told
 * what to write, and tells what was written.
 * Source: RFC 9112 sections 6 and 7.1, RFC 9110 section 7.8.
 */
#ifndef ADIT_HTTP_SENDER_H
#define ADIT_HTTP_SENDER_H

#include "codec/http.h"

enum http_sender_state {
    SENDER_HEAD, /* the head goes out, with the first body bytes behind it */
    SENDER_HELD, /* it is out; the body may not follow yet */
    SENDER_BODY, /* body bytes go out, or are waited for */
    SENDER_LAST, /* the last chunk goes out */
    SENDER_DONE, /* all is written */
};

struct http_sender {
    enum http_sender_state state;
    enum http_body_kind body;
    bool held;              /* until sender_let_go: the body stays back */
    bool ended;             /* by the tunnel: what has come is all */
    uint64_t left;          /* of a body with a length: what has not come yet */
    /* private */
    struct str lead;        /* goes before body bytes: the head, a chunk's head, the end of one */
    size_t head_len;
    uint64_t chunk_left;
    uint8_t chunk_head[HTTP_CHUNK_HEAD_MAX];
};

/* A message begins. The head stays where it is until it is written; empty: somebody else writes it.
 * `length` with HTTP_BODY_LENGTH. `held`: see sender_let_go. */
void sender_start(struct http_sender *s, enum http_body_kind body, uint64_t length, struct str head,
                  bool held);
/* Once more from the start, on another connection: nothing of the body has been taken yet. */
void sender_again(struct http_sender *s, struct str head);
/* The other side wants the body now: an upgraded connection's, after 101. */
void sender_let_go(struct http_sender *s);
/* Has nothing been written yet? */
bool sender_is_untouched(const struct http_sender *s);

/* n more body bytes have come: 0, or ERR_HTTP: more than the length says. */
int sender_count(struct http_sender *s, uint64_t n);
/* There are no more of them: 0, or ERR_TRUNCATED: fewer than the length says. */
int sender_end(struct http_sender *s);

/*
 * What to write now, up to three pieces that follow each other, and their sum; 0: nothing now.
 * `data`: the first of the body bytes that wait, empty only if none do. sender_wrote: n bytes of
 * that were written; takes those of `data` off its front.
 */
size_t sender_gather(struct http_sender *s, struct str data, struct str piece[3]);
void sender_wrote(struct http_sender *s, const struct str piece[3], size_t n, struct str *data);

#endif
