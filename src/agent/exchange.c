#include "agent.h"

#include <string.h>

#include "err.h"
#include "log.h"

static void set_idle(struct exchange *x)
{
    x->up = UP_NONE;
    x->down = DOWN_NONE;
    x->fd = -1;
    x->deadline = NET_NEVER;
    queue_init(&x->queue);
}

void exchange_init(struct agent *a)
{
    unsigned i;

    for (i = 0; i < STREAMS_MAX; i++)
        set_idle(&a->exchange[i]);
}

/* Lets go of everything but the response head, which may still be going out in parts. */
static void release(struct agent *a, struct exchange *x)
{
    sock_close(&x->fd);
    queue_clear(&a->pool, &x->queue);
    upload_release(a, x);
    x->up = UP_DONE;
    x->deadline = NET_NEVER;
}

/* An upgraded connection that is over for the tunnel, while the local server has not taken the
 * visitor's last bytes yet. It keeps the slot until then, or until a request needs it. */
static bool lingers(const struct agent *a, int slot)
{
    const struct exchange *x = &a->exchange[slot];

    return !a->stream[slot].used && x->up == UP_BODY && x->up_ended && x->down == DOWN_DONE &&
           x->request.body == HTTP_BODY_TUNNEL;
}

void exchange_settle(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    uint64_t bit = UINT64_C(1) << slot;

    if (a->stream[slot].used && !a->stream[slot].broken)
        return;
    if (lingers(a, slot)) {
        a->session.avoid |= bit;
        return;
    }
    a->session.avoid &= ~bit;
    release(a, x);
    set_idle(x);
}

void exchange_request(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];

    a->session.avoid &= ~(UINT64_C(1) << slot);
    release(a, x);
    /* All but `head`, which is filled before it is read. */
    memset(x, 0, offsetof(struct exchange, head));
    set_idle(x);
    x->up = UP_NEW;
}

void exchange_continue(struct agent *a, int slot)
{
    if (a->exchange[slot].up == UP_NEW)
        upload_start(a, slot, true, -1);
}

size_t exchange_body(struct agent *a, int slot, struct str body)
{
    if (a->exchange[slot].up == UP_NONE || a->exchange[slot].up == UP_DONE)
        /* The local server has answered without it, or is gone. */
        return body.n;
    return upload_body(a, slot, body);
}

void exchange_end(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];

    x->up_ended = true;
    if (x->up == UP_NEW)
        upload_start(a, slot, x->queue.len > 0, (int64_t)x->queue.len);
    else if (x->up_left > 0 && x->up != UP_DONE && x->request.body == HTTP_BODY_LENGTH)
        exchange_fail(a, slot, 400, "request body shorter than its Content-Length");
    else
        upload_write(a, slot);
    upload_release(a, x);
    exchange_settle(a, slot);
}

void exchange_abort(struct agent *a, int slot)
{
    release(a, &a->exchange[slot]);
    exchange_settle(a, slot);
}

void exchange_fail(struct agent *a, int slot, unsigned code, const char *text)
{
    log_form(LOG_DEBUG, "request given up with %u: %t", LOG_NUMBER(code), text);
    session_abort(&a->session, slot, code, text);
    release(a, &a->exchange[slot]);
    exchange_settle(a, slot);
}

void exchange_progress(struct agent *a, struct exchange *x)
{
    x->deadline = a->loop.now + a->config.request_timeout_ms;
}

static bool next_address(struct agent *a, struct exchange *x)
{
    if (++x->tried >= a->origin.count)
        return false;
    origin_failed(&a->origin, x->at);
    return true;
}

static void give_up(struct agent *a, int slot, int err)
{
    exchange_fail(a, slot, err == ERR_TIMEOUT ? 504 : 502, local_failed(a, err));
}

void exchange_connect(struct agent *a, int slot, bool fresh)
{
    struct exchange *x = &a->exchange[slot];
    int got;

    sock_close(&x->fd);
    x->up = UP_HEAD;
    x->down = DOWN_HEAD;
    x->lead = (struct str){ x->head, x->head_len };
    do {
        x->at = (uint8_t)a->origin.at;
        got = origin_open(&a->origin, fresh, &x->reused);
    } while (got < 0 && next_address(a, x));
    if (got < 0) {
        give_up(a, slot, got);
        return;
    }
    x->fd = got;
    /* Each address has its share of the time. */
    x->deadline = a->loop.now + a->config.request_timeout_ms / a->origin.count;
}

bool exchange_unwritten(const struct exchange *x)
{
    return x->up == UP_HEAD && x->lead.n == x->head_len;
}

void exchange_unreached(struct agent *a, int slot, int err)
{
    if (next_address(a, &a->exchange[slot]))
        exchange_connect(a, slot, true);
    else
        give_up(a, slot, err);
}

/* Is it the local server that has to do something? If the visitor has to, time is his. */
static bool waits_for_local(const struct agent *a, int slot)
{
    const struct exchange *x = &a->exchange[slot];

    if (x->fd < 0 || x->body.kind == HTTP_BODY_TUNNEL)
        return lingers(a, slot);
    if (x->down == DOWN_HEAD)
        return upload_wants(a, slot) || x->up == UP_DONE || x->request.body == HTTP_BODY_TUNNEL;
    return upload_wants(a, slot) || download_wants(a, slot);
}

unsigned exchange_want(struct agent *a, int slot, int64_t *deadline)
{
    struct exchange *x = &a->exchange[slot];
    unsigned want = 0;

    if (!waits_for_local(a, slot))
        x->deadline = NET_NEVER;
    else if (x->deadline == NET_NEVER)
        exchange_progress(a, x);
    *deadline = x->deadline;
    if (x->fd < 0)
        return 0;
    if (upload_wants(a, slot))
        want |= NET_OUT;
    if ((x->down == DOWN_HEAD && x->up != UP_HEAD) || download_wants(a, slot))
        want |= NET_IN;
    return want;
}

void exchange_turn(struct agent *a, int slot, unsigned ready)
{
    struct exchange *x = &a->exchange[slot];

    if (ready & NET_OUT)
        upload_write(a, slot);
    /* Unless that was another connection's, which the write above found dead. */
    if ((ready & NET_IN) && x->fd >= 0 && x->up != UP_HEAD) {
        x->readable = true;
        if (x->down == DOWN_HEAD)
            download_read_head(a, slot);
        else if (x->down == DOWN_PUT)
            download_gather(a, slot);
    }
    if (x->fd < 0 || a->loop.now < x->deadline)
        return;
    if (exchange_unwritten(x))
        exchange_unreached(a, slot, ERR_TIMEOUT);
    else
        exchange_fail(a, slot, 504, EXCHANGE_NO_ANSWER);
}
