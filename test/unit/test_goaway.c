/* Where a gateway may send its agent, and where not. */
#include "tap.h"

#include "core/goaway.h"

static const struct {
    const char *own, *next, *host;
    bool may;
} cases[] = {
    /* the same host */
    { "wss://gw.example.com/a", "wss://gw.example.com/b", NULL, true },
    { "wss://gw.example.com", "wss://GW.Example.COM:8443/", NULL, true },
    { "wss://gw.example.com", "wss://gw.example.com./", NULL, true },
    { "wss://localhost", "wss://localhost:9", NULL, true },
    { "wss://192.0.2.1", "wss://192.0.2.1:9", NULL, true },
    { "wss://[fd00::1]", "wss://[FD00::1]:9", NULL, true },
    /* never without TLS, wherever */
    { "wss://gw.example.com", "ws://gw.example.com", NULL, false },
    { "wss://gw.example.com", "http://gw.example.com", NULL, false },
    { "wss://gw.example.com", "ws://gw.example.com", "gw.example.com", false },
    { "ws://gw.example.com", "ws://gw.example.com:81", NULL, true },
    { "ws://gw.example.com", "wss://gw.example.com", NULL, true },
    /* below it */
    { "wss://gw.example.com", "wss://a.gw.example.com", NULL, true },
    { "wss://gw.example.com", "wss://b.a.gw.example.com", NULL, true },
    { "wss://gw.example.com", "wss://agw.example.com.evil.net", NULL, false },
    { "wss://example.com", "wss://evilexample.com", NULL, false },
    { "wss://example.com", "wss://e.com", NULL, false },
    { "wss://example.com", "wss://com", NULL, false },
    /* beside it */
    { "wss://gw.example.com", "wss://gw2.example.com", NULL, true },
    { "wss://gw.example.com", "wss://gw2.EXAMPLE.com", NULL, true },
    { "wss://gw.example.com", "wss://example.com", NULL, false },
    { "wss://gw.example.com", "wss://a.b.example.com", NULL, false },
    { "wss://a.b.example.com", "wss://gw.example.com", NULL, false },
    { "wss://gw.example.com", "wss://gw.example.net", NULL, false },
    { "wss://example.com", "wss://evil.com", NULL, false },
    { "wss://example", "wss://evil", NULL, false },
    { "wss://gw.example.de", "wss://gw2.example.de", NULL, true },
    { "wss://gw.co.uk", "wss://evil.co.uk", NULL, false },
    { "wss://gw.com.au", "wss://evil.com.au", NULL, false },
    { "wss://gw.ac.at", "wss://evil.ac.at", NULL, false },
    { "wss://gw.shop.uk", "wss://gw2.shop.uk", NULL, true },
    { "wss://gw.me.co.uk", "wss://gw2.me.co.uk", NULL, true },
    { "wss://gw.ibm.com", "wss://gw2.ibm.com", NULL, true },
    /* addresses */
    { "wss://gw.example.com", "wss://192.168.1.1", NULL, false },
    { "wss://gw.example.com", "wss://127.0.0.1", NULL, false },
    { "wss://gw.example.com", "wss://169.254.1.1", NULL, false },
    { "wss://gw.example.com", "wss://0.0.0.0", NULL, false },
    { "wss://gw.example.com", "wss://[::1]", NULL, false },
    { "wss://gw.example.com", "wss://[fe80::1]", NULL, false },
    { "wss://gw.example.com", "wss://[::ffff:10.0.0.1]", NULL, false },
    { "wss://gw.example.com", "wss://198.51.100.1", NULL, false },
    { "wss://192.0.2.1", "wss://192.0.2.2", NULL, false },
    { "wss://10.0.0.1", "wss://example.com", NULL, false },
    { "wss://gw.0.0.com", "wss://10.0.0.1", NULL, false },
    /* as the owner says */
    { "wss://gw.example.com", "wss://other.net", "other.net", true },
    { "wss://gw.example.com", "wss://a.other.net", "Other.net", true },
    { "wss://gw.example.com", "wss://another.net", "other.net", false },
    { "wss://gw.example.com", "wss://192.168.1.1", "192.168.1.1", true },
    { "wss://gw.example.com", "wss://192.168.1.11", "192.168.1.1", false },
    { "wss://gw.example.com", "wss://gw2.example.com", "other.net", true },
};

/* A list that is full has no end but its length. */
static void full_list(void)
{
    const char *const hosts[GOAWAY_HOSTS_MAX + 1] = { "a.test", "b.test", "c.test", "d.test",
                                                      "e.test" };
    struct uri own, next;

    uri_parse(STR("wss://gw.example.com"), &own);
    uri_parse(STR("wss://d.test"), &next);
    ok(goaway_may(&own, &next, hosts), "the last of the list");
    uri_parse(STR("wss://e.test"), &next);
    ok(!goaway_may(&own, &next, hosts), "what lies behind it is not of the list");
}

int main(void)
{
    full_list();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const hosts[GOAWAY_HOSTS_MAX] = { cases[i].host ? "first.example" : NULL,
                                                      cases[i].host };
        struct uri own, next;

        is_int(uri_parse(str_of(cases[i].own), &own), 0, "%s", cases[i].own);
        is_int(uri_parse(str_of(cases[i].next), &next), 0, "%s", cases[i].next);
        is_int(goaway_may(&own, &next, hosts), cases[i].may, "from %s to %s", cases[i].own,
               cases[i].next);
    }
    return done_testing();
}
