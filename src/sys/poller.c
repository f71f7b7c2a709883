#include "sys/poller.h"

#include <stddef.h>
#include <sys/epoll.h>

#include "err.h"
#include "sys/clock.h"

#define WAIT_MAX_MS (3600 * 1000)

int poller_init(struct poller *p)
{
    unsigned none = 0;

    p->signals = signals_init();
    p->signalled = false;
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->fd < 0)
        return ERR_SYS;
    return p->signals < 0 ? 0 : poller_set(p, p->signals, p, POLLER_IN, &none);
}

int poller_set(struct poller *p, int fd, void *owner, unsigned want, unsigned *have)
{
    struct epoll_event event = { .data.ptr = owner };
    int op = *have ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (want == *have)
        return 0;
    /* Registered for nothing, epoll would still tell of a hang-up, again and again. */
    if (want == 0)
        op = EPOLL_CTL_DEL;
    if (want & POLLER_IN)
        event.events |= EPOLLIN;
    if (want & POLLER_OUT)
        event.events |= EPOLLOUT;
    if (want & POLLER_END)
        event.events |= EPOLLRDHUP;
    if (epoll_ctl(p->fd, op, fd, &event) < 0)
        return ERR_SYS;
    *have = want;
    return 0;
}

void poller_remove(struct poller *p, int fd, unsigned *have)
{
    poller_set(p, fd, NULL, 0, have);
    *have = 0;
}

static int wait_ms(int64_t deadline)
{
    int64_t now = clock_ms();

    if (deadline <= now)
        return 0;
    return deadline - now > WAIT_MAX_MS ? WAIT_MAX_MS : (int)(deadline - now);
}

int poller_wait(struct poller *p, int64_t deadline, struct poller_event out[POLLER_BATCH])
{
    struct epoll_event event[POLLER_BATCH];
    int n = epoll_wait(p->fd, event, POLLER_BATCH, wait_ms(deadline));
    int count = 0;

    for (int i = 0; i < n; i++) {
        struct poller_event e = { .owner = event[i].data.ptr };

        if (event[i].events & EPOLLIN)
            e.ready |= POLLER_IN;
        if (event[i].events & EPOLLOUT)
            e.ready |= POLLER_OUT;
        if (event[i].events & EPOLLRDHUP)
            e.ready |= POLLER_END;
        if (event[i].events & (EPOLLHUP | EPOLLERR))
            e.ready |= POLLER_IN | POLLER_OUT | POLLER_END | POLLER_BROKEN;
        if (e.owner == p)
            p->signalled = true;
        else
            out[count++] = e;
    }
    return count;
}

unsigned poller_signals(struct poller *p)
{
    if (!p->signalled)
        return 0;
    p->signalled = false;
    return signals_take(p->signals);
}
