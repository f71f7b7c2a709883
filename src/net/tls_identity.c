#include "net/tls_server.h"

#include <string.h>

#include "check.h"
#include "err.h"
#include "pem.h"

#define RSA_MIN_BITS 2048
#define RSA_MAX_LEN (4096 / 8)
/* An uncompressed point on P-521, the largest that BearSSL knows. */
#define POINT_MAX 133

/* What is being read into an identity: a chain, then a key. */
struct load {
    struct tls_identity *id;
    struct pem_reader pem; /* its room is what is free in the identity */
    br_skey_decoder_context key;
    br_x509_decoder_context leaf;
    bool have_key;
    bool encrypted;
};

static const char too_long[] =
    "the certificate file is too long: it needs the chain only, not a whole bundle";

static bool fail(struct tls_identity *id, const char *problem)
{
    if (!id->problem)
        id->problem = problem;
    return false;
}

static void free_room(struct load *l)
{
    struct tls_identity *id = l->id;

    l->pem.room = id->data + id->data_len;
    l->pem.cap = sizeof id->data - id->data_len;
}

static bool take_certificate(void *context, const char *label, struct str der)
{
    struct load *l = context;
    struct tls_identity *id = l->id;

    if (!pem_is_certificate(label))
        return true;
    if (id->chain_len == TLS_SERVER_CHAIN_MAX)
        return fail(id, "the certificate file has more than 8 certificates: it needs the chain "
                        "only");
    if (!der.p)
        return fail(id, too_long);
    id->chain[id->chain_len++] = (br_x509_certificate){ l->pem.room, der.n };
    id->data_len += der.n;
    free_room(l);
    return true;
}

static bool load_chain(struct load *l, const char *path)
{
    struct tls_identity *id = l->id;

    l->pem = (struct pem_reader){ .take = take_certificate, .context = l };
    free_room(l);
    if (pem_walk(path, &l->pem) < 0)
        return fail(id, "the certificate file cannot be read, or is not PEM");
    if (id->problem)
        return false;
    if (id->chain_len == 0)
        return fail(id, "the certificate file holds no certificate");
    br_x509_decoder_init(&l->leaf, NULL, NULL);
    br_x509_decoder_push(&l->leaf, id->chain[0].data, id->chain[0].data_len);
    if (!br_x509_decoder_get_pkey(&l->leaf))
        return fail(id, "the first certificate is malformed, or its key is neither RSA nor EC");
    id->issuer_key = (unsigned)br_x509_decoder_get_signer_key_type(&l->leaf);
    return true;
}

/* ---- the key ---- */

static bool take_key(void *context, const char *label, struct str der)
{
    struct load *l = context;

    if (strcmp(label, "ENCRYPTED PRIVATE KEY") == 0)
        l->encrypted = true;
    if (strcmp(label, "PRIVATE KEY") != 0 && strcmp(label, "RSA PRIVATE KEY") != 0 &&
        strcmp(label, "EC PRIVATE KEY") != 0)
        return true;
    if (!der.p)
        return fail(l->id, too_long);
    br_skey_decoder_init(&l->key);
    br_skey_decoder_push(&l->key, der.p, der.n);
    l->have_key = true;
    return false;
}

/* Into the room that the file was read into: the decoder has what it read. */
static uint8_t *store(struct tls_identity *id, const void *p, size_t n)
{
    uint8_t *at = id->data + id->data_len;

    if (n > sizeof id->data - id->data_len) {
        fail(id, too_long);
        return NULL;
    }
    memcpy(at, p, n);
    id->data_len += n;
    return at;
}

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

    l->pem.take = take_key;
    walked = pem_walk(path, &l->pem);
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
    free_room(&l);
    /* Both have held a private key. */
    memset(l.pem.room, 0, l.pem.cap);
    memset(&l, 0, sizeof l);
    __asm__ volatile("" : : "r"(&l) : "memory");
    return good ? 0 : ERR_FILE;
}
