#include "net/mtls.h"

#include <string.h>

#include "codec/der.h"
#include "net/tls.h"
#include "pem.h"

/* An uncompressed point on P-384. */
#define POINT_MAX 97
#define RSA_MIN_LEN (2048 / 8)
/* More than the deepest calls that have seen the key. */
#define STACK_WIPED 6144

/* ---- the two files ---- */

/* One walk through either. */
struct load {
    struct mtls *m;
    struct pem_reader pem;
    bool wants_key, full;
    struct der_private_key key;
};

static void keep(struct load *l, struct str der)
{
    struct mtls *m = l->m;

    if (!der.p || m->chain_len == MTLS_CHAIN_MAX) {
        l->full = true;
        return;
    }
    m->chain[m->chain_len++] =
        (br_x509_certificate){ (unsigned char *)(uintptr_t)der.p, der.n };
    l->pem.room += der.n;
    l->pem.cap -= der.n;
}

/* A key is what can be read as one, whatever its label: what else may be in its file (parameters of
 * a curve, certificates) cannot. */
static bool take_object(void *context, const char *label, struct str der)
{
    struct load *l = context;

    if (l->wants_key) {
        l->full = !der.p;
        return !l->full && der_private_key_parse(der, &l->key) < 0;
    }
    if (pem_is_certificate(label))
        keep(l, der);
    return !l->full;
}

/* Does the key belong to the certificate? */
static bool is_pair(struct mtls *m, const struct der_certificate *c)
{
    uint8_t point[POINT_MAX];

    if (c->key == DER_KEY_RSA)
        return str_eq(m->modulus, c->modulus);
    m->curve = (int)c->curve;
    return !m->modulus.p &&
           tls_small_curves.mulgen(point, m->secret.p, m->secret.n, m->curve) == c->point.n &&
           memcmp(point, c->point.p, c->point.n) == 0;
}

/* Not part of mtls_load, whose stack is not wiped. */
__attribute__((noinline)) static const char *load(struct mtls *m, int cert_fd, int key_fd)
{
    struct load l = { .m = m, .pem = { m->data, sizeof m->data, take_object, &l } };
    struct der_certificate c;
    int walked = pem_walk_fd(cert_fd, &l.pem);

    if (walked < 0 || (m->chain_len == 0 && !l.full))
        return "--client-cert cannot be read, or is no PEM file";
    l.wants_key = true;
    walked = l.full ? 0 : pem_walk_fd(key_fd, &l.pem);
    if (l.full)
        return "--client-cert is too long; write its chain only, up to 4 certificates";
    if (walked < 0 || l.key.secret.n == 0)
        return "--client-key is no PEM key, or encrypted; run: openssl pkey -in FILE -out NEW";
    if (der_certificate_parse((struct str){ m->chain[0].data, m->chain[0].data_len }, &c) < 0 ||
        c.key == DER_KEY_OTHER || (c.key == DER_KEY_RSA && c.modulus.n < RSA_MIN_LEN))
        return "--client-cert has no key of RSA 2048 to 4096, P-256 or P-384";
    m->modulus = l.key.modulus;
    m->secret = l.key.secret;
    return is_pair(m, &c)
               ? NULL
               : "--client-key does not belong to the first certificate of --client-cert";
}

/* What reading and signing leave behind. */
__attribute__((noinline)) static void wipe_stack(void)
{
    uint8_t stack[STACK_WIPED];

    memset(stack, 0, sizeof stack);
    __asm__ volatile("" : : "r"(stack) : "memory");
}

const char *mtls_load(struct mtls *m, int cert_fd, int key_fd)
{
    const char *problem = load(m, cert_fd, key_fd);

    wipe_stack();
    return problem;
}

/* ---- in the handshake ---- */

/* RFC 5246 section 7.4.1.4.1 */
enum { SHA256 = 4, SHA512 = 6 };

static struct mtls *mtls_of(const br_ssl_client_certificate_class **vtable)
{
    return (struct mtls *)(void *)((char *)vtable - offsetof(struct mtls, vtable));
}

static bool has_rsa(const struct mtls *m)
{
    return m->modulus.n > 0;
}

/* The names of authorities: it has one chain to offer, whatever it is told. */
static void ignore(const br_ssl_client_certificate_class **vtable)
{
    (void)vtable;
}

static void ignore_name(const br_ssl_client_certificate_class **vtable, size_t n)
{
    (void)vtable;
    (void)n;
}

static void ignore_data(const br_ssl_client_certificate_class **vtable, const unsigned char *p,
                        size_t n)
{
    (void)vtable;
    (void)p;
    (void)n;
}

/* The hashes that the server takes are one bit each; those with ECDSA stand above those with RSA.
 */
static void choose(const br_ssl_client_certificate_class **vtable,
                   const br_ssl_client_context *client, uint32_t auth_types,
                   br_ssl_client_certificate *choice)
{
    struct mtls *m = mtls_of(vtable);

    (void)client;
    m->asked = true;
    memset(choice, 0, sizeof *choice);
    if (!has_rsa(m))
        auth_types >>= 8;
    for (int hash = SHA256; hash <= SHA512 && m->chain_len > 0; hash++) {
        if (!(auth_types >> hash & 1))
            continue;
        choice->auth_type = has_rsa(m) ? BR_AUTH_RSA : BR_AUTH_ECDSA;
        choice->hash_id = hash;
        choice->chain = m->chain;
        choice->chain_len = m->chain_len;
        return;
    }
}

/* RFC 8017 section 9.2, in place; the object identifiers are in appendix B.1. */
static size_t sign_rsa(const struct mtls *m, int hash, size_t n, unsigned char *data)
{
    static const unsigned char info[] = { 0x00, 0x30, 0x11, 0x30, 0x0d, 0x06, 0x09,
                                          0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                                          0x02, 0x00, 0x05, 0x00, 0x04, 0x00 };
    br_rsa_public_key key = { (unsigned char *)(uintptr_t)m->modulus.p, m->modulus.n,
                              (unsigned char *)(uintptr_t)m->secret.p, m->secret.n };
    unsigned char *at = data + key.nlen - n - sizeof info;

    memmove(at + sizeof info, data, n);
    memcpy(at, info, sizeof info);
    at[2] = (unsigned char)(at[2] + n);
    at[15] = (unsigned char)(hash - SHA256 + 1);
    at[19] = (unsigned char)n;
    memset(data, 0xff, (size_t)(at - data));
    data[0] = 0;
    data[1] = 1;
    /* A private exponent is an exponent. It costs time in proportion to its length only. */
    return br_rsa_i31_public(data, key.nlen, &key) ? key.nlen : 0;
}

static size_t put_integer(unsigned char *out, const unsigned char *p, size_t n)
{
    size_t sign;

    for (; n > 1 && *p == 0; n--)
        p++;
    sign = *p >> 7;
    out[0] = 0x02;
    out[1] = (unsigned char)(sign + n);
    out[2] = 0;
    memcpy(out + 2 + sign, p, n);
    return 2 + sign + n;
}

/* RFC 3279 section 2.2.3: a sequence of two integers. */
static size_t sign_ec(const struct mtls *m, int hash, unsigned char *data)
{
    static const br_hash_class *const class[] = { &br_sha256_vtable, &br_sha384_vtable,
                                                  &br_sha512_vtable };
    br_ec_private_key key = { m->curve, (unsigned char *)(uintptr_t)m->secret.p, m->secret.n };
    unsigned char raw[POINT_MAX];
    size_t half =
        br_ecdsa_i31_sign_raw(&tls_small_curves, class[hash - SHA256], data, &key, raw) / 2;
    size_t n = 2;

    if (half == 0)
        return 0;
    n += put_integer(data + n, raw, half);
    n += put_integer(data + n, raw + half, half);
    data[0] = 0x30;
    data[1] = (unsigned char)(n - 2);
    return n;
}

__attribute__((noinline)) static size_t sign(const struct mtls *m, int hash, size_t n,
                                             unsigned char *data)
{
    return has_rsa(m) ? sign_rsa(m, hash, n, data) : sign_ec(m, hash, data);
}

/* The buffer has 512 bytes, for any signature. */
static size_t do_sign(const br_ssl_client_certificate_class **vtable, int hash, size_t n,
                      unsigned char *data, size_t cap)
{
    size_t len = sign(mtls_of(vtable), hash, n, data);

    (void)cap;
    wipe_stack();
    return len;
}

void mtls_use(struct mtls *m, br_ssl_client_context *client)
{
    static const br_ssl_client_certificate_class class = {
        sizeof *m, ignore, ignore_name, ignore_data, ignore, ignore, choose, NULL, do_sign,
    };

    m->asked = false;
    m->vtable = &class;
    client->client_auth_vtable = &m->vtable;
}
