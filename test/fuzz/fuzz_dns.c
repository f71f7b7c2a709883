/*
 * Input: a DNS message, judged as the answer to a question about www.example.com with id 0x1234;
 * and a line of the state file.
 * Properties: it ends; a result is what the answer holds; the case of the name does not matter,
 * but is told; an alias can be asked for; a query for a name that was asked is one that its own
 * answer is checked against. What a cache has taken from an answer or a line, it gives back, and a
 * line that it has written, it reads.
 */
#include "must.h"

#include "codec/dns.h"
#include "core/dns_cache.h"
#include "err.h"

#define ID 0x1234
#define NAME STR("www.example.com")

static struct dns_name name_of(struct str text)
{
    struct dns_name name;

    MUST(dns_name_parse(text, (struct str){ 0 }, &name) == 0);
    return name;
}

static int judge(const uint8_t *in, size_t n, const struct dns_name *name, enum dns_type type,
                 struct dns_answer *a)
{
    int got = dns_answer_parse(in, n, ID, name, type, a);

    MUST(got == ERR_DNS || got == ERR_DNS_NAME || (got >= 0 && got <= DNS_ADDRESSES_MAX));
    if (got < 0)
        return got;
    MUST((unsigned)got == a->count && a->ttl <= INT32_MAX);
    for (unsigned i = 0; i < a->count; i++)
        MUST(a->address[i].len == (type == DNS_A ? 4 : 16));
    return got;
}

/* What a query asks, an empty answer answers. */
static void query(const struct dns_name *name, enum dns_type type)
{
    uint8_t out[DNS_QUERY_MAX];
    struct dns_answer a;
    int n = dns_query_write(ID, name, type, out);

    MUST(n <= DNS_QUERY_MAX);
    MUST(judge(out, (size_t)n, name, type, &a) == ERR_DNS);
    out[2] |= 0x80;
    MUST(judge(out, (size_t)n, name, type, &a) == 0 && a.same_case);
}

static void query_text(struct str text, struct str suffix)
{
    struct dns_name name;

    if (dns_name_parse(text, suffix, &name) < 0)
        return;
    query(&name, DNS_A);
    query(&name, DNS_AAAA);
}

static bool among(const struct ip *ip, const struct ip *list, unsigned count)
{
    while (count > 0 && memcmp(ip, &list[count - 1], sizeof *ip) != 0)
        count--;
    return count > 0;
}

static void cache_answer(const struct dns_answer *a)
{
    static struct dns_cache c;
    struct ip ip[DNS_CACHE_ADDRESSES];
    unsigned count;

    memset(&c, 0, sizeof c);
    memcpy(ip, a->address, sizeof ip);
    count = dns_cache_put(&c, NAME, ip, a->count, a->ttl, 0);
    MUST((count == 0) == (a->count == 0) && count <= a->count);
    for (unsigned i = 0; i < count; i++)
        MUST(among(&ip[i], a->address, a->count));
    for (unsigned i = 0; i < a->count; i++)
        MUST(among(&a->address[i], ip, count));
    MUST(dns_cache_find(&c, NAME, DNS_CACHE_LEAST_S * 1000 - 1, ip) ==
         (count > 0 ? (int)count : ERR_DNS_NAME));
    MUST(dns_cache_find(&c, NAME, DNS_CACHE_MOST_S * 1000, ip) == 0);
    MUST(dns_cache_stale(&c, NAME, 0, ip) == count);
}

static void cache_line(struct str line)
{
    static struct dns_cache c, again;
    struct ip ip[DNS_CACHE_ADDRESSES];
    uint8_t out[2][DNS_CACHE_LINE_MAX];
    struct writer w[2];
    int err;

    memset(&c, 0, sizeof c);
    memset(&again, 0, sizeof again);
    err = dns_cache_read(&c, NAME, line);
    MUST(err == 0 || err == ERR_FILE);
    MUST(dns_cache_find(&c, NAME, 0, ip) == 0);
    writer_init(&w[0], out[0], sizeof out[0]);
    writer_init(&w[1], out[1], sizeof out[1]);
    dns_cache_write(&c, NAME, &w[0]);
    if (w[0].len == 0)
        return;
    MUST(err == 0 && writer_fits(&w[0]) && out[0][w[0].len - 1] == '\n');
    MUST(dns_cache_read(&again, NAME, (struct str){ out[0], w[0].len - 1 }) == 0);
    dns_cache_write(&again, NAME, &w[1]);
    MUST(w[0].len == w[1].len && memcmp(out[0], out[1], w[0].len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dns_name name = name_of(NAME), other = name_of(STR("wWw.eXample.Com."));
    struct dns_answer a, b;
    int got = judge(data, size, &name, DNS_A, &a);

    MUST(judge(data, size, &other, DNS_A, &b) == got);
    MUST(got == ERR_DNS || !(a.same_case && b.same_case));
    if (got >= 0)
        cache_answer(&a);
    if (got >= 0 && a.alias.len > 0) {
        MUST(got == 0);
        query(&a.alias, DNS_A);
    }
    judge(data, size, &name, DNS_AAAA, &a);
    query_text((struct str){ data, size }, (struct str){ NULL, 0 });
    query_text((struct str){ data, size / 2 }, (struct str){ data + size / 2, size - size / 2 });
    cache_line((struct str){ data, size });
    return 0;
}
