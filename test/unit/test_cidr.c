#include "tap.h"

#include "../../src/gateway/cidr.h"

static const struct {
    const char *net, *ip;
    bool inside;
} cases[] = {
    { "10.0.0.0/8", "10.255.1.2", true },       { "10.0.0.0/8", "11.0.0.1", false },
    { "192.168.4.0/22", "192.168.7.255", true }, { "192.168.4.0/22", "192.168.8.0", false },
    { "127.0.0.1", "127.0.0.1", true },         { "127.0.0.1", "127.0.0.2", false },
    { "0.0.0.0/0", "203.0.113.9", true },       { "0.0.0.0/0", "::1", false },
    { "2001:db8::/32", "2001:db8:ffff::1", true }, { "2001:db8::/32", "2001:db9::1", false },
    { "2001:db8::/33", "2001:db8:7fff::1", true }, { "2001:db8::/33", "2001:db8:8000::1", false },
    { "::/0", "2001:db8::1", true },            { "::1/128", "::1", true },
    { "10.1.2.3/31", "10.1.2.2", true },        { "10.1.2.3/32", "10.1.2.2", false },
};

static const char *const bad[] = { "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129",
                                   "10.0.0.0/-1", "10.0.0.0/8/8", "example.com", "10.0.0.0 /8" };

int main(void)
{
    struct cidr none = { { { 0 }, 0 }, 0 };
    struct ip ip;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cidr net;

        ok(cidr_parse(str_of(cases[i].net), &net) && ip_parse(str_of(cases[i].ip), &ip) &&
               cidr_has(&net, &ip) == cases[i].inside,
           "%s is %s %s", cases[i].ip, cases[i].inside ? "in" : "not in", cases[i].net);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cidr net;

        ok(!cidr_parse(str_of(bad[i]), &net), "\"%s\" is no network", bad[i]);
    }
    ok(!cidr_has(&none, &ip), "no network has nobody in it");
    return done_testing();
}
