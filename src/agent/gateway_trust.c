#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "sys/built_in.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

/* The state file is written at most once per day of server time: flash wears out. */
#define KEEP_INTERVAL_S 86400
/* And for another address of the gateway at most once an hour: some have many, in turn. */
#define KEEP_NEWS_MS 3600000
/* What is flashed and forgotten may run this long. A later time is a damaged file's, or that of a
 * gateway whose clock is wrong. */
#define LIFE_YEARS 30
#define YEAR_S 31622400
/* A gateway's word moves the time known by this much at most. */
#define STEP_MAX_S YEAR_S

/* Where systems keep their CA bundle: Debian and OpenWrt, Fedora, BusyBox images, FreeBSD. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
};

/* ---- the floor of the clock ---- */

static bool is_possible(int64_t time)
{
    return time <= built_in_time + (int64_t)LIFE_YEARS * YEAR_S;
}

/* 0 for what cannot be a time: a damaged file must not keep the device away for ever. A time before
 * the program's is of an older program, and counts for nothing anyway. */
static int64_t read_floor(struct agent *a)
{
    int64_t kept = state_read(a);

    if (kept >= 0 && is_possible(kept))
        return kept;
    log_form(LOG_WARN, "--state %s holds no time that can be, and is ignored", a->config.state);
    return 0;
}

/* True when the floor has moved. */
static bool learn_time(struct agent *a, int64_t server_time)
{
    const struct trust_check *check = &a->tls.check;

    /* Only from a server whose certificate was checked in this connection, not beyond its end, and
     * not far beyond what is known: a gateway with a wrong clock must not keep its agents away. */
    if (!a->uri.tls || !check->accepted || server_time > check->until || !is_possible(server_time))
        return false;
    if (server_time > check->now + STEP_MAX_S)
        server_time = check->now + STEP_MAX_S;
    if (server_time <= a->floor)
        return false;
    a->floor = server_time;
    return true;
}

void gateway_trust_learn(struct agent *a, int64_t server_time)
{
    bool news = resolver_mark(&a->dial.resolver, &a->dial.peer,
                              a->uri.tls ? DNS_CACHE_PROVEN : DNS_CACHE_GOOD);
    bool moved = learn_time(a, server_time);

    if (a->config.state == NULL)
        return;
    if (!(news && a->loop.now >= a->state_next) &&
        !(moved && a->floor - a->floor_kept >= KEEP_INTERVAL_S))
        return;
    a->floor_kept = a->floor;
    a->state_next = a->loop.now + KEEP_NEWS_MS;
    state_write(a, a->floor);
}

/* ---- trust ---- */

static int add_pins(struct agent *a)
{
    for (size_t i = 0; i < CONFIG_PINS_MAX && a->config.pin[i] != NULL; i++) {
        if (trust_add_pin(&a->trust, str_of(a->config.pin[i])) < 0)
            return options_error("--pin: write sha256: and a key's hash, 44 characters of base64");
    }
    return 0;
}

static int add_authorities(struct agent *a)
{
    errno = 0;
    if (a->config.ca != NULL)
        return trust_add_file(&a->trust, a->config.ca) >= 0 ? 0
               : options_file_error("--ca", a->config.ca, errno ? file_why() : "no CA in PEM form");
    if (a->trust.pin_count > 0 || trust_add_builtin(&a->trust) > 0)
        return 0;
    for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
        if (trust_add_file(&a->trust, bundles[i]) >= 0)
            return 0;
    }
    return options_error("this system has no CA bundle; write --ca FILE or --pin sha256:HASH");
}

#ifdef ADIT_MTLS
static int load_own(struct agent *a)
{
    const char *cert = a->config.client_cert, *key = a->config.client_key;
    const char *problem;
    int cert_fd, key_fd;

    if (cert == NULL && key == NULL)
        return 0;
    if (cert == NULL || key == NULL)
        return options_error("--client-cert and --client-key go together; write both");
    key_fd = open(key, O_RDONLY | O_CLOEXEC);
    problem = token_file_problem(key_fd);
    if (problem != NULL)
        return options_file_error("--client-key", key, problem);
    cert_fd = open(cert, O_RDONLY | O_CLOEXEC);
    problem = mtls_load(&a->mtls, cert_fd, key_fd);
    close(cert_fd);
    close(key_fd);
    return problem ? options_error(problem) : 0;
}

static void use_own(struct agent *a)
{
    mtls_use(&a->mtls, &a->tls.client);
}

const char *gateway_trust_hint(const struct agent *a)
{
    if (!a->mtls.asked)
        return "";
    return a->mtls.chain_len == 0
               ? "; the gateway asks for a certificate: use --client-cert"
               : "; check the authority and the dates of --client-cert";
}
#else
static int load_own(struct agent *a)
{
    (void)a;
    return 0;
}

static void use_own(struct agent *a)
{
    (void)a;
}

const char *gateway_trust_hint(const struct agent *a)
{
    (void)a;
    return "";
}
#endif

int gateway_trust_init(struct agent *a)
{
    int err;

    if (!a->target.any_tls)
        return 0;
    a->floor = built_in_time;
    if (a->config.state != NULL) {
        a->floor_kept = read_floor(a);
        if (a->floor_kept > a->floor)
            a->floor = a->floor_kept;
    }
    err = load_own(a);
    if (err == 0)
        err = add_pins(a);
    return err < 0 ? err : add_authorities(a);
}

/* ---- one connection ---- */

/* --server-name is for the gateways that --url names, and for addresses, which have no name. */
static struct str server_name(const struct agent *a)
{
    if (a->config.server_name != NULL &&
        (a->uri.literal || str_ieq(a->uri.host, a->target.uri[a->homes.at].host)))
        return str_of(a->config.server_name);
    return a->uri.host;
}

int gateway_trust_start(struct agent *a)
{
    struct trust_clock clock = { clock_unix(), built_in_time, a->floor };
    uint8_t seed[32];
    int err;

    if (clock.now < clock.built && !a->told_clock) {
        log_line(LOG_WARN,
                 "the clock is not set: certificates are checked as of the last time known");
        a->told_clock = true;
    }
    if (entropy_get(seed, sizeof seed) <= 0)
        return ERR_SYS;
    a->tls.peer = a->homes.visiting ? 0 : 1 + a->homes.at;
    err = tls_client_start(&a->tls, &a->trust, server_name(a), &clock, seed);
    explicit_bzero(seed, sizeof seed);
    use_own(a);
    return err;
}

void gateway_trust_done(struct agent *a)
{
    tls_client_keep(&a->tls);
    if (!a->tls.check.used)
        log_line(LOG_DEBUG, "TLS session resumed");
}

static bool is_alert(int tls_err)
{
    return tls_err >= BR_ERR_RECV_FATAL_ALERT && tls_err < BR_ERR_SEND_FATAL_ALERT;
}

/* Of a certificate that was judged by the time known, not by the clock. */
static void log_floor(const struct agent *a)
{
    if (a->tls.check.now != a->floor || a->floor == built_in_time)
        return;
    log_text("; it was judged by the last time that a gateway told");
    if (a->config.state == NULL)
        return;
    log_text(" (--state ");
    log_text(a->config.state);
    log_text(": remove the file if it is wrong)");
}

void gateway_trust_log(const struct agent *a, int tls_err)
{
    if (*gateway_trust_hint(a) && is_alert(tls_err)) {
        log_text("the gateway refuses this agent");
        return;
    }
    if (tls_err != BR_ERR_X509_NOT_TRUSTED) {
        log_text(tls_error_text(tls_err));
        if (tls_err == BR_ERR_X509_EXPIRED || tls_err == TRUST_ERR_EARLY)
            log_floor(a);
        return;
    }
    log_text("certificate chain does not end in a trusted CA (");
    if (a->trust.path_count > 0) {
        log_text("file ");
        log_str(str_of(a->trust.path[0]));
    } else {
        log_text("this program");
    }
    log_text(" has ");
    log_u64(a->trust.anchor_count);
    log_text(" anchors); use --ca or --pin");
}
