#include "trust.h"

#include <string.h>

#include "err.h"
#include "pem.h"

#define DN_HASH_LEN br_sha256_SIZE
/* RSA keys below 2048 bits are refused. */
#define RSA_MIN_LEN (2048 / 8)

/* ---- authorities of a file ---- */

/* One walk through a file. Without a check it only counts; with one it keeps the authorities of
 * the name that the check asks for. */
struct search {
    br_x509_decoder_context decoder;
    br_sha256_context dn_hash;
    bool is_certificate;
    size_t found, skipped;
    struct trust_check *check;
    size_t dn_len;
    bool dn_cut;
    size_t data_len; /* of what is kept in check->data */
};

static void on_name(void *context, const void *p, size_t n)
{
    struct search *s = context;
    size_t room;

    br_sha256_update(&s->dn_hash, p, n);
    if (!s->check)
        return;
    room = sizeof s->check->data - s->data_len - s->dn_len;
    if (n > room) {
        s->dn_cut = true;
        return;
    }
    memcpy(s->check->data + s->data_len + s->dn_len, p, n);
    s->dn_len += n;
}

static void on_begin(void *context, const char *name)
{
    struct search *s = context;

    s->is_certificate = pem_is_certificate(name);
    if (!s->is_certificate)
        return;
    s->dn_len = 0;
    s->dn_cut = false;
    br_sha256_init(&s->dn_hash);
    br_x509_decoder_init(&s->decoder, on_name, s);
}

static void on_data(void *context, const void *der, size_t n)
{
    struct search *s = context;

    if (s->is_certificate)
        br_x509_decoder_push(&s->decoder, der, n);
}

static unsigned char *store(struct search *s, const unsigned char *p, size_t n)
{
    unsigned char *at = s->check->data + s->data_len;

    memcpy(at, p, n);
    s->data_len += n;
    return at;
}

static size_t key_len(const br_x509_pkey *key)
{
    return key->key_type == BR_KEYTYPE_RSA ? key->key.rsa.nlen + key->key.rsa.elen
                                           : key->key.ec.qlen;
}

/* The authority at hand becomes the next anchor, if there is room. */
static void keep(struct search *s, const br_x509_pkey *key)
{
    struct trust_check *c = s->check;
    br_x509_trust_anchor *anchor = &c->anchor[s->found];

    if (s->dn_cut || key_len(key) > sizeof c->data - s->data_len - s->dn_len)
        return;
    anchor->dn.data = c->data + s->data_len;
    anchor->dn.len = s->dn_len;
    s->data_len += s->dn_len;
    anchor->pkey = *key;
    if (key->key_type == BR_KEYTYPE_RSA) {
        anchor->pkey.key.rsa.n = store(s, key->key.rsa.n, key->key.rsa.nlen);
        anchor->pkey.key.rsa.e = store(s, key->key.rsa.e, key->key.rsa.elen);
    } else {
        anchor->pkey.key.ec.q = store(s, key->key.ec.q, key->key.ec.qlen);
    }
    s->found++;
}

static bool is_wanted(struct search *s)
{
    unsigned char hash[DN_HASH_LEN];

    br_sha256_out(&s->dn_hash, hash);
    /* The hash of the issuer's name of the certificate that is being validated. */
    return memcmp(hash, s->check->minimal.saved_dn_hash, sizeof hash) == 0;
}

static bool on_end(void *context)
{
    struct search *s = context;
    const br_x509_pkey *key;

    if (!s->is_certificate)
        return true;
    key = br_x509_decoder_get_pkey(&s->decoder);
    if (!key || !br_x509_decoder_isCA(&s->decoder))
        s->skipped++;
    else if (!s->check)
        s->found++;
    else if (is_wanted(s))
        keep(s, key);
    return !s->check || s->found < TRUST_ANCHORS_MAX;
}

static const struct pem_visitor search_visitor = { on_begin, on_data, on_end };

int trust_add_file(struct trust *t, const char *path)
{
    struct search s = { .found = 0 };
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
    struct search s = { .check = c };

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
