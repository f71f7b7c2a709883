#include "sys/loop.h"

#include <stddef.h>

#include "sys/clock.h"

/* Longer waits are cut: a turn of the loop per hour costs nothing, and no time_t can overflow. */
#define WAIT_MAX_MS (3600 * 1000)

void loop_init(struct loop *l)
{
    l->signals = signals_init();
    loop_begin(l);
}

void loop_begin(struct loop *l)
{
    FD_ZERO(&l->in);
    FD_ZERO(&l->out);
    l->top = 0;
    l->deadline = INT64_MAX;
    l->now = clock_ms();
    loop_want(l, l->signals, LOOP_IN, INT64_MAX);
}

void loop_want(struct loop *l, int fd, unsigned want, int64_t deadline)
{
    if (deadline < l->deadline)
        l->deadline = deadline;
    if (fd < 0 || fd >= FD_SETSIZE || want == 0)
        return;
    if (want & LOOP_IN)
        FD_SET((unsigned)fd, &l->in);
    if (want & LOOP_OUT)
        FD_SET((unsigned)fd, &l->out);
    if (fd >= l->top)
        l->top = fd + 1;
}

void loop_wait(struct loop *l)
{
    int64_t ms = l->deadline - l->now;
    struct timeval wait;

    if (l->deadline <= l->now)
        ms = 0;
    else if (ms > WAIT_MAX_MS)
        ms = WAIT_MAX_MS;
    /* In 32 bits, of which a division is one instruction everywhere. */
    wait.tv_sec = (time_t)((uint32_t)ms / 1000);
    wait.tv_usec = (suseconds_t)((uint32_t)ms % 1000) * 1000;
    /* After a failure (EINTR after a SIGCONT) the sets still say what was wanted. */
    if (select(l->top, &l->in, &l->out, NULL, &wait) < 0) {
        FD_ZERO(&l->in);
        FD_ZERO(&l->out);
    }
    l->now = clock_ms();
}

unsigned loop_ready(const struct loop *l, int fd)
{
    unsigned ready = 0;

    if (fd < 0 || fd >= l->top)
        return 0;
    if (FD_ISSET((unsigned)fd, &l->in))
        ready |= LOOP_IN;
    if (FD_ISSET((unsigned)fd, &l->out))
        ready |= LOOP_OUT;
    return ready;
}

unsigned loop_signals(struct loop *l)
{
    return loop_ready(l, l->signals) ? signals_take(l->signals) : 0;
}
