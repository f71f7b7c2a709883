/*
 * Variable-length integers, 1, 2, 4 or 8 bytes, up to 2^62 - 1.
 * Source: RFC 9000 section 16 (and its examples in appendix A.1).
 */
#ifndef ADIT_VARINT_H
#define ADIT_VARINT_H

#include "codec/buf.h"

#define VARINT_MAX ((UINT64_C(1) << 62) - 1)

/* Length of the form whose first byte is given: 1, 2, 4 or 8. */
size_t varint_len(uint8_t first);
/* Returns the bytes read, 0 when more are needed. */
size_t varint_parse(const uint8_t *in, size_t n, uint64_t *value);
/* The shortest form; value is at most VARINT_MAX. */
void varint_write(struct writer *w, uint64_t value);
/* The 4-byte form in out[4], value < 2^30: for a length that is filled in later. */
void varint_write4(uint8_t *out, uint32_t value);

#endif
