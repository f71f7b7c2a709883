/*
 * Values in DER, one after the other, out of a reader.
 * Source: X.690 section 8.1 (tags and lengths); lengths as BearSSL takes them, below 2^24.
 *
 * What is no such value sets `bad` of the reader, as reading beyond the end does.
 */
#ifndef ADIT_DER_VALUE_H
#define ADIT_DER_VALUE_H

#include "codec/buf.h"

/* Tags; DER_CONTEXT of a primitive value, with DER_CONSTRUCTED of others. */
enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_CONSTRUCTED = 0x20,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT = 0x80,
};

/* A reader of these contents; bad where p is NULL. */
struct reader der_inside(struct str contents);
/* The contents of the next value, which has to have the tag. */
struct str der_take(struct reader *r, uint8_t tag);
/* The same if it has the tag; else nothing moves, and p is NULL. */
struct str der_take_if(struct reader *r, uint8_t tag);
/* The next value with its tag and length. */
struct str der_take_whole(struct reader *r, uint8_t tag);
/* Goes on with the contents of the next value instead. */
void der_enter(struct reader *r, uint8_t tag);

#endif
