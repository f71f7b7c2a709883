#include "core/relay.h"

#include "codec/ascii.h"
#include "err.h"

/* RFC 9112 section 6.3, from the sender's side. */
static int decide_body(const struct wire_msg *m, struct str method, unsigned visitor_minor,
                       struct relay_response *out)
{
    struct str rest = m->headers.packed;
    struct str name;
    struct str value;
    unsigned lengths = 0, fields = 0;

    while (wire_header_next(&rest, &name, &value)) {
        if (++fields > WIRE_HEADERS_MAX)
            return ERR_HTTP_SIZE;
        if (!http_name_valid(name) || !http_value_valid(value))
            return ERR_HTTP;
        if (!str_ieq(name, STR("content-length")))
            continue;
        if (lengths++ > 0 || !ascii_u64(value, INT64_MAX, &out->length))
            return ERR_HTTP_SMUGGLE;
    }
    if (m->status == 101)
        out->body = HTTP_BODY_TUNNEL;
    else if (http_is_bodiless(m->status, method))
        out->body = HTTP_BODY_NONE;
    else if (lengths == 1)
        out->body = HTTP_BODY_LENGTH;
    else
        out->body = visitor_minor > 0 ? HTTP_BODY_CHUNKED : HTTP_BODY_CLOSE;
    return 0;
}

/* The length of 304 and HEAD is kept, since it tells about the representation. */
static bool passes(struct str name, const struct wire_msg *m)
{
    if (str_ieq(name, STR("content-length")))
        return http_may_have_length(m->status);
    if (m->status == 101 && str_ieq(name, STR("upgrade")))
        return true;
    return !http_is_hop_by_hop(name);
}

static void put_connection(struct writer *w, const struct wire_msg *m, unsigned visitor_minor,
                           bool keep_alive, const struct relay_response *out)
{
    if (out->body == HTTP_BODY_CHUNKED)
        writer_text(w, "transfer-encoding: chunked\r\n");
    if (http_is_interim(m->status))
        return;
    if (out->body == HTTP_BODY_TUNNEL)
        writer_text(w, "connection: upgrade\r\n");
    else if (!keep_alive || out->body == HTTP_BODY_CLOSE)
        writer_text(w, "connection: close\r\n");
    else if (visitor_minor == 0)
        writer_text(w, "connection: keep-alive\r\n");
}

int relay_response_write(struct writer *w, const struct wire_msg *m, struct str method,
                         unsigned visitor_minor, bool keep_alive, struct relay_response *out)
{
    struct str rest = m->headers.packed;
    struct str name;
    struct str value;
    int err;

    *out = (struct relay_response){ 0 };
    if (m->status < 100 || m->status > 599)
        return ERR_HTTP;
    err = decide_body(m, method, visitor_minor, out);
    if (err < 0)
        return err;
    writer_text(w, "HTTP/1.1 ");
    writer_u64(w, m->status);
    writer_u8(w, ' ');
    writer_text(w, http_reason((unsigned)m->status));
    writer_text(w, "\r\n");
    while (wire_header_next(&rest, &name, &value)) {
        if (!passes(name, m))
            continue;
        writer_str(w, name);
        writer_text(w, ": ");
        writer_str(w, value);
        writer_text(w, "\r\n");
    }
    put_connection(w, m, visitor_minor, keep_alive, out);
    writer_text(w, "\r\n");
    return 0;
}
