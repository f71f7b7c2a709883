/*
 * What a trust anchor is made of, out of a certificate: its name, its key, and whether it is an
 * authority. Nothing is verified: who puts a certificate among those he trusts has done that.
 * And the secret of a private key.
 * Source: RFC 5280 section 4.1 (form), 4.2.1.9 (basic constraints); RFC 3279 sections 2.3.1 and
 * 2.3.5 (keys); X.690 section 8.1 (tags and lengths).
 */
#ifndef ADIT_DER_H
#define ADIT_DER_H

#include "buf.h"

enum der_key { DER_KEY_OTHER, DER_KEY_RSA, DER_KEY_EC };

/* All slices lie in the certificate. */
struct der_certificate {
    struct str subject;  /* the whole encoded name, its tag and length included */
    bool is_ca;
    enum der_key key;    /* DER_KEY_OTHER: neither RSA to 4096 bits nor EC on P-256 or P-384 */
    struct str modulus;  /* RSA, without leading zeroes */
    struct str exponent;
    unsigned curve;      /* EC, as in RFC 8422 section 5.1.1: 23 or 24 */
    struct str point;    /* uncompressed */
};

/* 0, or ERR_FILE when it is no certificate. */
int der_certificate_parse(struct str der, struct der_certificate *certificate);

/* What a private key is made of, as far as its certificate does not say it. */
struct der_private_key {
    struct str modulus; /* RSA, without leading zeroes; EC: p is NULL */
    struct str secret;  /* the private exponent, or the scalar; 1 to 512 bytes */
};

/* A private key, not encrypted, as PKCS#8 (RFC 5208 section 5), PKCS#1 (RFC 8017 appendix A.1.2) or
 * SEC1 (RFC 5915 section 3): neither the algorithm nor the curve is looked at. 0 or ERR_FILE. */
int der_private_key_parse(struct str der, struct der_private_key *key);

#endif
