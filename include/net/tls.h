/*
 * TLS 1.2 on BearSSL 0.6: what both ends share, and the sentences for what can fail.
 * Trust is in trust.h.
 *
 * Suites: ECDHE with RSA or ECDSA, AES-GCM and ChaCha20-Poly1305; curves X25519, P-256, P-384;
 * no renegotiation. AES-GCM first where BearSSL has hardware AES, ChaCha20 first elsewhere. On
 * x86-64 there is no AES but the hardware's: a processor without AES-NI offers ChaCha20 only. A
 * client names the curves in BearSSL's order: P-256, P-384, X25519.
 */
#ifndef ADIT_TLS_H
#define ADIT_TLS_H

#include <bearssl.h>

#include "limits.h"

/* BearSSL needs 325 bytes more than a record for input, 85 for output. */
#define TLS_IN_MAX (TLS_RECORD_MAX + 325)
#define TLS_OUT_MAX (TLS_RECORD_MAX + 85)

/* BearSSL's engine by a name of ours, so that not everybody who has a transport sees BearSSL. */
static inline struct tls_engine *tls_engine(br_ssl_engine_context *engine)
{
    return (struct tls_engine *)(void *)engine;
}

/* Both ends: version, hashes, ciphers in this machine's order. Used by client and server. */
void tls_engine_setup(br_ssl_engine_context *engine);
/* The curves of a client, for size. */
extern const br_ec_impl tls_small_curves;

/* What BearSSL's code means for a router's owner, and what to do: one sentence, static. */
const char *tls_error_text(int bearssl_err);

#endif
