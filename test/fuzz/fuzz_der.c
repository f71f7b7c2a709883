/* Certificates and private keys: every slice lies in the input, a usable key is complete, and where
 * BearSSL's decoder takes a certificate too, both read the same in it. */
#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

#include "codec/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str slice, const uint8_t *data, size_t size)
{
    if (slice.n == 0)
        return;
    if (slice.p < data || slice.n > size || (size_t)(slice.p - data) > size - slice.n)
        abort();
}

static void try_key(const uint8_t *data, size_t size)
{
    struct der_private_key k;

    if (der_private_key_parse((struct str){ data, size }, &k) < 0)
        return;
    check(k.modulus, data, size);
    check(k.secret, data, size);
    if (k.secret.n == 0 || k.secret.n > 512)
        abort();
}

/* What BearSSL tells of the subject as it reads it. */
struct gathered {
    uint8_t bytes[1 << 16];
    size_t n;
};

static void gather(void *context, const void *p, size_t n)
{
    struct gathered *g = context;

    if (n <= sizeof g->bytes - g->n)
        memcpy(g->bytes + g->n, p, n);
    g->n += n;
}

/* BearSSL counts days from the year 0, and knows times before 1970. */
static void same_time(int64_t ours, uint32_t days, uint32_t seconds)
{
    int64_t theirs = ((int64_t)days - 719528) * 86400 + seconds;

    if (ours != (theirs < 0 ? 0 : theirs))
        abort();
}

static void same_key(const struct der_certificate *c, const br_x509_pkey *key)
{
    if (c->key == DER_KEY_RSA &&
        (key->key_type != BR_KEYTYPE_RSA || key->key.rsa.nlen != c->modulus.n ||
         memcmp(key->key.rsa.n, c->modulus.p, c->modulus.n) != 0 ||
         key->key.rsa.elen != c->exponent.n ||
         memcmp(key->key.rsa.e, c->exponent.p, c->exponent.n) != 0))
        abort();
    if (c->key == DER_KEY_EC &&
        (key->key_type != BR_KEYTYPE_EC || key->key.ec.curve != (int)c->curve ||
         key->key.ec.qlen != c->point.n || memcmp(key->key.ec.q, c->point.p, c->point.n) != 0))
        abort();
}

static void compare(const struct der_certificate *c, const uint8_t *data, size_t size)
{
    static struct gathered subject;
    br_x509_decoder_context decoder;
    const br_x509_pkey *key;
    int kind;

    subject.n = 0;
    br_x509_decoder_init(&decoder, gather, &subject);
    br_x509_decoder_push(&decoder, data, size);
    key = br_x509_decoder_get_pkey(&decoder);
    if (!key)
        return;
    if (subject.n != c->subject.n || memcmp(subject.bytes, c->subject.p, subject.n) != 0)
        abort();
    same_time(c->from, decoder.notbefore_days, decoder.notbefore_seconds);
    same_time(c->to, decoder.notafter_days, decoder.notafter_seconds);
    same_key(c, key);
    /* BearSSL takes any byte but zero for true; DER has one. */
    if (c->is_ca && !br_x509_decoder_isCA(&decoder))
        abort();
    kind = br_x509_decoder_get_signer_key_type(&decoder);
    if (c->signer != DER_KEY_OTHER &&
        (kind != (c->signer == DER_KEY_RSA ? BR_KEYTYPE_RSA : BR_KEYTYPE_EC) ||
         br_x509_decoder_get_signer_hash_id(&decoder) != br_sha256_ID + c->hash))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct der_certificate c;

    try_key(data, size);
    if (der_certificate_parse((struct str){ data, size }, &c) < 0)
        return 0;
    check(c.signed_part, data, size);
    check(c.signature, data, size);
    check(c.issuer, data, size);
    check(c.subject, data, size);
    check(c.key_info, data, size);
    check(c.names, data, size);
    check(c.limits, data, size);
    check(c.modulus, data, size);
    check(c.exponent, data, size);
    check(c.point, data, size);
    if (c.subject.n < 2 || c.subject.p[0] != 0x30)
        abort();
    if (c.key == DER_KEY_RSA && (c.modulus.n == 0 || c.modulus.n > 512 || c.modulus.p[0] == 0))
        abort();
    if (c.key == DER_KEY_EC && c.point.n != (c.curve == 23 ? 65u : 97u))
        abort();
    if (c.from < 0 || c.to < 0 || c.hash > 2 || c.path_len > DER_PATH_ANY ||
        c.purposes > (DER_SERVER | DER_CLIENT))
        abort();
    compare(&c, data, size);
    return 0;
}
