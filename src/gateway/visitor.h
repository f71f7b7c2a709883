/*
 * A visitor's connection: its visit (visit.h), and the stream that it has or waits for.
 */
#ifndef ADIT_GATEWAY_VISITOR_H
#define ADIT_GATEWAY_VISITOR_H

#include "core/visit.h"
#include "core/window.h"
#include "list.h"

struct conn;
struct tunnel_name;

struct visitor {
    int slot;             /* -1: no stream (any more) */
    struct list ready;    /* in the tunnel's list of those that have something to send */
    struct list wait;     /* in the tunnel's queue for a stream, or among those held for its name */
    struct tunnel_name *held_for; /* there is no tunnel; NULL: he is not held */
    struct window window;
    struct visit visit;
};

/* A new connection. */
void visitor_start(struct conn *c);
/* Takes what it can of what was received; false when nothing. */
bool visitor_input(struct conn *c);
void visitor_output(struct conn *c);
/* The connection's read side has ended. */
void visitor_ended(struct conn *c);
void visitor_on_time(struct conn *c);

#endif
