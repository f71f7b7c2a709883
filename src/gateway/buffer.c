#include "buffer.h"

#include <sys/mman.h>

#include "check.h"
#include "gateway.h"

/* Its ring holds what is promised. Memory behind that is given back. */
static void fit(struct conn *c)
{
    struct visitor *v = &c->visitor;
    struct ring *r = &v->visit.ring;
    size_t cap = (size_t)v->window.promised + VISIT_RING_EXTRA, old = r->cap;
    size_t from = BUFFER_PAGES(cap);

    if (cap != old && ring_resize(r, cap) && from < old)
        madvise(r->data + from, old - from, MADV_DONTNEED);
}

void buffer_settle(struct conn *c)
{
    struct visitor *v = &c->visitor;

    window_end(&v->window, &c->gateway->windows, v->visit.ring.len);
    fit(c);
}

void buffer_open(struct conn *c)
{
    struct visitor *v = &c->visitor;

    CHECK(v->visit.ring.len == 0);
    buffer_settle(c);
    window_start(&v->window, c->gateway->config.stream_window, c->gateway->now);
}

size_t buffer_passed(struct conn *c, size_t n)
{
    struct visitor *v = &c->visitor;
    struct session *s = &c->tunnel->session;
    size_t most = ring_is_straight(&v->visit.ring) ? c->gateway->window_max : 0;
    uint64_t credit;

    if (s->link.plain)
        return n;
    /* Nothing more comes: what has left is given back. */
    if (s->stream[v->slot].rx == STREAM_ENDED) {
        buffer_settle(c);
        return 0;
    }
    credit = window_pass(&v->window, &c->gateway->windows, n, s->rtt_ms, most, c->gateway->now);
    if (window_wants_rtt(&v->window))
        session_measure(s);
    fit(c);
    return (size_t)credit;
}

void buffer_drop(struct conn *c)
{
    struct visitor *v = &c->visitor;

    v->visit.ring.at = v->visit.ring.len = 0;
    buffer_settle(c);
}
