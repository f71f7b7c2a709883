/*
 * A timer wheel: thousands of deadlines, armed and disarmed at any time, each step in O(1).
 *
 * The wheel is WHEEL_SLOTS lists; a node hangs in the one of its deadline's tick modulo
 * WHEEL_SLOTS. A deadline more than one turn away stays in its list while the hand goes by.
 * Time is an argument, in monotonic milliseconds, 0 or more.
 * Ownership: nodes lie within the caller's structures (see WHEEL_OWNER) and must stay where they
 * are while armed. The wheel owns no memory beyond its struct.
 * Limits: a deadline fires never early, and up to WHEEL_TICK_MS late.
 */
#ifndef ADIT_WHEEL_H
#define ADIT_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fine for timeouts of a second and more. A turn is 16 s, so that a 60 s deadline is passed four
 * times. 8 KB on 64 bits. */
#define WHEEL_TICK_MS 16
#define WHEEL_SLOTS 1024

/* Private. Zero it before its first use. */
struct wheel_node {
    struct wheel_node *next;
    struct wheel_node **link; /* what points here; NULL when not armed */
    int64_t tick;
};

/* Private. */
struct wheel {
    struct wheel_node *slot[WHEEL_SLOTS];
    struct wheel_node *due; /* passed by the hand, not yet handed out */
    int64_t hand;           /* every tick before this one has been passed */
    int64_t soonest;        /* no armed tick lies before this one; WHEEL_NEVER without any */
};

#define WHEEL_NEVER INT64_MAX

/* The structure of that type whose member the node is. */
#define WHEEL_OWNER(node, type, member) \
    ((type *)(void *)((char *)(node) - offsetof(type, member)))

void wheel_init(struct wheel *w, int64_t now);

/* Arms the node for `deadline`, anew when it is armed. A deadline in the past is due at once. */
void wheel_arm(struct wheel *w, struct wheel_node *node, int64_t deadline);
/* No effect on a node that is not armed. */
void wheel_disarm(struct wheel_node *node);
bool wheel_is_armed(const struct wheel_node *node);

/*
 * Takes out one node that is due, disarmed; NULL when there is none. In no order within a call's
 * `now`. Between calls any node may be armed or disarmed, also one that is due; one that is armed
 * for the past again and again would be handed out for ever.
 */
struct wheel_node *wheel_expire(struct wheel *w, int64_t now);

/*
 * When to call wheel_expire again at the latest, WHEEL_NEVER without an armed node. It may be
 * sooner than the first deadline (when that one was disarmed, or is more than a turn away).
 */
int64_t wheel_next(const struct wheel *w);

#endif
