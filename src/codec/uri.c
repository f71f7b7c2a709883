#include "codec/uri.h"

#include "codec/ascii.h"
#include "codec/ip.h"
#include "err.h"

static bool is_name_char(uint8_t c)
{
    uint8_t letter = ascii_lower(c);

    return ascii_is_digit(c) || (letter >= 'a' && letter <= 'z') || c == '-' || c == '_' ||
           c == '.';
}

/* A last label of digits only would be an address to many other readers ("1.2.3", "2130706433"). */
static bool ends_in_number(struct str name)
{
    size_t digits = 0;

    while (digits < name.n && ascii_is_digit(name.p[name.n - 1 - digits]))
        digits++;
    return digits == name.n || (digits > 0 && name.p[name.n - 1 - digits] == '.');
}

/* RFC 3986 section 3.2.2, less than its reg-name allows: what DNS and certificates know. */
static int host_check(struct str *host)
{
    struct ip ip;

    if (ip_parse(*host, &ip))
        return ip.len == 4 ? 0 : ERR_URI;
    if (host->n > 0 && host->p[host->n - 1] == '.')
        host->n--;
    if (host->n == 0 || host->n >= HOST_MAX || ends_in_number(*host))
        return ERR_URI;
    for (size_t i = 0; i < host->n; i++) {
        bool label_ends = i + 1 == host->n || host->p[i + 1] == '.';

        if (!is_name_char(host->p[i]) || (host->p[i] == '.' && (i == 0 || label_ends)))
            return ERR_URI;
    }
    return 0;
}

/* Takes "[address]" off *rest. */
static int take_bracketed(struct str *rest, struct str *host)
{
    size_t had = rest->n;
    struct ip ip;

    *host = str_from(str_take_until(rest, ']'), 1);
    if (host->n + 1 == had)
        return ERR_URI;
    return ip_parse(*host, &ip) && ip.len == 16 ? 0 : ERR_URI;
}

static int take_name(struct str *rest, struct str *host)
{
    *host = (struct str){ rest->p, str_find(*rest, ':') };
    *rest = str_from(*rest, host->n);
    return host_check(host);
}

int uri_authority_parse(struct str text, uint16_t default_port, struct str *host, uint16_t *port)
{
    struct str rest = text;
    uint64_t number = default_port;
    int err;

    if (rest.n == 0)
        return ERR_URI;
    err = rest.p[0] == '[' ? take_bracketed(&rest, host) : take_name(&rest, host);
    if (err < 0)
        return err;
    if (rest.n > 0 && rest.p[0] != ':')
        return ERR_URI;
    /* RFC 3986 section 6.2.3: an empty port is the default one. */
    if (rest.n > 1 && !ascii_u64(str_from(rest, 1), 65535, &number))
        return ERR_URI;
    if (number == 0)
        return ERR_URI;
    *port = (uint16_t)number;
    return 0;
}

/* RFC 3986 section 3.3 and 3.4: pchar, "/" and "?"; no fragment. */
static bool is_path_char(uint8_t c)
{
    /* A bit a character, from 0x20 on: ! $ & ' ( ) * + , - . / 0-9 : ; = ? @ A-Z _ a-z ~, and % */
    static const uint32_t set[3] = { 0xaffffff2, 0x87ffffff, 0x47fffffe };

    return c >= 0x20 && c < 0x80 && (set[(c >> 5) - 1] >> (c & 31) & 1) != 0;
}

static bool path_valid(struct str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (!is_path_char(path.p[i]))
            return false;
        if (path.p[i] == '%' && (path.n - i < 3 || ascii_hex_value(path.p[i + 1]) < 0 ||
                                 ascii_hex_value(path.p[i + 2]) < 0))
            return false;
    }
    return true;
}

/* Takes a scheme and its "://" off *rest. */
static bool take_scheme(struct str *rest, struct str scheme)
{
    if (rest->n < scheme.n || !str_ieq((struct str){ rest->p, scheme.n }, scheme))
        return false;
    *rest = str_from(*rest, scheme.n);
    return true;
}

int uri_parse(struct str text, struct uri *uri)
{
    struct str rest = text;
    struct str authority;
    struct ip ip;
    size_t n = 0;
    int err;

    uri->tls = take_scheme(&rest, STR("wss://")) || take_scheme(&rest, STR("https://"));
    if (!uri->tls && !take_scheme(&rest, STR("ws://")) && !take_scheme(&rest, STR("http://")))
        return ERR_URI;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' && rest.p[n] != '#')
        n++;
    authority = (struct str){ rest.p, n };
    err = uri_authority_parse(authority, uri->tls ? 443 : 80, &uri->host, &uri->port);
    if (err < 0)
        return err;
    uri->literal = ip_parse(uri->host, &ip);
    uri->path = n < rest.n ? str_from(rest, n) : STR("/");
    return uri->path.p[0] == '/' && path_valid(uri->path) ? 0 : ERR_URI;
}
