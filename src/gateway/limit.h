/*
 * What one address may ask for, and how it is said that this was too much.
 */
#ifndef ADIT_GATEWAY_LIMIT_H
#define ADIT_GATEWAY_LIMIT_H

#include <stdbool.h>

struct conn;
struct gateway;
struct ip;
struct peer;

/* May this connection's address have another request served now? */
bool limit_request(struct conn *c);
/* This address was turned away: counts it, and says so in the log, once a minute at most. `from` is
 * not NULL; `text` follows the address. */
void limit_tell(struct gateway *g, struct peer *from, const struct ip *ip, const char *text);

#endif
