/*
 * DNS messages of a stub resolver.
 * Source: RFC 1035 section 4, RFC 3596 (AAAA), RFC 6891 not used: answers of 512 bytes suffice
 * for addresses; what a truncated answer (TC) has is given.
 */
#ifndef ADIT_DNS_H
#define ADIT_DNS_H

#include "codec/ip.h"
#include "limits.h"

#define DNS_QUERY_MAX (12 + HOST_MAX + 1 + 4)
#define DNS_ANSWER_MAX 1232
#define DNS_ADDRESSES_MAX 8

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

/* A recursive query into out[DNS_QUERY_MAX]; returns its length or ERR_DNS (a name that cannot be
 * asked: a label that is empty or over 63 bytes, or over 253 in all). `id` is random. */
int dns_query_write(uint16_t id, struct str name, enum dns_type type, uint8_t *out);

struct dns_answer {
    struct ip address[DNS_ADDRESSES_MAX];
    unsigned count;
    uint32_t ttl;      /* the least of those used, seconds; INT32_MAX: none */
    bool truncated;
};

/*
 * Checks that the answer belongs to the query (id, question; names case folded), follows CNAMEs
 * within it (9 in a row), collects addresses of the type; those beyond DNS_ADDRESSES_MAX are left
 * out. Compression pointers only go backwards, so that it
 * ends. Returns the number of addresses (0: the name has none of this type), ERR_DNS_NAME
 * (NXDOMAIN), or ERR_DNS (malformed, foreign, server failure).
 */
int dns_answer_parse(const uint8_t *in, size_t n, uint16_t id, struct str name, enum dns_type type,
                     struct dns_answer *answer);

#endif
