#include "net/tls_server.h"

#include <string.h>

#include "codec/der.h"
#include "err.h"
#include "pem.h"

/* ---- sessions ---- */

static struct tls_shared *shared_of(const br_ssl_session_cache_class **vtable)
{
    return (struct tls_shared *)(void *)((char *)vtable - offsetof(struct tls_shared, vtable));
}

static bool asks_clients(const struct tls_shared *t)
{
    return t->clients != NULL;
}

/* Where certificates are asked for, only sessions of clients that have shown one are kept: who
 * resumes a session has shown one. */
static void save(const br_ssl_session_cache_class **vtable, br_ssl_server_context *server,
                 const br_ssl_session_parameters *session)
{
    struct tls_shared *t = shared_of(vtable);

    if (!asks_clients(t) || ((struct tls_server *)(void *)server)->check.accepted)
        t->sessions.vtable->save(&t->sessions.vtable, server, session);
}

static int load(const br_ssl_session_cache_class **vtable, br_ssl_server_context *server,
                br_ssl_session_parameters *session)
{
    struct tls_shared *t = shared_of(vtable);
    struct tls_server *s = (struct tls_server *)(void *)server;
    int found = t->sessions.vtable->load(&t->sessions.vtable, server, session);

    s->loaded = found != 0;
    if (s->loaded)
        memcpy(s->session_id, session->session_id, sizeof s->session_id);
    return found;
}

static const br_ssl_session_cache_class cache_class = { sizeof(struct tls_shared), save, load };

void tls_shared_forget(struct tls_shared *t)
{
    t->vtable = &cache_class;
    br_ssl_session_cache_lru_init(&t->sessions, t->session_data, sizeof t->session_data);
}

/* Who resumes a session shows no certificate, which may have ended meanwhile: all have to, every
 * day. The cache does not know how old each of its sessions is. */
static void forget_old(struct tls_shared *t, int64_t unix_now)
{
    if (unix_now >= t->since && unix_now - t->since <= TRUST_RESUME_S)
        return;
    tls_shared_forget(t);
    t->since = unix_now;
}

/* ---- certificates of clients ---- */

/* One walk through the file. */
struct names {
    struct tls_clients *clients;
    bool full;
};

static bool take_name(void *context, const char *label, struct str der)
{
    struct names *n = context;
    struct tls_clients *t = n->clients;
    struct der_certificate c;

    if (!pem_is_certificate(label) || der_certificate_parse(der, &c) < 0 || !c.is_ca)
        return true;
    if (t->name_count == TLS_CLIENT_CAS_MAX || c.subject.n > sizeof t->name_data - t->name_len) {
        n->full = true;
        return false;
    }
    memcpy(t->name_data + t->name_len, c.subject.p, c.subject.n);
    t->name[t->name_count++] = (br_x500_name){ t->name_data + t->name_len, c.subject.n };
    t->name_len += c.subject.n;
    return true;
}

int tls_clients_load(struct tls_clients *c, const char *path)
{
    uint8_t data[TRUST_DATA_MAX];
    struct names names = { .clients = c };
    struct pem_reader pem = { data, sizeof data, take_name, &names };
    int result;

    trust_drop(&c->trust);
    c->name_count = c->name_len = 0;
    result = trust_add_file(&c->trust, path);
    if (result < 0)
        return result;
    if (pem_walk(path, &pem) < 0 || c->name_count == 0)
        return ERR_FILE;
    return names.full ? ERR_LIMIT : 0;
}

static void ask_client(struct tls_server *s, const struct tls_clients *c, int64_t unix_now)
{
    br_ssl_engine_context *e = &s->server.eng;
    const struct trust_clock clock = { .now = unix_now };

    br_ssl_engine_set_rsavrfy(e, br_rsa_pkcs1_vrfy_get_default());
    br_ssl_engine_set_ecdsa(e, br_ecdsa_vrfy_asn1_get_default());
    trust_check_init(&s->check, &c->trust, e, DER_CLIENT, (struct str){ NULL, 0 }, &clock);
    br_ssl_server_set_trust_anchor_names(&s->server, c->name, c->name_count);
    /* Visitors need none. */
    br_ssl_engine_add_flags(e, BR_OPT_TOLERATE_NO_CLIENT_AUTH);
}

/* A session id alone proves nothing: it is sent in the clear, and a handshake that finds other
 * ciphers goes on as a full one, under an id of its own. */
static bool is_resumed(const struct tls_server *s)
{
    br_ssl_session_parameters session;

    br_ssl_engine_get_session_parameters(&s->server.eng, &session);
    return s->loaded && session.session_id_len == sizeof s->session_id &&
           memcmp(session.session_id, s->session_id, sizeof s->session_id) == 0;
}

bool tls_server_knows_client(const struct tls_server *s)
{
    return asks_clients(s->shared) && (s->check.accepted || is_resumed(s));
}

/* ---- connections ---- */

static void setup_key(struct tls_server *s, const struct tls_identity *id)
{
    br_rsa_pkcs1_sign rsa = br_rsa_i62_pkcs1_sign_get();

    if (id->ec)
        br_ssl_server_set_single_ec(&s->server, id->chain, id->chain_len, &id->ec_key,
                                    BR_KEYTYPE_SIGN, id->issuer_key, &br_ec_all_m31,
                                    &br_ecdsa_i31_sign_asn1);
    else
        br_ssl_server_set_single_rsa(&s->server, id->chain, id->chain_len, &id->rsa,
                                     BR_KEYTYPE_SIGN, NULL, rsa ? rsa : &br_rsa_i31_pkcs1_sign);
}

/* Routers without AES prefer ChaCha20, and all of their bytes come together here. */
static void setup_fast_poly1305(br_ssl_engine_context *e)
{
    br_poly1305_run fast = br_poly1305_ctmulq_get();

    if (fast)
        br_ssl_engine_set_poly1305(e, fast);
}

int tls_server_start(struct tls_server *s, const struct tls_identity *id, struct tls_shared *shared,
                     int64_t unix_now, const uint8_t seed[32])
{
    br_ssl_engine_context *e = &s->server.eng;

    br_ssl_server_zero(&s->server);
    s->shared = shared;
    s->loaded = false;
    s->check.accepted = false;
    /* The client's order of suites counts: it is the weaker machine of the two. */
    tls_engine_setup(e);
    setup_fast_poly1305(e);
    br_ssl_engine_set_ec(e, &br_ec_all_m31);
    setup_key(s, id);
    br_ssl_server_set_cache(&s->server, &shared->vtable);
    if (asks_clients(shared)) {
        forget_old(shared, unix_now);
        ask_client(s, shared->clients, unix_now);
    }
    br_ssl_engine_set_buffers_bidi(e, s->in, sizeof s->in, s->out, sizeof s->out);
    br_ssl_engine_inject_entropy(e, seed, 32);
    return br_ssl_server_reset(&s->server) ? 0 : ERR_TLS;
}
