/*
 * Doubly linked lists threaded through their members: no memory of their own, O(1) everywhere.
 * A node that is in no list points to itself.
 */
#ifndef ADIT_GATEWAY_LIST_H
#define ADIT_GATEWAY_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "check.h"

struct list {
    struct list *prev;
    struct list *next;
};

#define LIST_OWNER(node, type, member) ((type *)(void *)((char *)(node) - offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->prev = l;
    l->next = l;
}

/* A list without members, or a node in no list. */
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_link(struct list *l, struct list *node)
{
    node->prev = l->prev;
    node->next = l;
    l->prev->next = node;
    l->prev = node;
}

/* A node is in one list at most; zeroed memory is in none. */
static inline void list_append(struct list *l, struct list *node)
{
    CHECK(node->next == NULL || list_empty(node));
    list_link(l, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline void list_prepend(struct list *l, struct list *node)
{
    list_append(l->next, node);
}

/* All members of `from` become those of `l`, which is initialized by it. */
static inline void list_take_all(struct list *l, struct list *from)
{
    list_link(from, l);
    list_remove(from);
}

/* The first member, taken out; NULL when there is none. */
static inline struct list *list_take(struct list *l)
{
    struct list *node = l->next;

    if (node == l)
        return NULL;
    list_remove(node);
    return node;
}

#endif
