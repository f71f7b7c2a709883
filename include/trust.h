/*
 * Trust: the certificate authorities of PEM bundles, and the validation of a server's chain.
 * Source: RFC 5280 section 6 as far as BearSSL's x509_minimal goes; RFC 6125 for the host name.
 *
 * A system's bundle of 140 authorities would fill 80 KB of memory. So the bundle stays in its file:
 * whenever BearSSL is about to look for the issuer of a certificate, the file is searched for
 * authorities of that name, and only those (commonly one) are in memory, while they are needed. A
 * bundle that the system updates is used as it is then, without a restart.
 *
 * Refused: chains without a name match, SHA-1 and MD5 signatures, RSA keys below 2048 bits.
 * Not handled: revocation; authorities whose key BearSSL cannot use (neither RSA nor EC).
 */
#ifndef ADIT_TRUST_H
#define ADIT_TRUST_H

#include <bearssl.h>
#include <stdbool.h>

#define TRUST_FILES_MAX 4
/* Authorities of one name: a root and its successors with other keys. */
#define TRUST_ANCHORS_MAX 4
/* Their certificates: the longest of Mozilla's roots has 2.0 KB. Longer ones are skipped. */
#define TRUST_DATA_MAX 4096

/* Starts as all zeroes. */
struct trust {
    size_t anchor_count; /* authorities found by trust_add_file */
    size_t skipped;      /* certificates that are no CA, or too long, or that BearSSL cannot use */
    /* private */
    const char *path[TRUST_FILES_MAX];
    size_t path_count;
};

/* Remembers a PEM file (the path must last) after having looked through it. Returns how many
 * authorities it has, ERR_FILE (cannot be read, malformed PEM, no authority in it), ERR_WIRE_SIZE
 * (too many files). */
int trust_add_file(struct trust *t, const char *path);

/* One validation: BearSSL's engine behind a class that fetches the authorities it asks for. */
struct trust_check {
    const br_x509_class *vtable;
    /* private */
    const struct trust *trust;
    br_x509_minimal_context minimal;
    uint32_t left; /* bytes of the present certificate that have not come yet */
    br_x509_trust_anchor anchor[TRUST_ANCHORS_MAX];
    unsigned char data[TRUST_DATA_MAX];
};

/* For br_ssl_engine_set_x509(engine, &c->vtable). The engine's ECDSA, RSA and curves are taken. */
void trust_check_init(struct trust_check *c, const struct trust *trust,
                      br_ssl_engine_context *engine, int64_t unix_now);

/* Days and seconds of br_x509_minimal_set_time from Unix seconds. */
void trust_days(int64_t unix_seconds, uint32_t *days, uint32_t *seconds);

#endif
