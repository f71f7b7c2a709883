#include "trust.h"

#include <string.h>

#include "der.h"
#include "err.h"
#include "pem.h"

/* RSA keys below 2048 bits are refused. */
#define RSA_MIN_LEN (2048 / 8)

/* ---- authorities of a file ---- */

/* One walk through a file: certificates are gathered at the end of `data`. Without a check they are
 * only counted; with one, the authorities of the name that it asks for stay. */
struct search {
    unsigned char *data;
    size_t cap, kept; /* kept: what belongs to anchors */
    size_t len;       /* of the certificate at hand; beyond the room: too long */
    bool is_certificate;
    size_t found, skipped;
    struct trust_check *check;
};

static void on_begin(void *context, const char *name)
{
    struct search *s = context;

    s->is_certificate = pem_is_certificate(name);
    s->len = 0;
}

static void on_data(void *context, const void *der, size_t n)
{
    struct search *s = context;
    size_t room = s->cap - s->kept;

    if (!s->is_certificate)
        return;
    if (s->len <= room && n <= room - s->len)
        memcpy(s->data + s->kept + s->len, der, n);
    s->len += n;
}

/* Does the certificate at hand issue the one that is being validated? */
static bool is_wanted(const struct search *s, struct str subject)
{
    unsigned char hash[br_sha256_SIZE];
    br_sha256_context sha256;

    br_sha256_init(&sha256);
    br_sha256_update(&sha256, subject.p, subject.n);
    br_sha256_out(&sha256, hash);
    return memcmp(hash, s->check->minimal.saved_dn_hash, sizeof hash) == 0;
}

static unsigned char *of(struct str s)
{
    return (unsigned char *)(uintptr_t)s.p;
}

/* The certificate at hand becomes the next anchor, whose name and key lie in it. */
static void keep(struct search *s, const struct der_certificate *c)
{
    br_x509_trust_anchor *anchor = &s->check->anchor[s->found++];
    br_x509_pkey *key = &anchor->pkey;

    anchor->dn.data = of(c->subject);
    anchor->dn.len = c->subject.n;
    if (c->key == DER_KEY_RSA) {
        key->key_type = BR_KEYTYPE_RSA;
        key->key.rsa = (br_rsa_public_key){ of(c->modulus), c->modulus.n, of(c->exponent),
                                            c->exponent.n };
    } else {
        key->key_type = BR_KEYTYPE_EC;
        key->key.ec = (br_ec_public_key){ (int)c->curve, of(c->point), c->point.n };
    }
    s->kept += s->len;
}

static bool on_end(void *context)
{
    struct search *s = context;
    struct str der = { s->data + s->kept, s->len };
    struct der_certificate c;

    if (!s->is_certificate)
        return true;
    if (s->len > s->cap - s->kept || der_certificate_parse(der, &c) < 0 ||
        c.key == DER_KEY_OTHER || !c.is_ca)
        s->skipped++;
    else if (!s->check)
        s->found++;
    else if (is_wanted(s, c.subject))
        keep(s, &c);
    return !s->check || s->found < TRUST_ANCHORS_MAX;
}

static const struct pem_visitor search_visitor = { on_begin, on_data, on_end };

int trust_add_file(struct trust *t, const char *path)
{
    unsigned char data[TRUST_DATA_MAX];
    struct search s = { .data = data, .cap = sizeof data };
    int result;

    if (t->path_count == TRUST_FILES_MAX)
        return ERR_WIRE_SIZE;
    result = pem_walk(path, &search_visitor, &s);
    t->skipped += s.skipped;
    if (result < 0 || s.found == 0)
        return ERR_FILE;
    t->path[t->path_count++] = path;
    t->anchor_count += s.found;
    return (int)s.found;
}

/* ---- validation ---- */

/* An anchor with an empty name is the issuer of nothing. */
static void forget_anchors(struct trust_check *c)
{
    memset(c->anchor, 0, sizeof c->anchor);
    for (size_t i = 0; i < TRUST_ANCHORS_MAX; i++)
        c->anchor[i].flags = BR_X509_TA_CA;
}

static void fetch_anchors(struct trust_check *c)
{
    struct search s = { .data = c->data, .cap = sizeof c->data, .check = c };

    forget_anchors(c);
    /* A file that has become unreadable has no authorities: the chain is not trusted then. */
    for (size_t i = 0; i < c->trust->path_count && s.found < TRUST_ANCHORS_MAX; i++)
        (void)pem_walk(c->trust->path[i], &search_visitor, &s);
}

static struct trust_check *check_of(const br_x509_class **vtable)
{
    return (struct trust_check *)(void *)vtable;
}

static void start_chain(const br_x509_class **vtable, const char *server_name)
{
    struct trust_check *c = check_of(vtable);

    forget_anchors(c);
    c->minimal.vtable->start_chain(&c->minimal.vtable, server_name);
}

static void start_cert(const br_x509_class **vtable, uint32_t length)
{
    struct trust_check *c = check_of(vtable);

    c->left = length;
    c->minimal.vtable->start_cert(&c->minimal.vtable, length);
}

/*
 * x509_minimal looks for the issuer among its anchors with the last byte of a certificate, long
 * after it has hashed the issuer's name: the anchors are fetched just before that byte.
 */
static void append(const br_x509_class **vtable, const unsigned char *p, size_t n)
{
    struct trust_check *c = check_of(vtable);

    if (n == 0)
        return;
    if (n >= c->left && c->minimal.err == 0) {
        c->minimal.vtable->append(&c->minimal.vtable, p, n - 1);
        p += n - 1;
        n = 1;
        if (c->minimal.err == 0)
            fetch_anchors(c);
    }
    c->left = n < c->left ? c->left - (uint32_t)n : 0;
    c->minimal.vtable->append(&c->minimal.vtable, p, n);
}

static void end_cert(const br_x509_class **vtable)
{
    struct trust_check *c = check_of(vtable);

    c->minimal.vtable->end_cert(&c->minimal.vtable);
}

static unsigned end_chain(const br_x509_class **vtable)
{
    struct trust_check *c = check_of(vtable);

    return c->minimal.vtable->end_chain(&c->minimal.vtable);
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *vtable, unsigned *usages)
{
    const struct trust_check *c = (const struct trust_check *)(const void *)vtable;

    return c->minimal.vtable->get_pkey(&c->minimal.vtable, usages);
}

static const br_x509_class check_class = {
    sizeof(struct trust_check), start_chain, start_cert, append, end_cert, end_chain, get_pkey,
};

void trust_check_init(struct trust_check *c, const struct trust *trust,
                      br_ssl_engine_context *engine, int64_t unix_now)
{
    uint32_t days, seconds;

    c->vtable = &check_class;
    c->trust = trust;
    c->left = 0;
    br_x509_minimal_init(&c->minimal, &br_sha256_vtable, c->anchor, TRUST_ANCHORS_MAX);
    br_x509_minimal_set_rsa(&c->minimal, br_ssl_engine_get_rsavrfy(engine));
    br_x509_minimal_set_ecdsa(&c->minimal, br_ssl_engine_get_ec(engine),
                              br_ssl_engine_get_ecdsa(engine));
    /* No SHA-1, no MD5: a signature with a hash that is not here fails. */
    br_x509_minimal_set_hash(&c->minimal, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_hash(&c->minimal, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(&c->minimal, br_sha512_ID, &br_sha512_vtable);
    br_x509_minimal_set_minrsa(&c->minimal, RSA_MIN_LEN);
    trust_days(unix_now, &days, &seconds);
    br_x509_minimal_set_time(&c->minimal, days, seconds);
    forget_anchors(c);
}

void trust_days(int64_t unix_seconds, uint32_t *days, uint32_t *seconds)
{
    if (unix_seconds < 0)
        unix_seconds = 0;
    /* 86400 is 128 * 675: no 64-bit division, which a 32-bit machine has as a library function. */
    *days = (uint32_t)(unix_seconds >> 7) / 675;
    *seconds = (uint32_t)(unix_seconds - (int64_t)*days * 86400);
    /* BearSSL counts days from January 1st, year 0. */
    *days += 719528;
}
