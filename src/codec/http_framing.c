#include "codec/http.h"

#include "codec/ascii.h"
#include "codec/uri.h"
#include "err.h"

/* The fields that decide about a message's body and connection, gathered in one pass. */
enum { LENGTH, CODING, HOST, CONNECTION, NAMES };
static const char names[] = "content-length\0transfer-encoding\0host\0connection";

struct evidence {
    unsigned count[NAMES];
    struct str last[NAMES];
    bool close;
    bool keep_alive;
};

static void gather(struct str fields, struct evidence *e)
{
    struct str name;
    struct str value;

    *e = (struct evidence){ 0 };
    while (http_field_next(&fields, &name, &value)) {
        unsigned at = texts_find(names, NAMES, name, str_ieq);

        if (at == NAMES)
            continue;
        e->count[at]++;
        e->last[at] = value;
        if (at == CONNECTION) {
            e->close = e->close || http_list_has(value, STR("close"));
            e->keep_alive = e->keep_alive || http_list_has(value, STR("keep-alive"));
        }
    }
}

/* RFC 9112 section 9.3. */
static bool persists(const struct evidence *e, unsigned minor)
{
    return !e->close && (minor == 1 || e->keep_alive);
}

/*
 * RFC 9112 section 6.3, steps 3 to 6, with every choice that it leaves to the recipient made for
 * refusal. Fills kind and length; HTTP_BODY_NONE when no field says anything.
 */
static int body_from_fields(const struct evidence *e, unsigned minor, struct http_framing *f)
{
    f->kind = HTTP_BODY_NONE;
    f->length = 0;
    if (e->count[CODING] > 0) {
        /* Section 6.1: in HTTP/1.0 the framing counts as faulty. */
        if (e->count[LENGTH] > 0 || e->count[CODING] > 1 || minor == 0 ||
            !str_ieq(e->last[CODING], STR("chunked")))
            return ERR_HTTP_SMUGGLE;
        f->kind = HTTP_BODY_CHUNKED;
        return 0;
    }
    if (e->count[LENGTH] == 0)
        return 0;
    if (e->count[LENGTH] > 1 || !ascii_u64(e->last[LENGTH], INT64_MAX, &f->length))
        return ERR_HTTP_SMUGGLE;
    f->kind = HTTP_BODY_LENGTH;
    return 0;
}

/* RFC 9112 section 3.2: exactly one, well-formed, though it may be empty; HTTP/1.0 had none. */
static bool host_valid(const struct evidence *e, unsigned minor)
{
    struct str host;
    uint16_t port;

    if (e->count[HOST] != 1)
        return e->count[HOST] == 0 && minor == 0;
    return e->last[HOST].n == 0 || uri_authority_parse(e->last[HOST], 80, &host, &port) == 0;
}

int http_request_framing(const struct http_head *head, struct http_framing *f)
{
    struct evidence e;

    gather(head->fields, &e);
    if (!host_valid(&e, head->minor))
        return ERR_HTTP;
    f->keep_alive = persists(&e, head->minor);
    return body_from_fields(&e, head->minor, f);
}

bool http_is_bodiless(uint64_t status, struct str method)
{
    return status < 200 || status == 204 || status == 304 || str_eq(method, STR("HEAD"));
}

static bool tunnels(unsigned status, struct str method)
{
    return status == 101 ||
           (status >= 200 && status < 300 && str_eq(method, STR("CONNECT")));
}

int http_response_framing(const struct http_head *head, struct str method, struct http_framing *f)
{
    struct evidence e;
    int err;

    gather(head->fields, &e);
    f->keep_alive = persists(&e, head->minor);
    err = body_from_fields(&e, head->minor, f);
    if (err < 0)
        return err;
    if (tunnels(head->status, method)) {
        f->kind = HTTP_BODY_TUNNEL;
        f->length = 0;
        f->keep_alive = false;
    } else if (http_is_bodiless(head->status, method)) {
        /* RFC 9110 section 8.6 forbids these a length: who sends one may send a body as well,
         * which would be read as the next response. */
        if (!http_may_have_length(head->status) &&
            (f->kind == HTTP_BODY_CHUNKED || f->length > 0))
            f->keep_alive = false;
        f->kind = HTTP_BODY_NONE;
        f->length = 0;
    } else if (f->kind == HTTP_BODY_NONE) {
        f->kind = HTTP_BODY_CLOSE;
        f->keep_alive = false;
    }
    return 0;
}

/* The authority before a path, query or the end; its length within `rest`. */
static size_t authority_len(struct str rest)
{
    size_t n = 0;

    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    return n;
}

/* RFC 9112 section 3.2.2. An empty path before a query would need a byte that is not there. */
static int absolute_split(struct str rest, bool options, struct http_target *t)
{
    size_t n = authority_len(rest);
    struct str host;
    uint16_t port;

    t->form = HTTP_TARGET_ABSOLUTE;
    t->authority = (struct str){ rest.p, n };
    t->path = (struct str){ rest.p + n, rest.n - n };
    if (uri_authority_parse(t->authority, 80, &host, &port) < 0)
        return ERR_HTTP;
    /* RFC 9112 section 3.2.4: an OPTIONS without any path is about the server as a whole. */
    if (t->path.n == 0)
        t->path = options ? STR("*") : STR("/");
    else if (t->path.p[0] != '/')
        return ERR_HTTP;
    return 0;
}

static bool has_prefix(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_ieq((struct str){ s.p, prefix.n }, prefix);
}

int http_target_split(const struct http_head *head, struct http_target *t)
{
    bool options = str_eq(head->method, STR("OPTIONS"));
    struct str target = head->target;
    struct str host;
    uint16_t port;

    *t = (struct http_target){ .form = HTTP_TARGET_ORIGIN, .path = target };
    if (str_eq(head->method, STR("CONNECT"))) {
        *t = (struct http_target){ .form = HTTP_TARGET_AUTHORITY, .authority = target };
        return uri_authority_parse(target, 0, &host, &port) < 0 ? ERR_HTTP : 0;
    }
    if (target.n > 0 && target.p[0] == '/')
        return 0;
    if (str_eq(target, STR("*"))) {
        t->form = HTTP_TARGET_ASTERISK;
        return options ? 0 : ERR_HTTP;
    }
    if (has_prefix(target, STR("http://")))
        return absolute_split(str_from(target, 7), options, t);
    if (has_prefix(target, STR("https://")))
        return absolute_split(str_from(target, 8), options, t);
    return ERR_HTTP;
}
