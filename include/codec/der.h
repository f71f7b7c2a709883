/*
 * What an X.509 certificate says, and the secret of a private key. Nothing is verified.
 * Source: RFC 5280 section 4.1 (form), 4.1.2.5 (times), 4.2.1 (extensions); RFC 3279 sections 2.3.1
 * and 2.3.5 (keys); RFC 4055 section 5 and RFC 5758 section 3.2 (signatures).
 * Not handled: RSA-PSS.
 */
#ifndef ADIT_DER_H
#define ADIT_DER_H

#include "codec/buf.h"

enum der_key { DER_KEY_OTHER, DER_KEY_RSA, DER_KEY_EC };

/* Bits of `purposes`, named by the last number of their object identifier. */
enum der_purpose { DER_SERVER = 1, DER_CLIENT = 2 };
/* Bits of `usages`. */
enum der_usage { DER_SIGNS = 0x80, DER_SIGNS_CERTIFICATES = 0x04 };
#define DER_PATH_ANY 0x80

/* All slices lie in the certificate. */
struct der_certificate {
    struct str signed_part;
    struct str signature;
    enum der_key signer;   /* DER_KEY_OTHER: not RSA PKCS#1 or ECDSA with a hash that is known */
    uint8_t hash;          /* 0: SHA-256, 1: SHA-384, 2: SHA-512 */
    struct str issuer;     /* encoded names, their tag and length included */
    struct str subject;
    int64_t from, to;      /* Unix seconds, not below 0 */
    struct str key_info;   /* what pins are of: with its tag and length */
    enum der_key key;      /* DER_KEY_OTHER: neither RSA to 4096 bits nor EC on P-256 or P-384 */
    struct str modulus;    /* RSA, without leading zeroes */
    struct str exponent;
    unsigned curve;        /* EC, as in RFC 8422 section 5.1.1: 23 or 24 */
    struct str point;      /* uncompressed */
    bool is_ca;
    uint8_t path_len;      /* authorities below it at most; DER_PATH_ANY */
    uint8_t usages;        /* all if it does not say */
    uint8_t purposes;      /* both if it does not say */
    bool strange;          /* it has a critical extension that nobody here knows */
    struct str names;      /* subjectAltName and nameConstraints, for san.h; p NULL: it has none */
    struct str limits;
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
