/*
 * Stub resolver: /etc/hosts, what is known still (core/dns_cache.h), then the name servers of
 * /etc/resolv.conf, over UDP, and over TCP when an answer was truncated to nothing.
 * Source: RFC 1035 section 4.2 and 7.2, RFC 7766 section 5, RFC 8767, resolv.conf(5) (nameserver,
 * search, domain; timeout, attempts, ndots, rotate).
 *
 * Asks A and AAAA at once; tries each server in turn, every round with a longer wait; a fresh
 * random id and source port each time, and letters of random case. A server that is not there or
 * fails is left at once. Never blocks (the two files are local). Once one family has an answer that
 * says something, the other has 250 ms. The files are read at every start, resolv.conf before every
 * try.
 *
 *   IDLE --start--> ASKING --answers or last timeout--> DONE | FAILED
 *                   ASKING --truncated, empty--> CONNECTING --> ASKING (the same deadline)
 *                   ASKING --no address, but a CNAME; no such name, but another suffix--> ASKING
 *
 * Suffixes (search) are for names with fewer dots than ndots, as in musl: first they, then the name
 * itself. A gateway's name that does not exist is never looked for below somebody else's.
 * When no server has an answer, or none in time (dns_cache_patience), what the cache has is used.
 *
 * Limits: RESOLVER_ALIASES_MAX CNAMEs beyond those that answers follow themselves. A truncated
 * answer with addresses is used as far as it goes.
 */
#ifndef ADIT_RESOLVER_H
#define ADIT_RESOLVER_H

#include "codec/dns.h"
#include "core/dns_cache.h"
#include "net/resolv_conf.h"
#include "net/sock.h"

#define RESOLVER_ALIASES_MAX 8

/* What is large is last: what is near has shorter addresses. */
struct resolver {
    /* read by the owner: wait for `want` on `fd` until `deadline` */
    int fd; /* -1: none */
    unsigned want;
    int64_t deadline;
    unsigned count; /* of addresses, below */
    int err; /* ERR_DNS_NAME: no such name, or no address; ERR_RESOLVE: nobody answered; ERR_DNS:
                not a name that can be asked for */
    bool stale; /* nobody answered: the addresses are from before */
    /* private */
    bool named, followed;    /* `name` is there to be asked for; it is an alias's, not asked yet */
    bool mixed;              /* an answer has to have the question's letters */
    bool got_a, got_aaaa, not_found;
    bool tcp;                /* NET_OUT: connecting */
    uint8_t suffix;          /* the next one; beyond the last: the name has been tried as it is */
    uint8_t aliases;         /* followed so far */
    uint8_t a_count, aaaa_count;
    uint8_t round, tried;    /* rounds that are over; servers tried in this one */
    uint8_t first;           /* the one that rounds begin with, if they rotate */
    uint16_t id;             /* of the question for A; that for AAAA has its lowest bit flipped */
    uint32_t random;
    uint32_t ttl;
    struct str asked;        /* the owner's */
    int64_t give_up_at;      /* what is known from before is as good then */
    size_t in_len;
    struct ip server;        /* the one that is asked */
    /* set by the owner before the start */
    struct dns_cache *cache; /* NULL: none; several resolvers may share one */
    /* set by tests before the start; else zero */
    const char *hosts_path;  /* NULL: /etc/hosts */
    const char *resolv_path; /* NULL: /etc/resolv.conf */
    uint16_t server_port;    /* 0: 53 */
    /* read by the owner: the families in turn, IPv4 first: a device's half-made IPv6 is more common
     * than none of IPv4 */
    struct ip address[DNS_ADDRESSES_MAX * 2];
    /* private */
    struct dns_name name;    /* what is asked for: that, with a suffix, or what it is an alias of */
    /* A datagram; or length and message, as far as they have come. */
    uint8_t in[2 + DNS_ANSWER_MAX];
};

/* Starts as all zeroes. 1: done at once (an entry in hosts, or in the cache); 0: under way; < 0
 * failed, as `err`. `name` stays the owner's, unchanged until the next start; `random` is fresh for
 * each use. */
int resolver_start(struct resolver *r, struct str name, uint32_t random, int64_t now);
/* The same results. */
int resolver_on_event(struct resolver *r, int64_t now);
int resolver_on_time(struct resolver *r, uint32_t random, int64_t now);
void resolver_stop(struct resolver *r);
/* What became of an address that it gave: one that failed is not given again before somebody was
 * asked. As dns_cache_mark; any address will do, and without a cache it is nothing. */
bool resolver_mark(struct resolver *r, const struct ip *ip, enum dns_cache_mark mark);

#endif
