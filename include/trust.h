/*
 * Trust: whom a TLS peer's certificates may come from, and the validation of its chain.
 * Source: RFC 5280 section 6 as far as BearSSL's x509_minimal goes; RFC 6125 for the host name;
 * RFC 7469 section 2.4 for what a pin is.
 *
 * Authorities come from PEM files, or are compiled in (make CA=FILE). A system's bundle of 140 of
 * them would fill 80 KB of memory. So a bundle stays in its file: whenever BearSSL is about to look
 * for the issuer of a certificate, the file is searched for authorities of that name, and only those
 * (commonly one) are in memory, while they are needed. A bundle that the system updates is used as
 * it is then, without a restart; where its name leads nowhere any more (chroot, another user), the
 * file that was opened at the start is used.
 *
 * Pins are SHA-256 of the server certificate's public key info. Without authorities a pin is all
 * that counts: not the name, not the time, not who signed. With authorities both have to hold.
 *
 * The clock: a device that has just started may live in 1970. A clock that is before the program
 * was made is not set, and counts as that time, or as the last time known when that is later. A
 * clock that can be right is believed, even where the time known is later: that one may have come
 * from a gateway whose clock is wrong, and must not lock out a device whose clock was set. But
 * where a server's certificate begins after the clock, which may have stood still, the later of the
 * two counts. What begins after all of them is refused: the clock has to be set.
 *
 * Refused: chains without a name match, SHA-1 and MD5 signatures, RSA keys below 2048 bits.
 * Not handled: revocation; authorities whose key BearSSL cannot use (neither RSA nor EC).
 */
#ifndef ADIT_TRUST_H
#define ADIT_TRUST_H

#include <bearssl.h>
#include <stdbool.h>

#include "leaf.h"

#define TRUST_FILES_MAX 4
/* The key in use and its successors. */
#define TRUST_PINS_MAX 8
/* Authorities of one name: a root and its successors with other keys. */
#define TRUST_ANCHORS_MAX 4
/* Their certificates: the longest of Mozilla's roots has 2.0 KB. Longer ones are skipped. */
#define TRUST_DATA_MAX 4096

/* Starts as all zeroes. */
struct trust {
    size_t anchor_count; /* authorities found */
    size_t skipped;      /* certificates that are no CA, or too long, or that BearSSL cannot use */
    size_t pin_count;
    size_t path_count;   /* files */
    const char *path[TRUST_FILES_MAX];
    /* private */
    int fd[TRUST_FILES_MAX];
    bool builtin;
    uint8_t pin[TRUST_PINS_MAX][32];
};

/* Remembers a PEM file (the path must last) after having looked through it, and keeps it open.
 * Returns how many authorities it has, ERR_FILE (cannot be read, malformed PEM, no authority in
 * it), ERR_WIRE_SIZE (too many files). */
int trust_add_file(struct trust *t, const char *path);
/* The authorities that are compiled in; returns how many. */
size_t trust_add_builtin(struct trust *t);
/* "sha256:" and 32 bytes in base64. 0, ERR_BASE64 (malformed), ERR_WIRE_SIZE (too many). */
int trust_add_pin(struct trust *t, struct str text);

/* Is the server's key all that counts? */
bool trust_by_pin_alone(const struct trust *t);

/* Unix seconds. */
struct trust_clock {
    int64_t now;   /* as this machine has it */
    int64_t built; /* nobody can run this program earlier */
    int64_t known; /* the last time that somebody else told; 0: none */
};

/* Our own reasons to refuse a chain, beside BearSSL's BR_ERR_X509_*. */
enum trust_err { TRUST_ERR_PIN = 128, TRUST_ERR_EARLY };

/* One validation: BearSSL's engine behind a class that fetches the authorities it asks for. */
struct trust_check {
    const br_x509_class *vtable;
    bool used;     /* a chain came: none does when a session is resumed */
    bool accepted;
    struct leaf leaf;
    int64_t now;   /* Unix seconds: when the chain is judged as of */
    /* private */
    const struct trust *trust;
    int64_t known;
    bool pinned;
    size_t number; /* of the present certificate */
    br_sha256_context key_hash;
    br_x509_minimal_context minimal;
    uint32_t left; /* bytes of the present certificate that have not come yet */
    br_x509_trust_anchor anchor[TRUST_ANCHORS_MAX];
    unsigned char data[TRUST_DATA_MAX];
};

/* For br_ssl_engine_set_x509(engine, &c->vtable). The engine's ECDSA, RSA and curves are taken. */
void trust_check_init(struct trust_check *c, const struct trust *trust,
                      br_ssl_engine_context *engine, const struct trust_clock *clock);

/* Days and seconds of br_x509_minimal_set_time from Unix seconds. */
void trust_days(int64_t unix_seconds, uint32_t *days, uint32_t *seconds);

#endif
