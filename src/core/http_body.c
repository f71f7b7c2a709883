#include "core/http_body.h"

#include <string.h>

#include "err.h"

void http_body_init(struct http_body *b, const struct http_framing *f)
{
    memset(b, 0, sizeof *b);
    b->kind = f->kind;
    b->left = f->kind == HTTP_BODY_LENGTH ? f->length : 0;
    b->done = f->kind == HTTP_BODY_NONE || (f->kind == HTTP_BODY_LENGTH && f->length == 0);
}

size_t http_body_want(const struct http_body *b, size_t cap)
{
    if (b->done)
        return 0;
    if (b->kind == HTTP_BODY_LENGTH && b->left < cap)
        return (size_t)b->left;
    return cap;
}

int http_body_decode(struct http_body *b, uint8_t *p, size_t n, size_t *data_len)
{
    int used;

    *data_len = 0;
    if (b->done)
        return 0;
    switch (b->kind) {
    case HTTP_BODY_LENGTH:
        *data_len = http_body_want(b, n);
        b->left -= *data_len;
        b->done = b->left == 0;
        return (int)*data_len;
    case HTTP_BODY_CHUNKED:
        used = http_chunk_decode(&b->chunk, p, n, data_len);
        b->done = b->chunk.done;
        return used;
    default:
        *data_len = n;
        return (int)n;
    }
}

int http_body_eof(struct http_body *b)
{
    if (b->done)
        return 0;
    if (b->kind != HTTP_BODY_CLOSE && b->kind != HTTP_BODY_TUNNEL)
        return ERR_TRUNCATED;
    b->done = true;
    return 0;
}
