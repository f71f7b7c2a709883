#include "der.h"

#include "err.h"

#define INTEGER 0x02
#define BOOLEAN 0x01
#define BIT_STRING 0x03
#define OCTET_STRING 0x04
#define OID 0x06
#define SEQUENCE 0x30
#define VERSION 0xa0    /* [0] EXPLICIT */
#define EXTENSIONS 0xa3 /* [3] EXPLICIT */
#define TRUE_OCTET 0xff

#define RSA_LEN_MAX (4096 / 8)
#define UNCOMPRESSED 4

static const uint8_t oid_basic_constraints[] = { 0x55, 0x1d, 0x13 };
static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };

#define IS(slice, oid) str_eq((slice), (struct str){ (oid), sizeof(oid) })

/* The definite length at the reader (X.690 section 8.1.3). */
static size_t length(struct reader *r)
{
    size_t first = reader_u8(r);

    if (first < 0x80)
        return first;
    /* 0x80 is the indefinite form, and no certificate has 2^24 bytes. */
    if (first == 0x80 || first > 0x83) {
        r->bad = true;
        return 0;
    }
    return (size_t)reader_be(r, first - 0x80);
}

/* The contents of the next value if it has the tag; else nothing moves, and p is NULL. */
static struct str take_if(struct reader *r, uint8_t tag)
{
    if (r->bad || reader_left(r) == 0 || *r->p != tag)
        return (struct str){ NULL, 0 };
    reader_u8(r);
    return reader_str(r, length(r));
}

static struct str take(struct reader *r, uint8_t tag)
{
    struct str contents = take_if(r, tag);

    if (!contents.p)
        r->bad = true;
    return contents;
}

static struct reader inside(struct str contents)
{
    struct reader r;

    reader_init(&r, contents.p, contents.n);
    r.bad = !contents.p;
    return r;
}

/* Goes on with the contents of the next value instead. */
static void enter(struct reader *r, uint8_t tag)
{
    *r = inside(take(r, tag));
}

/* Positive, without leading zeroes. */
static struct str take_integer(struct reader *r)
{
    struct str value = take(r, INTEGER);

    while (value.n > 0 && *value.p == 0) {
        value.p++;
        value.n--;
    }
    return value;
}

/* The bytes of a BIT STRING: its first octet tells unused bits, of which keys have none. */
static struct str take_bits(struct reader *r)
{
    struct reader bits = inside(take(r, BIT_STRING));

    if (reader_u8(&bits) != 0 || bits.bad)
        r->bad = true;
    return reader_str(&bits, reader_left(&bits));
}

static bool rsa_key(struct str bits, struct der_certificate *c)
{
    struct reader r = inside(bits);

    enter(&r, SEQUENCE);
    c->modulus = take_integer(&r);
    c->exponent = take_integer(&r);
    if (!r.bad && c->modulus.n > 0 && c->modulus.n <= RSA_LEN_MAX && c->exponent.n > 0)
        c->key = DER_KEY_RSA;
    return !r.bad;
}

static void ec_key(struct str curve, struct str bits, struct der_certificate *c)
{
    size_t coordinate;

    if (IS(curve, oid_p256)) {
        c->curve = 23;
        coordinate = 32;
    } else if (IS(curve, oid_p384)) {
        c->curve = 24;
        coordinate = 48;
    } else {
        return;
    }
    c->point = bits;
    if (bits.n == 1 + 2 * coordinate && bits.p[0] == UNCOMPRESSED)
        c->key = DER_KEY_EC;
}

/* RFC 5280 section 4.1.2.7. */
static bool public_key(struct str info, struct der_certificate *c)
{
    struct reader r = inside(info);
    struct reader algorithm = inside(take(&r, SEQUENCE));
    struct str kind = take(&algorithm, OID);
    struct str bits = take_bits(&r);

    if (r.bad || algorithm.bad)
        return false;
    if (IS(kind, oid_rsa))
        return rsa_key(bits, c);
    if (IS(kind, oid_ec))
        ec_key(take_if(&algorithm, OID), bits, c);
    return true;
}

/* One extension; only basic constraints matter. */
static bool extension(struct str contents, struct der_certificate *c)
{
    struct reader r = inside(contents);
    struct str oid = take(&r, OID);
    struct reader value;
    struct str ca;

    take_if(&r, BOOLEAN); /* critical */
    value = inside(take(&r, OCTET_STRING));
    if (r.bad)
        return false;
    if (!IS(oid, oid_basic_constraints))
        return true;
    enter(&value, SEQUENCE);
    ca = take_if(&value, BOOLEAN);
    c->is_ca = ca.n == 1 && *ca.p == TRUE_OCTET;
    return !value.bad;
}

static bool extensions(struct str explicit, struct der_certificate *c)
{
    struct reader r = inside(explicit);

    enter(&r, SEQUENCE);
    while (!r.bad && reader_left(&r) > 0) {
        if (!extension(take(&r, SEQUENCE), c))
            return false;
    }
    return !r.bad;
}

int der_certificate_parse(struct str der, struct der_certificate *c)
{
    struct reader r = inside(der);
    const uint8_t *subject;
    struct str explicit;

    enter(&r, SEQUENCE);
    enter(&r, SEQUENCE);
    *c = (struct der_certificate){ .key = DER_KEY_OTHER };
    take_if(&r, VERSION);
    take(&r, INTEGER);  /* serial number */
    take(&r, SEQUENCE); /* signature algorithm */
    take(&r, SEQUENCE); /* issuer */
    take(&r, SEQUENCE); /* validity */
    subject = r.p;
    take(&r, SEQUENCE);
    if (r.bad)
        return ERR_FILE;
    c->subject = (struct str){ subject, (size_t)(r.p - subject) };
    if (!public_key(take(&r, SEQUENCE), c))
        return ERR_FILE;
    /* What is left are unique identifiers, which nobody uses, and the extensions. */
    while (reader_left(&r) > 0 && *r.p != EXTENSIONS && !r.bad)
        take(&r, *r.p);
    explicit = take_if(&r, EXTENSIONS);
    return r.bad || (explicit.p && !extensions(explicit, c)) ? ERR_FILE : 0;
}

/* ---- private keys ---- */

int der_private_key_parse(struct str der, struct der_private_key *k)
{
    struct reader outer = inside(der);
    struct reader r;

    *k = (struct der_private_key){ .modulus = { NULL, 0 } };
    /* Of PKCS#8, what follows the algorithm has one of the other two forms. */
    for (;;) {
        r = inside(take(&outer, SEQUENCE));
        take(&r, INTEGER); /* version */
        if (!take_if(&r, SEQUENCE).p)
            break;
        outer = inside(take(&r, OCTET_STRING));
    }
    if (reader_left(&r) > 0 && *r.p == INTEGER) {
        k->modulus = take_integer(&r);
        take_integer(&r); /* the public exponent */
        k->secret = take_integer(&r);
    } else {
        k->secret = take(&r, OCTET_STRING);
    }
    return r.bad || k->secret.n == 0 || k->secret.n > RSA_LEN_MAX ? ERR_FILE : 0;
}
