/*
 * A request on its way from a visitor into a tunnel.
 */
#ifndef ADIT_GATEWAY_REQUEST_H
#define ADIT_GATEWAY_REQUEST_H

#include "conn.h"

/* Gathers a head from what was received, of which there is something; acts on it when it is
 * complete. Always true. */
bool request_read(struct conn *c);
/* May body bytes go into the tunnel? */
bool request_has_credit(const struct conn *c);
/* Is there anything to send into the tunnel? */
bool request_pending(struct conn *c);
/* How much room its next message wants in one piece. */
size_t request_room(const struct conn *c);
/* Puts the next message of the visitor's stream; he has one. Returns its length, 0 when nothing can
 * be sent now. */
size_t request_put(struct conn *c, uint8_t *out, size_t cap);

#endif
