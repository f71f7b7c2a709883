#include "core/dns_cache.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"

/* What is used moves to the front. */
static struct dns_cache_entry *use(struct dns_cache *c, unsigned i)
{
    struct dns_cache_entry e = c->entry[i];

    memmove(&c->entry[1], &c->entry[0], i * sizeof e);
    c->entry[0] = e;
    return &c->entry[0];
}

static struct dns_cache_entry *find(struct dns_cache *c, struct str name)
{
    for (unsigned i = 0; c != NULL && name.n > 0 && i < DNS_CACHE_NAMES; i++) {
        if (str_ieq((struct str){ c->entry[i].name, c->entry[i].name_len }, name))
            return use(c, i);
    }
    return NULL;
}

/* The name's entry; or another's, which is free or was not used for the longest. */
static struct dns_cache_entry *make(struct dns_cache *c, struct str name)
{
    struct dns_cache_entry *e = find(c, name);

    if (e != NULL || c == NULL || name.n == 0 || name.n > HOST_MAX)
        return e;
    e = use(c, DNS_CACHE_NAMES - 1);
    memset(e, 0, sizeof *e);
    memcpy(e->name, name.p, name.n);
    e->name_len = (uint8_t)name.n;
    return e;
}

/* Those of the first `among` that have failed, or those that have not, behind the n that are in out
 * already. */
static unsigned give(const struct dns_cache_entry *e, unsigned among, bool failed, struct ip *out,
                     unsigned n)
{
    for (unsigned i = 0; i < among; i++) {
        if (e->address[i].failed == failed)
            out[n++] = e->address[i].ip;
    }
    return n;
}

static unsigned give_all(const struct dns_cache_entry *e, unsigned among, struct ip *out)
{
    return give(e, among, true, out, give(e, among, false, out, 0));
}

static bool all_failed(const struct dns_cache_entry *e, unsigned among)
{
    while (among > 0 && e->address[among - 1].failed)
        among--;
    return among == 0;
}

int dns_cache_find(struct dns_cache *c, struct str name, int64_t now, struct ip *ip)
{
    struct dns_cache_entry *e = find(c, name);

    if (e == NULL || now >= e->until)
        return 0;
    return e->last == 0 ? ERR_DNS_NAME : (int)give(e, e->last, false, ip, 0);
}

/* ---- answers ---- */

static struct dns_cache_address *find_address(struct dns_cache_entry *e, const struct ip *ip)
{
    for (unsigned i = 0; i < e->count; i++) {
        if (memcmp(&e->address[i].ip, ip, sizeof *ip) == 0)
            return &e->address[i];
    }
    return NULL;
}

static void add(struct dns_cache_entry *e, const struct dns_cache_address *address)
{
    if (e->count < DNS_CACHE_ADDRESSES && find_address(e, &address->ip) == NULL)
        e->address[e->count++] = *address;
}

/* An answer's addresses, with what is known of them, and then the proven ones. */
static void replace(struct dns_cache_entry *e, const struct ip *ip, unsigned count, bool proven)
{
    struct dns_cache_entry old = *e;

    e->count = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct dns_cache_address news = { .ip = ip[i], .proven = proven };
        const struct dns_cache_address *known = find_address(&old, &ip[i]);

        add(e, known != NULL ? known : &news);
    }
    e->last = e->count;
    for (unsigned i = 0; i < old.count; i++) {
        if (old.address[i].proven)
            add(e, &old.address[i]);
    }
}

static uint32_t life_of(unsigned count, uint32_t ttl_s)
{
    if (count == 0)
        return DNS_CACHE_NEGATIVE_S;
    if (ttl_s < DNS_CACHE_LEAST_S)
        return DNS_CACHE_LEAST_S;
    return ttl_s < DNS_CACHE_MOST_S ? ttl_s : DNS_CACHE_MOST_S;
}

unsigned dns_cache_put(struct dns_cache *c, struct str name, struct ip *ip, unsigned count,
                       uint32_t ttl_s, int64_t now)
{
    struct dns_cache_entry *e = make(c, name);

    if (e == NULL)
        return count;
    replace(e, ip, count, false);
    e->until = now + life_of(count, ttl_s) * 1000;
    if (count == 0)
        return 0;
    return give_all(e, all_failed(e, e->last) ? e->count : e->last, ip);
}

uint32_t dns_cache_patience(struct dns_cache *c, struct str name)
{
    const struct dns_cache_entry *e = find(c, name);

    if (e == NULL || e->count == 0)
        return UINT32_MAX;
    return all_failed(e, e->count) ? DNS_CACHE_FAILED_PATIENCE_MS : DNS_CACHE_PATIENCE_MS;
}

unsigned dns_cache_stale(struct dns_cache *c, struct str name, int64_t now, struct ip *ip)
{
    struct dns_cache_entry *e = find(c, name);

    if (e == NULL || e->count == 0)
        return 0;
    e->last = e->count;
    e->until = now + DNS_CACHE_STALE_S * 1000;
    return give_all(e, e->count, ip);
}

/* ---- what became of them ---- */

bool dns_cache_mark(struct dns_cache *c, struct str name, const struct ip *ip,
                    enum dns_cache_mark mark)
{
    struct dns_cache_entry *e = find(c, name);
    struct dns_cache_address *address = e != NULL ? find_address(e, ip) : NULL;
    bool news = address != NULL && mark == DNS_CACHE_PROVEN && !address->proven;

    if (address != NULL)
        address->failed = mark == DNS_CACHE_FAILED;
    if (news)
        address->proven = true;
    return news;
}

void dns_cache_forget_failed(struct dns_cache *c)
{
    for (unsigned i = 0; i < DNS_CACHE_NAMES; i++) {
        struct dns_cache_entry *e = &c->entry[i];
        struct ip ip[DNS_CACHE_ADDRESSES];
        unsigned count = give(e, e->last, false, ip, 0);

        replace(e, ip, count, false);
        for (unsigned at = 0; at < e->count; at++)
            e->address[at].failed = false;
        e->until = 0;
    }
}

/* ---- as a line ---- */

/* Of IPv6 all groups with all their digits: it is for ourselves. */
static void write_address(struct writer *w, const struct ip *ip)
{
    const size_t step = ip->len == 4 ? 1 : 2;
    uint8_t hex[4];

    for (size_t i = 0; i < ip->len; i += step) {
        writer_u8(w, i == 0 ? ' ' : step == 1 ? '.' : ':');
        ascii_to_hex(ip->bytes + i, step, hex);
        if (step == 1)
            writer_u64(w, ip->bytes[i]);
        else
            writer_bytes(w, hex, sizeof hex);
    }
}

void dns_cache_write(struct dns_cache *c, struct str name, struct writer *w)
{
    const struct dns_cache_entry *e = find(c, name);
    size_t before = w->len;

    for (unsigned i = 0; e != NULL && i < e->count; i++) {
        if (!e->address[i].proven)
            continue;
        if (w->len == before)
            writer_str(w, name);
        write_address(w, &e->address[i].ip);
    }
    if (w->len > before)
        writer_u8(w, '\n');
}

int dns_cache_read(struct dns_cache *c, struct str name, struct str line)
{
    struct str owner = str_take_until(&line, ' ');
    struct ip ip[DNS_CACHE_ADDRESSES];
    struct dns_cache_entry *e;
    unsigned count = 0;

    do {
        if (count == DNS_CACHE_ADDRESSES || !ip_parse(str_take_until(&line, ' '), &ip[count++]))
            return ERR_FILE;
    } while (line.n > 0);
    e = str_ieq(owner, name) ? make(c, name) : NULL;
    if (e != NULL)
        replace(e, ip, count, true);
    return 0;
}
