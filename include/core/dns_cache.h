/*
 * The addresses of the few names that a device uses, for as long as they are good, and beyond: who
 * finds no name server has the last good ones still.
 * Source: RFC 1035 section 7.4 (TTL), RFC 2308 (negative answers), RFC 8767 (stale answers).
 *
 * A name has the addresses of its last answer and, behind them, earlier ones that were proven: a
 * verified TLS session was made there. Each may have failed since.
 *
 *   none --put--> fresh --TTL over, or all of the answer's failed--> stale --put--> fresh
 *                 (a name without addresses is fresh as well, for a moment)
 *
 * When all that the last answer has have failed, the answer itself may be wrong: then, and without
 * any answer, everything known is given, those that failed last. RFC 8767 section 5 ends that after
 * some days; here it has no end: a device out of reach for ever is worse, and TLS finds out who
 * answers at an old address.
 *
 * Input: time in ms. Names as they are asked for, in any case, up to HOST_MAX bytes. A pointer to a
 * cache may be NULL (not for dns_cache_forget_failed): nothing is kept then.
 * Limits: the name that was not used for the longest gives way to another.
 */
#ifndef ADIT_DNS_CACHE_H
#define ADIT_DNS_CACHE_H

#include "codec/ip.h"
#include "limits.h"

/* The gateways', the local server's, and one that a gateway has sent us to: none of them takes
 * another's place. 424 bytes each. */
#define DNS_CACHE_NAMES (HOMES_MAX + 2)
#define DNS_CACHE_ADDRESSES 8
/* What a TTL counts for: of 0 there is no cache, and a mistake of years has an end. */
#define DNS_CACHE_LEAST_S 1
#define DNS_CACHE_MOST_S 86400
/* A name without addresses: shorter than zones have for it, so that nothing has to be known about
 * them (RFC 2308 section 5). */
#define DNS_CACHE_NEGATIVE_S 5
/* Before name servers are asked again of which none answered: RFC 8767 section 5. */
#define DNS_CACHE_STALE_S 30
/* How long they are waited for when a stale address is known: RFC 8767 section 5; and when all of
 * them have failed: then a slow answer is better. */
#define DNS_CACHE_PATIENCE_MS 1800
#define DNS_CACHE_FAILED_PATIENCE_MS 5000

struct dns_cache_address {
    struct ip ip;
    bool failed, proven;
};

/* Starts as all zeroes. */
struct dns_cache {
    /* private */
    struct dns_cache_entry {
        int64_t until; /* fresh before that */
        uint8_t count; /* of addresses */
        uint8_t last;  /* the first ones, which are of the last answer; 0: it had none */
        uint8_t name_len; /* 0: free */
        uint8_t name[HOST_MAX];
        struct dns_cache_address address[DNS_CACHE_ADDRESSES];
    } entry[DNS_CACHE_NAMES]; /* the last one used first */
};

/* Addresses that are fresh and have not failed, into ip[DNS_CACHE_ADDRESSES]. Returns their count;
 * 0: ask; ERR_DNS_NAME: asked a moment ago, it has none. */
int dns_cache_find(struct dns_cache *c, struct str name, int64_t now, struct ip *ip);
/* An answer with `count` addresses at ip[DNS_CACHE_ADDRESSES], or without any. Returns how many to
 * use, which are there then: more when all of the answer's have failed before. */
unsigned dns_cache_put(struct dns_cache *c, struct str name, struct ip *ip, unsigned count,
                       uint32_t ttl_s, int64_t now);
/* How long an answer is waited for, in ms; UINT32_MAX: there is nothing else. */
uint32_t dns_cache_patience(struct dns_cache *c, struct str name);
/* Nobody answers: all that is known into ip[DNS_CACHE_ADDRESSES]; 0: nothing. It counts as fresh
 * for a moment. */
unsigned dns_cache_stale(struct dns_cache *c, struct str name, int64_t now, struct ip *ip);

enum dns_cache_mark {
    DNS_CACHE_FAILED, /* no connection could be made, or none of use */
    DNS_CACHE_GOOD,
    DNS_CACHE_PROVEN, /* good, and it was verified who answers there */
};
/* What became of an address. True when it was not proven before; false for others than the name's.
 */
bool dns_cache_mark(struct dns_cache *c, struct str name, const struct ip *ip,
                    enum dns_cache_mark mark);
/* Asks anew for everything, and drops the addresses that have failed and are not proven. */
void dns_cache_forget_failed(struct dns_cache *c);

/* A line to be kept: the name and its proven addresses, with a space between; nothing when there
 * are none. DNS_CACHE_LINE_MAX bytes hold it. */
#define DNS_CACHE_LINE_MAX (HOST_MAX + DNS_CACHE_ADDRESSES * (1 + IP_TEXT_MAX) + 1)
void dns_cache_write(struct dns_cache *c, struct str name, struct writer *w);
/* Such a line, without its end: the addresses are proven, and stale. That of another name is passed
 * over. ERR_FILE: it is damaged. */
int dns_cache_read(struct dns_cache *c, struct str name, struct str line);

#endif
