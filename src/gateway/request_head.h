/*
 * The head of a visitor's request becomes the message for its tunnel: when there is a stream for
 * it, because only then it is known what the tunnel takes. Until then it lies as it came.
 */
#ifndef ADIT_GATEWAY_REQUEST_HEAD_H
#define ADIT_GATEWAY_REQUEST_HEAD_H

#include "codec/http.h"
#include "conn.h"

/* The host that is asked for, with its port; empty when there is none. */
struct str request_head_host(const struct http_head *head, const struct http_target *target);
/* Packs it, in place: `head` is of no use after that. NULL: it is parsed again, from where the
 * visit keeps it. 0, or an error for request_head_refuse. */
int request_head_pack(struct conn *c, struct http_head *head, const struct tunnel *t);
/* The page for an error of a head. */
void request_head_refuse(struct conn *c, int err);

#endif
