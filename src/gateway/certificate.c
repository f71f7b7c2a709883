#include "certificate.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/der.h"
#include "codec/san.h"
#include "codec/uri.h"
#include "err.h"
#include "sys/clock.h"
#include "sys/fmt.h"
#include "sys/log.h"

/* What everybody may do. The gateway's group may read: often that is how it can. */
#define MODE_EVERYBODY 07

static int fail(const char *what, const char *path, const char *advice)
{
    log_begin(LOG_ERROR);
    log_text(what);
    log_text(path);
    log_text(advice);
    log_end();
    return ERR_FILE;
}

static int check_key(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    bool known = fstat(fd, &status) == 0;

    if (fd >= 0)
        close(fd);
    if (known && (status.st_mode & MODE_EVERYBODY))
        return fail("--key can be read by everybody; run: chmod o= ", path, "");
    return 0;
}

static void warn(const struct config *c, const char *what)
{
    log_begin(LOG_WARN);
    log_text("the certificate of --cert ");
    log_text(c->cert);
    log_text(what);
    log_end();
}

/* Of the chain's certificates, the one of this index. */
static void check_time(const struct config *c, const struct der_certificate *x, bool first)
{
    int64_t now = clock_unix();

    if (x->to < now)
        warn(c, first ? " has expired: renew it"
                      : " has one above it that has expired: renew the chain");
    else if (x->from > now)
        warn(c, first ? " is not valid yet: is this machine's clock right?"
                      : " has one above it that is not valid yet: is this machine's clock right?");
}

static void check_names(const struct config *c, const struct der_certificate *x)
{
    uint8_t host[HOST_MAX + 2] = "x.";
    struct str domain = c->domain;

    memcpy(host + 2, domain.p, domain.n);
    if (!x->names.p || !san_names(x->names, domain))
        warn(c, " does not cover the domain: agents refuse it, or need --server-name or --pin");
    if (!x->names.p || !san_names(x->names, (struct str){ host, 2 + domain.n }))
        warn(c, " does not cover *.DOMAIN: browsers refuse it");
}

static void check_chain(const struct config *c, const struct tls_identity *id)
{
    struct der_certificate x;

    for (size_t i = 0; i < id->chain_len; i++) {
        struct str der = { id->chain[i].data, id->chain[i].data_len };

        if (der_certificate_parse(der, &x) < 0) {
            warn(c, " is malformed, or one above it is: agents may refuse it");
            return;
        }
        check_time(c, &x, i == 0);
        if (i > 0)
            continue;
        check_names(c, &x);
        if (!(x.usages & DER_SIGNS) || !(x.purposes & DER_SERVER))
            warn(c, " is not a server's: it needs digitalSignature and serverAuth");
    }
}

int certificate_load(const struct config *c, struct tls_identity *identity)
{
    int err = check_key(c->key);

    if (err == 0 && tls_identity_load(identity, c->cert, c->key) < 0)
        err = fail(identity->problem, "", "");
    if (err == 0)
        check_chain(c, identity);
    return err;
}
