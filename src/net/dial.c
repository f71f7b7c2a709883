#include "net/dial.h"

#include "err.h"

enum { DIAL_IDLE, DIAL_RESOLVING, DIAL_CONNECTING, DIAL_DONE };

static void idle(struct dial *d)
{
    d->fd = -1;
    d->want = 0;
    d->deadline = NET_NEVER;
    d->state = DIAL_IDLE;
}

/* An equal part of the owner's time for this address and each that is left, and one for what comes
 * after the connect. The last one has the rest, which the owner ends. */
static int64_t share(const struct dial *d, int64_t now)
{
    uint32_t left = d->resolver.count - d->next;

    /* In 32 bits, of which a division is one instruction everywhere. */
    return left > 0 && now < d->until ? now + (uint32_t)(d->until - now) / (left + 2) : NET_NEVER;
}

/* Begins with the next address that a connect can begin with. */
static int connect_next(struct dial *d, int64_t now)
{
    int result = ERR_REFUSED;

    while (d->next < d->resolver.count) {
        d->peer = d->resolver.address[(d->round + d->next++) % d->resolver.count];
        result = sock_connect(&d->peer, d->port);
        if (result < 0) {
            resolver_mark(&d->resolver, &d->peer, DNS_CACHE_FAILED);
            continue;
        }
        d->state = DIAL_CONNECTING;
        d->fd = result;
        d->want = NET_OUT;
        d->deadline = share(d, now);
        return 0;
    }
    idle(d);
    return result;
}

/* The descriptor of the resolver is what the owner waits for meanwhile. */
static int resolved(struct dial *d, int result, int64_t now)
{
    if (result > 0)
        return connect_next(d, now);
    if (result < 0) {
        idle(d);
        return result;
    }
    d->state = DIAL_RESOLVING;
    d->fd = d->resolver.fd;
    d->want = d->resolver.want;
    d->deadline = d->resolver.deadline;
    return 0;
}

int dial_start(struct dial *d, struct str host, uint16_t port, uint32_t random, int64_t now)
{
    dial_stop(d);
    d->next = 0;
    d->port = port;
    d->peer.len = 0;
    if (ip_parse(host, &d->resolver.address[0])) {
        d->resolver.count = 1;
        return connect_next(d, now);
    }
    return resolved(d, resolver_start(&d->resolver, host, random, now), now);
}

static int give_up_address(struct dial *d, int64_t now)
{
    sock_close(&d->fd);
    resolver_mark(&d->resolver, &d->peer, DNS_CACHE_FAILED);
    return connect_next(d, now);
}

static int on_connect(struct dial *d, int64_t now)
{
    int result = sock_connected(d->fd);

    if (result < 0) {
        /* The last address's own error is what the owner can act on. */
        bool last = d->next == d->resolver.count;
        int next = give_up_address(d, now);

        return last ? result : next;
    }
    d->state = DIAL_DONE;
    d->want = 0;
    d->deadline = NET_NEVER;
    return 1;
}

int dial_on_event(struct dial *d, uint32_t random, int64_t now)
{
    (void)random;
    switch (d->state) {
    case DIAL_RESOLVING:
        return resolved(d, resolver_on_event(&d->resolver, now), now);
    case DIAL_CONNECTING:
        return on_connect(d, now);
    default:
        return d->state == DIAL_DONE ? 1 : ERR_STATE;
    }
}

int dial_on_time(struct dial *d, uint32_t random, int64_t now)
{
    if (d->state == DIAL_DONE)
        return 1;
    if (d->state == DIAL_IDLE)
        return ERR_STATE;
    if (now < d->deadline)
        return 0;
    if (d->state == DIAL_RESOLVING)
        return resolved(d, resolver_on_time(&d->resolver, random, now), now);
    return give_up_address(d, now);
}

int dial_take(struct dial *d)
{
    int fd = d->fd;

    idle(d);
    return fd;
}

void dial_stop(struct dial *d)
{
    if (d->state == DIAL_RESOLVING)
        resolver_stop(&d->resolver);
    else if (d->state != DIAL_IDLE)
        sock_close(&d->fd);
    idle(d);
}
