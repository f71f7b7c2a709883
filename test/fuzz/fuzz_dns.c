/*
 * Input: a DNS message, judged as the answer to a question about www.example.com with id 0x1234.
 * Properties: it ends; a result is what the answer holds; the case of the name does not matter; a
 * query for a name that was asked is one that its own answer is checked against.
 */
#include "must.h"

#include "codec/dns.h"
#include "err.h"

#define ID 0x1234

static int judge(const uint8_t *in, size_t n, struct str name, enum dns_type type)
{
    struct dns_answer a;
    int got = dns_answer_parse(in, n, ID, name, type, &a);

    MUST(got == ERR_DNS || got == ERR_DNS_NAME || (got >= 0 && got <= DNS_ADDRESSES_MAX));
    if (got < 0)
        return got;
    MUST((unsigned)got == a.count && a.ttl <= INT32_MAX);
    for (unsigned i = 0; i < a.count; i++)
        MUST(a.address[i].len == (type == DNS_A ? 4 : 16));
    return got;
}

/* The message as its own question: what a query asks, an empty answer answers. */
static void query(struct str name, enum dns_type type)
{
    uint8_t out[DNS_QUERY_MAX];
    int n = dns_query_write(ID, name, type, out);

    if (n < 0)
        return;
    MUST(n <= DNS_QUERY_MAX);
    MUST(judge(out, (size_t)n, name, type) == ERR_DNS);
    out[2] |= 0x80;
    MUST(judge(out, (size_t)n, name, type) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int got = judge(data, size, STR("www.example.com"), DNS_A);

    MUST(judge(data, size, STR("WWW.Example.COM."), DNS_A) == got);
    judge(data, size, STR("www.example.com"), DNS_AAAA);
    query((struct str){ data, size }, DNS_A);
    query((struct str){ data, size }, DNS_AAAA);
    return 0;
}
