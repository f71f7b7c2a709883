#include "core/relay.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"

/* Name length and value length of a packed field; a line has as many bytes that are neither: the
 * colon and CR LF. */
#define PACK_HEAD 3

/*
 * The options of all Connection fields as one list. Copied out, because packing overwrites the
 * lines while the later ones still have to be compared with them.
 */
static int connection_options(struct str fields, uint8_t out[RELAY_CONNECTION_MAX],
                              struct str *options)
{
    struct writer w;
    struct str name;
    struct str value;

    writer_init(&w, out, RELAY_CONNECTION_MAX);
    while (http_field_next(&fields, &name, &value)) {
        if (!str_ieq(name, STR("connection")))
            continue;
        writer_str(&w, value);
        writer_u8(&w, ',');
    }
    if (!writer_fits(&w))
        return ERR_HTTP_SIZE;
    *options = (struct str){ out, writer_stored(&w) };
    return 0;
}

/* Does it begin with `text`, which is in lower case, or with what CGI (RFC 3875 section 4.1.18) and
 * those that took its names over, as WSGI and Rack, tell servers under the same name? */
static bool begins_like(struct str name, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = i < name.n ? ascii_lower(name.p[i]) : 0;

        if ((c == '_' ? '-' : c) != text.p[i])
            return false;
    }
    return true;
}

static bool is_dropped(struct str name, const char *const *drop)
{
    for (; drop != NULL && *drop != NULL; drop++) {
        struct str text = str_of(*drop);

        if (begins_like(name, text) && (name.n == text.n || text.p[text.n - 1] == '-'))
            return true;
    }
    return false;
}

/* RFC 9110 section 7.6.1: not beyond this connection. */
static bool stays_here(struct str name, struct str options, bool upgrade)
{
    if (upgrade && str_ieq(name, STR("upgrade")))
        return false;
    /* No sender may name these: they are for every recipient on the way. */
    if (str_ieq(name, STR("host")) || str_ieq(name, STR("content-length")))
        return false;
    return http_is_hop_by_hop(name) || http_list_has(options, name);
}

int relay_pack(struct http_head *head, uint8_t *fields, bool upgrade, const char *const *drop,
               struct wire_headers *out)
{
    uint8_t buffer[RELAY_CONNECTION_MAX];
    struct str rest = head->fields;
    struct str options;
    struct str name;
    struct str value;
    struct writer w;
    int err = connection_options(rest, buffer, &options);

    if (err < 0)
        return err;
    upgrade = upgrade && http_list_has(options, STR("upgrade"));
    /* The lengths of a packed field stand where the end of the line before it was: what is written
     * stays 3 bytes behind what is read, and the last 3 bytes of the start line say nothing. */
    writer_init(&w, fields - PACK_HEAD, rest.n);
    while (http_field_next(&rest, &name, &value)) {
        if (stays_here(name, options, upgrade) || is_dropped(name, drop))
            continue;
        if (!wire_header_pack(&w, name, value))
            return ERR_HTTP_SIZE;
    }
    /* The Connection line that named it was left out, and is what makes room for this. */
    if (upgrade && !wire_header_pack(&w, STR("connection"), STR("upgrade")))
        return ERR_HTTP_SIZE;
    out->packed = (struct str){ fields - PACK_HEAD, writer_stored(&w) };
    return 0;
}
