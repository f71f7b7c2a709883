#include "conn.h"

#include "gateway.h"

bool conn_is_live(const struct conn *c)
{
    return c->role >= CONN_VISITOR && c->role <= CONN_SHUT;
}

void conn_mark(struct conn *c)
{
    if (conn_is_live(c) && list_empty(&c->dirty))
        list_append(&c->gateway->dirty, &c->dirty);
}

void conn_read_on(struct conn *c)
{
    c->readable = true;
    conn_mark(c);
}

void conn_set_deadline(struct conn *c, int64_t at)
{
    c->deadline = at;
    if (at == NET_NEVER || (wheel_is_armed(&c->timer) && c->armed_at <= at))
        return;
    c->armed_at = at;
    wheel_arm(&c->gateway->wheel, &c->timer, at);
}
