/* Names and constraints: what is found is there, what forbids nothing allows all, and each rule can
 * only take away. Input: a length each (a byte) and the bytes of host, subject, names; then the
 * permitted trees' length (a byte) and bytes, and the rest are the excluded trees. */
#include <stdlib.h>
#include <string.h>

#include "codec/san.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str cut(const uint8_t **p, size_t *left, size_t n)
{
    struct str part = { *p, n < *left ? n : *left };

    *p += part.n;
    *left -= part.n;
    return part;
}

static struct str take(const uint8_t **p, size_t *left)
{
    size_t n = *left > 0 ? **p : 0;

    cut(p, left, 1);
    return cut(p, left, n);
}

/* The extension's contents with trees permitted (p NULL: no such part) and excluded. */
static struct str limits(uint8_t *out, struct str permitted, struct str excluded)
{
    const struct str part[2] = { permitted, excluded };
    size_t n = 0;

    for (size_t i = 0; i < 2; i++) {
        if (!part[i].p)
            continue;
        out[n++] = (uint8_t)(0xa0 + i);
        out[n++] = 0x82;
        out[n++] = (uint8_t)(part[i].n >> 8);
        out[n++] = (uint8_t)part[i].n;
        memcpy(out + n, part[i].p, part[i].n);
        n += part[i].n;
    }
    return (struct str){ out, n };
}

static bool contains(struct str all, struct str part)
{
    for (size_t i = 0; part.n <= all.n && i <= all.n - part.n; i++) {
        if (str_ieq((struct str){ all.p + i, part.n }, part))
            return true;
    }
    return false;
}

/* A DNS name is found as it is, or what follows its first label is, behind a star. */
static void check_match(struct str names, struct str host)
{
    struct str rest = host;

    if (!san_names(names, host) || host.n == 0 || contains(names, host))
        return;
    while (rest.n > 0 && *rest.p != '.') {
        rest.p++;
        rest.n--;
    }
    /* An address is there as bytes. */
    if (memchr(host.p, ':', host.n) || (host.p[host.n - 1] >= '0' && host.p[host.n - 1] <= '9'))
        return;
    if (!contains(names, rest) || memchr(names.p, '*', names.n) == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t text[3][1 << 17];
    const struct str none = { NULL, 0 };
    struct str host, subject, names, permitted, excluded;
    bool both, first, second;

    if (size > 1 << 15)
        return 0;
    host = take(&data, &size);
    subject = take(&data, &size);
    names = take(&data, &size);
    permitted = take(&data, &size);
    excluded = cut(&data, &size, size);
    check_match(names, host);
    first = san_allowed(limits(text[0], permitted, none), names, subject, host);
    second = san_allowed(limits(text[1], none, excluded), names, subject, host);
    both = san_allowed(limits(text[2], permitted, excluded), names, subject, host);
    if (both != (first && second))
        abort();
    /* Nobody without a name breaks a rule; what is malformed does. */
    if (first && !san_allowed(limits(text[0], none, none), names, subject, host))
        abort();
    if (both && !san_allowed(limits(text[2], permitted, excluded), none, subject, host))
        abort();
    return 0;
}
