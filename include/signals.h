/*
 * Signals for both event loops: caught only while a loop waits, kept as bits until taken.
 */
#ifndef ADIT_SIGNALS_H
#define ADIT_SIGNALS_H

#include <signal.h>
#include <stdint.h>

/* TERM stands for SIGINT too. */
enum { SIGNALS_TERM = 1, SIGNALS_HUP = 2, SIGNALS_USR1 = 4 };

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1, installs their handlers, ignores SIGPIPE.
 * *waiting is the mask to wait with (pselect, epoll_pwait). */
void signals_init(sigset_t *waiting);
/* After each wait: a wait that finds descriptors ready at once delivers no signal, so that a busy
 * loop would never hear one. Lets them in, at most every 100 ms. */
void signals_look(const sigset_t *waiting, int64_t now);
/* What came since the last call. */
unsigned signals_take(void);

#endif
