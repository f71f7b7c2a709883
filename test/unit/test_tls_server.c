/* What a server remembers of its clients: sessions, and who has shown a certificate. */
#include "tls_pair.h"

static struct trust trust;
static struct tls_identity identity, client, stranger;
static struct tls_clients clients;

static bool load(struct tls_identity *id, const char *name)
{
    char cert[32], key[32];

    snprintf(cert, sizeof cert, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    return tls_identity_load(id, pair_path(cert), pair_path(key)) == 0;
}

/* A connection whose client shows this certificate if asked for one; both ends ready? */
static bool shake_as(const struct tls_identity *shown)
{
    if (!pair_start(&trust, &identity, "tunnel.example", time(NULL)))
        return false;
    if (shown)
        br_ssl_client_set_single_ec(&pair.client.client, shown->chain, shown->chain_len,
                                    &shown->ec_key, BR_KEYTYPE_SIGN, shown->issuer_key,
                                    &br_ec_all_m31, br_ecdsa_sign_asn1_get_default());
    pair_run();
    return transport_ready(&pair.c) && transport_ready(&pair.s);
}

static bool resumed(void)
{
    return !pair.client.check.used;
}

static void test_sessions(void)
{
    ok(shake_as(NULL) && !resumed(), "the first connection is a full handshake");
    tls_client_keep(&pair.client);
    pair_end();
    ok(shake_as(NULL) && resumed(), "the next one resumes");
    ok(!tls_server_knows_client(&pair.server), "nobody was asked for a certificate");
    tls_client_keep(&pair.client);
    pair_end();
    ok(shake_as(NULL) && resumed(), "and the next");
    pair_end();
    ok(shake_as(NULL) && !resumed(), "a session that is not kept again is forgotten");
    tls_client_keep(&pair.client);
    pair_end();
    tls_shared_forget(&pair_shared);
    ok(shake_as(NULL) && !resumed(), "the server may have forgotten it");
    tls_client_keep(&pair.client);
    pair_end();
    pair_peer = 2;
    ok(shake_as(NULL) && !resumed(), "another server has a session of its own");
    pair_end();
    pair_peer = 1;
    ok(shake_as(NULL) && !resumed(), "whose chain is the one that is remembered");
    tls_client_keep(&pair.client);
    pair_end();
    pair_peer = 2;
    pair_start(&trust, &identity, "tunnel.example", time(NULL));
    pair_end();
    pair_peer = 1;
    ok(shake_as(NULL) && resumed(), "without a chain of another's the session outlasts it");
    tls_client_keep(&pair.client);
    pair_end();
    pair_peer = 2;
    shake_as(NULL);
    tls_client_keep(&pair.client);
    pair_end();
    ok(shake_as(NULL) && resumed(), "and is replaced by its");
    pair_end();
    pair_peer = 0;
    shake_as(NULL);
    tls_client_keep(&pair.client);
    pair_end();
    ok(shake_as(NULL) && !resumed(), "of a server that is known by no number none is resumed");
    pair_end();
    pair_peer = 1;
}

/* A handshake at another time, or with a trust that has changed: resumed? */
static bool resumes(const struct trust *with, int64_t seconds)
{
    bool yes = pair_start(with, &identity, "tunnel.example", time(NULL) + seconds);

    pair_run();
    yes = yes && resumed() && transport_ready(&pair.c);
    pair_end();
    return yes;
}

/* A session to be resumed. */
static void begin(const struct trust *with, int64_t seconds)
{
    memset(&pair.client.session, 0, sizeof pair.client.session);
    pair_start(with, &identity, "tunnel.example", time(NULL) + seconds);
    pair_run();
    tls_client_keep(&pair.client);
    pair_end();
}

#define DAY 86400

/* A session goes on for as long as what it was begun with holds. */
static void test_end_of_sessions(void)
{
    begin(&trust, 0);
    ok(resumes(&trust, DAY - 60), "for a day");
    begin(&trust, 0);
    ok(!resumes(&trust, DAY + 60), "not longer");
    begin(&trust, 3600);
    ok(!resumes(&trust, 0), "not with a clock that went back");
    /* The leaf is valid for 20 days. */
    begin(&trust, 20 * DAY - 7200);
    ok(resumes(&trust, 20 * DAY - 3600), "before the certificate's end");
    begin(&trust, 20 * DAY - 7200);
    ok(!resumes(&trust, 20 * DAY + 3600), "not beyond it");
    begin(&trust, 0);
    ok(resumes(&trust, 0), "else it goes on");
}

static void test_changed_trust(void)
{
    struct trust changing = { .anchor_count = 0 }, pinned = trust;

    pair_shell("cp ca.pem changing.pem");
    is_int(trust_add_file(&changing, pair_path("changing.pem")), 1, "a file");
    begin(&changing, 0);
    ok(resumes(&changing, 0), "the same authorities");
    begin(&changing, 0);
    pair_shell("cat agents.pem ca.pem >changing.pem");
    ok(resumes(&changing, 0), "more of them");
    begin(&changing, 0);
    pair_shell("cp agents.pem changing.pem");
    ok(!resumes(&changing, 0), "not without the one that signed");
    pair_shell("cp ca.pem changing.pem");
    begin(&changing, 0);
    pair_shell("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout /dev/null "
               "-out changing.pem -subj '/O=adit test/CN=ca'");
    ok(!resumes(&changing, 0), "nor with another key of its name");
    begin(&trust, 0);
    pinned.pin_count = 1;
    ok(!resumes(&pinned, 0), "nor with a pin of another key");
}

/* More sessions than there is room for: the first one goes. */
static void test_many_sessions(void)
{
    br_ssl_session_parameters first, last;

    tls_shared_forget(&pair_shared);
    shake_as(NULL);
    tls_client_keep(&pair.client);
    first = pair.client.session;
    pair_end();
    for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
        br_ssl_session_parameters made = first;

        made.session_id[0] = (unsigned char)i;
        made.session_id[1] = (unsigned char)(i >> 8);
        made.session_id[2] = (unsigned char)~first.session_id[2];
        pair_shared.vtable->save(&pair_shared.vtable, &pair.server.server, &made);
        last = made;
    }
    pair.client.session = first;
    ok(shake_as(NULL) && !resumed(), "the first of many sessions made room");
    tls_client_keep(&pair.client);
    pair_end();
    pair.client.session = last;
    ok(shake_as(NULL) && resumed(), "the last is there");
    pair_end();
}

static void test_clients(void)
{
    is_int(tls_clients_load(&clients, pair_path("none.pem")), ERR_FILE, "no file");
    is_int(tls_clients_load(&clients, pair_path("leaf.pem")), ERR_FILE, "no authority");
    for (int i = 0; i < 2 * TRUST_FILES_MAX; i++)
        is_int(tls_clients_load(&clients, pair_path("agents.pem")), 0, "an authority, time %d", i);
    is_int(clients.trust.anchor_count, 1, "in place of those before");
    pair_shared.clients = &clients;
    tls_shared_forget(&pair_shared);
    memset(&pair.client.session, 0, sizeof pair.client.session);

    ok(shake_as(NULL), "a visitor without a certificate");
    ok(!tls_server_knows_client(&pair.server), "is not known");
    tls_client_keep(&pair.client);
    pair_end();
    ok(shake_as(NULL) && !resumed(), "and has no session to resume");
    pair_end();
    ok(shake_as(&stranger), "one with a certificate of others");
    ok(!tls_server_knows_client(&pair.server), "is not known");
    tls_client_keep(&pair.client);
    pair_end();
    ok(shake_as(NULL) && !resumed(), "and has none either");
    pair_end();
    ok(shake_as(&client), "an agent with a certificate");
    ok(tls_server_knows_client(&pair.server), "is known");
    tls_client_keep(&pair.client);
    pair_end();
}

/* Sessions of clients with a certificate end every day. */
static void test_old_clients(void)
{
    br_ssl_session_parameters session = pair.client.session;

    pair_server_ahead = DAY - 60;
    ok(shake_as(NULL) && resumed(), "a session of this day");
    pair_end();
    pair.client.session = session;
    pair_server_ahead = DAY + 60;
    ok(shake_as(NULL) && !resumed(), "one of the day before");
    ok(!tls_server_knows_client(&pair.server), "the certificate has to be shown again");
    pair_end();
    ok(shake_as(&client) && tls_server_knows_client(&pair.server), "as it is");
    tls_client_keep(&pair.client);
    pair_end();
}

/* The agent's session makes it known; its id in other hands does not. */
static void test_known_by_session(void)
{
    br_ssl_session_parameters session = pair.client.session;

    ok(shake_as(NULL) && resumed(), "its session is resumed");
    ok(tls_server_knows_client(&pair.server), "which makes it known");
    pair_end();
    pair.client.session = session;
    pair.client.session.master_secret[0] ^= 1;
    ok(!shake_as(NULL), "the id without the secret leads nowhere");
    pair_end();
    /* Found in the cache, but with a cipher that this client does not offer. */
    session.session_id[0] ^= 1;
    session.cipher_suite = BR_TLS_RSA_WITH_AES_128_CBC_SHA;
    pair.server.check.accepted = true;
    pair_shared.vtable->save(&pair_shared.vtable, &pair.server.server, &session);
    session.cipher_suite = BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    pair.client.session = session;
    ok(shake_as(NULL) && !resumed(), "the id with other ciphers is a full handshake");
    ok(pair.server.loaded, "although it was found");
    ok(!tls_server_knows_client(&pair.server), "which makes nobody known");
    pair_end();
}

int main(void)
{
    const char *ec = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";

    signal(SIGPIPE, SIG_IGN);
    if (!pair_begin() || !pair_ca("ca") || !pair_ca("agents") || !pair_ca("other") ||
        !pair_leaf("leaf", ec, "ca", "sha256") || !pair_leaf("agent", ec, "agents", "sha256") ||
        !pair_leaf("odd", ec, "other", "sha256")) {
        diag("no openssl here: TLS is not tested");
        return done_testing();
    }
    is_int(trust_add_file(&trust, pair_path("ca.pem")), 1, "an authority");
    ok(load(&identity, "leaf") && load(&client, "agent") && load(&stranger, "odd"), "identities");
    test_sessions();
    test_end_of_sessions();
    test_changed_trust();
    test_many_sessions();
    test_clients();
    test_old_clients();
    test_known_by_session();
    pair_finish();
    return done_testing();
}
