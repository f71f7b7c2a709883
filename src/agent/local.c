#include "agent.h"

#include <string.h>

#include "err.h"
#include "log.h"

void local_init(struct agent *a)
{
    a->local.fd = -1;
    a->local.deadline = NET_NEVER;
    a->origin.unix_path = a->target.local_path;
    a->origin.port = a->target.local_port;
    ip_parse(a->target.local_host, &a->origin.ip);
}

static void take(struct agent *a, int state)
{
    if (state > 0)
        a->origin.ip = a->local.address[0];
    else if (state < 0)
        log_form(LOG_WARN, "the local server's name %s cannot be looked up: %t",
                 &a->target.local_host, err_text(state));
    if (state != 0)
        resolver_stop(&a->local);
}

void local_look_up(struct agent *a)
{
    struct ip literal;

    if (a->target.local_path.n > 0 || a->local.fd >= 0 ||
        ip_parse(a->target.local_host, &literal))
        return;
    take(a, resolver_start(&a->local, a->target.local_host, agent_random(a), a->loop.now));
}

void local_turn(struct agent *a)
{
    if (a->local.fd < 0)
        return;
    if (loop_ready(&a->loop, a->local.fd))
        take(a, resolver_on_event(&a->local, a->loop.now));
    else if (a->loop.now >= a->local.deadline)
        take(a, resolver_on_time(&a->local, agent_random(a), a->loop.now));
}
