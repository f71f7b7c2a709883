/*
 * X-Forwarded-For, -Proto and -Host: who asked, and how. What a visitor says of himself is
 * replaced; what a trusted proxy says is kept and added to.
 */
#ifndef ADIT_GATEWAY_FORWARD_H
#define ADIT_GATEWAY_FORWARD_H

#include "cidr.h"
#include "relay.h"

/* The names that forward_fields stands in for, and others that a server could believe to be ours;
 * lower case, NULL-ended: relay_pack's `drop`. The first three are what it writes. */
extern const char *const forward_names[];
/* The same and "host": for requests whose target names the host (RFC 9112 section 3.2.2). */
extern const char *const forward_names_host[];

/* Room for what forward_fields writes, if no proxy has said more than FORWARD_KEPT_MAX. */
#define FORWARD_KEPT_MAX 1024
#define FORWARD_MAX (FORWARD_KEPT_MAX + 3 * HOST_MAX)

struct forward {
    struct ip peer;
    bool secure;     /* the visitor speaks TLS to us */
    bool trusted;    /* the peer is a proxy that is believed */
    bool replace_host; /* also writes Host */
    struct str host; /* the Host that was asked for, with its port */
};

/*
 * Packs the fields. `fields`: the request's own, before relay_pack overwrites them; so w must not
 * write into the same buffer. Complete when writer_fits.
 */
void forward_fields(struct writer *w, const struct forward *f, struct str fields);

#endif
