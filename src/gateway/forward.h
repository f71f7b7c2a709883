/*
 * What the gateway changes in the fields that pass through it.
 *
 * X-Forwarded-For, -Proto and -Host: who asked, and how. What a visitor says of himself is
 * replaced; what a trusted proxy says is kept and added to. Via (RFC 9110 section 7.6.3) both ways,
 * Date where a response has none (section 6.6.1), and Set-Cookie: see cookie.h.
 */
#ifndef ADIT_GATEWAY_FORWARD_H
#define ADIT_GATEWAY_FORWARD_H

#include "cidr.h"
#include "core/relay.h"

/* What is kept of a trusted proxy's X-Forwarded-For; of a longer list nothing is. */
#define FORWARD_KEPT_MAX 1024
/* Room for what forward_fields writes, unless a proxy's other fields are longer than usual:
 * the head is too large then. */
#define FORWARD_MAX (FORWARD_KEPT_MAX + 3 * HOST_MAX + 32)
/* Beside a response's own fields: Via and Date. */
#define FORWARD_ADDED_MAX 64

struct forward {
    struct ip peer;
    bool secure;     /* the visitor speaks TLS to us */
    bool trusted;    /* the peer is a proxy that is believed */
    bool replace_host; /* also writes Host: the target names it (RFC 9112 section 3.2.2) */
    struct str host; /* the Host that was asked for, with its port */
    unsigned minor;  /* the request's HTTP/1.minor */
};

#define FORWARD_DROP_MAX 10
/* The names that forward_fields stands in for, and those that only a proxy may write: relay_pack's
 * `drop`, which ends with NULL. */
void forward_drop(const struct forward *f, const char *drop[FORWARD_DROP_MAX]);

/*
 * Packs the fields. `fields`: the request's own, before relay_pack overwrites them; so w must not
 * write into the same buffer. Complete when writer_fits.
 */
void forward_fields(struct writer *w, const struct forward *f, struct str fields);

/* For messages in JSON, whose strings are text, while a target is bytes: one that is no UTF-8 gets
 * its bytes beyond ASCII percent-encoded (RFC 3986 section 2.1) into w, and *path stands there.
 * False when w has no room for that. */
bool forward_path(struct writer *w, struct str *path);

/*
 * Packs a response's fields (packed ones, see struct wire_headers) as visitors of a tunnel below
 * `domain` get them. unix_now 0: an interim one, which gets neither Via nor Date.
 */
void forward_response(struct writer *w, struct str packed, struct str domain, int64_t unix_now);

#endif
