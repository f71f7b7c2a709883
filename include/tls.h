/*
 * TLS 1.2 on BearSSL: what both ends share, trust, and the sentences for what can fail.
 *
 * Suites: ECDHE with RSA or ECDSA, AES-GCM and ChaCha20-Poly1305; curves X25519, P-256, P-384;
 * no renegotiation. AES-GCM first where BearSSL has hardware AES, ChaCha20 first elsewhere.
 */
#ifndef ADIT_TLS_H
#define ADIT_TLS_H

#include <bearssl.h>

#include "buf.h"
#include "limits.h"

/* ---- trust anchors ---- */

/*
 * Trust anchors out of a PEM bundle, decoded into a store that the owner sized: distinguished
 * names and keys lie in `data`. Certificates that are no CA, or whose key BearSSL cannot use, are
 * skipped and counted.
 */
struct trust {
    br_x509_trust_anchor *anchor;
    size_t anchor_cap;
    size_t anchor_count;
    uint8_t *data;
    size_t data_cap;
    size_t data_len;
    size_t skipped;
};

/* Adds the anchors of a PEM file (read in pieces of 512 bytes). Returns how many, ERR_FILE (cannot
 * be read, no certificate in it, malformed PEM), ERR_WIRE_SIZE (the store is full). */
int trust_add_file(struct trust *t, const char *path);

/* ---- time ---- */

/* Days and seconds of br_x509_minimal_set_time from Unix seconds. */
void tls_days(int64_t unix_seconds, uint32_t *days, uint32_t *seconds);

/* ---- client ---- */

/* BearSSL needs 325 bytes more than a record for input, 85 for output. */
#define TLS_IN_MAX (TLS_RECORD_MAX + 325)
#define TLS_OUT_MAX (TLS_RECORD_MAX + 85)

struct tls_client {
    br_ssl_client_context client;
    br_x509_minimal_context x509;
    uint8_t in[TLS_IN_MAX];
    uint8_t out[TLS_OUT_MAX];
    uint8_t name[HOST_MAX];
};

/*
 * Prepares the engine for one connection (call before each). server_name: for SNI and for the
 * certificate's name; unix_now: validation time; seed: 32 fresh random bytes. Returns 0 or ERR_TLS.
 * The engine is &c->client.eng.
 */
int tls_client_start(struct tls_client *c, const struct trust *trust, struct str server_name,
                     int64_t unix_now, const uint8_t seed[32]);

/* ---- server ---- */

#define TLS_SERVER_CHAIN_MAX 8

/* A certificate chain and its key, from PEM files, into memory that lasts. */
struct tls_identity {
    br_x509_certificate chain[TLS_SERVER_CHAIN_MAX];
    size_t chain_len;
    bool ec;
    unsigned issuer_key; /* BR_KEYTYPE_RSA or BR_KEYTYPE_EC: who signed the leaf */
    br_rsa_private_key rsa;
    br_ec_private_key ec_key;
    uint8_t data[32768]; /* certificates and key as DER */
    size_t data_len;
};
int tls_identity_load(struct tls_identity *id, const char *cert_path, const char *key_path);

struct tls_server {
    br_ssl_server_context server;
    uint8_t in[TLS_IN_MAX];
    uint8_t out[TLS_OUT_MAX];
};
int tls_server_start(struct tls_server *s, const struct tls_identity *id, const uint8_t seed[32]);

/* ---- words ---- */

/* What BearSSL's code means for a router's owner, and what to do: one sentence, static. */
const char *tls_error_text(int bearssl_err);

#endif
