#include "peers.h"

#include <string.h>

void peers_init(struct peers *p)
{
    list_init(&p->left);
    list_init(&p->left_agents);
    for (size_t i = 0; i < p->bucket_count; i++)
        list_init(&p->bucket[i]);
    for (size_t i = 0; i < p->count; i++) {
        p->entry[i] = (struct peer){ .len = 0 };
        list_init(&p->entry[i].bucket);
        list_append(&p->left, &p->entry[i].node);
    }
}

static uint64_t network_of(const struct ip *ip)
{
    uint64_t network = 0;

    for (size_t i = 0; i < 8 && i < ip->len; i++)
        network = network << 8 | ip->bytes[i];
    return network;
}

/* Multiply-shift over the two halves (Dietzfelbinger 1996): with a secret seed any two addresses
 * share a bucket no more often than by chance. */
static struct list *bucket_of(const struct peers *p, uint64_t network)
{
    uint64_t low = (uint32_t)network, high = network >> 32;
    uint64_t hash = (p->seed[0] + low) * (p->seed[1] + high) + p->seed[2];

    return &p->bucket[(hash >> 32) & (p->bucket_count - 1)];
}

static struct list *list_of(struct peers *p, const struct peer *peer)
{
    return peer->had_agent ? &p->left_agents : &p->left;
}

static bool is_connected(const struct peer *peer)
{
    return peer->strangers + peer->agents > 0;
}

static struct peer *make(struct peers *p, struct list *bucket, uint8_t len, uint64_t network)
{
    struct list *node = list_empty(&p->left) ? p->left_agents.next : p->left.next;
    struct peer *peer = LIST_OWNER(node, struct peer, node);

    list_remove(&peer->node);
    list_remove(&peer->bucket);
    *peer = (struct peer){ .len = len, .network = network };
    list_init(&peer->bucket);
    list_append(bucket, &peer->bucket);
    list_init(&peer->node);
    list_append(&p->left, &peer->node);
    return peer;
}

struct peer *peers_find(struct peers *p, const struct ip *ip)
{
    uint64_t network = network_of(ip);
    struct list *bucket = bucket_of(p, network);

    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        struct peer *peer = LIST_OWNER(node, struct peer, bucket);

        if (peer->network != network || peer->len != ip->len)
            continue;
        if (!is_connected(peer)) {
            list_remove(&peer->node);
            list_append(list_of(p, peer), &peer->node);
        }
        return peer;
    }
    return make(p, bucket, ip->len, network);
}

void peers_enter(struct peers *p, struct peer *peer, bool agent)
{
    (void)p;
    list_remove(&peer->node);
    peer->had_agent = peer->had_agent || agent;
    if (agent)
        peer->agents++;
    else
        peer->strangers++;
}

void peers_leave(struct peers *p, struct peer *peer, bool agent)
{
    if (agent)
        peer->agents--;
    else
        peer->strangers--;
    if (!is_connected(peer))
        list_append(list_of(p, peer), &peer->node);
}

bool rate_take(struct rate *r, int64_t now_ms, uint32_t per_second)
{
    int64_t now = now_ms * 1000, turn;

    if (per_second == 0)
        return true;
    turn = 1000000 / per_second;
    if (r->spent_us < now)
        r->spent_us = now;
    if (r->spent_us + turn > now + PEERS_BURST_S * 1000000)
        return false;
    r->spent_us += turn;
    return true;
}
