#include "visitor.h"

#include "conn.h"
#include "gateway.h"

/*
 * A body that comes so slowly that it never ends keeps a stream as well as none at all. It may be
 * behind the least rate for as long as a head may take; every byte that was received earns its
 * time.
 */
static void earn(struct conn *c)
{
    struct visitor *v = &c->visitor;
    const struct config *config = &c->gateway->config;
    int64_t most = c->gateway->now + config->header_timeout_ms;
    uint64_t came = c->transport.heard - v->heard;

    v->heard = c->transport.heard;
    if (config->least_rate == 0)
        v->late_at = NET_NEVER;
    else if (v->late_at == 0 || came / config->least_rate > config->header_timeout_ms / 1000)
        v->late_at = most;
    else
        v->late_at += (int64_t)(came * 1000 / config->least_rate);
    if (v->late_at > most && config->least_rate > 0)
        v->late_at = most;
}

/* Not once the response has begun: then the local server wants it that way. */
static bool has_rate(const struct visitor *v)
{
    return !v->request_done && !v->answered && !v->upgrade && !v->expects;
}

static void arm(struct conn *c)
{
    const struct visitor *v = &c->visitor;

    conn_set_deadline(c, has_rate(v) && v->late_at < v->until ? v->late_at : v->until);
}

void visitor_progress(struct conn *c)
{
    struct visitor *v = &c->visitor;
    const struct config *config = &c->gateway->config;
    uint32_t limit_ms = config->request_timeout_ms;

    /* An upgraded visitor may be silent for long, but not while something waits for him. */
    if (v->upgraded && !v->response_done && !v->request_done && v->ring.len == 0)
        limit_ms = config->upgrade_timeout_ms;
    v->until = limit_ms ? c->gateway->now + limit_ms : NET_NEVER;
    earn(c);
    arm(c);
}

bool visitor_is_waited_for(const struct conn *c)
{
    const struct visitor *v = &c->visitor;

    return !v->request_done && !v->upgrade && v->head_put && v->slot >= 0 &&
           c->tunnel->session.stream[v->slot].tx_credit > 0;
}

/* It is he who is waited for, and nothing of his lies here. */
bool visitor_is_slow(struct conn *c)
{
    size_t n;

    return has_rate(&c->visitor) && visitor_is_waited_for(c) &&
           !transport_recv_buf(&c->transport, &n);
}

void visitor_go_on(struct conn *c)
{
    c->visitor.late_at = 0;
    earn(c);
    arm(c);
}
