/* Certificates built from parts, so that every part can be wrong. */
#include "codec/der.h"

#include "err.h"
#include "tap.h"

/* A value under construction: contents are put first, then wrapped in a tag and a length. */
struct build {
    uint8_t bytes[2048];
    size_t n;
};

static void put(struct build *b, const void *p, size_t n)
{
    memcpy(b->bytes + b->n, p, n);
    b->n += n;
}

#define PUT(b, literal) put(b, literal, sizeof(literal) - 1)

/* Wraps everything from `at` on. */
static void wrap(struct build *b, size_t at, uint8_t tag)
{
    size_t n = b->n - at;
    uint8_t head[4] = { tag, (uint8_t)n };
    size_t head_len = 2;

    if (n >= 256) {
        head[1] = 0x82;
        head[2] = (uint8_t)(n >> 8);
        head[3] = (uint8_t)n;
        head_len = 4;
    } else if (n >= 128) {
        head[1] = 0x81;
        head[2] = (uint8_t)n;
        head_len = 3;
    }
    memmove(b->bytes + at + head_len, b->bytes + at, n);
    memcpy(b->bytes + at, head, head_len);
    b->n += head_len;
}

#define RSA_ALGORITHM "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
#define P256_ALGORITHM \
    "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P384_ALGORITHM "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
#define P521_ALGORITHM "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"
#define ED25519_ALGORITHM "\x30\x05\x06\x03\x2b\x65\x70"
#define NAME "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02me"
#define ISSUER "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02up"
#define SHA256_ECDSA "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define SHA512_RSA "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"
#define CA "\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"
#define CA_PATH "\x30\x12\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x08\x30\x06\x01\x01\xff\x02\x01\x00"
#define NO_CA "\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"
#define KEY_ID "\x30\x0b\x06\x03\x55\x1d\x0e\x04\x04\x04\x02\x01\x02"

/* What the next certificate has. */
static struct str signed_with, signed_again, from, to;

static void usual(void)
{
    signed_with = signed_again = STR(SHA256_ECDSA);
    from = STR("\x17\x0d" "240229120000Z");
    to = STR("\x18\x0f" "20500101000000Z");
}

enum { RSA_2048 = 256, P256 = 32, P384 = 48 };

static void put_rsa_bits(struct build *b, size_t modulus_len)
{
    size_t bits = b->n, key, integer;

    PUT(b, "\0");
    key = b->n;
    integer = b->n;
    PUT(b, "\0");
    memset(b->bytes + b->n, 0xc3, modulus_len);
    b->n += modulus_len;
    wrap(b, integer, 0x02);
    PUT(b, "\x02\x03\x01\x00\x01");
    wrap(b, key, 0x30);
    wrap(b, bits, 0x03);
}

static void put_ec_bits(struct build *b, size_t coordinate, uint8_t form)
{
    size_t bits = b->n;

    PUT(b, "\0");
    b->bytes[b->n++] = form;
    memset(b->bytes + b->n, 0x5a, 2 * coordinate);
    b->n += 2 * coordinate;
    wrap(b, bits, 0x03);
}

/* A certificate with a key's algorithm and bits, and extensions (NULL: none, version 1). */
static void build(struct build *b, struct str algorithm, size_t rsa, size_t ec,
                  const char *extensions, size_t extensions_len)
{
    size_t info, list;

    b->n = 0;
    if (extensions)
        PUT(b, "\xa0\x03\x02\x01\x02");
    PUT(b, "\x02\x02\x12\x34");
    put(b, signed_with.p, signed_with.n);
    PUT(b, ISSUER);
    list = b->n;
    put(b, from.p, from.n);
    put(b, to.p, to.n);
    wrap(b, list, 0x30);
    PUT(b, NAME);
    info = b->n;
    put(b, algorithm.p, algorithm.n);
    if (rsa)
        put_rsa_bits(b, rsa);
    else
        put_ec_bits(b, ec, 4);
    wrap(b, info, 0x30);
    if (extensions) {
        PUT(b, "\x81\x02\x00\x01"); /* a unique identifier */
        list = b->n;
        put(b, extensions, extensions_len);
        wrap(b, list, 0x30);
        wrap(b, list, 0xa3);
    }
    wrap(b, 0, 0x30);
    put(b, signed_again.p, signed_again.n);
    PUT(b, "\x03\x02\x00\x11");
    wrap(b, 0, 0x30);
}

#define BUILD(b, algorithm, rsa, ec, extensions) \
    build(b, STR(algorithm), rsa, ec, extensions, sizeof(extensions) - 1)

static struct build b;
static struct der_certificate c;

/* From the end of a page, so that reading beyond is noticed. */
static int parse(size_t n)
{
    uint8_t *guarded = tap_guard_end(n);
    int result;

    memcpy(guarded, b.bytes, n);
    result = der_certificate_parse((struct str){ guarded, n }, &c);
    /* To be read without the guard. */
    for (size_t i = 0; i < 4 && result == 0; i++) {
        struct str *const slice[] = { &c.subject, &c.issuer, &c.names, &c.key_info };

        if (slice[i]->p)
            slice[i]->p = b.bytes + (slice[i]->p - guarded);
    }
    tap_guard_free(guarded, n);
    return result;
}

static void test_keys(void)
{
    BUILD(&b, RSA_ALGORITHM, RSA_2048, 0, KEY_ID CA);
    is_int(parse(b.n), 0, "RSA");
    is_int(c.key, DER_KEY_RSA, "key");
    is_int(c.modulus.n, 256, "modulus without its leading zero");
    is_int(c.exponent.n, 3, "exponent");
    ok(c.is_ca, "an authority");
    is_mem(c.subject.p, c.subject.n, NAME, sizeof NAME - 1, "its whole name");
    BUILD(&b, P256_ALGORITHM, 0, P256, CA_PATH KEY_ID);
    is_int(parse(b.n), 0, "P-256");
    ok(c.key == DER_KEY_EC && c.curve == 23 && c.point.n == 65, "key");
    ok(c.is_ca, "with a path length");
    BUILD(&b, P384_ALGORITHM, 0, P384, CA);
    is_int(parse(b.n), 0, "P-384");
    ok(c.key == DER_KEY_EC && c.curve == 24 && c.point.n == 97, "key");
}

static void test_other(void)
{
    BUILD(&b, P256_ALGORITHM, 0, P256, NO_CA);
    ok(parse(b.n) == 0 && !c.is_ca, "no authority");
    BUILD(&b, P256_ALGORITHM, 0, P256, KEY_ID);
    ok(parse(b.n) == 0 && !c.is_ca, "no basic constraints");
    build(&b, STR(P256_ALGORITHM), 0, P256, NULL, 0);
    ok(parse(b.n) == 0 && !c.is_ca && c.key == DER_KEY_EC, "version 1");
    BUILD(&b, P521_ALGORITHM, 0, 66, CA);
    ok(parse(b.n) == 0 && c.key == DER_KEY_OTHER, "P-521");
    BUILD(&b, ED25519_ALGORITHM, 0, 16, CA);
    ok(parse(b.n) == 0 && c.key == DER_KEY_OTHER, "Ed25519");
    BUILD(&b, RSA_ALGORITHM, 513, 0, CA);
    ok(parse(b.n) == 0 && c.key == DER_KEY_OTHER, "RSA beyond 4096 bits");
    BUILD(&b, RSA_ALGORITHM, 512, 0, CA);
    ok(parse(b.n) == 0 && c.key == DER_KEY_RSA, "RSA 4096");
    BUILD(&b, P256_ALGORITHM, 0, P384, CA);
    ok(parse(b.n) == 0 && c.key == DER_KEY_OTHER, "a point of another length");
}

/* ---- times ---- */

static void is_time(uint8_t tag, const char *text, int64_t expected)
{
    uint8_t value[64] = { tag, (uint8_t)strlen(text) };

    memcpy(value + 2, text, strlen(text));
    from = to = (struct str){ value, 2 + strlen(text) };
    BUILD(&b, P256_ALGORITHM, 0, P256, CA);
    if (expected < 0)
        is_int(parse(b.n), ERR_FILE, "no time: %s", text);
    else
        ok(parse(b.n) == 0 && c.from == expected && c.to == expected, "%s is %lld", text,
           (long long)expected);
    usual();
}

#define UTC 0x17
#define GENERALIZED 0x18

static void test_times(void)
{
    is_time(UTC, "700101000000Z", 0);
    is_time(UTC, "691231235959Z", 0);
    is_time(UTC, "500101000000Z", 0);
    is_time(UTC, "000229000000Z", 951782400);
    is_time(UTC, "000301000000Z", 951868800);
    is_time(UTC, "990101000000Z", 915148800);
    is_time(GENERALIZED, "20500101000000Z", 2524608000);
    is_time(GENERALIZED, "21000301000000Z", 4107542400);
    is_time(GENERALIZED, "99991231235959Z", 253402300799);
    is_time(GENERALIZED, "19000101000000Z", 0);
    is_time(UTC, "20500101000000Z", -1);
    is_time(GENERALIZED, "500101000000Z", -1);
    is_time(UTC, "7001010000Z", -1);
    is_time(UTC, "700101000000+0000", -1);
    is_time(UTC, "700001000000Z", -1);
    is_time(UTC, "701301000000Z", -1);
    is_time(UTC, "700100000000Z", -1);
    is_time(UTC, "700132000000Z", -1);
    is_time(UTC, "700101240000Z", -1);
    is_time(UTC, "700101006000Z", -1);
    is_time(UTC, "70010100:000Z", -1);
    is_time(UTC, "7x0101000000Z", -1);
    is_time(GENERALIZED, "x9700101000000Z", -1);
    is_time(GENERALIZED, "20240101000000.5Z", -1);
    is_time(GENERALIZED, "20240101000000000000000000000000Z", -1);
    is_time(0x0c, "240101000000Z", -1);
    is_time(UTC, "", -1);
}

/* ---- extensions ---- */

/* An extension, critical where `critical` is 0xff, behind that of an authority. */
static int parse_with(uint8_t kind, uint8_t critical, const char *value, size_t n)
{
    uint8_t text[512] = CA "\x30\0\x06\x03\x55\x1d";
    size_t at = sizeof CA - 1;

    text[at + 1] = (uint8_t)(10 + n);
    text[at + 6] = kind;
    memcpy(text + at + 7, "\x01\x01", 2);
    text[at + 9] = critical;
    text[at + 10] = 0x04;
    text[at + 11] = (uint8_t)n;
    memcpy(text + at + 12, value, n);
    build(&b, STR(P256_ALGORITHM), 0, P256, (const char *)text, at + 12 + n);
    return parse(b.n);
}

#define WITH(kind, critical, value) parse_with(kind, critical, value, sizeof(value) - 1)
#define SERVER_AUTH "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
#define CLIENT_AUTH "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
#define CODE_SIGNING "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03"
#define ANY_PURPOSE "\x06\x04\x55\x1d\x25\x00"
#define LONGER "\x06\x09\x2b\x06\x01\x05\x05\x07\x03\x01\x01"

static void test_usages(void)
{
    ok(WITH(15, 0xff, "\x03\x02\x05\xa0") == 0 && c.usages == 0xa0 && !c.strange, "key usage");
    ok(WITH(15, 0, "\x03\x03\x07\x06\x80") == 0 && c.usages == 6, "of two bytes");
    ok(WITH(15, 0xff, "\x03\x01\x00") == 0 && c.usages == 0, "of none");
    is_int(WITH(15, 0xff, "\x03\x00"), ERR_FILE, "without its first byte");
    is_int(WITH(15, 0xff, "\x04\x02\x05\xa0"), ERR_FILE, "of another form");
    ok(WITH(37, 0xff, "\x30\x0a" SERVER_AUTH) == 0 && c.purposes == DER_SERVER && !c.strange,
       "serverAuth");
    ok(WITH(37, 0, "\x30\x0a" CLIENT_AUTH) == 0 && c.purposes == DER_CLIENT, "clientAuth");
    ok(WITH(37, 0, "\x30\x1e" CODE_SIGNING CLIENT_AUTH SERVER_AUTH) == 0 &&
       c.purposes == (DER_SERVER | DER_CLIENT), "both, and another");
    ok(WITH(37, 0, "\x30\x1b" CODE_SIGNING LONGER ANY_PURPOSE) == 0 && c.purposes == 0, "neither");
    ok(WITH(37, 0, "\x30\x00") == 0 && c.purposes == 0, "none at all");
    is_int(WITH(37, 0, "\x30\x02\x05\x00"), ERR_FILE, "no list of identifiers");
}

static void test_extensions(void)
{
    ok(WITH(17, 0xff, "\x30\x04\x82\x02me") == 0 && !c.strange, "names");
    is_mem(c.names.p, c.names.n, "\x82\x02me", 4, "their list");
    ok(WITH(30, 0xff, "\x30\x00") == 0 && c.limits.p && c.limits.n == 0 && !c.strange,
       "constraints");
    is_int(WITH(17, 0, "\x31\x00"), ERR_FILE, "names of another form");
    is_int(WITH(30, 0, "\x30\x01"), ERR_FILE, "constraints that are cut off");
    ok(WITH(36, 0xff, "\x30\x00") == 0 && c.strange, "a critical one that nobody knows");
    ok(WITH(36, 0, "\x30\x00") == 0 && !c.strange, "one that is not critical");
    ok(WITH(31, 0xff, "\x05\x00") == 0 && !c.strange, "one that restricts nothing");
    ok(WITH(19, 0xff, "\x30\x06\x01\x01\xff\x02\x01\x03") == 0 && c.path_len == 3,
       "a path's length");
    ok(WITH(19, 0xff, "\x30\x07\x01\x01\xff\x02\x02\x01\x00") == 0 && c.path_len == DER_PATH_ANY,
       "one beyond any");
}

static void test_signatures(void)
{
    signed_with = signed_again = STR(SHA512_RSA);
    BUILD(&b, P256_ALGORITHM, 0, P256, CA);
    ok(parse(b.n) == 0 && c.signer == DER_KEY_RSA && c.hash == 2, "RSA with SHA-512");
    signed_again = STR(SHA256_ECDSA);
    BUILD(&b, P256_ALGORITHM, 0, P256, CA);
    is_int(parse(b.n), ERR_FILE, "two algorithms");
    for (unsigned last = 0; last < 256; last++) {
        uint8_t rsa[] = SHA512_RSA, ecdsa[] = SHA256_ECDSA;

        rsa[12] = ecdsa[11] = (uint8_t)last;
        signed_with = signed_again = (struct str){ rsa, sizeof rsa - 1 };
        BUILD(&b, P256_ALGORITHM, 0, P256, CA);
        if (parse(b.n) < 0 || (c.signer == DER_KEY_RSA) != (last >= 11 && last <= 13))
            ok(false, "RSA's %u", last);
        signed_with = signed_again = (struct str){ ecdsa, sizeof ecdsa - 1 };
        BUILD(&b, P256_ALGORITHM, 0, P256, CA);
        if (parse(b.n) < 0 || (c.signer == DER_KEY_EC) != (last >= 2 && last <= 4))
            ok(false, "ECDSA's %u", last);
    }
    usual();
    BUILD(&b, P256_ALGORITHM, 0, P256, CA);
    ok(parse(b.n) == 0 && c.signer == DER_KEY_EC && c.hash == 0, "ECDSA with SHA-256");
    is_int(c.signature.n, 1, "the signature");
    is_mem(c.issuer.p, c.issuer.n, ISSUER, sizeof ISSUER - 1, "who signed");
    ok(c.key_info.n == 91 && c.key_info.p == c.subject.p + c.subject.n, "what pins are of");
    ok(c.from == 1709208000 && c.to == 2524608000, "from when to when");
    b.bytes[b.n++] = 0;
    is_int(parse(b.n), ERR_FILE, "a byte behind it");
}

/* Whatever is cut off, and whatever byte of the lengths lies, nothing is read beyond the end. */
static void test_malformed(void)
{
    size_t accepted = 0, signature = 4;
    bool tbs_short = false;

    BUILD(&b, P256_ALGORITHM, 0, P256, CA);
    for (size_t n = 0; n < b.n; n++)
        tbs_short = tbs_short || parse(n) == 0;
    ok(!tbs_short, "cut anywhere");
    for (size_t i = 0; i < b.n - signature; i++) {
        uint8_t keep = b.bytes[i];

        for (unsigned v = 0; v < 256; v++) {
            b.bytes[i] = (uint8_t)v;
            accepted += parse(b.n) == 0;
        }
        b.bytes[i] = keep;
    }
    ok(accepted > 0, "%zu of %zu changes are of no matter, none reads beyond", accepted,
       256 * (b.n - signature));
    b.bytes[1] = 0x80;
    is_int(parse(b.n), ERR_FILE, "indefinite length");
    is_int(der_certificate_parse((struct str){ NULL, 0 }, &c), ERR_FILE, "nothing");
}

/* ---- private keys ---- */

static struct der_private_key k;

static int parse_key(size_t n)
{
    uint8_t *guarded = tap_guard_end(n);
    int result;

    memcpy(guarded, b.bytes, n);
    result = der_private_key_parse((struct str){ guarded, n }, &k);
    /* To be read without the guard. */
    if (result == 0) {
        k.secret.p = b.bytes + (k.secret.p - guarded);
        if (k.modulus.p)
            k.modulus.p = b.bytes + (k.modulus.p - guarded);
    }
    tap_guard_free(guarded, n);
    return result;
}

#define PKCS1 "\x02\x01\x00\x02\x05\x00\xc1\x02\x03\x04\x02\x01\x03\x02\x02\x71\x72\x02\x01\x05"
#define SEC1 "\x02\x01\x01\x04\x04\x00\x5a\x5b\x5c\xa1\x00"

/* The form, in PKCS#8 if there is an algorithm. */
static void build_key(struct str algorithm, struct str form)
{
    size_t at;

    b.n = 0;
    if (algorithm.n > 0) {
        PUT(&b, "\x02\x01\x00");
        put(&b, algorithm.p, algorithm.n);
    }
    at = b.n;
    put(&b, form.p, form.n);
    wrap(&b, at, 0x30);
    if (algorithm.n > 0) {
        wrap(&b, at, 0x04);
        PUT(&b, "\xa0\x00"); /* attributes */
        wrap(&b, 0, 0x30);
    }
}

static void test_private_keys(void)
{
    for (int wrapped = 0; wrapped < 2; wrapped++) {
        build_key(wrapped ? STR(RSA_ALGORITHM) : STR(""), STR(PKCS1));
        is_int(parse_key(b.n), 0, "RSA, %s", wrapped ? "PKCS#8" : "PKCS#1");
        is_mem(k.modulus.p, k.modulus.n, "\xc1\x02\x03\x04", 4, "modulus without its leading zero");
        is_mem(k.secret.p, k.secret.n, "\x71\x72", 2, "private exponent");
        build_key(wrapped ? STR(P256_ALGORITHM) : STR(""), STR(SEC1));
        is_int(parse_key(b.n), 0, "EC, %s", wrapped ? "PKCS#8" : "SEC1");
        ok(k.modulus.p == NULL && k.modulus.n == 0, "no modulus");
        is_mem(k.secret.p, k.secret.n, "\x00\x5a\x5b\x5c", 4, "scalar");
    }
    build_key(STR(""), STR("\x02\x01\x00\x02\x01\x05\x02\x01\x03\x02\x01\x00"));
    is_int(parse_key(b.n), ERR_FILE, "a secret of nothing but zeroes");
    build_key(STR(""), STR("\x02\x01\x01\x04\x00"));
    is_int(parse_key(b.n), ERR_FILE, "an empty secret");
    /* Ed25519: RFC 8410 section 7 has an OCTET STRING in the other. */
    b.n = 0;
    PUT(&b, "\x02\x01\x00" ED25519_ALGORITHM "\x04\x04\x04\x02\x01\x02");
    wrap(&b, 0, 0x30);
    is_int(parse_key(b.n), ERR_FILE, "Ed25519");
    b.n = 0;
    PUT(&b, "\x30\x03\x06\x01\x2a\x04\x02\x01\x02");
    wrap(&b, 0, 0x30);
    is_int(parse_key(b.n), ERR_FILE, "encrypted (PKCS#8)");
    BUILD(&b, P256_ALGORITHM, 0, P256, CA);
    is_int(parse_key(b.n), ERR_FILE, "a certificate");
    b.n = 0;
    PUT(&b, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07");
    is_int(parse_key(b.n), ERR_FILE, "parameters of a curve");
}

static void test_malformed_keys(void)
{
    bool cut = false;

    for (int ec = 0; ec < 2; ec++) {
        build_key(ec ? STR(P256_ALGORITHM) : STR(RSA_ALGORITHM), ec ? STR(SEC1) : STR(PKCS1));
        for (size_t n = 0; n < b.n; n++)
            cut = cut || parse_key(n) == 0;
        for (size_t i = 0; i < b.n; i++) {
            uint8_t keep = b.bytes[i];

            for (unsigned v = 0; v < 256; v++) {
                b.bytes[i] = (uint8_t)v;
                parse_key(b.n);
            }
            b.bytes[i] = keep;
        }
        ok(parse_key(b.n) == 0, "whatever lies, nothing is read beyond the end");
    }
    ok(!cut, "cut anywhere");
    is_int(der_private_key_parse((struct str){ NULL, 0 }, &k), ERR_FILE, "nothing");
}

int main(void)
{
    usual();
    test_keys();
    test_other();
    test_times();
    test_usages();
    test_extensions();
    test_signatures();
    test_malformed();
    test_private_keys();
    test_malformed_keys();
    return done_testing();
}
