/*
 * A network of addresses: 10.0.0.0/8, 2001:db8::/32, or one address.
 */
#ifndef ADIT_GATEWAY_CIDR_H
#define ADIT_GATEWAY_CIDR_H

#include "codec/ip.h"

struct cidr {
    struct ip ip; /* len 0: no network at all */
    unsigned bits;
};

/* False: neither; *net is of no use then. Bits of the address beyond the length do not count. */
bool cidr_parse(struct str text, struct cidr *net);
/* Is the address in it? Never in one of the other family. */
bool cidr_has(const struct cidr *net, const struct ip *ip);

#endif
