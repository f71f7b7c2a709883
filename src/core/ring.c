#include "core/ring.h"

#include <string.h>

#include "check.h"

size_t ring_room(const struct ring *r)
{
    return r->cap - r->len;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void ring_push(struct ring *r, const uint8_t *p, size_t n)
{
    size_t end = r->at < r->cap - r->len ? r->at + r->len : r->len - (r->cap - r->at);
    size_t first = least(n, r->cap - end);

    CHECK(n <= ring_room(r));
    memcpy(r->data + end, p, first);
    memcpy(r->data, p + first, n - first);
    r->len += n;
}

struct str ring_peek(const struct ring *r)
{
    return (struct str){ r->data + r->at, least(r->len, r->cap - r->at) };
}

void ring_pop(struct ring *r, size_t n)
{
    CHECK(n <= r->len);
    r->len -= n;
    r->at = n < r->cap - r->at ? r->at + n : n - (r->cap - r->at);
    if (r->len == 0)
        r->at = 0;
}

bool ring_is_straight(const struct ring *r)
{
    return r->at <= r->cap - r->len;
}

bool ring_resize(struct ring *r, size_t cap)
{
    if (!ring_is_straight(r) || r->at + r->len > cap)
        return false;
    r->cap = cap;
    return true;
}
