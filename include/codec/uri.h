/*
 * URLs as text.
 * Source: RFC 3986 section 3, RFC 6455 section 3 (ws and wss).
 */
#ifndef ADIT_URI_H
#define ADIT_URI_H

#include "codec/buf.h"
#include "limits.h"

struct uri {
    bool tls;        /* wss (or https) */
    bool literal;    /* host is an IP address, not a name */
    uint16_t port;   /* 443 or 80 when not given */
    struct str host; /* without brackets */
    struct str path; /* path and query, "/" when empty; never a fragment */
};

/*
 * wss://HOST[:PORT][/PATH[?QUERY]] or ws://; https:// and http:// mean the same.
 * Returns 0 or ERR_URI: another scheme, user information, a fragment, a host that is empty or over
 * 253 characters, a port out of 1 to 65535, a character that may not stand there.
 * Ownership: slices lie in the input, but for the path "/" of a URL that has none.
 * Not handled: a query directly after the authority (write "/?"), names that are not ASCII.
 */
int uri_parse(struct str text, struct uri *uri);

/* HOST:PORT, [IPV6]:PORT, or HOST or "HOST:" with a default port (0: the port must be given). A
 * host is an address or letters, digits, "-", "_", "."; the last dot of a name that ends in one is
 * left out. A name that ends in a number is none (it would be taken for an address). 0 or ERR_URI:
 * then *host is of no use. */
int uri_authority_parse(struct str text, uint16_t default_port, struct str *host, uint16_t *port);

#endif
