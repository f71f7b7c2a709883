/*
 * Names of a certificate (subjectAltName), and what authorities allow them to be (nameConstraints).
 * Source: RFC 5280 sections 4.2.1.6 and 4.2.1.10; RFC 6125 section 6.4 for wildcards: the whole
 * first label, which stands for one label.
 *
 * An address is looked for among the addresses only, a name among the DNS names only, and the
 * common name never. Lists are the contents of the extension's SEQUENCE. What is malformed matches
 * nothing, and allows nothing.
 */
#ifndef ADIT_SAN_H
#define ADIT_SAN_H

#include "codec/buf.h"

/* Is one of the names this host: an address, or a DNS name in any case? */
bool san_names(struct str names, struct str host);

/* Do the constraints let the certificate have these names (p NULL: none), this subject (an encoded
 * name), and let it serve this host (empty: no host)? Forms: DNS names, addresses, and directory
 * names that are encoded alike. A name of another form that is constrained is not allowed. */
bool san_allowed(struct str limits, struct str names, struct str subject, struct str host);

#endif
