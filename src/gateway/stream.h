/*
 * A visitor's place in a tunnel: in its queue, or in a stream; or among those who are held because
 * it is not there.
 */
#ifndef ADIT_GATEWAY_STREAM_H
#define ADIT_GATEWAY_STREAM_H

#include <stdbool.h>

struct conn;
struct tunnel;

/* The visitor, who has a stream, has something to send. */
void stream_ready(struct conn *visitor);
/* The slot's stream has ended on both sides; nothing is said to the session. */
void stream_release(struct conn *visitor);
/* The visitor leaves its place in the queue. What becomes of its `tunnel` and its visit
 * (visit_let_go) is the caller's. */
void stream_unqueue(struct tunnel *t, struct conn *visitor);
/* The same, and both are done. */
void stream_leave_queue(struct conn *visitor);
/* The visitor is held no more; its visit is the caller's, too. */
void stream_unhold(struct conn *visitor);
/* The visitor wants its stream, or its place, no more, if it has one; `why` (static) goes to the
 * agent. True: half of the request's head is in the tunnel, and the rest has to follow
 * (STREAM_DOOMED in core/session.h): the visitor's memory is needed until stream_release. */
bool stream_detach(struct conn *visitor, const char *why);
/* Plain mode: the visitor's buffer has room again. */
void stream_resume(struct tunnel *t);

#endif
