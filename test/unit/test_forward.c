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

/* ---- what is taken out ---- */

static const char *kept(const struct forward *f, const char *fields)
{
    static uint8_t head[1000];
    static char text[1000];
    const char *drop[FORWARD_DROP_MAX];
    struct http_head parsed;
    struct wire_headers packed;
    struct str name, value;
    size_t n = (size_t)snprintf((char *)head, sizeof head, "GET / HTTP/1.1\r\n%s\r\n", fields);
    int len = http_request_parse(head, n, 0, &parsed);

    ok(len > 0, "a head");
    forward_drop(f, drop);
    relay_pack(&parsed, head + (parsed.fields.p - head), false, drop, &packed);
    text[0] = '\0';
    n = 0;
    while (wire_header_next(&packed.packed, &name, &value))
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s ", (int)name.n, name.p);
    return text;
}

static void drops(void)
{
    static const char fields[] =
        "Host: h\r\nX-Forwarded-For: 1\r\nX_Forwarded_For: 2\r\nx-forwarded_proto: 3\r\n"
        "X_FORWARDED-HOST: 4\r\nForwarded: 5\r\nX-Real-IP: 6\r\nx_real_ip: 7\r\nProxy: 8\r\n"
        "X-Forwarded-Prefix: 9\r\nX_Forwarded_Port: 10\r\nHTTP2-Settings: 11\r\n"
        "X-Forwarded: 12\r\nProxy-Authorization: 13\r\nX_Other: 14\r\nX-Real-IPs: 15\r\n";
    struct forward f = { .host = STR("h") };

    is_str(kept(&f, fields), "host x-forwarded proxy-authorization x_other x-real-ips ",
           "of a visitor");
    f.replace_host = true;
    is_str(kept(&f, fields), "x-forwarded proxy-authorization x_other x-real-ips ",
           "of one whose target names the host");
    f.replace_host = false;
    f.trusted = true;
    is_str(kept(&f, fields), "host x-forwarded-prefix x_forwarded_port x-forwarded "
           "proxy-authorization x_other x-real-ips ", "of a trusted proxy");
}

/* ---- responses ---- */

static const char *answered(const char *const *fields, int64_t unix_now)
{
    static uint8_t packed[2][1000];
    static char text[1000];
    struct str rest, name, value;
    struct writer w;
    size_t n = 0;

    writer_init(&w, packed[0], sizeof packed[0]);
    for (; fields[0] != NULL; fields += 2)
        wire_header_pack(&w, str_of(fields[0]), str_of(fields[1]));
    rest = (struct str){ packed[0], writer_stored(&w) };
    writer_init(&w, packed[1], rest.n + FORWARD_ADDED_MAX);
    forward_response(&w, rest, STR("tunnel.test"), unix_now);
    ok(writer_fits(&w), "it fits");
    rest = (struct str){ packed[1], writer_stored(&w) };
    text[0] = '\0';
    while (wire_header_next(&rest, &name, &value))
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s=%.*s|", (int)name.n, name.p,
                              (int)value.n, value.p);
    return text;
}

static void responses(void)
{
    static const char *const none[] = { NULL };
    static const char *const cookies[] = { "Set-Cookie", "a=b; Domain=test", "via", "1.0 x",
                                           "set-cookie", "c=d; Path=/", NULL };
    static const char *const dated[] = { "Date", "then", NULL };

    is_str(answered(none, 784111777), "date=Sun, 06 Nov 1994 08:49:37 GMT|via=1.1 adit|",
           "Date and Via are added");
    is_str(answered(dated, 784111777), "date=then|via=1.1 adit|", "a Date that is there stays");
    is_str(answered(cookies, 0), "set-cookie=a=b|via=1.0 x|set-cookie=c=d; Path=/|",
           "an interim response: cookies alone");
}

/* ---- targets ---- */

static void is_path(const char *text, const char *expected)
{
    uint8_t out[20];
    struct str path = str_of(text);
    struct writer w;

    writer_init(&w, out, sizeof out);
    ok(forward_path(&w, &path), "%s: room", text);
    is_mem(path.p, path.n, expected, strlen(expected), "%s", expected);
}

static void paths(void)
{
    struct str path = STR("/a\xff");
    uint8_t out[4];
    struct writer w;

    is_path("/a/b?c=%41 long enough not to fit", "/a/b?c=%41 long enough not to fit");
    is_path("/\xc3\xa4 as it is, being text", "/\xc3\xa4 as it is, being text");
    is_path("/\xc3\xa4?\xff", "/%C3%A4?%FF");
    is_path("/cut\xc3", "/cut%C3");
    is_path("/\x7f\x80", "/\x7f%80");
    writer_init(&w, out, sizeof out);
    ok(!forward_path(&w, &path), "no room");
}

int main(void)
{
    static char much[FORWARD_KEPT_MAX + 100];
    struct forward f = { .host = STR("one.tunnel.test:8443"), .minor = 1 };

    ip_parse(STR("203.0.113.7"), &f.peer);
    is(&f, "Accept: */*\r\n",
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;via=1.1 adit;", "an ordinary visitor");
    f.secure = true;
    is(&f, SAID,
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=https;"
       "x-forwarded-host=one.tunnel.test:8443;via=1.1 adit;",
       "what a visitor says of himself is replaced");
    f.secure = false;
    f.trusted = true;
    is(&f, SAID,
       "x-forwarded-for=1.1.1.1, 2.2.2.2, 3.3.3.3, 203.0.113.7;x-forwarded-proto=https;"
       "x-forwarded-host=shop.example;via=1.1 adit;", "what a trusted proxy says is kept");
    is(&f, "",
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;via=1.1 adit;", "a trusted proxy that says nothing");
    f.replace_host = true;
    is(&f, "",
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;host=one.tunnel.test:8443;via=1.1 adit;",
       "with Host");
    f.replace_host = false;
    memset(much, 'x', sizeof much - 1);
    memcpy(much, "X-Forwarded-For: ", 17);
    memcpy(much + sizeof much - 3, "\r\n", 2);
    is(&f, much,
       "x-forwarded-for=203.0.113.7;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;via=1.1 adit;", "a list too long is not kept");
    ip_parse(STR("2001:db8::1"), &f.peer);
    f.trusted = false;
    is(&f, "", "x-forwarded-for=2001:db8::1;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;via=1.1 adit;", "IPv6");
    f.minor = 0;
    is(&f, "", "x-forwarded-for=2001:db8::1;x-forwarded-proto=http;"
       "x-forwarded-host=one.tunnel.test:8443;via=1.0 adit;", "HTTP/1.0");
    drops();
    responses();
    paths();
    return done_testing();
}
