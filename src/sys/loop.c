#include "loop.h"

#include "clock.h"

/* Longer waits are cut: a turn of the loop per hour costs nothing, and an int holds it. */
#define WAIT_MAX_MS (3600 * 1000)

void loop_init(struct loop *l)
{
    l->watched[0] = (struct pollfd){ .fd = signals_init(), .events = POLLIN };
    loop_begin(l);
}

void loop_begin(struct loop *l)
{
    l->count = 1;
    l->deadline = INT64_MAX;
    l->now = clock_ms();
}

void loop_want(struct loop *l, int fd, unsigned want, int64_t deadline)
{
    if (deadline < l->deadline)
        l->deadline = deadline;
    /* Wanted for nothing, it would still tell of a hang-up, again and again. */
    if (fd < 0 || want == 0 || l->count == LOOP_WANTS_MAX)
        return;
    l->watched[l->count++] = (struct pollfd){
        .fd = fd,
        .events = (short)((want & LOOP_IN ? POLLIN : 0) | (want & LOOP_OUT ? POLLOUT : 0)),
    };
}

void loop_wait(struct loop *l)
{
    int64_t ms = l->deadline - l->now;

    if (l->deadline <= l->now)
        ms = 0;
    else if (ms > WAIT_MAX_MS)
        ms = WAIT_MAX_MS;
    /* A failure (EINTR after a SIGCONT) says that nothing is ready. */
    poll(l->watched, l->count, (int)ms);
    l->now = clock_ms();
}

unsigned loop_ready(const struct loop *l, int fd)
{
    unsigned ready = 0;

    for (unsigned i = 0; i < l->count; i++) {
        int came = l->watched[i].revents;

        if (l->watched[i].fd != fd)
            continue;
        /* Of a broken connection whoever writes learns as well as who reads. */
        if (came & (POLLHUP | POLLERR))
            came = l->watched[i].events;
        ready |= (came & POLLIN ? LOOP_IN : 0u) | (came & POLLOUT ? LOOP_OUT : 0u);
    }
    return ready;
}

unsigned loop_signals(struct loop *l)
{
    return l->watched[0].revents ? signals_take(l->watched[0].fd) : 0;
}
