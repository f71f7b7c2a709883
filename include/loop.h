/*
 * The agent's event loop: one poll() a turn.
 *
 *   loop_begin(&l);                    forget what was wanted
 *   loop_want(&l, fd, want, deadline)  each owner of a descriptor says what it waits for
 *   loop_wait(&l)                      waits
 *   loop_ready(&l, fd)                 each owner asks what came, and looks at the time itself
 *
 * Wants are said anew each turn: with some twenty descriptors that costs less than keeping
 * registrations true, and an owner that is gone cannot leave one behind.
 * Signals are read from a descriptor: no handler can race.
 */
#ifndef ADIT_LOOP_H
#define ADIT_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "signals.h"

/* The same bits as NET_IN and NET_OUT. */
enum { LOOP_IN = 1, LOOP_OUT = 2 };

/* Each stream's connection, an idle one for each, the gateway's, the resolver's, and the signals. */
#define LOOP_WANTS_MAX (2 * STREAMS_MAX + 4)

struct loop {
    int64_t now;      /* after loop_begin and loop_wait: clock_ms() */
    /* private */
    int64_t deadline;
    unsigned count;
    struct pollfd watched[LOOP_WANTS_MAX]; /* that of the signals first */
};

enum { LOOP_SIG_TERM = SIGNALS_TERM, LOOP_SIG_HUP = SIGNALS_HUP, LOOP_SIG_USR1 = SIGNALS_USR1 };

/* Sets signals up as signals_init; where the kernel has no descriptor for them, they end the
 * program. */
void loop_init(struct loop *l);
void loop_begin(struct loop *l);
/* fd -1: only the deadline (ms of clock_ms; INT64_MAX: none). Wants of the same descriptor add up;
 * one beyond LOOP_WANTS_MAX is never ready. */
void loop_want(struct loop *l, int fd, unsigned want, int64_t deadline);
/* Until a wanted event, a signal or the nearest deadline. */
void loop_wait(struct loop *l);
/* Bits of what came and was wanted (all of them for a broken connection); 0 for fd -1. */
unsigned loop_ready(const struct loop *l, int fd);
/* LOOP_SIG_* that came since the last call. */
unsigned loop_signals(struct loop *l);

#endif
