/*
 * The sockets that the gateway listens on: its own, which another gateway of the same user may have
 * as well (SO_REUSEPORT), or those that a service manager hands over.
 */
#ifndef ADIT_GATEWAY_LISTEN_H
#define ADIT_GATEWAY_LISTEN_H

struct gateway;

/* 0, or an error after having said why. */
int listen_start(struct gateway *g);
/*
 * The end begins. Connections that are being made, of which the kernel knows more than it tells,
 * would be reset with the socket: where it can be had, new ones go to the other gateway that
 * listens, and those come to stand meanwhile. Sockets for which that cannot be had are closed now,
 * and those that are handed over, which lose nothing by it.
 */
void listen_give_way(struct gateway *g);
/* Takes the connections that wait in our own sockets, and closes all. */
void listen_stop(struct gateway *g);

#endif
