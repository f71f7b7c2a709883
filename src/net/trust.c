#include "trust.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "built_in.h"
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
    int fd;

    if (t->path_count == TRUST_FILES_MAX)
        return ERR_WIRE_SIZE;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (pem_walk_fd(fd, &search_visitor, &s) < 0 || s.found == 0) {
        if (fd >= 0)
            close(fd);
        t->skipped += s.skipped;
        return ERR_FILE;
    }
    t->skipped += s.skipped;
    t->path[t->path_count] = path;
    t->fd[t->path_count++] = fd;
    t->anchor_count += s.found;
    return (int)s.found;
}

size_t trust_add_builtin(struct trust *t)
{
    t->builtin = true;
    t->anchor_count += built_in_ca_count;
    return built_in_ca_count;
}

int trust_add_pin(struct trust *t, struct str text)
{
    const struct str head = STR("sha256:");
    struct base64 decoder = { 0 };
    uint8_t hash[64];

    if (t->pin_count == TRUST_PINS_MAX)
        return ERR_WIRE_SIZE;
    if (text.n <= head.n || text.n - head.n > sizeof hash ||
        !str_eq((struct str){ text.p, head.n }, head) ||
        base64_decode(&decoder, text.p + head.n, text.n - head.n, hash) != sizeof t->pin[0] ||
        !base64_ends(&decoder))
        return ERR_BASE64;
    memcpy(t->pin[t->pin_count++], hash, sizeof t->pin[0]);
    return 0;
}

bool trust_by_pin_alone(const struct trust *t)
{
    return t->pin_count > 0 && t->anchor_count == 0;
}

/* ---- validation ---- */

/* An anchor with an empty name is the issuer of nothing. */
static void forget_anchors(struct trust_check *c)
{
    memset(c->anchor, 0, sizeof c->anchor);
    for (size_t i = 0; i < TRUST_ANCHORS_MAX; i++)
        c->anchor[i].flags = BR_X509_TA_CA;
}

static void search_builtin(struct search *s)
{
    struct der_certificate c;

    for (size_t i = 0; i < built_in_ca_count && s->found < TRUST_ANCHORS_MAX; i++) {
        if (der_certificate_parse(built_in_ca[i], &c) == 0 && is_wanted(s, c.subject))
            keep(s, &c);
    }
}

/* A file that has become unreadable has no authorities: the chain is not trusted then. */
static void search_file(struct search *s, const char *path, int fd)
{
    int now = open(path, O_RDONLY | O_CLOEXEC);

    (void)pem_walk_fd(now < 0 ? fd : now, &search_visitor, s);
    if (now >= 0)
        close(now);
}

static void fetch_anchors(struct trust_check *c)
{
    struct search s = { .data = c->data, .cap = sizeof c->data, .check = c };

    forget_anchors(c);
    if (c->trust->builtin)
        search_builtin(&s);
    s.len = 0;
    for (size_t i = 0; i < c->trust->path_count && s.found < TRUST_ANCHORS_MAX; i++)
        search_file(&s, c->trust->path[i], c->trust->fd[i]);
}

static struct trust_check *check_of(const br_x509_class **vtable)
{
    return (struct trust_check *)(void *)vtable;
}

static void set_time(struct trust_check *c, int64_t now)
{
    uint32_t days, seconds;

    c->now = now;
    trust_days(now, &days, &seconds);
    br_x509_minimal_set_time(&c->minimal, days, seconds);
}

static void start_chain(const br_x509_class **vtable, const char *server_name)
{
    struct trust_check *c = check_of(vtable);

    forget_anchors(c);
    c->used = true;
    c->minimal.vtable->start_chain(&c->minimal.vtable, trust_by_pin_alone(c->trust) ? NULL : server_name);
}

static void start_cert(const br_x509_class **vtable, uint32_t length)
{
    struct trust_check *c = check_of(vtable);

    c->number++;
    c->left = length;
    if (c->number == 1 || !trust_by_pin_alone(c->trust))
        c->minimal.vtable->start_cert(&c->minimal.vtable, length);
}

/* BearSSL compares a certificate's first second with the time when it has read the last byte of
 * it, which it gets after this. */
static void look_at_leaf(struct trust_check *c, const unsigned char *p, size_t n)
{
    bool before = c->leaf.step <= LEAF_FROM;
    struct str key = leaf_feed(&c->leaf, p, n);

    br_sha256_update(&c->key_hash, key.p, key.n);
    if (!before || c->leaf.step <= LEAF_FROM || c->leaf.step == LEAF_BAD)
        return;
    if (trust_by_pin_alone(c->trust))
        set_time(c, c->leaf.from);
    else if (c->leaf.from > c->now && c->known > c->now)
        set_time(c, c->known);
}

/*
 * x509_minimal looks for the issuer among its anchors with the last byte of a certificate, long
 * after it has hashed the issuer's name: the anchors are fetched just before that byte.
 */
static void append(const br_x509_class **vtable, const unsigned char *p, size_t n)
{
    struct trust_check *c = check_of(vtable);

    if (n == 0 || (c->number > 1 && trust_by_pin_alone(c->trust)))
        return;
    if (c->number == 1)
        look_at_leaf(c, p, n);
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

static void compare_pins(struct trust_check *c)
{
    uint8_t hash[32];

    br_sha256_out(&c->key_hash, hash);
    for (size_t i = 0; i < c->trust->pin_count && c->leaf.step == LEAF_DONE; i++)
        c->pinned = c->pinned || memcmp(hash, c->trust->pin[i], sizeof hash) == 0;
}

static void end_cert(const br_x509_class **vtable)
{
    struct trust_check *c = check_of(vtable);

    if (c->number == 1)
        compare_pins(c);
    if (c->number == 1 || !trust_by_pin_alone(c->trust))
        c->minimal.vtable->end_cert(&c->minimal.vtable);
}

static unsigned end_chain(const br_x509_class **vtable)
{
    struct trust_check *c = check_of(vtable);
    unsigned err = c->minimal.vtable->end_chain(&c->minimal.vtable);

    if (err == BR_ERR_X509_NOT_TRUSTED && trust_by_pin_alone(c->trust))
        err = 0;
    if (err == 0 && c->trust->pin_count > 0 && !c->pinned)
        err = TRUST_ERR_PIN;
    if (err == BR_ERR_X509_EXPIRED && c->leaf.from > c->now)
        err = TRUST_ERR_EARLY;
    c->accepted = err == 0;
    return err;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *vtable, unsigned *usages)
{
    const struct trust_check *c = (const struct trust_check *)(const void *)vtable;

    return c->accepted ? c->minimal.vtable->get_pkey(&c->minimal.vtable, usages) : NULL;
}

static const br_x509_class check_class = {
    sizeof(struct trust_check), start_chain, start_cert, append, end_cert, end_chain, get_pkey,
};

void trust_check_init(struct trust_check *c, const struct trust *trust,
                      br_ssl_engine_context *engine, const struct trust_clock *clock)
{
    int64_t floor = clock->known > clock->built ? clock->known : clock->built;

    memset(c, 0, offsetof(struct trust_check, minimal));
    c->vtable = &check_class;
    c->trust = trust;
    c->known = clock->known;
    c->left = 0;
    br_sha256_init(&c->key_hash);
    br_x509_minimal_init(&c->minimal, &br_sha256_vtable, c->anchor, TRUST_ANCHORS_MAX);
    br_x509_minimal_set_rsa(&c->minimal, br_ssl_engine_get_rsavrfy(engine));
    br_x509_minimal_set_ecdsa(&c->minimal, br_ssl_engine_get_ec(engine),
                              br_ssl_engine_get_ecdsa(engine));
    /* No SHA-1, no MD5: a signature with a hash that is not here fails. */
    br_x509_minimal_set_hash(&c->minimal, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_hash(&c->minimal, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(&c->minimal, br_sha512_ID, &br_sha512_vtable);
    br_x509_minimal_set_minrsa(&c->minimal, RSA_MIN_LEN);
    set_time(c, clock->now < clock->built ? floor : clock->now);
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
