/*
 * Who may connect, and how often he may ask: limits by address. A trusted proxy, who carries
 * everybody, and this machine itself (127.0.0.1 and ::1) are exempt.
 *
 * Agents are visitors until their token is accepted. That they find a place though visitors hold
 * theirs: those who have no complete request yet are closed for whoever comes, the one that is
 * silent longest first; and where all are busy, addresses that have or had an agent find some more.
 */
#ifndef ADIT_GATEWAY_ACCEPT_H
#define ADIT_GATEWAY_ACCEPT_H

#include <stdbool.h>

struct gateway;
struct listener;

/* Takes the connections that wait, some of them a turn, as far as there is room. True: there may be
 * more, and there is room. */
bool accept_waiting(struct gateway *g, struct listener *l);

#endif
