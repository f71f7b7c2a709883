#include "agent.h"

#include <string.h>

#include "err.h"
#include "sys/log.h"

/* Between looks for the local server's address: visitors ask more often than it can have moved. */
#define LOOK_UP_MS 1000

void local_init(struct agent *a)
{
    struct ip ip;

    a->local.fd = -1;
    a->local.cache = &a->names;
    a->local.deadline = NET_NEVER;
    a->origin.unix_path = a->target.local_path;
    a->origin.port = a->target.local_port;
    if (ip_parse(a->target.local_host, &ip) || a->origin.unix_path.n > 0) {
        origin_set(&a->origin, &ip, 1);
        /* Needs no name server, ever. */
        a->local_next = NET_NEVER;
    }
}

static void take(struct agent *a, int state)
{
    if (state > 0)
        origin_set(&a->origin, a->local.address, a->local.count);
    else if (state < 0)
        log_form(LOG_WARN, "the local server's name %.*s cannot be looked up: %s",
                 LOG_STR(a->target.local_host), err_text(state));
    if (state != 0)
        resolver_stop(&a->local);
}

void local_look_up(struct agent *a)
{
    if (a->local.fd >= 0 || a->loop.now < a->local_next)
        return;
    a->local_next = a->loop.now + LOOK_UP_MS;
    take(a, resolver_start(&a->local, a->target.local_host, entropy_u32(&a->entropy), a->loop.now));
}

void local_want(struct agent *a)
{
    int64_t deadline;
    int fd;

    loop_want(&a->loop, a->local.fd, a->local.want, a->local.deadline);
    for (unsigned i = 0; (fd = origin_idle(&a->origin, i, &deadline)) >= 0; i++)
        loop_want(&a->loop, fd, LOOP_IN, deadline);
}

static void watch_idle(struct agent *a)
{
    int64_t until;
    unsigned i = 0;
    int fd;

    while ((fd = origin_idle(&a->origin, i, &until)) >= 0) {
        if (loop_ready(&a->loop, fd) || a->loop.now >= until)
            origin_drop(&a->origin, i);
        else
            i++;
    }
}

void local_turn(struct agent *a)
{
    watch_idle(a);
    if (a->local.fd < 0)
        return;
    if (loop_ready(&a->loop, a->local.fd))
        take(a, resolver_on_event(&a->local, a->loop.now));
    else if (a->loop.now >= a->local.deadline)
        take(a, resolver_on_time(&a->local, entropy_u32(&a->entropy), a->loop.now));
}

/* Once when it begins, once when it is over. */
static void tell(struct agent *a, bool down, const char *text)
{
    if (a->local_down != down)
        log_form(LOG_INFO, "%s: %s", a->config.local, text);
    a->local_down = down;
}

const char *local_failed(struct agent *a, int err)
{
    const char *text;

    switch (err) {
    case ERR_REFUSED:
        text = "the local server refuses connections: does it run, on that port?";
        break;
    case ERR_RESOLVE:
        text = "the local server's name cannot be looked up";
        break;
    case ERR_TIMEOUT:
        text = "the local server does not answer";
        break;
    case ERR_CLOSED:
    case ERR_UNREACHABLE:
        text = "the local server is unreachable: check its address and the network";
        break;
    default:
        text = err_text(err);
    }
    tell(a, true, text);
    /* It may have moved: all its addresses have been tried. */
    for (unsigned i = 0; i < a->origin.count; i++)
        resolver_mark(&a->local, &a->origin.ip[i], DNS_CACHE_FAILED);
    local_look_up(a);
    return text;
}

void local_answers(struct agent *a)
{
    if (a->local_down)
        resolver_mark(&a->local, &a->origin.ip[a->origin.at], DNS_CACHE_GOOD);
    tell(a, false, "the local server answers again");
}
