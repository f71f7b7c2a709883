/*
 * Whoever connects, by address: what one of them has at once, and how often he comes. An IPv6
 * address counts as its /64, which is what one customer has to choose from.
 *
 * A table of fixed size: addresses with a connection stay in it, the others as long as there is
 * room: the one that was not seen for the longest goes first, those that had an agent here last.
 * Ownership: the entries are the caller's, more of them than there can be connections.
 */
#ifndef ADIT_GATEWAY_PEERS_H
#define ADIT_GATEWAY_PEERS_H

#include <stdint.h>

#include "codec/ip.h"
#include "list.h"

/* What was not used of the last seconds may come at once. */
#define PEERS_BURST_S 5

/* All that is counted of something that may happen so often a second. Starts as zero. */
struct rate {
    int64_t spent_us; /* until then its turns are used up */
};

struct peer {
    /* read by the owner */
    unsigned strangers;   /* connections, but for those of agents whose token was accepted */
    unsigned agents;
    bool had_agent;
    /* the owner's */
    unsigned queued;      /* requests that wait for a stream, in all tunnels */
    uint64_t looked_at;   /* see tunnel_admit */
    struct rate connects, requests;
    int64_t told_at;
    /* private */
    uint8_t len;          /* of the address; 0: unused */
    uint64_t network;
    struct list bucket;   /* in the table */
    struct list node;    /* among those without a connection */
};

struct peers {
    struct peer *entry;
    size_t count;
    struct list *bucket;
    size_t bucket_count;  /* a power of two */
    struct list left;     /* entries without a connection: unused, or the longest ago first */
    struct list left_agents; /* the same, of those that had an agent */
    uint64_t seed[3];     /* random, so that nobody can choose addresses that share a bucket */
};

/* entry, count, bucket, bucket_count and seed are set. */
void peers_init(struct peers *p);
/* The entry of this address, which stays until the next call, or while it has connections. */
struct peer *peers_find(struct peers *p, const struct ip *ip);
/* A connection comes, or goes: an agent's or not. */
void peers_enter(struct peers *p, struct peer *peer, bool agent);
void peers_leave(struct peers *p, struct peer *peer, bool agent);

/* May it happen once more now? Then it has. `per_second`: 1,000,000 at most; 0: always. */
bool rate_take(struct rate *r, int64_t now_ms, uint32_t per_second);

#endif
