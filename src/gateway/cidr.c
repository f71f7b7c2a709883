#include "cidr.h"

#include <string.h>

#include "codec/ascii.h"

bool cidr_parse(struct str text, struct cidr *net)
{
    struct str length = text;
    struct str address = str_take_until(&length, '/');
    uint64_t bits = 0;

    if (!ip_parse(address, &net->ip))
        return false;
    net->bits = 8u * net->ip.len;
    if (address.n == text.n)
        return true;
    if (!ascii_u64(length, net->bits, &bits))
        return false;
    net->bits = (unsigned)bits;
    return true;
}

bool cidr_has(const struct cidr *net, const struct ip *ip)
{
    size_t whole = net->bits / 8;
    unsigned rest = net->bits % 8;

    if (net->ip.len == 0 || net->ip.len != ip->len)
        return false;
    if (memcmp(net->ip.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || ((net->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest)) == 0;
}
