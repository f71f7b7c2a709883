#include "stream.h"

#include "buffer.h"
#include "gateway.h"

void stream_release(struct conn *visitor)
{
    struct visitor *v = &visitor->visitor;

    buffer_settle(visitor);
    visitor->tunnel->visitor[v->slot] = NULL;
    list_remove(&v->ready);
    conn_mark(visitor->tunnel->conn);
    visitor->tunnel = NULL;
    v->slot = -1;
    visit_let_go(&v->visit);
}

void stream_ready(struct conn *visitor)
{
    struct tunnel *t = visitor->tunnel;

    if (list_empty(&visitor->visitor.ready))
        list_append(&t->ready, &visitor->visitor.ready);
    conn_mark(t->conn);
}

void stream_resume(struct tunnel *t)
{
    if (!t->stalled)
        return;
    t->stalled = false;
    conn_read_on(t->conn);
}

void stream_unqueue(struct tunnel *t, struct conn *visitor)
{
    list_remove(&visitor->visitor.wait);
    t->wait_count--;
    if (visitor->from)
        visitor->from->queued--;
}

void stream_leave_queue(struct conn *visitor)
{
    stream_unqueue(visitor->tunnel, visitor);
    visitor->tunnel = NULL;
    visit_let_go(&visitor->visitor.visit);
}

void stream_unhold(struct conn *visitor)
{
    struct visitor *v = &visitor->visitor;

    list_remove(&v->wait);
    v->held_for->held_count--;
    visitor->gateway->held--;
    v->held_for = NULL;
    if (visitor->from)
        visitor->from->queued--;
}

bool stream_detach(struct conn *visitor, const char *why)
{
    struct visitor *v = &visitor->visitor;
    struct session *s;

    if (v->held_for) {
        stream_unhold(visitor);
        visit_let_go(&v->visit);
    }
    if (!visitor->tunnel)
        return false;
    s = &visitor->tunnel->session;
    if (v->slot < 0) {
        stream_leave_queue(visitor);
        return false;
    }
    session_abort(s, v->slot, 499, why);
    if (s->stream[v->slot].state == STREAM_DOOMED) {
        stream_ready(visitor);
        return true;
    }
    stream_release(visitor);
    return false;
}
