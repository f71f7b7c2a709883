/* Messages to heads: framing, fields, and what must not reach a server. */
#include "err.h"
#include "core/relay.h"
#include "tap.h"

static uint8_t pack[8000];
static char text[9000];

/* "name:value;name:value" to packed fields. */
static struct wire_headers fields(const char *lines)
{
    struct writer w;

    writer_init(&w, pack, sizeof pack);
    while (*lines != '\0') {
        const char *colon = strchr(lines, ':');
        const char *end = strchr(colon, ';') ? strchr(colon, ';') : colon + strlen(colon);

        wire_header_pack(&w, (struct str){ (const uint8_t *)lines, (size_t)(colon - lines) },
                         (struct str){ (const uint8_t *)colon + 1, (size_t)(end - colon - 1) });
        lines = *end ? end + 1 : end;
    }
    return (struct wire_headers){ { pack, writer_stored(&w) } };
}

/* Written in exactly the room it needs, and in less, behind which is a guard page. */
static const char *written(int (*write)(struct writer *, void *), void *arg, int *err)
{
    struct writer w;
    size_t len;
    size_t cap;

    writer_init(&w, NULL, 0);
    *err = write(&w, arg);
    text[0] = '\0';
    if (*err < 0)
        return text;
    len = w.len;
    for (cap = len;; cap /= 2) {
        uint8_t *out = tap_guard_end(cap ? cap : 1);

        writer_init(&w, out, cap);
        if (write(&w, arg) != 0 || w.len != len || writer_fits(&w) != (cap == len))
            snprintf(text, sizeof text, "differs with less room");
        else if (cap == len)
            snprintf(text, sizeof text, "%.*s", (int)len, (const char *)out);
        tap_guard_free(out, cap ? cap : 1);
        if (cap == 0)
            return text;
    }
}

/* ---- requests ---- */

struct request {
    const char *method, *url, *fields;
    bool more, has_body, replace, plain;
    int64_t body_len; /* 0: unknown */
    struct relay_request out;
};

static int write_request(struct writer *w, void *arg)
{
    struct request *r = arg;
    struct wire_msg m;
    struct relay_rules rules = { STR("local:80"), r->replace, !r->plain };

    wire_http_request(&m, STR("id"), str_of(r->method), str_of(r->url), fields(r->fields), r->more);
    return relay_request_write(w, &m, &rules, r->has_body, r->body_len ? r->body_len : -1,
                               &r->out);
}

/* What is not given is a GET of "/" without fields. */
static int request(struct request *r)
{
    int err;

    r->method = r->method ? r->method : "GET";
    r->url = r->url ? r->url : "/";
    r->fields = r->fields ? r->fields : "";
    written(write_request, r, &err);
    return err;
}

#define REQUEST(...) (&(struct request){ __VA_ARGS__ })

static void is_request(struct request *r, const char *expected, enum http_body_kind kind)
{
    int err = request(r);

    is_int(err, 0, "%s %s %s", r->method, r->url, r->fields);
    is_str(text, expected, "the head");
    is_int(r->out.body, kind, "the body's kind");
}

static void requests(void)
{
    is_request(REQUEST(.url = "/"), "GET / HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
    is_request(REQUEST(.fields = "host:a.test;accept:*/*;cookie:"),
               "GET / HTTP/1.1\r\nHost: a.test\r\naccept: */*\r\ncookie: \r\n\r\n",
               HTTP_BODY_NONE);
    is_request(REQUEST(.fields = "host:a.test", .replace = true),
               "GET / HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
    is_request(REQUEST(.fields = "connection:x, close;x:1;te:a;keep-alive:b;trailer:c;"
                                 "transfer-encoding:chunked;proxy-connection:d;y:2"),
               "GET / HTTP/1.1\r\nHost: local:80\r\ny: 2\r\n\r\n", HTTP_BODY_NONE);
    is_request(REQUEST(.method = "OPTIONS", .url = "*"),
               "OPTIONS * HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
    is_request(REQUEST(.url = "http://a.test/x?y", .fields = "host:a.test"),
               "GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n", HTTP_BODY_NONE);
    is_request(REQUEST(.fields = "expect:100-continue"),
               "GET / HTTP/1.1\r\nHost: local:80\r\nexpect: 100-continue\r\n\r\n", HTTP_BODY_NONE);
    is_request(REQUEST(.fields = "expect:100-continue", .plain = true),
               "GET / HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
}

static void request_bodies(void)
{
    is_request(REQUEST(.method = "PUT", .has_body = true),
               "PUT / HTTP/1.1\r\nHost: local:80\r\nTransfer-Encoding: chunked\r\n\r\n",
               HTTP_BODY_CHUNKED);
    is_request(REQUEST(.method = "PUT", .has_body = true, .body_len = 12),
               "PUT / HTTP/1.1\r\nHost: local:80\r\nContent-Length: 12\r\n\r\n", HTTP_BODY_LENGTH);
    is_request(REQUEST(.method = "PUT", .has_body = true, .fields = "Content-Length:12;a:b"),
               "PUT / HTTP/1.1\r\nHost: local:80\r\na: b\r\nContent-Length: 12\r\n\r\n",
               HTTP_BODY_LENGTH);
    is_request(REQUEST(.method = "POST", .fields = "content-length:0"),
               "POST / HTTP/1.1\r\nHost: local:80\r\nContent-Length: 0\r\n\r\n", HTTP_BODY_LENGTH);
    is_request(REQUEST(.method = "PUT", .has_body = true, .fields = "content-length:3;"
                       "connection:content-length", .body_len = 3),
               "PUT / HTTP/1.1\r\nHost: local:80\r\nContent-Length: 3\r\n\r\n", HTTP_BODY_LENGTH);
    is_int(request(REQUEST(.fields = "content-length:1")), ERR_HTTP, "a length, but no body");
    is_int(request(REQUEST(.fields = "content-length:4", .has_body = true, .body_len = 3)),
           ERR_HTTP, "a length that the body has not");
    is_int(request(REQUEST(.fields = "content-length:1;content-length:1", .has_body = true)),
           ERR_HTTP_SMUGGLE, "two lengths");
    is_int(request(REQUEST(.fields = "content-length:1, 1", .has_body = true)),
           ERR_HTTP_SMUGGLE, "two in one");
    is_int(request(REQUEST(.fields = "content-length:+1", .has_body = true)),
           ERR_HTTP_SMUGGLE, "a sign");
    is_int(request(REQUEST(.fields = "content-length:", .has_body = true)),
           ERR_HTTP_SMUGGLE, "an empty length");
    is_int(request(REQUEST(.fields = "content-length: 1", .has_body = true)),
           ERR_HTTP_SMUGGLE, "a space in the value");
    is_int(request(REQUEST(.fields = "content-length:9223372036854775808", .has_body = true)),
           ERR_HTTP_SMUGGLE, "a length beyond 63 bits");
}

static void upgrades(void)
{
    struct request *r = REQUEST(.fields = "connection:keep-alive, Upgrade;upgrade:websocket",
                                .more = true);

    is_request(r, "GET / HTTP/1.1\r\nHost: local:80\r\nConnection: Upgrade\r\n"
                  "Upgrade: websocket\r\n\r\n", HTTP_BODY_TUNNEL);
    ok(!r->out.repeatable, "is not repeated");
    r = REQUEST(.fields = "connection:upgrade;upgrade:h2c", .more = true, .plain = true);
    is_request(r, "GET / HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
    r = REQUEST(.fields = "connection:upgrade;upgrade:h2c");
    is_request(r, "GET / HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
    r = REQUEST(.fields = "upgrade:h2c", .more = true);
    is_request(r, "GET / HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
    r = REQUEST(.fields = "connection:upgrade", .more = true);
    is_request(r, "GET / HTTP/1.1\r\nHost: local:80\r\n\r\n", HTTP_BODY_NONE);
    is_int(request(REQUEST(.fields = "connection:upgrade;upgrade:x;content-length:5", .more = true,
                           .has_body = true)), ERR_HTTP_SMUGGLE, "an upgrade with a body");
    r = REQUEST(.fields = "connection:upgrade;upgrade:x;content-length:0", .more = true);
    is_request(r, "GET / HTTP/1.1\r\nHost: local:80\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
               HTTP_BODY_TUNNEL);
}

/* What would break out of its place in the head. */
static void injections(void)
{
    static const char *const bad[] = { "\r\nx: y", "a\rb", "a\nb", "a\1b", "a\x7f", "\n" };
    static const char *const urls[] = { "", "x", "/a b", "/\t", "/\r\nHost: b", "/\n", "/\x7f",
                                        "*", "ftp://a/", "http://", "https://", "//" };
    static const char *const methods[] = { "", "GE T", "GET\r\n", "G(T", "CONNECT", "\x80",
                                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
    static const char *const names[] = { "", "a b", "a\r\n", "a\n", "a ", "\"", "\x80" };
    char line[64];
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "x:%s", bad[i]);
        is_int(request(REQUEST(.fields = line)), ERR_HTTP, "value %zu", i);
        snprintf(line, sizeof line, "host:%s", bad[i]);
        is_int(request(REQUEST(.fields = line)), ERR_HTTP, "Host %zu", i);
        snprintf(line, sizeof line, "connection:%s", bad[i]);
        is_int(request(REQUEST(.fields = line)), ERR_HTTP, "Connection %zu, though dropped", i);
    }
    for (i = 0; i + 1 < sizeof urls / sizeof *urls; i++)
        is_int(request(REQUEST(.url = urls[i])), ERR_HTTP, "url %zu", i);
    is_int(request(REQUEST(.url = urls[i])), 0, "two slashes are a path");
    for (i = 0; i < sizeof methods / sizeof *methods; i++)
        is_int(request(REQUEST(.method = methods[i])), ERR_HTTP, "method %zu", i);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(line, sizeof line, "%s:v", names[i]);
        is_int(request(REQUEST(.fields = line)), ERR_HTTP, "name %zu", i);
    }
    is_int(request(REQUEST(.fields = "host:a;host:a")), ERR_HTTP, "Host twice");
    is_int(request(REQUEST(.fields = "host:;host:a")), ERR_HTTP, "Host twice, once empty");
    is_int(request(REQUEST(.fields = "connection:a;connection:b")), ERR_HTTP, "Connection twice");
    is_int(request(REQUEST(.url = "/\xc3\xa4")), 0, "UTF-8 in a url passes");
}

static void request_kinds(void)
{
    static const struct {
        const char *method;
        bool repeatable;
    } table[] = { { "GET", 1 }, { "HEAD", 1 }, { "OPTIONS", 1 }, { "PUT", 1 }, { "DELETE", 1 },
                  { "TRACE", 1 }, { "POST", 0 }, { "PATCH", 0 }, { "HEA", 0 }, { "get", 0 } };
    size_t i;

    for (i = 0; i < sizeof table / sizeof *table; i++) {
        struct request *r = REQUEST(.method = table[i].method);

        is_int(request(r), 0, "%s", r->method);
        is_int(r->out.repeatable, table[i].repeatable, "%s: may be repeated", r->method);
        is_int(r->out.head, i == 1, "%s: is HEAD", r->method);
        r->fields = "content-length:0";
        request(r);
        is_int(r->out.repeatable, table[i].repeatable, "%s: without content as well", r->method);
        r->has_body = true;
        r->fields = "content-length:2";
        request(r);
        ok(!r->out.repeatable, "%s: but not with a body", r->method);
    }
}

/* ---- responses ---- */

struct response {
    unsigned status;
    const char *fields, *method;
    unsigned minor;
    bool keep_alive;
    struct relay_response out;
};

static int write_response(struct writer *w, void *arg)
{
    struct response *r = arg;
    struct wire_msg m;

    wire_http_response(&m, STR("id"), r->status, fields(r->fields), false);
    return relay_response_write(w, &m, str_of(r->method), r->minor, r->keep_alive, &r->out);
}

static void is_response(struct response r, const char *expected, enum http_body_kind kind)
{
    int err;

    written(write_response, &r, &err);
    is_int(err, 0, "%u %s to %s 1.%u", r.status, r.fields, r.method, r.minor);
    is_str(text, expected, "the head");
    is_int(r.out.body, kind, "the body's kind");
}

static void responses(void)
{
#define R(...) (struct response){ __VA_ARGS__, { 0 } }
    is_response(R(200, "content-length:5;Server:x", "GET", 1, true),
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nserver: x\r\n\r\n", HTTP_BODY_LENGTH);
    is_response(R(200, "content-length:0", "GET", 1, false),
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                HTTP_BODY_LENGTH);
    is_response(R(200, "", "GET", 1, true),
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", HTTP_BODY_CHUNKED);
    is_response(R(200, "", "GET", 1, false),
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
                HTTP_BODY_CHUNKED);
    is_response(R(200, "", "GET", 0, true), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
                HTTP_BODY_CLOSE);
    is_response(R(200, "content-length:1", "GET", 0, true),
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\n",
                HTTP_BODY_LENGTH);
    is_response(R(200, "content-length:9", "HEAD", 1, true),
                "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", HTTP_BODY_NONE);
    is_response(R(200, "", "HEAD", 0, false), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
                HTTP_BODY_NONE);
    is_response(R(304, "content-length:9;etag:x", "GET", 1, true),
                "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\netag: x\r\n\r\n",
                HTTP_BODY_NONE);
    is_response(R(204, "content-length:9;a:b", "GET", 1, true),
                "HTTP/1.1 204 No Content\r\na: b\r\n\r\n", HTTP_BODY_NONE);
    is_response(R(100, "content-length:9", "GET", 1, false),
                "HTTP/1.1 100 Continue\r\n\r\n", HTTP_BODY_NONE);
    is_response(R(103, "link:</a>;connection:x", "GET", 1, false),
                "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", HTTP_BODY_NONE);
    is_response(R(101, "upgrade:websocket;connection:upgrade;content-length:3", "GET", 1, true),
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                "connection: upgrade\r\n\r\n", HTTP_BODY_TUNNEL);
    is_response(R(599, "set-cookie:a;set-cookie:b;transfer-encoding:gzip;upgrade:h2c;"
                       "keep-alive:1", "GET", 1, true),
                "HTTP/1.1 599 \r\nset-cookie: a\r\nset-cookie: b\r\n"
                "transfer-encoding: chunked\r\n\r\n", HTTP_BODY_CHUNKED);
}

static void bad_responses(void)
{
    static const struct {
        unsigned status;
        const char *fields;
    } table[] = { { 99, "" }, { 600, "" }, { 0, "" }, { 200, "content-length:1;content-length:1" },
                  { 200, "content-length:x" }, { 204, "content-length:-1" }, { 200, "a\n:b" },
                  { 200, "a:\nb" }, { 200, "a:b\r\n\r\nHTTP/1.1 200 OK" }, { 200, ":b" },
                  { 304, "content-length:1;content-length:2" }, { 200, "connection:\r\n" } };
    size_t i;

    for (i = 0; i < sizeof table / sizeof *table; i++) {
        struct response r = { table[i].status, table[i].fields, "GET", 1, true, { 0 } };
        int err;

        written(write_response, &r, &err);
        ok(err == ERR_HTTP || err == ERR_HTTP_SMUGGLE, "bad response %zu", i);
    }
}

/* ---- how many fields, and how long a list they are compared with ---- */

static void is_limited(const char *lines, int request_err, int response_err, const char *what)
{
    static uint8_t out[8000];
    const struct relay_rules rules = { .host = STR("h"), .streams = true };
    struct relay_request request;
    struct relay_response response;
    struct wire_msg m;
    struct writer w;

    wire_http_request(&m, STR("id"), STR("GET"), STR("/"), fields(lines), false);
    writer_init(&w, out, sizeof out);
    is_int(relay_request_write(&w, &m, &rules, false, -1, &request), request_err,
           "request with %s", what);
    wire_http_response(&m, STR("id"), 200, fields(lines), false);
    writer_init(&w, out, sizeof out);
    is_int(relay_response_write(&w, &m, STR("GET"), 1, true, &response), response_err,
           "response with %s", what);
}

static void limits(void)
{
    static char lines[8 * WIRE_HEADERS_MAX];
    size_t n = 0;

    for (unsigned i = 0; i < WIRE_HEADERS_MAX; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "%sx%u:", i > 0 ? ";" : "", i);
    is_limited(lines, 0, 0, "as many fields as may be");
    snprintf(lines + n, sizeof lines - n, ";y:");
    is_limited(lines, ERR_HTTP_SIZE, ERR_HTTP_SIZE, "one more");
    n = (size_t)snprintf(lines, sizeof lines, "connection:");
    memset(lines + n, ',', RELAY_CONNECTION_MAX + 1);
    lines[n + RELAY_CONNECTION_MAX] = '\0';
    is_limited(lines, 0, 0, "the longest Connection");
    lines[n + RELAY_CONNECTION_MAX] = ',';
    lines[n + RELAY_CONNECTION_MAX + 1] = '\0';
    is_limited(lines, ERR_HTTP_SIZE, 0, "one longer, which no response needs");
}

int main(void)
{
    limits();
    requests();
    request_bodies();
    upgrades();
    injections();
    request_kinds();
    responses();
    bad_responses();
    return done_testing();
}
