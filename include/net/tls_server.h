/*
 * The TLS of a server: its certificate, what its connections share, and one of them; see tls.h.
 */
#ifndef ADIT_TLS_SERVER_H
#define ADIT_TLS_SERVER_H

#include "net/tls.h"
#include "net/trust.h"

/* In every profile: only a client can ask for records shorter than these 16 KB (RFC 6066 section
 * 4), and browsers do not. */
#define TLS_SERVER_IN_MAX (16384 + 325)

#define TLS_SERVER_CHAIN_MAX 8

/* A certificate chain and its key, from PEM files, into memory that lasts. */
struct tls_identity {
    /* after a failure: a sentence that says what is wrong with which file */
    const char *problem;
    /* private */
    br_x509_certificate chain[TLS_SERVER_CHAIN_MAX];
    size_t chain_len;
    bool ec;
    unsigned issuer_key; /* BR_KEYTYPE_RSA or BR_KEYTYPE_EC: who signed the leaf */
    br_rsa_private_key rsa;
    br_ec_private_key ec_key;
    uint8_t data[32768]; /* certificates and key as DER */
    size_t data_len;
};

/*
 * cert_path: PEM, the server's certificate first, then those that lead to a root. key_path: PEM,
 * PKCS#1, SEC1 or PKCS#8, not encrypted; RSA of 2048 to 4096 bits, or EC on P-256 or P-384. The two
 * may be one file. Returns 0 or ERR_FILE.
 */
int tls_identity_load(struct tls_identity *id, const char *cert_path, const char *key_path);

/* 100 bytes each; the least recently used one makes room. */
#define TLS_SESSIONS_MAX 512
/* Names of authorities that clients are told. */
#define TLS_CLIENT_CAS_MAX 16
#define TLS_CLIENT_NAMES_MAX 2048

/* Whose certificates clients may show. Starts as all zeroes. */
struct tls_clients {
    struct trust trust;
    /* private: as clients are told them */
    br_x500_name name[TLS_CLIENT_CAS_MAX];
    size_t name_count, name_len;
    uint8_t name_data[TLS_CLIENT_NAMES_MAX];
};

/* Authorities (PEM; the path must last) in place of those that it had. 0; ERR_FILE: unreadable, or
 * no authority in it; ERR_LIMIT: more than TLS_CLIENT_CAS_MAX, longer names than
 * TLS_CLIENT_NAMES_MAX, or more than TRUST_FILES_MAX files. */
int tls_clients_load(struct tls_clients *c, const char *path);

/* What all connections of a server share. Starts as all zeroes, then tls_shared_forget. */
struct tls_shared {
    /* Every client is asked for a certificate of these; none is needed to connect, see
     * tls_server_knows_client. NULL: none is asked. To be replaced, not changed: handshakes under
     * way have the former ones. */
    const struct tls_clients *clients;
    /* private */
    const br_ssl_session_cache_class *vtable;
    br_ssl_session_cache_lru sessions;
    int64_t since; /* the oldest of them, where clients are asked for certificates */
    uint8_t session_data[TLS_SESSIONS_MAX * 100];
};

/* No session can be resumed any more: at the start, and when keys have changed. Where clients are
 * asked for certificates this comes to pass every TRUST_RESUME_S, too. */
void tls_shared_forget(struct tls_shared *t);

struct tls_server {
    br_ssl_server_context server; /* first: BearSSL hands it to the cache of sessions */
    /* private */
    struct tls_shared *shared;
    bool loaded;                  /* a session of this id was found */
    uint8_t session_id[32];
    struct trust_check check;
    uint8_t in[TLS_SERVER_IN_MAX];
    uint8_t out[TLS_OUT_MAX];
};

/* Prepares the engine for one connection; `id` and `shared` must outlive it. unix_now: for client
 * certificates. 0 or ERR_TLS. The engine is &s->server.eng. */
int tls_server_start(struct tls_server *s, const struct tls_identity *id, struct tls_shared *shared,
                     int64_t unix_now, const uint8_t seed[32]);
/* After the handshake: has the client shown a certificate, now or when the session began? */
bool tls_server_knows_client(const struct tls_server *s);

#endif
