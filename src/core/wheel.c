#include "core/wheel.h"

/* The first tick that begins at `time` or later. */
static int64_t tick_up(int64_t time)
{
    return time <= 0 ? 0 : (time - 1) / WHEEL_TICK_MS + 1;
}

static void insert(struct wheel_node **list, struct wheel_node *node)
{
    node->next = *list;
    node->link = list;
    if (node->next != NULL)
        node->next->link = &node->next;
    *list = node;
}

void wheel_init(struct wheel *w, int64_t now)
{
    *w = (struct wheel){ .hand = now / WHEEL_TICK_MS, .soonest = WHEEL_NEVER };
}

void wheel_arm(struct wheel *w, struct wheel_node *node, int64_t deadline)
{
    int64_t tick = tick_up(deadline);

    wheel_disarm(node);
    node->tick = tick;
    if (tick < w->hand) {
        insert(&w->due, node);
        return;
    }
    insert(&w->slot[tick % WHEEL_SLOTS], node);
    if (tick < w->soonest)
        w->soonest = tick;
}

void wheel_disarm(struct wheel_node *node)
{
    if (node->link == NULL)
        return;
    *node->link = node->next;
    if (node->next != NULL)
        node->next->link = node->link;
    node->link = NULL;
}

bool wheel_is_armed(const struct wheel_node *node)
{
    return node->link != NULL;
}

/* Moves the nodes of a slot whose tick is before `end` to the due ones. */
static void slot_pass(struct wheel *w, int64_t tick, int64_t end)
{
    struct wheel_node *node = w->slot[tick % WHEEL_SLOTS];

    while (node != NULL) {
        struct wheel_node *next = node->next;

        if (node->tick < end) {
            wheel_disarm(node);
            insert(&w->due, node);
        }
        node = next;
    }
}

static bool slot_has(const struct wheel *w, int64_t tick)
{
    const struct wheel_node *node = w->slot[tick % WHEEL_SLOTS];

    while (node != NULL && node->tick != tick)
        node = node->next;
    return node != NULL;
}

/* The first armed tick of this turn, or its end when there are only later ones. Looks at every
 * node once at most, and is asked only when `soonest` has been reached. */
static int64_t soonest_find(const struct wheel *w)
{
    bool any = false;

    for (int64_t tick = w->hand; tick < w->hand + WHEEL_SLOTS; tick++) {
        if (slot_has(w, tick))
            return tick;
        any = any || w->slot[tick % WHEEL_SLOTS] != NULL;
    }
    return any ? w->hand + WHEEL_SLOTS : WHEEL_NEVER;
}

/* Moves the hand to `end`; after more than a turn every slot is passed once. */
static void advance(struct wheel *w, int64_t end)
{
    int64_t tick = end - w->hand > WHEEL_SLOTS ? end - WHEEL_SLOTS : w->hand;

    for (; tick < end; tick++)
        slot_pass(w, tick, end);
    w->hand = end;
    w->soonest = soonest_find(w);
}

struct wheel_node *wheel_expire(struct wheel *w, int64_t now)
{
    int64_t end = now / WHEEL_TICK_MS + 1;
    struct wheel_node *node;

    if (end > w->soonest && end > w->hand)
        advance(w, end);
    node = w->due;
    if (node != NULL)
        wheel_disarm(node);
    return node;
}

int64_t wheel_next(const struct wheel *w)
{
    if (w->due != NULL)
        return 0;
    return w->soonest > WHEEL_NEVER / WHEEL_TICK_MS ? WHEEL_NEVER : w->soonest * WHEEL_TICK_MS;
}
