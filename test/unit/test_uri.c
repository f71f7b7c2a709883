#include "tap.h"

#include "err.h"
#include "codec/uri.h"

struct good {
    const char *text;
    int tls;
    int literal;
    const char *host;
    unsigned port;
    const char *path;
};

static const struct good goods[] = {
    { "wss://a.example", 1, 0, "a.example", 443, "/" },
    { "ws://a.example", 0, 0, "a.example", 80, "/" },
    { "https://a.example/", 1, 0, "a.example", 443, "/" },
    { "http://a.example/x", 0, 0, "a.example", 80, "/x" },
    { "WSS://A.Example/X", 1, 0, "A.Example", 443, "/X" },
    { "wss://[2001:db8::1]:8443/x?y", 1, 1, "2001:db8::1", 8443, "/x?y" },
    { "wss://[::]", 1, 1, "::", 443, "/" },
    { "wss://[::ffff:192.0.2.1]/", 1, 1, "::ffff:192.0.2.1", 443, "/" },
    { "wss://192.0.2.1:1/", 1, 1, "192.0.2.1", 1, "/" },
    { "wss://a:65535", 1, 0, "a", 65535, "/" },
    { "wss://a:00443/", 1, 0, "a", 443, "/" },
    { "wss://a:/x", 1, 0, "a", 443, "/x" },
    { "wss://a_b-c.1d.example./", 1, 0, "a_b-c.1d.example", 443, "/" },
    { "wss://a/%00%0a%F9", 1, 0, "a", 443, "/%00%0a%F9" },
    { "wss://a/b//c/../%7Ed;e=f?g=h&i='(j)'+k!*,:@/?", 1, 0, "a", 443,
      "/b//c/../%7Ed;e=f?g=h&i='(j)'+k!*,:@/?" },
};

static void parses(void)
{
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];
        size_t n = strlen(g->text);
        unsigned char *copy = tap_guard_end(n);
        struct uri uri;

        memcpy(copy, g->text, n);
        is_int(uri_parse((struct str){ copy, n }, &uri), 0, "%s", g->text);
        ok(uri.tls == g->tls && uri.literal == g->literal && uri.port == g->port,
           "%s: scheme, kind, port", g->text);
        is_mem(uri.host.p, uri.host.n, g->host, strlen(g->host), "%s: host", g->text);
        is_mem(uri.path.p, uri.path.n, g->path, strlen(g->path), "%s: path", g->text);
        tap_guard_free(copy, n);
    }
}

static const char *const bads[] = {
    "", "wss", "wss:", "wss:/", "wss://", "wss:///x", "//a/", "a.example", "ftp://a/", "wsss://a/",
    " wss://a/", "wss ://a/", "ws:a", "wss://:443/", "wss://?x", "wss://a?x", "wss://#", "wss://a#",
    "wss://a/#", "wss://a/x#y", "wss://u@a/", "wss://u:p@a/", "wss://@a/", "wss://a:0/",
    "wss://a:65536/", "wss://a:4294967739/", "wss://a:18446744073709552059/", "wss://a:-1/",
    "wss://a:+1/", "wss://a:1x/", "wss://a:80:80/", "wss://a: 80/", "wss://a b/", "wss://a\tb/",
    "wss://a\n/", "wss://a/\n", "wss://a/b c", "wss://a/\"", "wss://a/<", "wss://a/\\", "wss://a/^",
    "wss://a/`", "wss://a/{", "wss://a/|", "wss://a/\x7f", "wss://a/\xc3\xa4", "wss://\xc3\xa4/",
    "wss://a/%", "wss://a/%4", "wss://a/%4g1", "wss://a/%g41", "wss://a%41/", "wss://a,b/",
    "wss://a*b/", "wss://./", "wss://.a/", "wss://a../", "wss://a..b/",
    "wss://../", "wss://[::1", "wss://[::1/", "wss://::1/", "wss://[]/",
    "wss://[a]/", "wss://[192.0.2.1]/", "wss://[::1]x/", "wss://[::1]::/", "wss://[::1]]/",
    "wss://[::1%25eth0]/", "wss://[v1.x]/", "wss://[[::1]]/", "wss://2001:db8::1/",
    "wss://192.0.2.256/", "wss://192.0.2/", "wss://192.0.2.1.5/", "wss://0300.0.2.1/",
    "wss://3221225985/", "wss://a.1/", "wss://1./",
};

static void refuses(void)
{
    struct uri uri;
    char name[HOST_MAX + 16];

    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++)
        is_int(uri_parse(str_of(bads[i]), &uri), ERR_URI, "bad %zu: %s", i, bads[i]);
    is_int(uri_parse((struct str){ (const uint8_t *)"wss://a\0b/", 10 }, &uri), ERR_URI,
           "NUL in the host");
    is_int(uri_parse((struct str){ (const uint8_t *)"wss://a/\0", 9 }, &uri), ERR_URI,
           "NUL in the path");
    is_int(uri_parse((struct str){ NULL, 0 }, &uri), ERR_URI, "nothing");
    is_int(uri_parse((struct str){ (const uint8_t *)"wss://a/%41", 10 }, &uri), ERR_URI,
           "an escape that ends behind the URL");
    memset(name, 'a', sizeof name);
    memcpy(name, "wss://", 6);
    is_int(uri_parse((struct str){ (uint8_t *)name, 6 + HOST_MAX - 1 }, &uri), 0, "longest host");
    is_int(uri_parse((struct str){ (uint8_t *)name, 6 + HOST_MAX }, &uri), ERR_URI,
           "a longer one");
}

static void authorities(void)
{
    struct str host;
    uint16_t port;

    is_int(uri_authority_parse(STR("a"), 80, &host, &port), 0, "a default port");
    is_int(port, 80, "is taken");
    is_int(uri_authority_parse(STR("a"), 0, &host, &port), ERR_URI, "none to take");
    is_int(uri_authority_parse(STR("a:"), 0, &host, &port), ERR_URI, "an empty one is none");
    is_int(uri_authority_parse(STR("a:81"), 0, &host, &port), 0, "given");
    is_int(port, 81, "is taken");
    is_int(uri_authority_parse(STR("[::1]:82"), 0, &host, &port), 0, "after brackets");
    is_mem(host.p, host.n, "::1", 3, "without brackets");
    is_int(port, 82, "is taken");
    is_int(uri_authority_parse(STR("a/"), 80, &host, &port), ERR_URI, "no path");
}

int main(void)
{
    parses();
    refuses();
    authorities();
    return done_testing();
}
