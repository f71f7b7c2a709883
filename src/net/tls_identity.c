#include "net/tls_server.h"

#include <string.h>

#include "check.h"
#include "err.h"
#include "pem.h"

#define RSA_MIN_BITS 2048
#define RSA_MAX_LEN (4096 / 8)
/* An uncompressed point on P-521, the largest that BearSSL knows. */
#define POINT_MAX 133

/* What is being read into an identity. */
struct load {
    struct tls_identity *id;
    br_skey_decoder_context key;
    br_x509_decoder_context leaf;
    enum { LOAD_NOTHING, LOAD_CERTIFICATE, LOAD_KEY } what;
    bool want_key;
    bool have_key;
    bool encrypted;
};

static bool fail(struct tls_identity *id, const char *problem)
{
    if (!id->problem)
        id->problem = problem;
    return false;
}

static uint8_t *store(struct tls_identity *id, const void *p, size_t n)
{
    uint8_t *at = id->data + id->data_len;

    if (n > sizeof id->data - id->data_len) {
        fail(id, "the certificate file is too long: it needs the chain only, not a whole bundle");
        return NULL;
    }
    memcpy(at, p, n);
    id->data_len += n;
    return at;
}

static void on_begin(void *context, const char *name)
{
    struct load *l = context;
    struct tls_identity *id = l->id;

    l->what = LOAD_NOTHING;
    if (l->want_key && strcmp(name, "ENCRYPTED PRIVATE KEY") == 0)
        l->encrypted = true;
    if (l->want_key && !l->have_key &&
        (strcmp(name, "PRIVATE KEY") == 0 || strcmp(name, "RSA PRIVATE KEY") == 0 ||
         strcmp(name, "EC PRIVATE KEY") == 0)) {
        l->what = LOAD_KEY;
        br_skey_decoder_init(&l->key);
    }
    if (l->want_key || !pem_is_certificate(name))
        return;
    if (id->chain_len == TLS_SERVER_CHAIN_MAX) {
        fail(id, "the certificate file has more than 8 certificates: it needs the chain only");
        return;
    }
    l->what = LOAD_CERTIFICATE;
    id->chain[id->chain_len].data = id->data + id->data_len;
    id->chain[id->chain_len].data_len = 0;
    if (id->chain_len == 0)
        br_x509_decoder_init(&l->leaf, NULL, NULL);
}

static void on_data(void *context, const void *der, size_t n)
{
    struct load *l = context;
    struct tls_identity *id = l->id;

    if (l->what == LOAD_KEY)
        br_skey_decoder_push(&l->key, der, n);
    if (l->what != LOAD_CERTIFICATE || !store(id, der, n))
        return;
    id->chain[id->chain_len].data_len += n;
    if (id->chain_len == 0)
        br_x509_decoder_push(&l->leaf, der, n);
}

static bool on_end(void *context)
{
    struct load *l = context;

    if (l->what == LOAD_CERTIFICATE)
        l->id->chain_len++;
    else if (l->what == LOAD_KEY)
        l->have_key = true;
    l->what = LOAD_NOTHING;
    return !l->id->problem;
}

static const struct pem_visitor load_visitor = { on_begin, on_data, on_end };

static bool load_chain(struct load *l, const char *path)
{
    struct tls_identity *id = l->id;

    if (pem_walk(path, &load_visitor, l) < 0)
        return fail(id, "the certificate file cannot be read, or is not PEM");
    if (id->problem)
        return false;
    if (id->chain_len == 0)
        return fail(id, "the certificate file holds no certificate");
    if (!br_x509_decoder_get_pkey(&l->leaf))
        return fail(id, "the first certificate is malformed, or its key is neither RSA nor EC");
    id->issuer_key = (unsigned)br_x509_decoder_get_signer_key_type(&l->leaf);
    return true;
}

/* ---- the key ---- */

static bool is_rsa_pair(const br_rsa_private_key *key, const br_rsa_public_key *public)
{
    uint8_t n[RSA_MAX_LEN];
    br_rsa_compute_modulus compute = br_rsa_compute_modulus_get_default();

    return compute(NULL, key) == public->nlen && public->nlen <= sizeof n &&
           compute(n, key) == public->nlen && memcmp(n, public->n, public->nlen) == 0;
}

static bool copy_rsa(struct tls_identity *id, const br_rsa_private_key *key)
{
    id->rsa = *key;
    id->rsa.p = store(id, key->p, key->plen);
    id->rsa.q = store(id, key->q, key->qlen);
    id->rsa.dp = store(id, key->dp, key->dplen);
    id->rsa.dq = store(id, key->dq, key->dqlen);
    id->rsa.iq = store(id, key->iq, key->iqlen);
    return !id->problem;
}

static bool take_rsa(struct load *l, const br_rsa_private_key *key)
{
    const br_x509_pkey *public = br_x509_decoder_get_pkey(&l->leaf);

    CHECK(key != NULL && public != NULL); /* both were decoded without an error */
    if (key->n_bitlen < RSA_MIN_BITS || key->n_bitlen > RSA_MAX_LEN * 8)
        return fail(l->id, "the RSA key must have 2048 to 4096 bits");
    if (public->key_type != BR_KEYTYPE_RSA || !is_rsa_pair(key, &public->key.rsa))
        return fail(l->id, "the key does not belong to the first certificate of the chain");
    l->id->ec = false;
    return copy_rsa(l->id, key);
}

static bool is_ec_pair(const br_ec_private_key *key, const br_ec_public_key *public)
{
    uint8_t point[POINT_MAX];
    size_t len = br_ec_compute_pub(&br_ec_all_m31, NULL, point, key);

    return len == public->qlen && key->curve == public->curve &&
           memcmp(point, public->q, len) == 0;
}

static bool take_ec(struct load *l, const br_ec_private_key *key)
{
    const br_x509_pkey *public = br_x509_decoder_get_pkey(&l->leaf);
    struct tls_identity *id = l->id;

    CHECK(key != NULL && public != NULL);
    if (key->curve != BR_EC_secp256r1 && key->curve != BR_EC_secp384r1)
        return fail(id, "the EC key must be on P-256 or P-384");
    if (public->key_type != BR_KEYTYPE_EC || !is_ec_pair(key, &public->key.ec))
        return fail(id, "the key does not belong to the first certificate of the chain");
    id->ec = true;
    id->ec_key = *key;
    id->ec_key.x = store(id, key->x, key->xlen);
    return !id->problem;
}

static bool load_key(struct load *l, const char *path)
{
    int walked;

    l->want_key = true;
    walked = pem_walk(path, &load_visitor, l);
    if (l->encrypted && !l->have_key)
        return fail(l->id, "the key is encrypted: decrypt it (openssl pkey -in KEY -out PLAIN)");
    if (walked < 0)
        return fail(l->id, "the key file cannot be read, is encrypted, or is not PEM");
    if (!l->have_key)
        return fail(l->id, "the key file holds no private key");
    switch (br_skey_decoder_key_type(&l->key)) {
    case BR_KEYTYPE_RSA:
        return take_rsa(l, br_skey_decoder_get_rsa(&l->key));
    case BR_KEYTYPE_EC:
        return take_ec(l, br_skey_decoder_get_ec(&l->key));
    default:
        return fail(l->id, "the key is malformed, or neither RSA nor EC");
    }
}

int tls_identity_load(struct tls_identity *id, const char *cert_path, const char *key_path)
{
    struct load l = { .id = id };
    bool good;

    memset(id, 0, sizeof *id);
    good = load_chain(&l, cert_path) && load_key(&l, key_path);
    /* The decoder has held a private key. */
    memset(&l, 0, sizeof l);
    __asm__ volatile("" : : "r"(&l) : "memory");
    return good ? 0 : ERR_FILE;
}
