#include "forward.h"

#include "codec/ascii.h"
#include "codec/utf8.h"
#include "cookie.h"
#include "date.h"

static const char name_for[] = "x-forwarded-for";
static const char name_proto[] = "x-forwarded-proto";
static const char name_host[] = "x-forwarded-host";
/* RFC 9110 section 7.6.3: a name that tells nothing of the network. */
#define VIA_NAME "adit"

/* Beside our own: X-Real-IP says the same in other words; Proxy becomes HTTP_PROXY where servers
 * follow CGI; HTTP2-Settings belongs to an upgrade that is not offered (RFC 9113 section 3.1). */
void forward_drop(const struct forward *f, const char *drop[FORWARD_DROP_MAX])
{
    size_t n = 0;

    drop[n++] = "forwarded";
    drop[n++] = "x-real-ip";
    drop[n++] = "proxy";
    drop[n++] = "http2-settings";
    if (f->trusted) {
        drop[n++] = name_for;
        drop[n++] = name_proto;
        drop[n++] = name_host;
    } else {
        drop[n++] = "x-forwarded-";
    }
    if (f->replace_host)
        drop[n++] = "host";
    drop[n] = NULL;
}

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
        put_kept(&value, fields, name_for);
    writer_str(&value, (struct str){ peer, ip_format(&f->peer, peer) });
    /* A list too long to keep would cost the request: the visitor's own address counts more. */
    if (!writer_fits(&value)) {
        writer_init(&value, list, sizeof list);
        writer_str(&value, (struct str){ peer, ip_format(&f->peer, peer) });
    }
    wire_header_pack(w, STR(name_for), (struct str){ list, writer_stored(&value) });
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
    put_one(w, f, fields, name_proto, f->secure ? STR("https") : STR("http"));
    put_one(w, f, fields, name_host, f->host);
    if (f->replace_host)
        wire_header_pack(w, STR("host"), f->host);
    wire_header_pack(w, STR("via"), f->minor == 0 ? STR("1.0 " VIA_NAME) : STR("1.1 " VIA_NAME));
}

bool forward_path(struct writer *w, struct str *path)
{
    struct utf8 text = { 0 };

    if (utf8_feed(&text, path->p, path->n) && utf8_ends(&text))
        return true;
    for (size_t i = 0; i < path->n; i++) {
        uint8_t c = path->p[i];

        if (c >= 0x80) {
            writer_u8(w, '%');
            writer_u8(w, ascii_upper(ascii_hex_digit(c >> 4)));
            c = ascii_upper(ascii_hex_digit(c));
        }
        writer_u8(w, c);
    }
    *path = (struct str){ w->out, writer_stored(w) };
    return writer_fits(w);
}

/* Packed anew, where nothing is longer than it was. */
static void put_cookie(struct writer *w, struct str value, struct str domain)
{
    uint8_t text[WIRE_HEAD_MAX];
    struct writer cookie;

    writer_init(&cookie, text, sizeof text);
    cookie_write(&cookie, value, domain);
    wire_header_pack(w, STR("set-cookie"), (struct str){ text, writer_stored(&cookie) });
}

static void put_date(struct writer *w, int64_t unix_now)
{
    uint8_t text[DATE_LEN];
    struct writer date;

    writer_init(&date, text, sizeof text);
    date_write(&date, unix_now);
    wire_header_pack(w, STR("date"), (struct str){ text, sizeof text });
}

void forward_response(struct writer *w, struct str packed, struct str domain, int64_t unix_now)
{
    struct str name, value;
    bool dated = false;

    while (wire_header_next(&packed, &name, &value)) {
        dated = dated || str_ieq(name, STR("date"));
        if (str_ieq(name, STR("set-cookie")))
            put_cookie(w, value, domain);
        else
            wire_header_pack(w, name, value);
    }
    if (unix_now == 0)
        return;
    if (!dated)
        put_date(w, unix_now);
    wire_header_pack(w, STR("via"), STR("1.1 " VIA_NAME));
}
