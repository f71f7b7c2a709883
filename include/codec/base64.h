/*
 * Base64, padded.
 * Source: RFC 4648 section 4. Decoding is strict: no white space, no missing padding, unused
 * bits zero (section 3.5), nothing after the padding.
 */
#ifndef ADIT_BASE64_H
#define ADIT_BASE64_H

#include "codec/buf.h"

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/*
 * Encodes n bytes to BASE64_LEN(n) characters; returns that. Only the last call for a text may have
 * an n that is no multiple of 3.
 * Overlap: `in` may lie inside `out`'s range when in >= out + BASE64_LEN(n) - n, so that bytes
 * read to the end of a region are spread over it in place.
 */
size_t base64_encode(const uint8_t *in, size_t n, uint8_t *out);

/* Incremental decoder; zero it to start. */
struct base64 {
    uint8_t bits;  /* low bits of the last character that no byte holds yet */
    uint8_t count; /* characters of the present quantum, 0 to 3 */
    uint8_t pads;
    bool failed;
};

/*
 * Decodes n characters to `out`, which takes n bytes at most and may be `in` itself: a character
 * gives one byte at most, so writing never overtakes reading, also across calls.
 * Returns the bytes written, or ERR_BASE64, which stays; n below 2^31.
 */
int base64_decode(struct base64 *b, const uint8_t *in, size_t n, uint8_t *out);
/* True when the text may end here. */
bool base64_ends(const struct base64 *b);

#endif
