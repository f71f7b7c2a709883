#include "tunnel.h"

#include "buffer.h"
#include "core/hold.h"
#include "core/share.h"
#include "gateway.h"
#include "request_head.h"
#include "response.h"
#include "stream.h"

static bool may_take(const struct tunnel *t, const struct conn *visitor)
{
    const struct session *s = &t->session;
    size_t all = (size_t)s->peer_max_streams, mine = 0;

    if (!session_may_open(s))
        return false;
    for (size_t i = 0; i < s->config.max_streams; i++)
        mine += t->visitor[i] && t->visitor[i]->from == visitor->from;
    return !visitor->from || share_may_take(mine, all - s->stream_count);
}

/* head as for request_head_pack. What cannot be sent is answered with a page. */
static void give_stream(struct tunnel *t, struct conn *visitor, struct http_head *head)
{
    int err = request_head_pack(visitor, head, t), slot;

    if (err < 0) {
        request_head_refuse(visitor, err);
        return;
    }
    slot = session_open(&t->session);
    CHECK(slot >= 0);
    visitor->tunnel = t;
    t->visitor[slot] = visitor;
    visitor->visitor.slot = slot;
    visit_open(&visitor->visitor.visit);
    buffer_open(visitor);
    response_progress(visitor);
    stream_ready(visitor);
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
        if (may_take(t, visitor)) {
            stream_unqueue(t, visitor);
            visitor->tunnel = NULL;
            give_stream(t, visitor, NULL);
        } else if (visitor->from) {
            visitor->from->looked_at = look;
        } else {
            break;
        }
    }
    has_admitted(t);
}

static bool may_wait(const struct tunnel *t, const struct conn *visitor)
{
    size_t all = visitor->gateway->config.queue;

    if (t->wait_count >= all)
        return false;
    return !visitor->from || share_may_take(visitor->from->queued, all - t->wait_count);
}

static void wait_for_stream(struct tunnel *t, struct conn *visitor)
{
    struct visit *v = &visitor->visitor.visit;

    visitor->tunnel = t;
    list_append(&t->wait, &visitor->visitor.wait);
    t->wait_count++;
    if (visitor->from)
        visitor->from->queued++;
    visit_wait(v, visitor->gateway->now);
    conn_set_deadline(visitor, v->deadline);
}

/* This gateway has no time for it any more. */
static void refuse_leaving(struct conn *visitor)
{
    response_refuse(visitor, 503, STR("The gateway is being restarted; please try again."), 1);
}

void tunnel_request(struct tunnel *t, struct conn *visitor, struct http_head *head)
{
    if (t->session.leaves) {
        refuse_leaving(visitor);
        return;
    }
    tunnel_admit(t);
    if (may_take(t, visitor))
        give_stream(t, visitor, head);
    else if (may_wait(t, visitor))
        wait_for_stream(t, visitor);
    else
        response_refuse(visitor, 503, STR("The device is busy with other requests."),
                        RETRY_AFTER_S);
    has_admitted(t);
}

/* ---- while there is no tunnel ---- */

static void hold(struct tunnel_name *name, struct conn *visitor)
{
    struct visitor *v = &visitor->visitor;

    v->held_for = name;
    list_append(&name->held, &v->wait);
    name->held_count++;
    visitor->gateway->held++;
    if (visitor->from)
        visitor->from->queued++;
}

void tunnel_miss(struct tunnel_name *name, struct conn *visitor, const char *why)
{
    struct gateway *g = visitor->gateway;
    struct visit *v = &visitor->visitor.visit;
    const struct hold rule = { g->config.hold_ms, g->config.queue };
    enum hold_verdict verdict = hold_may(&rule, g->now, name->missing_since, name->held_count,
                                         visitor->from ? visitor->from->queued : 0,
                                         visitor->from != NULL);

    if (g->drain.phase != DRAIN_OFF) {
        refuse_leaving(visitor);
    } else if (verdict == HOLD_WAITS) {
        hold(name, visitor);
        visit_hold(v, g->now);
        conn_set_deadline(visitor, v->deadline);
    } else if (verdict == HOLD_FULL) {
        response_refuse(visitor, 503, str_of(why), RETRY_AFTER_S);
    } else {
        response_refuse(visitor, 502, str_of(why), 0);
    }
}

void tunnel_take_held(struct tunnel *t)
{
    while (!list_empty(&t->name->held)) {
        struct conn *visitor = LIST_OWNER(t->name->held.next, struct conn, visitor.wait);

        stream_unhold(visitor);
        wait_for_stream(t, visitor);
    }
}

void tunnel_move_held(struct tunnel_name *from, struct tunnel_name *to)
{
    while (!list_empty(&from->held)) {
        struct conn *visitor = LIST_OWNER(from->held.next, struct conn, visitor.wait);

        stream_unhold(visitor);
        if (to)
            hold(to, visitor);
        else
            response_refuse(visitor, 404, STR("There is no tunnel of this name."), 0);
    }
}

void tunnel_refuse_held(struct tunnel_name *name)
{
    while (!list_empty(&name->held))
        refuse_leaving(LIST_OWNER(name->held.next, struct conn, visitor.wait));
}
