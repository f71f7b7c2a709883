/*
 * Trust: whom a TLS peer's certificates may come from, and the validation of its chain.
 * Source: RFC 5280 section 6; RFC 6125 for the host name; RFC 7469 section 2.4 for what a pin is.
 *
 * The chain: each certificate is signed by the next, and is within its time; the first one in it
 * that an authority has signed ends it. An authority has to be one (basicConstraints, keyCertSign,
 * the length of the path), whether it is in the chain or in the file, and the server's certificate
 * has to keep to its nameConstraints, critical or not. An extendedKeyUsage anywhere has to have
 * serverAuth (for a client's certificate clientAuth), and a keyUsage of the server's has to have
 * digitalSignature. The host has to be among its subjectAltNames. Any other critical extension is
 * refused, but those that restrict nothing here.
 *
 * It is not BearSSL's x509_minimal that decides this: that one reads certificates as they come, and
 * knows neither constraints nor extended usages, nor what an authority of the file says of itself.
 * Signatures are BearSSL's matter.
 *
 * Authorities come from PEM files, or are compiled in (make CA=FILE). A system's bundle of 140 of
 * them would fill 80 KB of memory. So a bundle stays in its file: whenever the issuer of a
 * certificate is looked for, the file is searched for authorities of that name, and one at a time
 * is in memory. A bundle that the system updates is used as it is then, without a restart; where
 * its name leads nowhere any more (chroot, another user), the file that was opened at the start is
 * used.
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
 * Refused: SHA-1 and MD5 signatures, RSA keys below 2048 bits, also of authorities.
 * Not handled: revocation; policies; keys but RSA to 4096 bits, P-256 and P-384; RSA-PSS;
 * constraints of an authority's name by another; the time of an authority in a file, which nobody
 * signed.
 */
#ifndef ADIT_TRUST_H
#define ADIT_TRUST_H

#include <bearssl.h>
#include <stdbool.h>

#include "codec/der.h"
#include "limits.h"

#define TRUST_FILES_MAX 4
/* The key in use and its successors. */
#define TRUST_PINS_MAX 8
/* An authority's certificate: the longest of Mozilla's roots has 2.0 KB. Longer ones are skipped.
 */
#define TRUST_DATA_MAX 4096
/* How long a session may be resumed after its chain was verified (RFC 5246 appendix F.1.4). */
#define TRUST_RESUME_S 86400

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
 * it), ERR_LIMIT (too many files). */
int trust_add_file(struct trust *t, const char *path);
/* Closes its files: it is as at the start, all zeroes. */
void trust_drop(struct trust *t);
/* The authorities that are compiled in; returns how many. */
size_t trust_add_builtin(struct trust *t);
/* "sha256:" and 32 bytes in base64. 0, ERR_BASE64 (malformed), ERR_LIMIT (too many). */
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
enum trust_err {
    TRUST_ERR_PIN = 128,
    TRUST_ERR_EARLY,
    TRUST_ERR_NAMELESS, /* no subjectAltName */
    TRUST_ERR_PURPOSE,  /* an extendedKeyUsage for others */
    TRUST_ERR_LIMITS,   /* nameConstraints */
    TRUST_ERR_SIZE,     /* more than TRUST_CHAIN_MAX before an authority was found */
};

/* One validation after the other, behind BearSSL's interface. Starts as all zeroes. */
struct trust_check {
    const br_x509_class *vtable;
    bool used;     /* a chain came: none does when a session is resumed */
    bool accepted; /* in this connection */
    int64_t now;   /* Unix seconds: when the chain is judged as of */
    int64_t until; /* accepted: the first end of a certificate in it */
    /* private */
    bool trusted;  /* the last chain that came */
    int64_t since; /* when it did */
    int64_t known;
    const struct trust *trust;
    br_ssl_engine_context *engine;
    enum der_purpose purpose;
    struct str host;
    unsigned err, complaint; /* decided; of an authority that signed it, but may not */
    size_t count;  /* of certificates */
    size_t from;   /* where the present one begins */
    struct der_certificate leaf, top;
    br_x509_pkey key;
    size_t len;
    uint8_t data[TRUST_CHAIN_MAX + TRUST_DATA_MAX]; /* the chain, and the authority at hand */
};

/* Makes the engine ask this check, with the engine's ECDSA, RSA and curves. host: what a server's
 * certificate has to be for, a DNS name or an address; empty for a client's. It must last, as
 * `trust` must. */
void trust_check_init(struct trust_check *c, const struct trust *trust,
                      br_ssl_engine_context *engine, enum der_purpose purpose, struct str host,
                      const struct trust_clock *clock);
/* After that, before a chain comes: would the last one still be accepted now? Then its session may
 * be resumed. Its authority is looked for in the files as they are now; who was asked for is not
 * compared. */
bool trust_holds(struct trust_check *c);

#endif
