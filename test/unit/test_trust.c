/* Which chains a client accepts, which keys a server loads, and what is said about the others. */
#include "net/trust.h"

#include "tls_pair.h"

static struct tls_identity identity;

static const char *load(const char *cert, const char *key)
{
    int result = tls_identity_load(&identity, pair_path(cert), pair_path(key));

    if (result == 0)
        return identity.problem ? "problem and success" : "good";
    return identity.problem ? identity.problem : "no problem told";
}

/* is_str, but with `got` evaluated once. */
static void is_load(const char *got, const char *expected, const char *what)
{
    is_str(got, expected, "%s", what);
}

/* A handshake with what load() has loaded: 0 when both ends are ready, else the client's code. */
static int shake(const struct trust *trust, const char *name, int64_t days)
{
    int result;

    if (!pair_start(trust, &identity, name, time(NULL) + days * 86400))
        return -1;
    pair_run();
    result = pair.c.err == ERR_TLS ? pair.c.tls_err : -1;
    if (transport_ready(&pair.c) && transport_ready(&pair.s))
        result = 0;
    pair_end();
    return result;
}

static struct trust trust_of(const char *ca)
{
    struct trust trust = { .anchor_count = 0 };

    trust_add_file(&trust, pair_path(ca));
    return trust;
}

static void test_names_and_time(const struct trust *trust, const struct trust *other)
{
    int code;

    is_load(load("ec.pem", "ec.key"), "good", "an EC key, PKCS#8");
    is_int(shake(trust, "tunnel.example", 0), 0, "trusted");
    is_int(shake(trust, "a.tunnel.example", 0), 0, "by wildcard");
    is_int(shake(trust, "TUNNEL.example", 0), 0, "in any case");
    is_int(shake(trust, "a.b.tunnel.example", 0), BR_ERR_X509_BAD_SERVER_NAME, "one label only");
    code = shake(trust, "other.example", 0);
    is_int(code, BR_ERR_X509_BAD_SERVER_NAME, "another name");
    ok(strstr(tls_error_text(code), "another name") != NULL, "is said");
    code = shake(other, "tunnel.example", 0);
    is_int(code, BR_ERR_X509_NOT_TRUSTED, "another authority");
    ok(strstr(tls_error_text(code), "--ca") != NULL, "is said");
    code = shake(trust, "tunnel.example", 25);
    is_int(code, BR_ERR_X509_EXPIRED, "expired");
    ok(strstr(tls_error_text(code), "clock") != NULL, "is said");
    code = shake(trust, "tunnel.example", -10);
    is_int(code, TRUST_ERR_EARLY, "not valid yet");
    ok(strstr(tls_error_text(code), "not valid yet") != NULL, "is said");
    is_int(shake(trust, "tunnel.example", -20000), TRUST_ERR_EARLY, "a clock in the seventies");
    is_int(shake(trust, "", 0), -1, "no name, no connection");
}

static void test_keys(const struct trust *trust)
{
    pair_leaf("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "ca", "sha384");
    is_load(load("rsa.pem", "rsa.key"), "good", "an RSA key, PKCS#8");
    is_int(shake(trust, "tunnel.example", 0), 0, "RSA");
    pair_shell("openssl rsa -in rsa.key -traditional -out rsa1.key");
    is_load(load("rsa.pem", "rsa1.key"), "good", "PKCS#1");
    is_int(shake(trust, "tunnel.example", 0), 0, "works too");
    pair_leaf("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "ca", "sha512");
    is_load(load("p384.pem", "p384.key"), "good", "a P-384 key");
    is_int(shake(trust, "tunnel.example", 0), 0, "P-384");
    pair_shell("(openssl ecparam -name prime256v1; openssl ec -in ec.key) >sec1.key");
    is_load(load("ec.pem", "sec1.key"), "good", "SEC1, after its parameters");
    pair_shell("cat ec.pem ec.key >both.pem");
    is_load(load("both.pem", "both.pem"), "good", "one file for both");
}

static void test_weak(const struct trust *trust)
{
    pair_leaf("sha1", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ca", "sha1");
    load("sha1.pem", "sha1.key");
    is_int(shake(trust, "tunnel.example", 0), BR_ERR_X509_UNSUPPORTED, "SHA-1 is refused");
    pair_leaf("small", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "ca", "sha256");
    is_load(load("small.pem", "small.key"), "the RSA key must have 2048 to 4096 bits", "RSA 1024");
}

#define DAY 86400

enum { UNSET = -20000 };

/* shake(), with a clock that is `days` off, and others as many days off; 0: no time is known. */
static int shake_clock(const struct trust *trust, int64_t days, int64_t built_days,
                       int64_t known_days)
{
    int code;

    pair_built = time(NULL) + built_days * DAY;
    pair_known = known_days ? time(NULL) + known_days * DAY : 0;
    code = shake(trust, "tunnel.example", days);
    pair_built = pair_known = 0;
    return code;
}

/* The leaf is valid for 20 days from now, its authority for 30. */
static void test_unset_clock(const struct trust *trust, const struct trust *other)
{
    load("ec.pem", "ec.key");
    is_int(shake_clock(trust, UNSET, 1, 0), 0, "a program younger than the leaf");
    is_int(shake_clock(trust, UNSET, -1, 0), TRUST_ERR_EARLY, "a program older than the leaf");
    is_int(shake_clock(trust, UNSET, -1, 1), 0, "a later time is known");
    is_int(shake_clock(trust, UNSET, 1, -1), 0, "an earlier one counts for nothing");
    is_int(shake_clock(trust, UNSET, 25, 0), BR_ERR_X509_EXPIRED, "expired before the program was");
    is_int(shake_clock(trust, UNSET, 1, 25), BR_ERR_X509_EXPIRED, "expired before the time known");
    is_int(shake_clock(other, UNSET, 1, 0), BR_ERR_X509_NOT_TRUSTED, "another authority");
    pair_built = time(NULL) + DAY;
    is_int(shake(trust, "other.example", UNSET), BR_ERR_X509_BAD_SERVER_NAME, "another name");
    pair_built = 0;
}

static void test_clock(const struct trust *trust)
{
    is_int(shake_clock(trust, -1, -2, 0), TRUST_ERR_EARLY, "a clock that can be right is believed");
    is_int(shake_clock(trust, -1, -2, 1), 0,
           "one that stood still is not, if a later time is known");
    is_int(shake_clock(trust, -2, -3, -1), TRUST_ERR_EARLY, "not late enough");
    is_int(shake_clock(trust, -1, -2, 25), BR_ERR_X509_EXPIRED, "too late");
    is_int(shake_clock(trust, 0, -2, 0), 0, "a right clock");
    is_int(shake_clock(trust, 1, -2, 25), 0, "wins over a time from the future");
    is_int(shake_clock(trust, 1, -2, 100000000), 0, "however far");
    is_int(shake_clock(trust, 25, -2, 1), BR_ERR_X509_EXPIRED, "a clock in the future");
    is_int(shake_clock(trust, 27000, -2, 0), BR_ERR_X509_EXPIRED, "in 2100");
    /* The last second of the leaf, as it was read. */
    ok(llabs(pair.client.check.leaf.to - time(NULL) - 20 * DAY) < 120, "its end is known");
}

static void pin_of(const char *cert, char out[64])
{
    char command[512];
    FILE *pipe;

    snprintf(command, sizeof command, "openssl x509 -in %s -noout -pubkey | openssl pkey -pubin "
             "-outform DER | openssl dgst -sha256 -binary | openssl base64", pair_path(cert));
    pipe = popen(command, "r");
    strcpy(out, "sha256:");
    if (!pipe || !fgets(out + 7, 57, pipe))
        exit(1);
    out[strcspn(out, "\n")] = '\0';
    pclose(pipe);
}

static void test_pin_forms(void)
{
    static const char *const bad[] = {
        "", "sha256:", "sha1:AAAA", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA",
        "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSu-U=", "sha256:47DEQpj8HBSa",
    };
    struct trust trust = { .anchor_count = 0 };
    const char *good = "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is_int(trust_add_pin(&trust, str_of(bad[i])), ERR_BASE64, "no pin: %s", bad[i]);
    is_int(trust.pin_count, 0, "none was taken");
    for (size_t i = 0; i < TRUST_PINS_MAX; i++)
        is_int(trust_add_pin(&trust, str_of(good)), 0, "pin %zu", i);
    is_int(trust_add_pin(&trust, str_of(good)), ERR_LIMIT, "too many");
}

static void test_pins(const struct trust *trust)
{
    struct trust alone = { .anchor_count = 0 }, both = *trust, wrong = { .anchor_count = 0 };
    struct trust near = { .anchor_count = 0 };
    char pin[64], other[64];
    int code;

    test_pin_forms();
    load("ec.pem", "ec.key");
    pin_of("ec.pem", pin);
    pin_of("rsa.pem", other);
    trust_add_pin(&alone, str_of(other));
    is_int(shake(&alone, "tunnel.example", 0), TRUST_ERR_PIN, "another key");
    code = shake(&alone, "other.example", -25000);
    is_int(code, TRUST_ERR_PIN, "with another name, too");
    ok(strstr(tls_error_text(code), "--pin") != NULL, "is said");
    for (size_t i = 0; i < sizeof alone.pin[0]; i++) {
        trust_add_pin(&near, str_of(pin));
        near.pin[0][i] ^= 1;
        is_int(shake(&near, "", 0), TRUST_ERR_PIN, "a pin that is wrong in byte %zu", i);
        near.pin_count = 0;
    }
    trust_add_pin(&alone, str_of(pin));
    is_int(shake(&alone, "tunnel.example", 0), 0, "one of two pins");
    is_int(shake(&alone, "", 0), 0, "without a name");
    is_int(shake(&alone, "other.example", 0), 0, "another name");
    is_int(shake(&alone, "tunnel.example", 25), 0, "whatever the time is");
    is_int(shake(&alone, "tunnel.example", -25000), 0, "or was");
    trust_add_pin(&both, str_of(other));
    is_int(shake(&both, "tunnel.example", 0), TRUST_ERR_PIN, "a good chain and another key");
    trust_add_pin(&both, str_of(pin));
    is_int(shake(&both, "tunnel.example", 0), 0, "both hold");
    is_int(shake(&both, "other.example", 0), BR_ERR_X509_BAD_SERVER_NAME, "the name counts");
    is_int(shake(&both, "tunnel.example", 25), BR_ERR_X509_EXPIRED, "the time counts");
    wrong.pin_count = both.pin_count;
    memcpy(wrong.pin, both.pin, sizeof wrong.pin);
    trust_add_file(&wrong, pair_path("other.pem"));
    is_int(shake(&wrong, "tunnel.example", 0), BR_ERR_X509_NOT_TRUSTED, "the chain counts");
    load("rsa.pem", "rsa.key");
    is_int(shake(&alone, "", 0), 0, "an RSA key");
}

/* With an extended chain that leads nowhere. */
static void test_pin_chain(void)
{
    struct trust alone = { .anchor_count = 0 };
    char pin[64];

    pair_shell("cat ec.pem rsa.pem other.pem >junk.pem");
    pin_of("ec.pem", pin);
    trust_add_pin(&alone, str_of(pin));
    is_load(load("junk.pem", "ec.key"), "good", "certificates without order");
    is_int(shake(&alone, "", 0), 0, "do not matter to a pin");
}

/* An authority below the one that is trusted, with an EC key; the server sends both. */
static void test_chain(const struct trust *trust)
{
    pair_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out mid.key && "
               "printf 'basicConstraints=critical,CA:TRUE\n' >mid.ext && "
               "openssl req -new -key mid.key -subj '/CN=middle' -out mid.csr && "
               "openssl x509 -req -in mid.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 "
               "-extfile mid.ext -out mid.pem");
    pair_leaf("low", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "mid", "sha256");
    pair_shell("cat low.pem mid.pem >chain.pem; cat low.pem mid.pem ca.pem >long.pem; "
               "cat mid.pem low.pem >wrong.pem");
    is_load(load("chain.pem", "low.key"), "good", "a chain");
    is_int(shake(trust, "tunnel.example", 0), 0, "is followed");
    is_load(load("long.pem", "low.key"), "good", "with its root");
    is_int(shake(trust, "tunnel.example", 0), 0, "too");
    is_load(load("low.pem", "low.key"), "good", "without the middle");
    is_int(shake(trust, "tunnel.example", 0), BR_ERR_X509_NOT_TRUSTED, "it is not trusted");
    is_load(load("wrong.pem", "low.key"),
           "the key does not belong to the first certificate of the chain", "in the wrong order");
}

/* What is only seen without OpenSSL's own checks. */
static void leaf_saying(const char *name, const char *extensions)
{
    pair_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s.key && "
               "printf '%s\n' >%s.ext && openssl req -new -key %s.key -subj /CN=tunnel.example "
               "-out %s.csr && openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key "
               "-CAcreateserial -days 20 -extfile %s.ext -out %s.pem", name, extensions, name, name,
               name, name, name, name);
}

static void test_usages(const struct trust *trust)
{
    static const char *const usage[][2] = {
        { "keyAgreement", NULL }, { "nonRepudiation", NULL }, { "keyEncipherment", NULL },
        { "critical,cRLSign,keyCertSign", NULL }, { "keyAgreement,digitalSignature", "good" },
    };

    for (size_t i = 0; i < sizeof usage / sizeof *usage; i++) {
        char text[128];

        snprintf(text, sizeof text, "subjectAltName=DNS:tunnel.example\\nkeyUsage=%s", usage[i][0]);
        leaf_saying("usage", text);
        is_load(load("usage.pem", "usage.key"), "good", usage[i][0]);
        is_int(shake(trust, "tunnel.example", 0), usage[i][1] ? 0 : BR_ERR_X509_FORBIDDEN_KEY_USAGE,
               "%s", usage[i][0]);
    }
    ok(strstr(tls_error_text(BR_ERR_X509_FORBIDDEN_KEY_USAGE), "digitalSignature") != NULL,
       "is said");
    leaf_saying("nameless", "extendedKeyUsage=serverAuth");
    is_load(load("nameless.pem", "nameless.key"), "good", "no subjectAltName");
    is_int(shake(trust, "tunnel.example", 0), TRUST_ERR_NAMELESS, "a common name is no name");
    leaf_saying("mail", "subjectAltName=email:a@tunnel.example,URI:https://tunnel.example");
    is_load(load("mail.pem", "mail.key"), "good", "other names");
    is_int(shake(trust, "tunnel.example", 0), BR_ERR_X509_BAD_SERVER_NAME, "are no DNS names");
}

/* A chain that does not fit, and one that does; what comes after the last that is needed is
 * nothing. */
static void test_long_chain(const struct trust *trust)
{
    pair_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out long.key && "
               "openssl req -new -key long.key -subj /CN=leaf -out long.csr");
    for (int names = 100; names <= 1000; names *= 10) {
        pair_shell(
            "(printf subjectAltName=DNS:tunnel.example; for i in $(seq %d); do "
            "printf ,DNS:$i.tunnel.example; done) >long.ext && openssl x509 -req -in long.csr "
            "-CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile long.ext -out long.pem; "
            "cat long.pem other.pem other.pem other.pem other.pem other.pem other.pem "
            "other.pem >longer.pem",
            names);
        is_load(load(names == 100 ? "longer.pem" : "long.pem", "long.key"), "good", "a long chain");
        is_int(shake(trust, "tunnel.example", 0), names == 100 ? 0 : TRUST_ERR_SIZE, "%d names",
               names);
    }
    ok(strstr(tls_error_text(TRUST_ERR_SIZE), "too long") != NULL, "is said");
}

static void test_identity_problems(void)
{
    is_load(load("none.pem", "ec.key"), "the certificate file cannot be read, or is not PEM",
            "none");
    is_load(load("ec.key", "ec.key"), "the certificate file holds no certificate", "a key for it");
    is_load(load("ec.pem", "none.key"), "the key file cannot be read, is encrypted, or is not PEM",
           "no key file");
    is_load(load("ec.pem", "ec.pem"), "the key file holds no private key",
            "a certificate for a key");
    is_load(load("ec.pem", "rsa.key"),
           "the key does not belong to the first certificate of the chain", "another type of key");
    is_load(load("ec.pem", "sha1.key"),
           "the key does not belong to the first certificate of the chain", "another EC key");
    is_load(load("rsa.pem", "low.key"),
           "the key does not belong to the first certificate of the chain", "another RSA key");
    pair_shell("openssl pkcs8 -topk8 -in ec.key -passout pass:x -out secret.key");
    is_load(load("ec.pem", "secret.key"),
           "the key is encrypted: decrypt it (openssl pkey -in KEY -out PLAIN)", "encrypted");
    pair_shell("openssl genpkey -algorithm ED25519 -out ed.key");
    is_load(load("ec.pem", "ed.key"), "the key is malformed, or neither RSA nor EC", "Ed25519");
    pair_shell("for i in 1 2 3 4 5 6 7 8 9; do cat ec.pem; done >many.pem");
    is_load(load("many.pem", "ec.key"),
           "the certificate file has more than 8 certificates: it needs the chain only",
           "too many");
    pair_shell("head -c 300 ec.pem >half.pem");
    is_load(load("half.pem", "ec.key"), "the certificate file cannot be read, or is not PEM",
            "half");
}

/* The authority stands anywhere among others, some of its own name, in any of the files. */
static void test_files(void)
{
    struct trust trust = { .anchor_count = 0 };

    is_int(trust_add_file(&trust, pair_path("none.pem")), ERR_FILE, "no such file");
    is_int(trust_add_file(&trust, pair_path("ec.key")), ERR_FILE, "no certificate in it");
    is_int(trust_add_file(&trust, pair_path("ec.pem")), ERR_FILE, "no authority in it");
    is_int(trust.skipped, 1, "skipped");
    load("ec.pem", "ec.key");
    is_int(shake(&trust, "tunnel.example", 0), BR_ERR_X509_NOT_TRUSTED, "nobody is trusted");
    /* Other keys of the same name come first. */
    pair_shell("mkdir same; mv ca.key ca.pem same");
    pair_ca("ca");
    pair_shell("cat ca.pem >twins.pem; openssl req -x509 -newkey rsa:3072 -nodes -days 30 "
               "-keyout t.key -out t.pem -subj '/O=adit test/CN=ca'; "
               "(echo text; printf '%%0200d\\n' 1; cat t.pem other.pem ec.pem same/ca.pem | "
               "sed 's/$/\\r/') >>twins.pem; "
               "printf %%s \"$(cat twins.pem)\" >cut.pem");
    is_int(trust_add_file(&trust, pair_path("other.pem")), 1, "a first file");
    is_int(trust_add_file(&trust, pair_path("cut.pem")), 4,
           "authorities of one name behind a long line, no last newline");
    is_int(trust.anchor_count, 5, "in all");
    is_int(trust.skipped, 2, "and one that is none");
    is_int(shake(&trust, "tunnel.example", 0), 0, "the right one is found");
    pair_shell("cp other.pem cut.pem");
    is_int(shake(&trust, "tunnel.example", 0), BR_ERR_X509_NOT_TRUSTED, "until the file changes");
    pair_shell("cat twins.pem >cut.pem; rm cut.pem");
    is_int(shake(&trust, "tunnel.example", 0), 0, "and when it goes away, the one opened counts");
    pair_shell("mv same/ca.* .; rmdir same");
    trust_add_file(&trust, pair_path("ca.pem"));
    is_int(trust_add_file(&trust, pair_path("ca.pem")), 1, "four files");
    is_int(trust_add_file(&trust, pair_path("ca.pem")), ERR_LIMIT, "are all");
}

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

/* How many objects the system's bundle has. */
static size_t bundle_objects(void)
{
    FILE *file = fopen(SYSTEM_BUNDLE, "r");
    char line[256];
    size_t count = 0;

    while (file && fgets(line, sizeof line, file))
        count += strncmp(line, "-----BEGIN", 10) == 0;
    if (file)
        fclose(file);
    return count;
}

static void test_system(void)
{
    struct trust trust = { .anchor_count = 0 };
    int n = trust_add_file(&trust, SYSTEM_BUNDLE);

    if (n < 0) {
        diag("no system bundle here");
        return;
    }
    ok(n > 50, "%d authorities in the system's bundle", n);
    is_int((size_t)n + trust.skipped, bundle_objects(), "every certificate is counted");
    ok(trust.skipped <= 2, "hardly one is skipped (%zu)", trust.skipped);
    load("ec.pem", "ec.key");
    is_int(shake(&trust, "tunnel.example", 0), BR_ERR_X509_NOT_TRUSTED, "and ours is none of them");
    trust_add_file(&trust, pair_path("ca.pem"));
    is_int(shake(&trust, "tunnel.example", 0), 0, "until it is added");
}

int main(void)
{
    static struct trust trust, other;

    if (!pair_begin() || !pair_ca("ca") || !pair_ca("other") ||
        !pair_leaf("ec", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ca", "sha256")) {
        diag("no openssl here: certificates are not tested");
        return done_testing();
    }
    trust = trust_of("ca.pem");
    other = trust_of("other.pem");
    test_names_and_time(&trust, &other);
    test_keys(&trust);
    test_unset_clock(&trust, &other);
    test_clock(&trust);
    test_pins(&trust);
    test_pin_chain();
    test_weak(&trust);
    test_chain(&trust);
    test_usages(&trust);
    test_long_chain(&trust);
    test_identity_problems();
    test_files();
    test_system();
    pair_finish();
    return done_testing();
}
