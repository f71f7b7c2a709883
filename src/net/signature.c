#include "signature.h"

#include <string.h>

#define RSA_MIN_LEN (2048 / 8)
#define HASH_MAX br_sha512_SIZE

static unsigned char *of(struct str s)
{
    return (unsigned char *)(uintptr_t)s.p;
}

unsigned signature_key_err(const struct der_certificate *x)
{
    if (x->key == DER_KEY_OTHER)
        return BR_ERR_X509_UNSUPPORTED;
    return x->key == DER_KEY_RSA && x->modulus.n < RSA_MIN_LEN ? BR_ERR_X509_WEAK_PUBLIC_KEY : 0;
}

br_x509_pkey signature_key(const struct der_certificate *x)
{
    br_x509_pkey key = { .key_type = BR_KEYTYPE_EC };

    if (x->key == DER_KEY_RSA) {
        key.key_type = BR_KEYTYPE_RSA;
        key.key.rsa = (br_rsa_public_key){ of(x->modulus), x->modulus.n, of(x->exponent),
                                           x->exponent.n };
    } else {
        key.key.ec = (br_ec_public_key){ (int)x->curve, of(x->point), x->point.n };
    }
    return key;
}

/* Hashes what the signature is over; returns the length. */
static size_t hash_of(const struct der_certificate *x, uint8_t out[HASH_MAX])
{
    static const br_hash_class *const class[] = { &br_sha256_vtable, &br_sha384_vtable,
                                                  &br_sha512_vtable };
    const br_hash_class *hash = class[x->hash];
    br_hash_compat_context context;

    hash->init(&context.vtable);
    hash->update(&context.vtable, x->signed_part.p, x->signed_part.n);
    hash->out(&context.vtable, out);
    return 32 + 16 * (size_t)x->hash;
}

bool signature_good(const br_ssl_engine_context *engine, const struct der_certificate *below,
                    const struct der_certificate *above)
{
    /* RFC 8017 appendix B.1: of SHA-256, SHA-384, SHA-512 by their last byte. */
    uint8_t oid[] = { 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
    uint8_t hash[HASH_MAX], signed_hash[HASH_MAX];
    br_x509_pkey key = signature_key(above);
    size_t n;

    if (below->signer != above->key)
        return false;
    n = hash_of(below, hash);
    if (above->key == DER_KEY_EC)
        return engine->iecdsa(engine->iec, hash, n, &key.key.ec, of(below->signature),
                              below->signature.n);
    oid[9] = (uint8_t)(oid[9] + below->hash);
    return engine->irsavrfy(of(below->signature), below->signature.n, oid, n, &key.key.rsa,
                            signed_hash) &&
           memcmp(hash, signed_hash, n) == 0;
}
