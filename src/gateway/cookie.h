/*
 * Set-Cookie of a tunnel: a cookie is its own name's, never its siblings' or the domain's.
 * Source: RFC 6265 section 5.2 and 5.3, as browsers read the field.
 */
#ifndef ADIT_GATEWAY_COOKIE_H
#define ADIT_GATEWAY_COOKIE_H

#include "codec/buf.h"

/*
 * Writes the field's value without those Domain attributes that reach `domain` or a name above it,
 * or that are no plain name, so that some browser may read one out of them: the cookie becomes one
 * of its host alone. Other attributes stay byte by byte, a Domain below `domain` or elsewhere too:
 * browsers judge it by the host that they asked. Never longer than it was.
 */
void cookie_write(struct writer *w, struct str value, struct str domain);

#endif
