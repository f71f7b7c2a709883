/*
 * The end of the gateway: what core/drain.h says when.
 */
#ifndef ADIT_GATEWAY_LEAVE_H
#define ADIT_GATEWAY_LEAVE_H

#include <stdbool.h>

struct gateway;

/* SIGTERM: begins to end; the second time: at once. */
void leave_signal(struct gateway *g);
/* Once a turn: does what is due. True: it is over, which is said. */
bool leave_turn(struct gateway *g);

#endif
