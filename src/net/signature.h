/*
 * A certificate's key, and whether it has signed another: BearSSL's part of a chain's validation.
 * Source: RFC 8017 section 8.2.2 (RSASSA-PKCS1-v1_5), RFC 5758 section 3.2 (ECDSA).
 */
#ifndef ADIT_SIGNATURE_H
#define ADIT_SIGNATURE_H

#include <bearssl.h>

#include "codec/der.h"

/* 0; BR_ERR_X509_UNSUPPORTED: of a kind that cannot be used; BR_ERR_X509_WEAK_PUBLIC_KEY: RSA below
 * 2048 bits. */
unsigned signature_key_err(const struct der_certificate *certificate);
/* A key without an error, in the certificate's bytes. */
br_x509_pkey signature_key(const struct der_certificate *certificate);
/* Has the key of `above`, which has no error, signed `below`? With the engine's RSA and ECDSA. */
bool signature_good(const br_ssl_engine_context *engine, const struct der_certificate *below,
                    const struct der_certificate *above);

#endif
