/*
 * Watches that a loop which turns also gets on: the last resort against a defect that makes it turn
 * for ever without moving a byte, on a device that nobody can reach then.
 *
 *   SOUND --a window full of turns that moved nothing--> SUSPECT
 *   SUSPECT --WATCHDOG_SESSION_WINDOWS of them in a row--> SESSION: end what is connected
 *           --WATCHDOG_PROCESS_WINDOWS of them in a row--> PROCESS: end the program
 *   any --something moved, or a window that was mostly slept through--> SOUND
 *
 * Input: what moved, as any number that grows with it, and the time in ms.
 */
#ifndef ADIT_WATCHDOG_H
#define ADIT_WATCHDOG_H

#include <stdint.h>

#define WATCHDOG_WINDOW_MS 1000
/* More than a loop makes that waits for something, by far less than one makes that does not. */
#define WATCHDOG_TURNS 200
/* Long enough for a machine that is only slow. */
#define WATCHDOG_SESSION_WINDOWS 5
#define WATCHDOG_PROCESS_WINDOWS 10

enum watchdog_verdict { WATCHDOG_SOUND, WATCHDOG_SUSPECT, WATCHDOG_SESSION, WATCHDOG_PROCESS };

/* Starts as all zeroes. */
struct watchdog {
    /* private */
    uint64_t moved;
    int64_t since;    /* the window's begin */
    unsigned turns;   /* in it, without a move */
    unsigned windows; /* full ones before it */
};

/* Once a turn. SESSION and PROCESS are told once each, SUSPECT between them. */
enum watchdog_verdict watchdog_turn(struct watchdog *w, uint64_t moved, int64_t now);

#endif
