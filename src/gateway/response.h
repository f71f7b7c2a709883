/*
 * A response on its way from a tunnel to a visitor.
 */
#ifndef ADIT_GATEWAY_RESPONSE_H
#define ADIT_GATEWAY_RESPONSE_H

#include "conn.h"

/* For a visitor who may come again when there is room. */
#define RETRY_AFTER_S 5

/* Answers with a page. `text` as in struct page. retry_after in seconds, 0: none. */
void response_refuse(struct conn *c, unsigned status, struct str text, unsigned retry_after);
/* The stream broke: a page if nothing was answered yet, else a response that is seen to be cut. */
void response_break(struct conn *c, unsigned status, struct str text);
/* A 1xx response. */
void response_interim(struct conn *c, const struct wire_msg *m);
void response_head(struct conn *c, const struct wire_msg *m);
void response_body(struct conn *c, struct str body);
void response_end(struct conn *c, bool broken);
/* Hands over what the ring holds as far as the connection takes it. */
void response_drain(struct conn *c);
/* Bytes went through, either way: the visitor's deadline moves. */
void response_progress(struct conn *c);

#endif
