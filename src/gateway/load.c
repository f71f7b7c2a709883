#include "load.h"

#include <string.h>

#include "certificate.h"
#include "err.h"
#include "gateway.h"
#include "sys/file.h"
#include "sys/log.h"

static void log_error(const char *text, struct str what)
{
    log_begin(LOG_ERROR);
    log_text(text);
    log_str(what);
    log_end();
}

/* ---- tokens ---- */

/* A tunnel whose token is still there goes on under its new entry, another one ends. */
static void carry_tunnel(struct tunnel *t, struct tunnel_name *to)
{
    if (to) {
        to->tunnel = t;
        t->name = to;
        return;
    }
    log_error("token withdrawn, tunnel ends: ", tunnel_names_label(t->name));
    tunnel_end(t, WS_CLOSE_TOKEN, "The tunnel was withdrawn.");
}

static void carry(struct tunnel_name *old, const struct tunnel_names *names)
{
    struct tunnel_name *fresh = tunnel_names_find(names, tunnel_names_label(old));

    if (fresh && memcmp(fresh->hash, old->hash, TUNNEL_NAME_HASH_LEN) != 0)
        fresh = NULL;
    if (fresh)
        fresh->missing_since = old->missing_since;
    if (old->tunnel)
        carry_tunnel(old->tunnel, fresh);
    tunnel_move_held(old, fresh);
}

static const char *tokens_advice(int err)
{
    switch (err) {
    case ERR_STATE:
        return ": the token of another name; make one with adit-gateway token NAME";
    case ERR_TRUNCATED:
        return ": has no end, and may be half written";
    default:
        return ": write NAME SHA256HEX, each name once";
    }
}

static int tokens_error(struct gateway *g, int err, unsigned line)
{
    log_begin(LOG_ERROR);
    log_str(str_of(g->config.tokens));
    if (err == ERR_LIMIT) {
        log_text(": too many names; see --max-names");
    } else if (err == ERR_STATE && line == 0) {
        log_text(": is empty; to withdraw all names, leave a comment in it");
    } else if (line > 0) {
        log_text(": line ");
        log_u64(line);
        log_text(tokens_advice(err));
    } else {
        log_text(": cannot be read");
    }
    log_end();
    return err;
}

/* Into the table that is not in use. A file without a byte is one that somebody is about to write,
 * unless there never were any names. */
static int read_tokens(struct gateway *g, struct tunnel_names *other)
{
    unsigned line = 0;
    int n = file_read(g->config.tokens, g->file, g->file_cap);
    int err;

    if (n < 0)
        return tokens_error(g, n, 0);
    if (n == 0 && g->names && g->names->count > 0)
        return tokens_error(g, ERR_STATE, 0);
    tunnel_names_init(other, other->entry, g->config.max_names);
    err = tunnel_names_parse(other, (struct str){ g->file, (size_t)n }, &line);
    return err < 0 ? tokens_error(g, err, line) : 0;
}

static void use_tokens(struct gateway *g, struct tunnel_names *other)
{
    struct tunnel_names *old = g->names;

    for (size_t i = 0; i < other->count; i++)
        other->entry[i].missing_since = g->counters.started_ms;
    g->names = other;
    for (size_t i = 0; old && i < old->count; i++)
        carry(&old->entry[i], other);
    log_begin(LOG_INFO);
    log_u64(other->count);
    log_text(" names in the tokens file");
    log_end();
}

/* ---- certificates of agents ---- */

static int read_clients(const struct gateway *g, struct tls_clients *clients)
{
    const char *path = g->config.client_ca;
    int err = path ? tls_clients_load(clients, path) : 0;

    if (err == ERR_LIMIT)
        log_error("too many CAs (16 at most) in --client-ca ", str_of(path));
    else if (err < 0)
        log_error("no usable CA certificate in --client-ca ", str_of(path));
    return err;
}

/* ---- all of it ---- */

/* Or nothing: what fits together was put there together. Handshakes under way may still use what
 * they began with: two of each take turns. */
int load_files(struct gateway *g)
{
    struct tunnel_names *names = &g->tunnel_names_table[g->names == &g->tunnel_names_table[0]];
    struct tls_identity *identity = &g->identities[g->identity == &g->identities[0]];
    struct tls_clients *clients = &g->clients[g->tls.clients == &g->clients[0]];
    int err = g->config.plain ? 0 : certificate_load(&g->config, identity);
    int err_tokens = read_tokens(g, names);
    int err_clients = read_clients(g, clients);

    if (err == 0)
        err = err_tokens < 0 ? err_tokens : err_clients;
    if (err < 0)
        return err;
    g->identity = identity;
    g->tls.clients = g->config.client_ca ? clients : NULL;
    /* A session begun with a certificate that was withdrawn ends with it. */
    tls_shared_forget(&g->tls);
    use_tokens(g, names);
    return 0;
}
