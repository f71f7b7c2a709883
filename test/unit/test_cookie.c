#include "tap.h"

#include "../../src/gateway/cookie.h"

static void is(const char *value, const char *expected)
{
    static uint8_t out[400];
    struct writer w;

    writer_init(&w, out, strlen(value));
    cookie_write(&w, str_of(value), STR("Tunnel.test"));
    ok(writer_fits(&w), "%s: never longer than it was", value);
    is_mem(out, writer_stored(&w), expected, strlen(expected), "%s", value);
}

static void stays(const char *value)
{
    is(value, value);
}

int main(void)
{
    stays("");
    stays("a=b");
    stays("a=b; Path=/; HttpOnly;Secure ;  SameSite=Lax");
    stays("Domain=tunnel.test");
    stays("=; =; ;;x");
    stays("a=b; Path=/x;domain=y; Max-Age=3");
    /* at the gateway's domain, however it is written */
    is("a=b; Domain=tunnel.test", "a=b");
    is("a=b;DOMAIN=TUNNEL.TEST; Path=/", "a=b; Path=/");
    is("a=b; Path=/; domain = tunnel.test ; Secure", "a=b; Path=/; Secure");
    is("a=b;\tdomain\t=\t.tunnel.test", "a=b");
    is("a=b; domain=..tunnel.test.; c", "a=b; c");
    is("a=b; domain=\"tunnel.test\"", "a=b");
    is("a=b; domain=\" .tunnel.test \"", "a=b");
    /* above it */
    is("a=b; Domain=test", "a=b");
    is("a=b; Domain=.TEST.; HttpOnly", "a=b; HttpOnly");
    /* elsewhere, or within it */
    stays("a=b; Domain=one.tunnel.test");
    stays("a=b; Domain=.one.tunnel.test");
    stays("a=b; Domain=xtunnel.test");
    stays("a=b; Domain=unnel.test");
    stays("a=b; Domain=est");
    stays("a=b; Domain=elsewhere.example");
    stays("a=b; Domain=");
    stays("a=b; Domain");
    stays("a=b; Domainx=tunnel.test");
    stays("a=b; x=domain=tunnel.test");
    /* more than one */
    is("a=b; Domain=tunnel.test; Domain=one.tunnel.test", "a=b; Domain=one.tunnel.test");
    is("a=b; Domain=one.tunnel.test; x; Domain=test", "a=b; Domain=one.tunnel.test; x");
    is("a=b; Domain=test; Domain=tunnel.test; Domain=.test", "a=b");
    /* within quotes, which browsers do not know */
    is("a=\"x; Domain=tunnel.test; y\"; Path=/", "a=\"x; y\"; Path=/");
    is("a=\"x; Domain=tunnel.test\"", "a=\"x");
    /* no plain name */
    is("a=b; Domain=tunnel%2etest", "a=b");
    is("a=b; Domain=tunnel\xe3\x80\x82test", "a=b");
    is("a=b; Domain=x, tunnel.test", "a=b");
    is("a=b; Domain=tunnel.test:80", "a=b");
    return done_testing();
}
