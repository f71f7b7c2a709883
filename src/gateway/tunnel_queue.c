#include "tunnel.h"

#include "buffer.h"
#include "gateway.h"
#include "response.h"
#include "stream.h"

/*
 * Of streams, and of places in the queue, one address may have so many times as many as are left
 * besides: three quarters of all when it is alone, and the less the more others there are, so that
 * those who come last find some too ("dynamic thresholds", Choudhury and Hahne 1998).
 */
#define SHARE 3

/* The last one is for somebody who has none. */
static bool within_share(size_t mine, size_t left)
{
    return mine == 0 || (left > 1 && mine < SHARE * left);
}

static bool may_take(const struct tunnel *t, const struct conn *visitor)
{
    const struct session *s = &t->session;
    size_t all = (size_t)s->peer_max_streams, mine = 0;

    if (!visitor->from)
        return true;
    for (size_t i = 0; i < s->config.max_streams; i++)
        mine += t->visitor[i] && t->visitor[i]->from == visitor->from;
    return s->stream_count < all && within_share(mine, all - s->stream_count);
}

static bool take_stream(struct tunnel *t, struct conn *visitor)
{
    int slot = may_take(t, visitor) ? session_open(&t->session) : -1;

    if (slot < 0)
        return false;
    t->visitor[slot] = visitor;
    visitor->visitor.slot = slot;
    visit_open(&visitor->visitor.visit);
    buffer_open(visitor);
    response_progress(visitor);
    stream_ready(visitor);
    return true;
}

/* Before the session is open there are no streams; then all have to be looked for. */
static void has_admitted(struct tunnel *t)
{
    t->admitted_at = t->session.state == SESSION_OPEN ? t->session.stream_count : SIZE_MAX;
}

void tunnel_admit(struct tunnel *t)
{
    uint64_t look;
    struct list *node, *next;

    /* Nobody may have what he might not have before, unless a stream has ended. */
    if (list_empty(&t->wait) || t->session.stream_count >= t->admitted_at)
        return;
    look = ++t->conn->gateway->looks;
    for (node = t->wait.next; node != &t->wait; node = next) {
        struct conn *visitor = LIST_OWNER(node, struct conn, visitor.wait);

        next = node->next;
        if (visitor->from && visitor->from->looked_at == look)
            continue;
        if (take_stream(t, visitor))
            stream_unqueue(t, visitor);
        else if (visitor->from)
            visitor->from->looked_at = look;
        else
            break;
    }
    has_admitted(t);
}

static bool may_wait(const struct tunnel *t, const struct conn *visitor)
{
    size_t all = visitor->gateway->config.queue;

    if (t->wait_count >= all)
        return false;
    return !visitor->from || within_share(visitor->from->queued, all - t->wait_count);
}

void tunnel_request(struct tunnel *t, struct conn *visitor)
{
    struct visit *v = &visitor->visitor.visit;

    visitor->tunnel = t;
    tunnel_admit(t);
    if (take_stream(t, visitor)) {
        has_admitted(t);
        return;
    }
    if (!may_wait(t, visitor)) {
        visitor->tunnel = NULL;
        response_refuse(visitor, 503, STR("The device is busy with other requests."),
                       RETRY_AFTER_S);
        return;
    }
    list_append(&t->wait, &visitor->visitor.wait);
    t->wait_count++;
    if (visitor->from)
        visitor->from->queued++;
    has_admitted(t);
    visit_wait(v, visitor->gateway->now);
    conn_set_deadline(visitor, v->deadline);
}
