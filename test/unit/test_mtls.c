/* A client's own certificate: which files are taken, and handshakes that ask for it. */
#include "net/mtls.h"

#include <sys/stat.h>

#include "tls_pair.h"

static struct trust trust;
static struct tls_identity identity;
static struct tls_clients clients;
static struct mtls own;

/* Is it below this function's frame, where others were called from here? */
__attribute__((noinline)) static bool left_behind(const void *p, size_t n)
{
    uint8_t stack[12288], *at = stack;

    /* Tells the compiler that somebody has written there, and so they have. */
    __asm__ volatile("" : "+r"(at) : : "memory");
    return memmem(at, sizeof stack, p, n) != NULL;
}

/* Of the key, its file's last line. */
static bool line_left(int key_fd)
{
    static char text[8192];
    ssize_t n = pread(key_fd, text, sizeof text, 0);
    char *end = n > 0 ? memmem(text, (size_t)n, "\n-----END", 9) : NULL;

    return end && end - text > 16 && left_behind(end - 16, 16);
}

static const char *load(const char *cert, const char *key)
{
    int cert_fd = open(pair_path(cert), O_RDONLY), key_fd = open(pair_path(key), O_RDONLY);
    const char *problem;

    memset(&own, 0, sizeof own);
    problem = mtls_load(&own, cert_fd, key_fd);
    if (!problem && line_left(key_fd))
        problem = "the secret is on the stack";
    close(cert_fd);
    close(key_fd);
    return problem ? problem : "good";
}

static void is_load(const char *cert, const char *key, const char *expected)
{
    const char *got = load(cert, key);

    ok(strstr(got, expected) != NULL, "%s and %s: %s", cert, key, got);
}

static bool known(void)
{
    bool ready;

    if (!pair_start(&trust, &identity, "tunnel.example", time(NULL)))
        return false;
    mtls_use(&own, &pair.client.client);
    pair_run();
    ready = transport_ready(&pair.c) && transport_ready(&pair.s);
    ready = ready && tls_server_knows_client(&pair.server);
    pair_end();
    return ready;
}

static void test_kinds(void)
{
    static const char *const kind[][3] = {
        { "p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "sha256" },
        { "p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "sha384" },
        { "rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "sha256" },
        { "big", "-algorithm RSA -pkeyopt rsa_keygen_bits:4096", "sha512" },
    };

    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
        char cert[32], key[32];

        pair_leaf(kind[i][0], kind[i][1], "agents", kind[i][2]);
        snprintf(cert, sizeof cert, "%s.pem", kind[i][0]);
        snprintf(key, sizeof key, "%s.key", kind[i][0]);
        is_load(cert, key, "good");
        ok(known(), "the server knows %s", kind[i][0]);
    }
}

static void test_forms(void)
{
    pair_shell(
        "openssl rsa -in rsa.key -traditional -out rsa1.key; "
        "(openssl ecparam -name prime256v1; openssl ec -in p256.key) >sec1.key; "
        "cat p256.pem agents.pem p256.key >both.pem; "
        "(echo 'Bag Attributes'; cat p256.key) | tr '\\n' '~' | sed 's/~/\\r\\n/g' >dos.key");
    is_load("rsa.pem", "rsa1.key", "good");
    ok(known(), "PKCS#1");
    is_load("p256.pem", "sec1.key", "good");
    ok(known(), "SEC1");
    is_load("both.pem", "both.pem", "good");
    ok(known(), "all in one file");
    is_load("p256.pem", "dos.key", "good");
    ok(known(), "lines of another system");
}

static void test_chain(void)
{
    pair_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out mid.key && "
               "printf 'basicConstraints=critical,CA:TRUE\n' >mid.ext && "
               "openssl req -new -key mid.key -subj '/CN=middle' -out mid.csr && "
               "openssl x509 -req -in mid.csr -CA agents.pem -CAkey agents.key -CAcreateserial "
               "-days 20 -extfile mid.ext -out mid.pem");
    pair_leaf("low", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "mid", "sha256");
    pair_shell("cat low.pem mid.pem >chain.pem");
    is_load("low.pem", "low.key", "good");
    ok(!known(), "half a chain is not enough");
    is_load("chain.pem", "low.key", "good");
    ok(known(), "a chain is");
}

static void test_problems(void)
{
    pair_shell("openssl pkcs8 -topk8 -in p256.key -passout pass:x -out secret.key; "
               "openssl rsa -in rsa.key -aes128 -traditional -passout pass:x -out old-secret.key; "
               "openssl genpkey -algorithm ED25519 -out ed.key; head -c 150 rsa.key >half.key; "
               "for i in 1 2 3 4 5; do cat p256.pem; done >many.pem; "
               "for i in 1 2 3 4; do cat agents.pem; done >full.pem; "
               "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out long.pem "
               "-subj /CN=long -addext nsComment=$(head -c 9000 /dev/zero | tr '\\0' x); "
               "openssl req -x509 -key ed.key -subj /CN=ed -out ed.pem; "
               "openssl req -x509 -newkey rsa:1024 -nodes -keyout short.key -subj /CN=short "
               "-out short.pem; "
               "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes -subj /CN=521 "
               "-keyout p521.key -out p521.pem; "
               "openssl rsa -in rsa.key -pubout -out public.key; : >empty.key");
    is_load("none.pem", "p256.key", "--client-cert cannot be read");
    is_load("p256.key", "p256.key", "--client-cert cannot be read");
    is_load("p256.pem", "none.key", "--client-key is no PEM key");
    is_load("p256.pem", "empty.key", "--client-key is no PEM key");
    is_load("p256.pem", "public.key", "--client-key is no PEM key");
    is_load("p256.pem", "p256.pem", "--client-key is no PEM key");
    is_load("p256.pem", "secret.key", "encrypted; run: openssl pkey");
    is_load("rsa.pem", "old-secret.key", "encrypted; run: openssl pkey");
    is_load("p256.pem", "half.key", "--client-key is no PEM key");
    is_load("p256.pem", "ed.key", "--client-key is no PEM key");
    is_load("ed.pem", "p256.key", "no key of RSA 2048 to 4096, P-256 or P-384");
    is_load("short.pem", "short.key", "no key of RSA 2048 to 4096, P-256 or P-384");
    is_load("p521.pem", "p521.key", "no key of RSA 2048 to 4096, P-256 or P-384");
    is_load("p256.pem", "rsa.key", "does not belong");
    is_load("p256.pem", "p384.key", "does not belong");
    is_load("p256.pem", "low.key", "does not belong");
    is_load("rsa.pem", "p256.key", "does not belong");
    is_load("rsa.pem", "big.key", "does not belong");
    is_load("many.pem", "p256.key", "too long");
    is_load("long.pem", "p256.key", "too long");
    is_load("full.pem", "agents.key", "good");
}

/* ---- what it signs ---- */

static int chosen(uint32_t auth_types)
{
    br_ssl_client_certificate choice;

    own.asked = false;
    own.vtable->choose(&own.vtable, &pair.client.client, auth_types, &choice);
    if (!own.asked)
        return -1;
    if (choice.chain_len == 0)
        return 0;
    return choice.hash_id + (choice.auth_type == BR_AUTH_ECDSA ? 100 : 0);
}

static void test_choice(void)
{
    is_load("rsa.pem", "rsa.key", "good");
    mtls_use(&own, &pair.client.client);
    is_int(chosen(0xffff), 4, "SHA-256 if it may");
    is_int(chosen(0xff20), 5, "else SHA-384");
    is_int(chosen(0xff44), 6, "else SHA-512");
    is_int(chosen(0xff0c), 0, "not SHA-1, and no ECDSA with RSA's key");
    is_load("p384.pem", "p384.key", "good");
    mtls_use(&own, &pair.client.client);
    is_int(chosen(0xffff), 104, "SHA-256 if it may");
    is_int(chosen(0x20ff), 105, "else SHA-384");
    is_int(chosen(0x44ff), 106, "else SHA-512");
    is_int(chosen(0x0cff), 0, "not SHA-1, and no RSA with a key of EC");
    memset(own.chain, 0, sizeof own.chain);
    own.chain_len = 0;
    is_int(chosen(0xffff), 0, "nothing to show");
}

/* 31 bits in a word, least first, as BearSSL computes. */
static void as_words(struct str x, uint8_t out[64])
{
    uint32_t word[16] = { 0 };

    for (size_t bit = 0; bit < 8 * x.n; bit++) {
        if (x.p[x.n - 1 - bit / 8] >> (bit & 7) & 1)
            word[bit / 31] |= (uint32_t)1 << (bit % 31);
    }
    memcpy(out, word, sizeof word);
}

static bool verifies(int hash, const uint8_t *value, size_t n, const uint8_t *signature, size_t len)
{
    static const unsigned char oid[][10] = { { 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1 },
                                             { 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2 },
                                             { 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3 } };
    br_x509_decoder_context decoder;
    const br_x509_pkey *key;
    uint8_t out[64];

    br_x509_decoder_init(&decoder, NULL, NULL);
    br_x509_decoder_push(&decoder, own.chain[0].data, own.chain[0].data_len);
    key = br_x509_decoder_get_pkey(&decoder);
    if (key->key_type == BR_KEYTYPE_EC)
        return br_ecdsa_i31_vrfy_asn1(&br_ec_all_m31, value, n, &key->key.ec, signature, len);
    return br_rsa_i31_pkcs1_vrfy(signature, len, oid[hash - 4], n, &key->key.rsa, out) &&
           memcmp(out, value, n) == 0;
}

/* Many, so that numbers of a signature begin with zeroes or a high bit. */
static void test_signatures(const char *cert, const char *key, int rounds)
{
    static const size_t len[] = { 32, 48, 64 };
    uint8_t data[512], value[64], words[64];
    bool good = true, left = false;

    is_load(cert, key, "good");
    mtls_use(&own, &pair.client.client);
    as_words((struct str){ own.secret.p, own.secret.n < 48 ? own.secret.n : 48 }, words);
    for (int i = 0; i < rounds; i++) {
        int hash = 4 + i % 3;
        size_t n = len[hash - 4], got;

        for (size_t j = 0; j < n; j++)
            value[j] = (uint8_t)(i * 89 + (int)j * 31 + (i >> 3) * 7);
        memset(data, 0xee, sizeof data);
        memcpy(data, value, n);
        got = own.vtable->do_sign(&own.vtable, hash, n, data, sizeof data);
        left = left || left_behind(own.secret.p, 32) || left_behind(words, 32);
        good = good && verifies(hash, value, n, data, got);
    }
    ok(good, "%s: %d signatures are good", cert, rounds);
    ok(!left, "%s: the secret is not left on the stack", cert);
}

int main(void)
{
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    if (!pair_begin() || !pair_ca("ca") || !pair_ca("agents") ||
        !pair_leaf("leaf", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ca", "sha256")) {
        diag("no openssl here: TLS is not tested");
        return done_testing();
    }
    trust_add_file(&trust, pair_path("ca.pem"));
    is_int(tls_identity_load(&identity, pair_path("leaf.pem"), pair_path("leaf.key")), 0, "server");
    is_int(tls_clients_load(&clients, pair_path("agents.pem")), 0, "its clients");
    pair_shared.clients = &clients;
    test_kinds();
    test_forms();
    test_chain();
    test_problems();
    test_choice();
    test_signatures("p256.pem", "p256.key", 48);
    test_signatures("p384.pem", "p384.key", 24);
    test_signatures("rsa.pem", "rsa.key", 3);
    test_signatures("big.pem", "big.key", 3);
    pair_finish();
    return done_testing();
}
