/*
 * The agent's event loop: one select() a turn.
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

#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>

#include "sys/signals.h"

/* The same bits as NET_IN and NET_OUT. */
enum { LOOP_IN = 1, LOOP_OUT = 2 };

struct loop {
    int64_t now;      /* after loop_begin and loop_wait: clock_ms() */
    /* private */
    int64_t deadline;
    fd_set in, out;
    int top;          /* the highest descriptor wanted, plus one */
    int signals;      /* their descriptor, -1 or an error: none */
};

enum {
    LOOP_SIG_TERM = SIGNALS_TERM, LOOP_SIG_HUP = SIGNALS_HUP, LOOP_SIG_USR1 = SIGNALS_USR1,
    LOOP_SIG_USR2 = SIGNALS_USR2,
};

/* Sets signals up as signals_init; where the kernel has no descriptor for them, they end the
 * program. */
void loop_init(struct loop *l);
void loop_begin(struct loop *l);
/* fd -1: only the deadline (ms of clock_ms; INT64_MAX: none). A descriptor beyond FD_SETSIZE is
 * never ready: sock.h makes none. Wants of the same descriptor add up. */
void loop_want(struct loop *l, int fd, unsigned want, int64_t deadline);
/* Until a wanted event, a signal or the nearest deadline, an hour at most. */
void loop_wait(struct loop *l);
/* Bits of what came and was wanted; 0 for fd -1. */
unsigned loop_ready(const struct loop *l, int fd);
/* LOOP_SIG_* that came since the last call. */
unsigned loop_signals(struct loop *l);

#endif
