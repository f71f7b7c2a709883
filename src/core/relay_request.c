#include "core/relay.h"

#include "codec/ascii.h"
#include "err.h"

/* What the message's fields say about the request as a whole. */
enum { HOST, CONNECTION, UPGRADE, LENGTH, NAMES };
static const char names[] = "host\0connection\0upgrade\0content-length";

struct survey {
    unsigned count[NAMES];
    struct str last[NAMES];
};

static int survey_fields(struct str rest, struct survey *s)
{
    struct str name;
    struct str value;
    unsigned fields = 0;

    *s = (struct survey){ 0 };
    while (wire_header_next(&rest, &name, &value)) {
        unsigned at = texts_find(names, NAMES, name, str_ieq);

        /* A name or value that would end its line early would begin a line of its own. */
        if (!http_name_valid(name) || !http_value_valid(value))
            return ERR_HTTP;
        if (++fields > WIRE_HEADERS_MAX || (at == CONNECTION && value.n > RELAY_CONNECTION_MAX))
            return ERR_HTTP_SIZE;
        if (at == NAMES)
            continue;
        s->count[at]++;
        s->last[at] = value;
    }
    /* Which of two would count is not for us to guess; senders join Connection fields. */
    return s->count[HOST] > 1 || s->count[CONNECTION] > 1 ? ERR_HTTP : 0;
}

static int decide_body(const struct survey *s, const struct wire_msg *m,
                       const struct relay_rules *rules, bool has_body, int64_t body_len,
                       struct relay_request *out)
{
    if (s->count[LENGTH] > 1)
        return ERR_HTTP_SMUGGLE;
    if (s->count[LENGTH] == 1 && !ascii_u64(s->last[LENGTH], INT64_MAX, &out->length))
        return ERR_HTTP_SMUGGLE;
    if (rules->streams && m->more && s->last[UPGRADE].n > 0 &&
        http_list_has(s->last[CONNECTION], STR("upgrade"))) {
        out->body = HTTP_BODY_TUNNEL;
        return s->count[LENGTH] > 0 && out->length > 0 ? ERR_HTTP_SMUGGLE : 0;
    }
    if (s->count[LENGTH] == 1) {
        uint64_t known = !has_body ? 0 : body_len >= 0 ? (uint64_t)body_len : out->length;

        out->body = HTTP_BODY_LENGTH;
        return known != out->length ? ERR_HTTP : 0;
    }
    out->body = !has_body ? HTTP_BODY_NONE : body_len >= 0 ? HTTP_BODY_LENGTH : HTTP_BODY_CHUNKED;
    if (out->body == HTTP_BODY_LENGTH)
        out->length = (uint64_t)body_len;
    return 0;
}

/* RFC 9110 section 9.2.2; methods are case-sensitive (section 9.1). */
static bool is_idempotent(struct str method)
{
    enum { KNOWN = 6 };

    return texts_find("GET\0HEAD\0OPTIONS\0PUT\0DELETE\0TRACE", KNOWN, method, str_eq) < KNOWN;
}

static void put_field(struct writer *w, struct str name, struct str value)
{
    writer_str(w, name);
    writer_text(w, ": ");
    writer_str(w, value);
    writer_text(w, "\r\n");
}

/* Fields that we write ourselves, or that concern the cloud's connection only. */
static bool is_ours(struct str name, struct str options, const struct relay_rules *rules)
{
    if (texts_find(names, NAMES, name, str_ieq) < NAMES)
        return true;
    if (!rules->streams && str_ieq(name, STR("expect")))
        return true;
    return http_is_hop_by_hop(name) || http_list_has(options, name);
}

static void put_fields(struct writer *w, const struct wire_msg *m, const struct survey *s,
                       const struct relay_rules *rules)
{
    struct str rest = m->headers.packed;
    struct str name;
    struct str value;

    put_field(w, STR("Host"),
              rules->host_replace || s->last[HOST].n == 0 ? rules->host : s->last[HOST]);
    while (wire_header_next(&rest, &name, &value)) {
        if (!is_ours(name, s->last[CONNECTION], rules))
            put_field(w, name, value);
    }
}

static void put_framing(struct writer *w, const struct survey *s, const struct relay_request *out)
{
    switch (out->body) {
    case HTTP_BODY_LENGTH:
        writer_text(w, "Content-Length: ");
        writer_u64(w, out->length);
        writer_text(w, "\r\n");
        break;
    case HTTP_BODY_CHUNKED:
        writer_text(w, "Transfer-Encoding: chunked\r\n");
        break;
    case HTTP_BODY_TUNNEL:
        put_field(w, STR("Connection"), STR("Upgrade"));
        put_field(w, STR("Upgrade"), s->last[UPGRADE]);
        break;
    default:
        break;
    }
}

/* RFC 9112 section 3.2: origin-form, absolute-form, or the asterisk of OPTIONS. */
static bool target_allowed(struct str method, struct str url)
{
    if (url.n == 0 || !http_target_valid(url) || str_eq(method, STR("CONNECT")))
        return false; /* a tunnel to elsewhere is not what the local server is for */
    if (url.p[0] == '/')
        return true;
    if (str_eq(url, STR("*")))
        return str_eq(method, STR("OPTIONS"));
    return (url.n > 7 && str_ieq((struct str){ url.p, 7 }, STR("http://"))) ||
           (url.n > 8 && str_ieq((struct str){ url.p, 8 }, STR("https://")));
}

int relay_request_write(struct writer *w, const struct wire_msg *m, const struct relay_rules *rules,
                        bool has_body, int64_t body_len, struct relay_request *out)
{
    struct survey s;
    int err = survey_fields(m->headers.packed, &s);

    *out = (struct relay_request){ 0 };
    if (err == 0)
        err = decide_body(&s, m, rules, has_body, body_len, out);
    if (err < 0)
        return err;
    if (!http_method_valid(m->method) || !target_allowed(m->method, m->url))
        return ERR_HTTP;
    out->head = str_eq(m->method, STR("HEAD"));
    out->repeatable = is_idempotent(m->method) &&
                      (out->body == HTTP_BODY_NONE ||
                       (out->body == HTTP_BODY_LENGTH && out->length == 0));
    writer_str(w, m->method);
    writer_u8(w, ' ');
    writer_str(w, m->url);
    writer_text(w, " HTTP/1.1\r\n");
    put_fields(w, m, &s, rules);
    put_framing(w, &s, out);
    writer_text(w, "\r\n");
    return 0;
}
