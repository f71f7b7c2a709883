#include "tap.h"

#include "../../src/gateway/forward.h"

static uint8_t buffer[FORWARD_MAX];

/* The fields written, as "name=value;..." */
static const char *written(const struct forward *f, const char *fields)
{
    static char text[2 * FORWARD_MAX];
    struct writer w;
    struct str rest, name, value;
    size_t n = 0;

    writer_init(&w, buffer, sizeof buffer);
    forward_fields(&w, f, str_of(fields));
    ok(writer_fits(&w), "they fit");
    rest = (struct str){ buffer, writer_stored(&w) };
    text[0] = '\0';
    while (wire_header_next(&rest, &name, &value))
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s=%.*s;", (int)name.n, name.p,
                              (int)value.n, value.p);
    return text;
}

static void is(const struct forward *f, const char *fields, const char *expected, const char *what)
{
    const char *got = written(f, fields);

    ok(strcmp(got, expected) == 0, "%s: %s", what, got);
}

#define SAID                                                                                    \
    "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-proto: https\r\n"                                  \
    "X-FORWARDED-FOR: 2.2.2.2, 3.3.3.3\r\nX-Forwarded-Host: shop.example\r\nAccept: */*\r\n"

int main(void)
{
    static char much[FORWARD_KEPT_MAX + 100];
    struct forward f = { .host = STR("one.tunnel.test:8443") };

    ip_parse(STR("203.0.113.7"), &f.peer);
    is(&f, "Accept: */*\r\n",
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;", "an ordinary visitor");
    f.secure = true;
    is(&f, SAID,
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=https;"
       "x-forwarded-host=one.tunnel.test:8443;", "what a visitor says of himself is replaced");
    f.secure = false;
    f.trusted = true;
    is(&f, SAID,
       "x-forwarded-for=1.1.1.1, 2.2.2.2, 3.3.3.3, 203.0.113.7;x-forwarded-proto=https;"
       "x-forwarded-host=shop.example;", "what a trusted proxy says is kept");
    is(&f, "",
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;", "a trusted proxy that says nothing");
    f.replace_host = true;
    is(&f, "", "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;host=one.tunnel.test:8443;", "with Host");
    f.replace_host = false;
    memset(much, 'x', sizeof much - 1);
    memcpy(much, "X-Forwarded-For: ", 17);
    memcpy(much + sizeof much - 3, "\r\n", 2);
    is(&f, much,
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;", "a list too long is not kept");
    ip_parse(STR("2001:db8::1"), &f.peer);
    f.trusted = false;
    is(&f, "", "x-forwarded-for=2001:db8::1;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;", "IPv6");
    return done_testing();
}
