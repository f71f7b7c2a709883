#include "net/trust.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "codec/base64.h"
#include "codec/der.h"
#include "codec/san.h"
#include "err.h"
#include "pem.h"
#include "signature.h"
#include "sys/built_in.h"

/* ---- what a certificate says of itself ---- */

/* RFC 5280 section 6.1.4: may it stand above the chain as far as it has come? */
static unsigned look_at_authority(const struct trust_check *c, const struct der_certificate *x)
{
    if (!x->is_ca || !(x->usages & DER_SIGNS_CERTIFICATES) || c->count - 1 > x->path_len)
        return BR_ERR_X509_NOT_CA;
    if (!(x->purposes & c->purpose))
        return TRUST_ERR_PURPOSE;
    if (x->limits.p && !san_allowed(x->limits, c->leaf.names, c->leaf.subject, c->host))
        return TRUST_ERR_LIMITS;
    return x->strange ? BR_ERR_X509_CRITICAL_EXTENSION : 0;
}

static unsigned look_at_time(const struct trust_check *c, const struct der_certificate *x)
{
    if (x->from > c->now)
        return TRUST_ERR_EARLY;
    return x->to < c->now ? BR_ERR_X509_EXPIRED : 0;
}

static unsigned look_at_server(const struct trust_check *c)
{
    const struct der_certificate *x = &c->leaf;

    if (!(x->usages & DER_SIGNS))
        return BR_ERR_X509_FORBIDDEN_KEY_USAGE;
    if (!(x->purposes & c->purpose))
        return TRUST_ERR_PURPOSE;
    if (c->host.n > 0 && !x->names.p)
        return TRUST_ERR_NAMELESS;
    if (c->host.n > 0 && !san_names(x->names, c->host))
        return BR_ERR_X509_BAD_SERVER_NAME;
    return x->strange ? BR_ERR_X509_CRITICAL_EXTENSION : 0;
}

/* ---- authorities ---- */

/* One walk through a file. Without a check, authorities are only counted; with one, those that
 * issue the certificate at the top of its chain are tried. */
struct search {
    size_t found, skipped;
    struct trust_check *check;
};

static void try_anchor(struct trust_check *c, const struct der_certificate *x)
{
    unsigned err;

    if (!str_eq(x->subject, c->top.issuer) || signature_key_err(x) != 0 ||
        !signature_good(c->engine, &c->top, x))
        return;
    err = look_at_authority(c, x);
    c->trusted = err == 0;
    c->complaint = err;
}

static bool take_authority(void *context, const char *label, struct str der)
{
    struct search *s = context;
    struct der_certificate x;

    if (!pem_is_certificate(label))
        return true;
    if (der_certificate_parse(der, &x) < 0 || x.key == DER_KEY_OTHER || !x.is_ca)
        s->skipped++;
    else if (!s->check)
        s->found++;
    else
        try_anchor(s->check, &x);
    return !s->check || !s->check->trusted;
}

int trust_add_file(struct trust *t, const char *path)
{
    uint8_t data[TRUST_DATA_MAX];
    struct search s = { .check = NULL };
    struct pem_reader pem = { data, sizeof data, take_authority, &s };
    int fd;

    if (t->path_count == TRUST_FILES_MAX)
        return ERR_LIMIT;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    /* Whose errno stays. */
    if (fd < 0)
        return ERR_FILE;
    if (pem_walk_fd(fd, &pem) < 0 || s.found == 0) {
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

void trust_drop(struct trust *t)
{
    for (size_t i = 0; i < t->path_count; i++)
        close(t->fd[i]);
    memset(t, 0, sizeof *t);
}

size_t trust_add_builtin(struct trust *t)
{
    t->builtin = true;
    t->anchor_count += built_in_ca_count;
    return built_in_ca_count;
}

int trust_add_pin(struct trust *t, struct str text)
{
    struct base64 decoder = { 0 };
    uint8_t hash[64];

    if (t->pin_count == TRUST_PINS_MAX)
        return ERR_LIMIT;
    if (!str_take(&text, STR("sha256:")) || text.n > sizeof hash ||
        base64_decode(&decoder, text.p, text.n, hash) != sizeof t->pin[0] ||
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

/* A file that has become unreadable has no authorities: the chain is not trusted then. Behind the
 * chain there is room for one. */
static void search_file(struct trust_check *c, const char *path, int fd)
{
    struct search s = { .check = c };
    struct pem_reader pem = { c->data + c->len, sizeof c->data - c->len, take_authority, &s };
    int now = open(path, O_RDONLY | O_CLOEXEC);

    (void)pem_walk_fd(now < 0 ? fd : now, &pem);
    if (now >= 0)
        close(now);
}

/* Is there an authority that issues the top of the chain? */
static bool has_anchor(struct trust_check *c)
{
    struct der_certificate x;

    c->trusted = false;
    for (size_t i = 0; i < built_in_ca_count && c->trust->builtin && !c->trusted; i++) {
        if (der_certificate_parse(built_in_ca[i], &x) == 0)
            try_anchor(c, &x);
    }
    for (size_t i = 0; i < c->trust->path_count && !c->trusted; i++)
        search_file(c, c->trust->path[i], c->trust->fd[i]);
    return c->trusted;
}

static bool is_pinned(const struct trust *t, const struct der_certificate *leaf)
{
    br_sha256_context sha256;
    uint8_t hash[32];
    bool found = t->pin_count == 0;

    br_sha256_init(&sha256);
    br_sha256_update(&sha256, leaf->key_info.p, leaf->key_info.n);
    br_sha256_out(&sha256, hash);
    for (size_t i = 0; i < t->pin_count; i++)
        found = found || memcmp(hash, t->pin[i], sizeof hash) == 0;
    return found;
}

static unsigned take_leaf(struct trust_check *c)
{
    unsigned err;

    c->leaf = c->top;
    c->key = signature_key(&c->leaf);
    err = signature_key_err(&c->leaf);
    if (!is_pinned(c->trust, &c->leaf))
        err = TRUST_ERR_PIN;
    if (trust_by_pin_alone(c->trust)) {
        c->trusted = err == 0;
        return err;
    }
    if (c->leaf.from > c->now && c->known > c->now)
        c->now = c->known;
    if (look_at_time(c, &c->leaf) != 0)
        return look_at_time(c, &c->leaf);
    return err != 0 ? err : look_at_server(c);
}

/* The certificate above the top, which `below` was. */
static unsigned take_issuer(struct trust_check *c, const struct der_certificate *below)
{
    unsigned err = look_at_time(c, &c->top);

    if (err != 0)
        return err;
    if (!str_eq(c->top.subject, below->issuer))
        return BR_ERR_X509_DN_MISMATCH;
    err = signature_key_err(&c->top);
    if (err != 0)
        return err;
    if (below->signer == DER_KEY_OTHER)
        return BR_ERR_X509_UNSUPPORTED;
    return signature_good(c->engine, below, &c->top) ? look_at_authority(c, &c->top)
                                                     : BR_ERR_X509_BAD_SIGNATURE;
}

/* A certificate is complete. */
static unsigned take(struct trust_check *c, struct str der)
{
    struct der_certificate below = c->top;
    unsigned err;

    if (der_certificate_parse(der, &c->top) < 0)
        return BR_ERR_X509_INVALID_VALUE;
    if (c->count == 0 || c->top.to < c->until)
        c->until = c->top.to;
    err = c->count == 0 ? take_leaf(c) : take_issuer(c, &below);
    c->count++;
    if (err != 0 || c->trusted)
        return err;
    if (c->top.signer == DER_KEY_OTHER)
        return BR_ERR_X509_UNSUPPORTED;
    (void)has_anchor(c);
    return 0;
}

/* ---- as BearSSL calls it ---- */

static struct trust_check *check_of(const br_x509_class **vtable)
{
    return (struct trust_check *)(void *)vtable;
}

static void start_chain(const br_x509_class **vtable, const char *server_name)
{
    struct trust_check *c = check_of(vtable);

    (void)server_name;
    c->used = true;
    c->trusted = false;
    c->err = c->complaint = 0;
    c->count = c->len = 0;
}

static void start_cert(const br_x509_class **vtable, uint32_t length)
{
    struct trust_check *c = check_of(vtable);

    (void)length;
    c->from = c->len;
}

/* Once it is decided, what follows does not matter. */
static bool is_decided(const struct trust_check *c)
{
    return c->trusted || c->err != 0;
}

static void append(const br_x509_class **vtable, const unsigned char *p, size_t n)
{
    struct trust_check *c = check_of(vtable);

    if (is_decided(c))
        return;
    if (n > TRUST_CHAIN_MAX - c->len) {
        c->err = TRUST_ERR_SIZE;
        return;
    }
    memcpy(c->data + c->len, p, n);
    c->len += n;
}

static void end_cert(const br_x509_class **vtable)
{
    struct trust_check *c = check_of(vtable);

    if (!is_decided(c))
        c->err = take(c, (struct str){ c->data + c->from, c->len - c->from });
}

static unsigned end_chain(const br_x509_class **vtable)
{
    struct trust_check *c = check_of(vtable);

    c->accepted = c->trusted;
    c->since = c->now;
    if (c->accepted)
        return 0;
    if (c->err == 0)
        c->err = c->complaint;
    return c->err != 0 ? c->err : BR_ERR_X509_NOT_TRUSTED;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *vtable, unsigned *usages)
{
    const struct trust_check *c = (const struct trust_check *)(const void *)vtable;

    if (usages)
        *usages = BR_KEYTYPE_SIGN;
    return c->accepted ? &c->key : NULL;
}

static const br_x509_class check_class = {
    sizeof(struct trust_check), start_chain, start_cert, append, end_cert, end_chain, get_pkey,
};

void trust_check_init(struct trust_check *c, const struct trust *trust,
                      br_ssl_engine_context *engine, enum der_purpose purpose, struct str host,
                      const struct trust_clock *clock)
{
    c->vtable = &check_class;
    c->used = c->accepted = false;
    c->trust = trust;
    c->engine = engine;
    c->purpose = purpose;
    c->host = host;
    c->known = clock->known;
    c->now = clock->now;
    if (clock->now < clock->built)
        c->now = clock->known > clock->built ? clock->known : clock->built;
    br_ssl_engine_set_x509(engine, &c->vtable);
}

bool trust_holds(struct trust_check *c)
{
    if (!c->trusted || c->now < c->since || c->now - c->since > TRUST_RESUME_S ||
        !is_pinned(c->trust, &c->leaf))
        return false;
    return trust_by_pin_alone(c->trust) || (c->now <= c->until && has_anchor(c));
}
