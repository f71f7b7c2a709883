/*
 * What of a server's certificate has to be known while it is read: its validity, and which bytes
 * are its public key's. Nothing is verified: BearSSL reads the same bytes and does that.
 * Source: RFC 5280 section 4.1 (the order of the fields), 4.1.2.5 (times).
 *
 * The certificate comes in pieces of any size; none of it is kept.
 */
#ifndef ADIT_LEAF_H
#define ADIT_LEAF_H

#include "buf.h"

enum leaf_step {
    LEAF_CERTIFICATE,
    LEAF_TBS,
    LEAF_SERIAL, /* or the version before it */
    LEAF_ALGORITHM,
    LEAF_ISSUER,
    LEAF_VALIDITY,
    LEAF_FROM,
    LEAF_TO,
    LEAF_SUBJECT,
    LEAF_KEY,
    LEAF_DONE, /* what follows does not matter */
    LEAF_BAD,  /* no certificate, or a time of an unknown form */
};

/* Starts as all zeroes. */
struct leaf {
    enum leaf_step step;
    int64_t from; /* Unix seconds, not below 0; known when step > LEAF_FROM */
    int64_t to;   /* step > LEAF_TO */
    /* private */
    uint8_t phase, tag, length_left, date_len;
    uint32_t left;
    uint8_t date[15];
};

/* Takes the next n bytes. Returns which of them belong to the subject public key info, its tag and
 * length included. */
struct str leaf_feed(struct leaf *l, const uint8_t *p, size_t n);

#endif
