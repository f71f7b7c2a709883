/*
 * The gateway's event loop: epoll, level-triggered, with a caller's pointer per descriptor.
 */
#ifndef ADIT_POLLER_H
#define ADIT_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/signals.h"

/*
 * The first two are the same bits as NET_IN and NET_OUT. END: the peer has ended its direction,
 * seen also where bytes before that end are not read. BROKEN: both have, or the connection was
 * reset; told of everything that is registered, for which it is enough to want this alone.
 */
enum { POLLER_IN = 1, POLLER_OUT = 2, POLLER_END = 4, POLLER_BROKEN = 8 };
#define POLLER_BATCH 64

struct poller_event {
    void *owner;
    unsigned ready; /* a broken connection is ready for everything */
};

struct poller {
    int fd;
    int signals;    /* < 0: this kernel has no descriptor for them */
    bool signalled;
};

/* 0, or ERR_SYS. Signals are set up as by signals_init. */
int poller_init(struct poller *p);
/*
 * Registers, changes or, with want 0, removes: only when `want` differs from *have, which starts
 * as 0 and is kept here. 0, or ERR_SYS, and nothing has changed.
 */
int poller_set(struct poller *p, int fd, void *owner, unsigned want, unsigned *have);
/* Before the descriptor is closed. Events of it that poller_wait has already returned remain: an
 * owner removed in the midst of a batch must outlive the batch. */
void poller_remove(struct poller *p, int fd, unsigned *have);
/* Waits until an event, a signal or the deadline (clock_ms; INT64_MAX: none), an hour at most;
 * returns the number of events, 0 to POLLER_BATCH. */
int poller_wait(struct poller *p, int64_t deadline, struct poller_event out[POLLER_BATCH]);
/* SIGNALS_* of signals.h that came since the last call. */
unsigned poller_signals(struct poller *p);

#endif
