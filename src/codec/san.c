#include "codec/san.h"

#include <string.h>

#include "codec/ip.h"
#include "der_value.h"

/* GeneralName, RFC 5280 section 4.2.1.6. */
#define DNS_NAME (DER_CONTEXT | 2)
#define DIRECTORY_NAME (DER_CONTEXT | DER_CONSTRUCTED | 4)
#define IP_ADDRESS (DER_CONTEXT | 7)
/* NameConstraints */
#define PERMITTED (DER_CONTEXT | DER_CONSTRUCTED | 0)
#define EXCLUDED (DER_CONTEXT | DER_CONSTRUCTED | 1)

struct name {
    uint8_t tag;
    struct str contents;
};

static struct name take_name(struct reader *r)
{
    struct name name = { reader_left(r) > 0 ? *r->p : 0, { NULL, 0 } };

    name.contents = der_take(r, name.tag);
    return name;
}

/* As a name of a certificate has it. */
static struct name name_of(struct str host, struct ip *ip)
{
    if (ip_parse(host, ip))
        return (struct name){ IP_ADDRESS, { ip->bytes, ip->len } };
    return (struct name){ DNS_NAME, host };
}

static bool is_dns_name(struct str pattern, struct str host)
{
    if (pattern.n > 2 && pattern.p[0] == '*' && pattern.p[1] == '.') {
        pattern = str_from(pattern, 1);
        host = str_from(host, str_find(host, '.'));
    }
    return str_ieq(pattern, host);
}

bool san_names(struct str names, struct str host)
{
    struct reader r = der_inside(names);
    struct ip ip;
    struct name wanted = name_of(host, &ip);
    bool found = false;

    while (!r.bad && reader_left(&r) > 0) {
        struct name name = take_name(&r);

        if (name.tag == wanted.tag && !r.bad)
            found = found || (name.tag == IP_ADDRESS ? str_eq(name.contents, wanted.contents)
                                                     : is_dns_name(name.contents, wanted.contents));
    }
    return found && !r.bad;
}

/* ---- constraints ---- */

/* The base itself, or labels before it. */
static bool is_below(struct str name, struct str base)
{
    struct str end;

    if (base.n > name.n)
        return false;
    end = (struct str){ name.p + name.n - base.n, base.n };
    return str_ieq(end, base) &&
           (base.n == 0 || base.n == name.n || *base.p == '.' || end.p[-1] == '.');
}

/* The base is an address and a mask. */
static bool is_in_network(struct str address, struct str base)
{
    if (base.n != 2 * address.n)
        return false;
    for (size_t i = 0; i < address.n; i++) {
        if ((address.p[i] ^ base.p[i]) & base.p[address.n + i])
            return false;
    }
    return true;
}

/* The base's parts are the first of the name's, byte for byte. */
static bool is_in_directory(struct str name, struct str base, bool unknown)
{
    struct reader n = der_inside(name), b = der_inside(base);
    struct str parts = der_take(&n, DER_SEQUENCE), first = der_take(&b, DER_SEQUENCE);

    if (n.bad || b.bad)
        return unknown;
    return first.n <= parts.n && str_eq((struct str){ parts.p, first.n }, first);
}

/* Of one form. What is of an unknown one is outside of the permitted and among the excluded. */
static bool is_within(const struct name *name, struct str base, bool unknown)
{
    switch (name->tag) {
    case DNS_NAME:
        return is_below(name->contents, base);
    case IP_ADDRESS:
        return is_in_network(name->contents, base);
    case DIRECTORY_NAME:
        return is_in_directory(name->contents, base, unknown);
    default:
        return unknown;
    }
}

/* Trees of names; one of another form says nothing. */
static bool passes(struct str trees, bool excluded, const struct name *name)
{
    struct reader r = der_inside(trees);
    bool limited = false, within = false;

    while (!r.bad && reader_left(&r) > 0) {
        struct reader tree = der_inside(der_take(&r, DER_SEQUENCE));
        struct name base = take_name(&tree);

        /* RFC 5280 section 4.2.1.10: what follows, a minimum and a maximum, is not used. */
        if (tree.bad || reader_left(&tree) > 0)
            return false;
        if (base.tag != name->tag)
            continue;
        limited = true;
        within = within || is_within(name, base.contents, excluded);
    }
    return !r.bad && (excluded ? !within : within || !limited);
}

static bool is_allowed(struct str limits, const struct name *name)
{
    struct reader r = der_inside(limits);
    struct str permitted = der_take_if(&r, PERMITTED), excluded = der_take_if(&r, EXCLUDED);

    return !r.bad && reader_left(&r) == 0 && (!permitted.p || passes(permitted, false, name)) &&
           (!excluded.p || passes(excluded, true, name));
}

bool san_allowed(struct str limits, struct str names, struct str subject, struct str host)
{
    struct reader r = der_inside(names);
    struct ip ip;
    /* A wildcard may stand for an excluded name: the one that is meant has to pass as well. */
    struct name last[2] = { name_of(host, &ip), { DIRECTORY_NAME, subject } };
    bool good = host.n == 0 || is_allowed(limits, &last[0]);

    /* A subject without parts is none. */
    if (subject.n > 2)
        good = good && is_allowed(limits, &last[1]);
    while (names.p && good && reader_left(&r) > 0) {
        struct name name = take_name(&r);

        good = !r.bad && is_allowed(limits, &name);
    }
    return good;
}
