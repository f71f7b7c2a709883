#include "forward.h"

/* Beside our own: X-Real-IP says the same in other words; Proxy becomes HTTP_PROXY where servers
 * follow CGI; HTTP2-Settings belongs to an upgrade that is not offered (RFC 9113 section 3.1). */
#define DROPPED                                                                                    \
    "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-real-ip", "proxy", \
        "http2-settings"

const char *const forward_names[] = { DROPPED, NULL };
const char *const forward_names_host[] = { DROPPED, "host", NULL };

/* All values of the field as one list, behind each a comma (RFC 9110 section 5.2). */
static void put_kept(struct writer *w, struct str fields, const char *which)
{
    struct str name, value;

    while (http_field_next(&fields, &name, &value)) {
        if (!str_ieq(name, str_of(which)) || value.n == 0)
            continue;
        writer_str(w, value);
        writer_text(w, ", ");
    }
}

static void put_for(struct writer *w, const struct forward *f, struct str fields)
{
    uint8_t list[FORWARD_KEPT_MAX + IP_TEXT_MAX];
    uint8_t peer[IP_TEXT_MAX];
    struct writer value;

    writer_init(&value, list, sizeof list);
    if (f->trusted)
        put_kept(&value, fields, forward_names[0]);
    writer_str(&value, (struct str){ peer, ip_format(&f->peer, peer) });
    /* A list too long to keep would cost the request: the visitor's own address counts more. */
    if (!writer_fits(&value)) {
        writer_init(&value, list, sizeof list);
        writer_str(&value, (struct str){ peer, ip_format(&f->peer, peer) });
    }
    wire_header_pack(w, str_of(forward_names[0]), (struct str){ list, writer_stored(&value) });
}

static void put_one(struct writer *w, const struct forward *f, struct str fields, const char *name,
                    struct str value)
{
    struct str kept;

    if (f->trusted && http_field_find(fields, name, &kept) && kept.n > 0 && kept.n < HOST_MAX)
        value = kept;
    wire_header_pack(w, str_of(name), value);
}

void forward_fields(struct writer *w, const struct forward *f, struct str fields)
{
    put_for(w, f, fields);
    put_one(w, f, fields, forward_names[1], f->secure ? STR("https") : STR("http"));
    put_one(w, f, fields, forward_names[2], f->host);
    if (f->replace_host)
        wire_header_pack(w, STR("host"), f->host);
}
