/*
 * Incremental UTF-8 validation.
 * Source: RFC 3629 section 4 (no overlong form, no surrogate, nothing beyond U+10FFFF).
 */
#ifndef ADIT_UTF8_H
#define ADIT_UTF8_H

#include "codec/buf.h"

/* Zero it to start. */
struct utf8 {
    uint8_t need; /* continuation bytes still to come */
    uint8_t low;  /* bounds of the next one */
    uint8_t high;
};

/* False at the first byte that cannot continue the text (RFC 3629 section 4: so also at the second
 * byte of an overlong form), and ever after. */
bool utf8_feed(struct utf8 *u, const uint8_t *p, size_t n);
/* True when the text may end here. */
bool utf8_ends(const struct utf8 *u);
/* UTF-8 of a code point (not a surrogate, <= 0x10FFFF) into out[4]; returns the length. */
size_t utf8_encode(uint32_t code, uint8_t out[4]);

#endif
