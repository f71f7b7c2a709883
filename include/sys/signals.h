/*
 * Signals for both event loops, as bytes of a descriptor (signalfd): no handler runs at any time,
 * so that no system call is broken off (EINTR).
 */
#ifndef ADIT_SIGNALS_H
#define ADIT_SIGNALS_H

/* TERM stands for SIGINT too. */
enum { SIGNALS_TERM = 1, SIGNALS_HUP = 2, SIGNALS_USR1 = 4, SIGNALS_USR2 = 8 };

/* Blocks SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2; returns a descriptor that is readable when
 * one of them has come, or ERR_SYS, and they are as before. Blocks SIGPIPE: a write says EPIPE. */
int signals_init(void);
/* What came since the last call, SIGNALS_*; never waits. */
unsigned signals_take(int fd);

#endif
