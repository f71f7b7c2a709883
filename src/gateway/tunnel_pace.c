#include "tunnel.h"

#include "gateway.h"
#include "response.h"
#include "stream.h"
#include "tunnel_log.h"

/* Plain mode: the least that a visitor has to take of his response while others wait for the
 * tunnel, in SLOW_MS: 3 KB/s, of a slow telephone. */
#define SLOW_MS 5000
#define SLOW_BYTES 16384

/* Plain mode knows no credit: nothing more is taken than every visitor has room for. */
size_t tunnel_plain_room(const struct tunnel *t, size_t n)
{
    for (size_t i = 0; i < t->session.config.max_streams; i++) {
        size_t room = t->visitor[i] ? visit_room(&t->visitor[i]->visitor.visit) : n;

        if (room < n)
            n = room;
    }
    return n;
}

/* Behind a response without room everybody else waits: from its first stall on the visitor has
 * SLOW_MS for each SLOW_BYTES, until he has caught up with the agent. */
void tunnel_note_pace(struct tunnel *t, bool caught_up)
{
    if (caught_up || t->slow_taken >= SLOW_BYTES)
        t->slow_until = NET_NEVER;
    if (t->stalled && t->slow_until == NET_NEVER) {
        t->slow_until = t->conn->gateway->now + SLOW_MS;
        t->slow_taken = 0;
    }
}

int64_t tunnel_deadline(const struct tunnel *t)
{
    int64_t at = session_deadline(&t->session);

    return t->stalled && t->slow_until < at ? t->slow_until : at;
}

static bool is_slow(const struct conn *visitor)
{
    return visitor->role == CONN_VISITOR && visit_room(&visitor->visitor.visit) == 0;
}

/* Does anybody but those who are slow wait for the tunnel? */
static bool others_wait(const struct tunnel *t)
{
    for (size_t i = 0; i < t->session.config.max_streams; i++) {
        if (t->visitor[i] && !is_slow(t->visitor[i]))
            return true;
    }
    return !list_empty(&t->wait);
}

void tunnel_break_slow(struct tunnel *t)
{
    int64_t now = t->conn->gateway->now;

    if (!t->stalled || now < t->slow_until)
        return;
    t->slow_until = now + SLOW_MS;
    if (!others_wait(t))
        return;
    tunnel_log_line(LOG_INFO, t, "a visitor who takes too little of his response was broken off: "
                                 "in plain mode others wait for him");
    for (size_t i = 0; i < t->session.config.max_streams; i++) {
        if (t->visitor[i] && is_slow(t->visitor[i]))
            response_break(t->visitor[i], 502, STR(""));
    }
    stream_resume(t);
}
