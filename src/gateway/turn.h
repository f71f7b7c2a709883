/*
 * One turn of the gateway's loop: what the poller tells, what is due, and everybody who was marked,
 * once and within a budget. What they mark meanwhile is for the next turn.
 */
#ifndef ADIT_GATEWAY_TURN_H
#define ADIT_GATEWAY_TURN_H

struct gateway;

/* Tells the poller whether connections can be accepted. */
void turn_listen(struct gateway *g);
/* Waits for an event, a signal or the next deadline. */
void turn_wait(struct gateway *g);
/* What is due, and everybody who was marked. */
void turn_serve(struct gateway *g);

#endif
