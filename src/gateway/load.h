/*
 * What the gateway reads at its start, and again on SIGHUP: tokens, certificate and key, the
 * authorities of agents' certificates.
 */
#ifndef ADIT_GATEWAY_LOAD_H
#define ADIT_GATEWAY_LOAD_H

struct gateway;

/* All of it, or nothing. 0, or an error after having said why; then all is as it was. */
int load_files(struct gateway *g);

#endif
