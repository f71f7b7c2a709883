/*
 * Input: a URL, a host and port, or an address.
 * Properties: parse(write(x)) is x; the text of an address is a fixed point, and an address as long
 * as the input says is written within IP_TEXT_MAX and read back.
 */
#include "must.h"

#include "err.h"
#include "codec/ip.h"
#include "codec/uri.h"

static void address_text(const struct ip *ip)
{
    uint8_t text[IP_TEXT_MAX];
    uint8_t again_text[IP_TEXT_MAX];
    size_t n = ip_format(ip, text);
    struct ip again;

    MUST(n > 0 && n <= IP_TEXT_MAX);
    MUST(ip_parse((struct str){ text, n }, &again));
    MUST(again.len == ip->len && memcmp(again.bytes, ip->bytes, ip->len) == 0);
    MUST(ip_format(&again, again_text) == n && memcmp(text, again_text, n) == 0);
}

static void authority_write(struct writer *w, struct str host, uint16_t port)
{
    bool brackets = host.n > 0 && memchr(host.p, ':', host.n) != NULL;

    if (brackets)
        writer_u8(w, '[');
    writer_str(w, host);
    if (brackets)
        writer_u8(w, ']');
    writer_u8(w, ':');
    writer_u64(w, port);
}

static void authority(struct str text)
{
    uint8_t out[HOST_MAX + 16];
    struct writer w;
    struct str host, again;
    uint16_t port, again_port;

    if (uri_authority_parse(text, 0, &host, &port) < 0)
        return;
    MUST(host.n > 0 && host.n < HOST_MAX && port > 0);
    writer_init(&w, out, sizeof out);
    authority_write(&w, host, port);
    MUST(writer_fits(&w));
    MUST(uri_authority_parse((struct str){ out, w.len }, 1, &again, &again_port) == 0);
    MUST(str_eq(host, again) && port == again_port);
}

static void url(struct str text)
{
    size_t cap = text.n + 32;
    uint8_t *out = malloc(cap);
    struct uri uri, again;
    struct writer w;
    struct ip ip;

    MUST(out);
    if (uri_parse(text, &uri) == 0) {
        MUST(uri.path.n > 0 && uri.path.p[0] == '/');
        MUST(memchr(uri.path.p, '#', uri.path.n) == NULL);
        MUST(memchr(uri.path.p, ' ', uri.path.n) == NULL);
        MUST(ip_parse(uri.host, &ip) == uri.literal);
        writer_init(&w, out, cap);
        writer_text(&w, uri.tls ? "wss://" : "ws://");
        authority_write(&w, uri.host, uri.port);
        writer_str(&w, uri.path);
        MUST(writer_fits(&w));
        MUST(uri_parse((struct str){ out, w.len }, &again) == 0);
        MUST(again.tls == uri.tls && again.port == uri.port && again.literal == uri.literal);
        MUST(str_eq(again.host, uri.host) && str_eq(again.path, uri.path));
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { data, size };
    struct ip ip;

    url(text);
    authority(text);
    if (ip_parse(text, &ip))
        address_text(&ip);
    if (size == 4 || size == 16) {
        ip.len = (uint8_t)size;
        memcpy(ip.bytes, data, size);
        address_text(&ip);
    }
    return 0;
}
