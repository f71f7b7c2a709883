/*
 * DNS messages of a stub resolver.
 * Source: RFC 1035 section 4, RFC 3596 (AAAA), RFC 6891 not used: answers of 512 bytes suffice
 * for addresses; what a truncated answer (TC) has is given.
 */
#ifndef ADIT_DNS_H
#define ADIT_DNS_H

#include "codec/ip.h"
#include "limits.h"

/* RFC 1035 section 2.3.4. */
#define DNS_NAME_MAX 255
#define DNS_QUERY_MAX (12 + DNS_NAME_MAX + 4)
#define DNS_ANSWER_MAX 1232
#define DNS_ADDRESSES_MAX 8

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

/* A name in wire form (RFC 1035 section 3.1), without compression, its letters as they were given:
 * a length is no letter, so that letters can be changed in place. */
struct dns_name {
    uint8_t len; /* 0: none */
    uint8_t bytes[DNS_NAME_MAX];
};

/* From text, below `suffix` unless that is empty; either may end in a dot. 0, or ERR_DNS: a name
 * that cannot be asked for (an empty or a long label, or too long). */
int dns_name_parse(struct str text, struct str suffix, struct dns_name *name);

/* A recursive query into out[DNS_QUERY_MAX]; returns its length. `id` is random. */
int dns_query_write(uint16_t id, const struct dns_name *name, enum dns_type type, uint8_t *out);

struct dns_answer {
    unsigned count;
    uint32_t ttl;          /* the least of those used, seconds; INT32_MAX: none was */
    bool truncated;
    bool same_case;        /* the question has each letter as it was asked; set with any result but
                              ERR_DNS */
    struct ip address[DNS_ADDRESSES_MAX];
    struct dns_name alias; /* without addresses: the name that the last CNAME leads to */
};

/*
 * Checks that the answer belongs to the query (id, question; names case folded), follows CNAMEs
 * within it (10 in a row), collects addresses of the type; those beyond DNS_ADDRESSES_MAX are left
 * out. Compression pointers only go backwards, so that it
 * ends. Returns the number of addresses (0: the name has none of this type), ERR_DNS_NAME
 * (NXDOMAIN), or ERR_DNS (malformed, foreign, server failure).
 */
int dns_answer_parse(const uint8_t *in, size_t n, uint16_t id, const struct dns_name *name,
                     enum dns_type type, struct dns_answer *answer);

#endif
