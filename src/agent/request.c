#include "agent.h"

#include "err.h"
#include "sys/log.h"

/* ---- the connection to the local server ---- */

/* Another address, if there is one that was not tried. */
static bool next_address(struct agent *a, struct local_conn *c)
{
    if (++c->tried >= a->origin.count)
        return false;
    origin_failed(&a->origin, c->at);
    return true;
}

static enum exchange_verdict give_up(struct agent *a, int slot)
{
    int err = a->conn[slot].err;

    return exchange_fail(&a->exchange[slot], err == ERR_TIMEOUT ? 504 : 502, local_failed(a, err));
}

static enum exchange_verdict connect_to(struct agent *a, int slot, bool fresh)
{
    struct local_conn *c = &a->conn[slot];
    bool reused;

    sock_close(&c->fd);
    do {
        c->at = (uint8_t)a->origin.at;
        c->fd = origin_open(&a->origin, fresh, &reused);
    } while (c->fd < 0 && next_address(a, c));
    if (c->fd < 0) {
        c->err = c->fd;
        c->fd = -1;
        return give_up(a, slot);
    }
    c->room = c->room_used = 0;
    /* Each address has its share of the time. */
    exchange_connected(&a->exchange[slot], reused, a->loop.now,
                       a->config.request_timeout_ms / a->origin.count);
    return EXCHANGE_GOES_ON;
}

static enum exchange_verdict connect_elsewhere(struct agent *a, int slot)
{
    return next_address(a, &a->conn[slot]) ? connect_to(a, slot, true) : give_up(a, slot);
}

/* Its response is complete. */
static void part(struct agent *a, int slot)
{
    struct local_conn *c = &a->conn[slot];

    if (a->exchange[slot].keep_alive && c->fd >= 0) {
        origin_keep(&a->origin, c->fd, a->loop.now);
        c->fd = -1;
    }
    sock_close(&c->fd);
}

/* ---- writing ---- */

/* What the local connection's socket takes without the pool. It is asked seldom: what was written
 * in the meantime counts as still there. */
static size_t local_room(struct agent *a, int slot)
{
    struct local_conn *c = &a->conn[slot];

    if (sender_is_untouched(&a->exchange[slot].sender))
        return 0;
    if (c->room_used * CREDIT_STEPS >= c->room) {
        c->room = sock_room(c->fd);
        c->room_used = 0;
    }
    return c->room - c->room_used;
}

static void grant(struct agent *a, int slot)
{
    const struct stream *t = &a->stream[slot];
    uint64_t n = 0;

    if (t->rx != STREAM_ENDED)
        n = exchange_grant(&a->exchange[slot], t->rx_credit + t->grant, local_room(a, slot));
    if (n > 0)
        session_grant(&a->session, slot, n);
}

/* As far as the local server takes it. Returns the bytes of `data` taken, or an error. */
static int write_out(struct agent *a, int slot, struct str data)
{
    struct exchange *x = &a->exchange[slot];
    size_t given = data.n;

    for (;;) {
        struct str piece[3];
        size_t all = sender_gather(&x->sender, data, piece);
        int n = all > 0 ? sock_writev(a->conn[slot].fd, piece, 3) : 0;

        if (n < 0)
            a->conn[slot].err = n;
        if (n <= 0)
            return n < 0 ? n : (int)(given - data.n);
        a->conn[slot].room_used += (size_t)n;
        exchange_progress(x, a->loop.now);
        sender_wrote(&x->sender, piece, (size_t)n, &data);
        if ((size_t)n < all || (given > 0 && data.n == 0))
            return (int)(given - data.n);
    }
}

static enum exchange_verdict flush(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    int n;

    if (x->up != UP_SENDS)
        return EXCHANGE_GOES_ON;
    while ((n = write_out(a, slot, exchange_peek(x))) > 0) {
        exchange_pop(x, (size_t)n);
        grant(a, slot);
    }
    return n < 0 ? exchange_cut(x) : exchange_flushed(x);
}

/* ---- what the exchange wants ---- */

static void say_failed(struct agent *a, int slot)
{
    const struct exchange *x = &a->exchange[slot];

    log_form(LOG_DEBUG, "request given up with %u: %s", x->code, x->text);
    session_abort(&a->session, slot, x->code, x->text);
    sock_close(&a->conn[slot].fd);
}

static enum exchange_verdict obey(struct agent *a, int slot, enum exchange_verdict verdict)
{
    switch (verdict) {
    case EXCHANGE_CONNECT:
        verdict = connect_to(a, slot, a->exchange[slot].fresh);
        return verdict == EXCHANGE_GOES_ON ? flush(a, slot) : verdict;
    case EXCHANGE_ELSEWHERE:
        return connect_elsewhere(a, slot);
    case EXCHANGE_FAILED:
        say_failed(a, slot);
        break;
    case EXCHANGE_SHUT:
        sock_shutdown_write(a->conn[slot].fd);
        break;
    case EXCHANGE_COMPLETE:
        part(a, slot);
        break;
    case EXCHANGE_GOES_ON:
        break;
    }
    return EXCHANGE_GOES_ON;
}

void request_settle(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    uint64_t bit = UINT64_C(1) << slot;

    if (a->stream[slot].state == STREAM_OPEN || a->stream[slot].state == STREAM_DOOMED)
        return;
    if (exchange_lingers(x)) {
        a->session.avoid |= bit;
        return;
    }
    a->session.avoid &= ~bit;
    sock_close(&a->conn[slot].fd);
    exchange_release(x);
    exchange_init(x, &a->shared);
}

void request_obey(struct agent *a, int slot, enum exchange_verdict verdict)
{
    while (verdict != EXCHANGE_GOES_ON)
        verdict = obey(a, slot, verdict);
    request_settle(a, slot);
}

/* ---- what the tunnel brings ---- */

static const struct wire_msg *message(const struct agent *a)
{
    return &a->session.link.in.msg;
}

void request_begin(struct agent *a, int slot)
{
    a->session.avoid &= ~(UINT64_C(1) << slot);
    sock_close(&a->conn[slot].fd);
    a->conn[slot].tried = 0;
    exchange_request(&a->exchange[slot]);
}

void request_continue(struct agent *a, int slot)
{
    request_obey(a, slot, exchange_continue(&a->exchange[slot], message(a)));
    grant(a, slot);
}

/* Straight from the record buffer, unless older bytes wait, or perhaps another connection. Returns
 * how many went. */
static size_t body_direct(struct agent *a, int slot, struct str body)
{
    struct exchange *x = &a->exchange[slot];
    int n;

    if (!exchange_is_direct(x))
        return 0;
    n = write_out(a, slot, body);
    if (n < 0) {
        request_obey(a, slot, exchange_cut(x));
        return body.n;
    }
    exchange_sent(x, (size_t)n);
    return (size_t)n;
}

size_t request_body(struct agent *a, int slot, struct str body)
{
    struct exchange *x = &a->exchange[slot];
    size_t taken;

    request_obey(a, slot, exchange_body(x, message(a), body.n));
    taken = body_direct(a, slot, body);
    /* The one copy: the local server is slower than the tunnel, and the record buffer is needed for
     * other streams. */
    if (taken < body.n)
        taken += exchange_store(x, (struct str){ body.p + taken, body.n - taken });
    if (taken < body.n)
        request_obey(a, slot, exchange_continue(x, message(a)));
    grant(a, slot);
    return taken;
}

void request_end(struct agent *a, int slot)
{
    enum exchange_verdict verdict = exchange_end(&a->exchange[slot], message(a));

    request_obey(a, slot, verdict == EXCHANGE_GOES_ON ? flush(a, slot) : verdict);
}

void request_abort(struct agent *a, int slot)
{
    sock_close(&a->conn[slot].fd);
    exchange_release(&a->exchange[slot]);
    request_settle(a, slot);
}

void request_fail(struct agent *a, int slot, unsigned code, const char *text)
{
    request_obey(a, slot, exchange_fail(&a->exchange[slot], code, text));
}

void request_flush(struct agent *a, int slot)
{
    request_obey(a, slot, flush(a, slot));
}

void request_on_time(struct agent *a, int slot)
{
    if (a->loop.now < a->exchange[slot].deadline)
        return;
    a->conn[slot].err = ERR_TIMEOUT;
    request_obey(a, slot, exchange_on_time(&a->exchange[slot]));
}
