/*
 * Input: a byte of what to do, then a head as it might come from a connection, or (form 1) names
 * and values as they might come in a message.
 * Properties: packing in place keeps exactly the end-to-end fields, in order; what is written from
 * a message is one head, as a strict parser reads it, whose framing is the one told, and which has
 * no field that the message had not and we did not add.
 */
#include "codec/ascii.h"
#include "err.h"
#include "must.h"
#include "core/relay.h"

static const char *const no_names[] = { NULL };
static const char *const some_names[] = { "cookie", "x", "a-b", "y-", NULL };

static bool dropped(struct str name, const char *const *drop)
{
    for (; *drop != NULL; drop++) {
        size_t i = 0, n = strlen(*drop);

        while (i < n && i < name.n &&
               (ascii_lower(name.p[i]) == (*drop)[i] || (name.p[i] == '_' && (*drop)[i] == '-')))
            i++;
        if (i == n && (name.n == n || (*drop)[n - 1] == '-'))
            return true;
    }
    return false;
}

/* Is it named in any Connection field of these lines? */
static bool named(struct str rest, struct str option)
{
    struct str name, value;

    while (http_field_next(&rest, &name, &value))
        if (str_ieq(name, STR("connection")) && http_list_has(value, option))
            return true;
    return false;
}

static bool stays(struct str lines, struct str name, bool upgrade)
{
    if (str_ieq(name, STR("host")) || str_ieq(name, STR("content-length")))
        return true;
    if (upgrade && str_ieq(name, STR("upgrade")))
        return true;
    return !http_is_hop_by_hop(name) && !named(lines, name);
}

static void check_packed(struct str lines, bool upgrade, const char *const *drop,
                         struct wire_headers packed)
{
    struct str rest = lines, all = packed.packed;
    struct str name, value, got_name, got_value;

    upgrade = upgrade && named(lines, STR("upgrade"));
    while (http_field_next(&rest, &name, &value)) {
        if (!stays(lines, name, upgrade) || dropped(name, drop))
            continue;
        MUST(wire_header_next(&all, &got_name, &got_value));
        MUST(str_ieq(name, got_name) && str_eq(value, got_value));
        for (size_t i = 0; i < got_name.n; i++)
            MUST(got_name.p[i] == ascii_lower(got_name.p[i]));
    }
    if (upgrade) {
        MUST(wire_header_next(&all, &got_name, &got_value));
        MUST(str_eq(got_name, STR("connection")) && str_eq(got_value, STR("upgrade")));
    }
    MUST(!wire_header_next(&all, &name, &value) && all.n == 0);
}

static bool in_message(struct str packed, struct str name, struct str value)
{
    struct str got_name, got_value;

    while (wire_header_next(&packed, &got_name, &got_value)) {
        /* A parser does not see the white space around a value. */
        while (got_value.n > 0 && (got_value.p[0] == ' ' || got_value.p[0] == '\t')) {
            got_value.p++;
            got_value.n--;
        }
        while (got_value.n > 0 && (got_value.p[got_value.n - 1] == ' ' ||
                                   got_value.p[got_value.n - 1] == '\t'))
            got_value.n--;
        if (str_ieq(name, got_name) && str_eq(value, got_value))
            return true;
    }
    return false;
}

static void no_strangers(const struct http_head *head, struct str packed)
{
    struct str rest = head->fields, name, value;

    while (http_field_next(&rest, &name, &value))
        MUST(str_ieq(name, STR("host")) || str_ieq(name, STR("content-length")) ||
             str_ieq(name, STR("transfer-encoding")) || str_ieq(name, STR("connection")) ||
             in_message(packed, name, value));
}

static void write_request(const struct wire_msg *m, unsigned what)
{
    struct relay_rules rules = { STR("local"), (what & 8) != 0, (what & 16) != 0 };
    struct relay_request out;
    struct http_framing framing;
    struct http_head head;
    struct writer w;
    uint8_t *buffer;

    writer_init(&w, NULL, 0);
    if (relay_request_write(&w, m, &rules, what & 32, what & 64 ? 7 : -1, &out) < 0)
        return;
    buffer = malloc(w.len);
    MUST(buffer);
    writer_init(&w, buffer, w.len);
    MUST(relay_request_write(&w, m, &rules, what & 32, what & 64 ? 7 : -1, &out) == 0);
    MUST(writer_fits(&w));
    MUST(http_request_parse(buffer, w.len, 0, &head) == (int)w.len);
    MUST(str_eq(head.method, m->method) && str_eq(head.target, m->url) && head.minor == 1);
    no_strangers(&head, m->headers.packed);
    if (http_request_framing(&head, &framing) == 0) {
        MUST(framing.kind == (out.body == HTTP_BODY_TUNNEL ? HTTP_BODY_NONE : out.body));
        MUST(out.body != HTTP_BODY_LENGTH || framing.length == out.length);
    } else {
        MUST(http_field_count(head.fields, "host", &(struct str){ 0 }) == 1);
    }
    free(buffer);
}

static void write_response(const struct wire_msg *m, unsigned what)
{
    struct str method = what & 8 ? STR("HEAD") : STR("GET");
    struct relay_response out;
    struct http_framing framing;
    struct http_head head;
    struct writer w;
    uint8_t *buffer;

    writer_init(&w, NULL, 0);
    if (relay_response_write(&w, m, method, what >> 4 & 1, what & 32, &out) < 0)
        return;
    buffer = malloc(w.len);
    MUST(buffer);
    writer_init(&w, buffer, w.len);
    MUST(relay_response_write(&w, m, method, what >> 4 & 1, what & 32, &out) == 0);
    MUST(writer_fits(&w));
    MUST(http_response_parse(buffer, w.len, 0, &head) == (int)w.len);
    MUST(head.status == m->status);
    no_strangers(&head, m->headers.packed);
    MUST(http_response_framing(&head, method, &framing) == 0);
    MUST(framing.kind == out.body);
    MUST(out.body != HTTP_BODY_LENGTH || framing.length == out.length);
    free(buffer);
}

/* More than a head may have: what a cloud added. */
static bool too_many(struct str packed)
{
    struct str name, value;
    /* Host, Content-Length or Transfer-Encoding, Connection, Upgrade are ours. */
    unsigned count = 4;

    while (wire_header_next(&packed, &name, &value))
        count++;
    return count > HTTP_FIELDS_MAX;
}

static void write_both(struct str method, struct str url, unsigned status,
                       struct wire_headers headers, unsigned what)
{
    struct wire_msg m;

    if (too_many(headers.packed))
        return;
    wire_http_request(&m, STR("id"), method, url, headers, what & 4);
    write_request(&m, what);
    wire_http_response(&m, STR("id"), status, headers, what & 4);
    write_response(&m, what);
}

static void from_head(const uint8_t *p, size_t n, unsigned what)
{
    uint8_t *copy = malloc(n ? n : 1);
    const char *const *drop = what & 2 ? some_names : no_names;
    struct http_head head;
    struct wire_headers packed;
    struct str lines;
    int len, err;

    MUST(copy);
    if (n > 0)
        memcpy(copy, p, n);
    len = what & 128 ? http_response_parse(copy, n, 0, &head)
                     : http_request_parse(copy, n, 0, &head);
    if (len > 0) {
        size_t at = (size_t)(head.fields.p - copy);

        lines = (struct str){ p + at, head.fields.n };
        err = relay_pack(&head, copy + at, what & 4, drop, &packed);
        MUST(err == 0 || err == ERR_HTTP_SIZE);
        if (err == 0) {
            check_packed(lines, what & 4, drop, packed);
            MUST(memcmp(copy, p, at - 3) == 0);
            MUST(memcmp(copy + at + lines.n, p + at + lines.n, n - at - lines.n) == 0);
            write_both(what & 128 ? STR("PUT") : head.method, what & 128 ? STR("/") : head.target,
                       what & 128 ? head.status : 200, packed, what);
        }
    }
    free(copy);
}

/* Method, url and headers: each a byte of length and its bytes. */
static struct str take(struct str *rest)
{
    struct str s = { (const uint8_t *)"", 0 };

    if (rest->n == 0)
        return s;
    s = (struct str){ rest->p + 1, rest->p[0] };
    if (s.n > rest->n - 1)
        s.n = rest->n - 1;
    rest->p += s.n + 1;
    rest->n -= s.n + 1;
    return s;
}

static void from_message(const uint8_t *p, size_t n, unsigned what)
{
    struct str rest = { p, n };
    struct str method = take(&rest), url = take(&rest), status = take(&rest);
    uint8_t *packed = malloc(n * 4 + 8);
    struct writer w;

    MUST(packed);
    writer_init(&w, packed, n * 4 + 8);
    while (rest.n > 0) {
        struct str name = take(&rest);

        wire_header_pack(&w, name, take(&rest));
    }
    MUST(writer_fits(&w));
    write_both(method, url, status.n > 0 ? status.p[0] * 3u : 200,
               (struct wire_headers){ { packed, w.len } }, what);
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (data[0] & 1)
        from_message(data + 2, size - 2, data[1]);
    else
        from_head(data + 2, size - 2, data[1]);
    return 0;
}
