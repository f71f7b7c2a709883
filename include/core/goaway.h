/*
 * Where a gateway may send its agent: the `url` of Goaway.
 * Source: include/WIRE.md section 10.
 */
#ifndef ADIT_GOAWAY_H
#define ADIT_GOAWAY_H

#include "codec/uri.h"

/* Names that --goaway-host may give. */
#define GOAWAY_HOSTS_MAX 4

/*
 * May an agent whose own URL is `own` dial `next`? Never from wss to ws; and only
 *   - own's host, or one below it,
 *   - one directly under the same parent as own, when the parent is a domain as people own it: two
 *     labels or more, and not of the form of a public suffix (at most three letters under a
 *     country: co.uk),
 *   - one of `hosts` (NULL: no more), or one below it.
 * An address is never below or beside another, so that none leads into the agent's own network.
 * Not handled: a list of public suffixes (duckdns.org), and where an allowed name leads to: who
 * names hosts there names the gateway's own as well.
 */
bool goaway_may(const struct uri *own, const struct uri *next,
                const char *const hosts[GOAWAY_HOSTS_MAX]);

#endif
