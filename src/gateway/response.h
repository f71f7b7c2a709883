/*
 * A response on its way from a tunnel to a visitor.
 */
#ifndef ADIT_GATEWAY_RESPONSE_H
#define ADIT_GATEWAY_RESPONSE_H

#include "conn.h"

/* A 1xx response. */
void response_interim(struct conn *c, const struct wire_msg *m);
void response_head(struct conn *c, const struct wire_msg *m);
void response_body(struct conn *c, struct str body);
void response_end(struct conn *c, bool broken);
/* Bytes that go to the visitor as they are (a head, a page): sent, or kept in the ring. */
void response_put_raw(struct conn *c, const uint8_t *p, size_t n);
/* How many body bytes may come without credit (plain mode). */
size_t response_room(const struct conn *c);
/* Hands over what the ring holds as far as the connection takes it. */
void response_drain(struct conn *c);
/* True when all of the response has been handed over. */
bool response_sent(const struct conn *c);

#endif
