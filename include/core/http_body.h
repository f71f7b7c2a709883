/*
 * A body as it is read from a connection: by length, chunked, or to the end.
 * Source: RFC 9112 sections 6 and 7.
 */
#ifndef ADIT_HTTP_BODY_H
#define ADIT_HTTP_BODY_H

#include "codec/http.h"

struct http_body {
    enum http_body_kind kind;
    uint64_t left; /* with HTTP_BODY_LENGTH */
    struct http_chunk chunk;
    bool done;     /* the body is complete; for CLOSE and TUNNEL only http_body_eof sets it */
};

void http_body_init(struct http_body *b, const struct http_framing *f);
/* How many coded bytes may be read now without taking any of the next message: up to `cap`. For a
 * chunked body that is all of cap: what comes after its end is the next message's, and for a
 * response on our own connections there is none. */
size_t http_body_want(const struct http_body *b, size_t cap);
/* Decodes n coded bytes at p in place. Returns the bytes consumed (fewer than n only when done);
 * *data_len data bytes stand at p then. ERR_HTTP on bad chunking. */
int http_body_decode(struct http_body *b, uint8_t *p, size_t n, size_t *data_len);
/* The connection ended: 0 when the body may end so, ERR_TRUNCATED when it is cut short. */
int http_body_eof(struct http_body *b);

#endif
