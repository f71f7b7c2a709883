/*
 * Tells a service manager that the program has started, that it still gets on, reads its files
 * again, is about to end.
 * Source: sd_notify(3): datagrams to the socket that $NOTIFY_SOCKET names, "READY=1" and, at least
 * every $WATCHDOG_USEC microseconds (up to 71 minutes), "WATCHDOG=1".
 *
 * Without these variables nothing happens. What cannot be sent is left out: the manager draws its
 * own conclusions.
 */
#ifndef ADIT_NOTIFY_H
#define ADIT_NOTIFY_H

#include <stdint.h>

struct notify {
    int64_t next;  /* call notify_alive then; NET_NEVER: not wanted */
    /* private */
    int fd;
    uint32_t interval_ms;
};

/* Connects, before the program gives up its rights, and says READY. */
void notify_start(struct notify *n, int64_t now);
/* Says that all is well, when it is time for that. */
void notify_alive(struct notify *n, int64_t now);
/* Files are read again (now: ms of CLOCK_MONOTONIC): notify_ready must follow, soon. */
void notify_reloading(struct notify *n, int64_t now);
void notify_ready(struct notify *n);
/* The program has been told to end, and does so when its work is done. */
void notify_stopping(struct notify *n);

#endif
