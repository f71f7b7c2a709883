#include "codec/der.h"

#include "der_value.h"
#include "err.h"

#define VERSION 0xa0    /* [0] EXPLICIT */
#define EXTENSIONS 0xa3 /* [3] EXPLICIT */
#define TRUE_OCTET 0xff

#define RSA_LEN_MAX (4096 / 8)
#define UNCOMPRESSED 4

static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
/* Of these, the last number is told apart. */
static const uint8_t oid_rsa_hash[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01 };
static const uint8_t oid_ecdsa_hash[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03 };
static const uint8_t oid_extension[] = { 0x55, 0x1d };
static const uint8_t oid_purpose[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03 };

/* RFC 5280 section 4.2.1 */
enum {
    DIRECTORY_ATTRIBUTES = 9,
    SUBJECT_KEY = 14,
    KEY_USAGE = 15,
    SUBJECT_NAMES = 17,
    ISSUER_NAMES = 18,
    BASIC_CONSTRAINTS = 19,
    NAME_CONSTRAINTS = 30,
    CRL_POINTS = 31,
    POLICIES = 32,
    AUTHORITY_KEY = 35,
    EXTENDED_KEY_USAGE = 37,
    FRESHEST_CRL = 46,
};

#define IS(slice, oid) str_eq((slice), (struct str){ (oid), sizeof(oid) })
#define LAST_OF(slice, oid) last_of((slice), (struct str){ (oid), sizeof(oid) })

/* Positive, without leading zeroes. */
static struct str take_integer(struct reader *r)
{
    struct str value = der_take(r, DER_INTEGER);

    while (value.n > 0 && *value.p == 0) {
        value.p++;
        value.n--;
    }
    return value;
}

/* The bytes of a BIT STRING: its first octet tells unused bits, of which keys have none. */
static struct str take_bits(struct reader *r)
{
    struct reader bits = der_inside(der_take(r, DER_BIT_STRING));

    if (reader_u8(&bits) != 0 || bits.bad)
        r->bad = true;
    return reader_str(&bits, reader_left(&bits));
}

static bool rsa_key(struct str bits, struct der_certificate *c)
{
    struct reader r = der_inside(bits);

    der_enter(&r, DER_SEQUENCE);
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

/* The last number of an object identifier below 128 that begins with this one; 0: of another. */
static unsigned last_of(struct str oid, struct str start)
{
    return oid.n == start.n + 1 && str_eq((struct str){ oid.p, start.n }, start) ? oid.p[start.n]
                                                                                 : 0;
}

/* ---- times ---- */

/* Two digits, or 100, which no field of a time can be. */
static uint32_t two_digits(struct reader *r)
{
    uint8_t tens = (uint8_t)(reader_u8(r) - '0'), ones = (uint8_t)(reader_u8(r) - '0');

    return tens > 9 || ones > 9 ? 100 : (uint32_t)tens * 10 + ones;
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March. */
static uint32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    if (month < 3) {
        year--;
        month += 12;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day -
           719469;
}

/* RFC 5280 sections 4.1.2.5.1 and 4.1.2.5.2: in Greenwich Mean Time, seconds included. */
static int64_t take_time(struct reader *r)
{
    static const uint8_t most[] = { 12, 31, 23, 59, 60 };
    struct str utc = der_take_if(r, DER_UTC_TIME);
    struct reader text = der_inside(utc.p ? utc : der_take(r, DER_GENERALIZED_TIME));
    uint32_t century = utc.p ? 0 : two_digits(&text), year = two_digits(&text), field[5];
    bool good = century < 100 && year < 100;

    for (size_t i = 0; i < 5; i++) {
        field[i] = two_digits(&text);
        good = good && field[i] <= most[i] && (field[i] > 0 || i > 1);
    }
    good = good && reader_u8(&text) == 'Z' && !text.bad && reader_left(&text) == 0;
    if (!good)
        r->bad = true;
    year += utc.p ? (year < 50 ? 2000 : 1900) : 100 * century;
    /* Nothing is checked as of a time before 1970. */
    if (!good || year < 1970)
        return 0;
    return (int64_t)days_of(year, field[0], field[1]) * 86400 +
           (int32_t)(field[2] * 3600 + field[3] * 60 + field[4]);
}

/* ---- keys ---- */

/* RFC 5280 section 4.1.2.7. */
static bool public_key(struct der_certificate *c)
{
    struct reader r = der_inside(c->key_info), algorithm;
    struct str kind, bits;

    der_enter(&r, DER_SEQUENCE);
    algorithm = der_inside(der_take(&r, DER_SEQUENCE));
    kind = der_take(&algorithm, DER_OID);
    bits = take_bits(&r);
    if (r.bad || algorithm.bad)
        return false;
    if (IS(kind, oid_rsa))
        return rsa_key(bits, c);
    if (IS(kind, oid_ec))
        ec_key(der_take_if(&algorithm, DER_OID), bits, c);
    return true;
}

/* RFC 4055 section 5, RFC 5758 section 3.2. */
static void signed_with(struct str algorithm, struct der_certificate *c)
{
    struct reader r = der_inside(algorithm);
    struct str oid = der_take(&r, DER_OID);
    unsigned rsa = LAST_OF(oid, oid_rsa_hash), ecdsa = LAST_OF(oid, oid_ecdsa_hash);

    if (rsa >= 11 && rsa <= 13) {
        c->signer = DER_KEY_RSA;
        c->hash = (uint8_t)(rsa - 11);
    } else if (ecdsa >= 2 && ecdsa <= 4) {
        c->signer = DER_KEY_EC;
        c->hash = (uint8_t)(ecdsa - 2);
    }
}

/* ---- extensions ---- */

static bool basic_constraints(struct reader value, struct der_certificate *c)
{
    struct str ca, path;

    der_enter(&value, DER_SEQUENCE);
    ca = der_take_if(&value, DER_BOOLEAN);
    c->is_ca = ca.n == 1 && *ca.p == TRUE_OCTET;
    path = der_take_if(&value, DER_INTEGER);
    if (path.n == 1 && *path.p < DER_PATH_ANY)
        c->path_len = *path.p;
    return !value.bad;
}

static bool key_usage(struct reader value, struct der_certificate *c)
{
    struct reader bits = der_inside(der_take(&value, DER_BIT_STRING));

    reader_u8(&bits); /* how many at the end do not count: they are zeroes */
    c->usages = reader_left(&bits) > 0 ? reader_u8(&bits) : 0;
    return !value.bad && !bits.bad;
}

static bool extended_key_usage(struct reader value, struct der_certificate *c)
{
    c->purposes = 0;
    der_enter(&value, DER_SEQUENCE);
    while (!value.bad && reader_left(&value) > 0) {
        unsigned purpose = LAST_OF(der_take(&value, DER_OID), oid_purpose);

        if (purpose == DER_SERVER || purpose == DER_CLIENT)
            c->purposes |= (uint8_t)purpose;
    }
    return !value.bad;
}

/* One extension. Of those that are not looked at, some may be critical, since they do not restrict
 * anybody who asks for no policy, and knows of no revocation. */
static bool extension(struct str contents, struct der_certificate *c)
{
    struct reader r = der_inside(contents);
    unsigned kind = LAST_OF(der_take(&r, DER_OID), oid_extension);
    struct str critical = der_take_if(&r, DER_BOOLEAN);
    struct reader value = der_inside(der_take(&r, DER_OCTET_STRING));

    if (r.bad)
        return false;
    switch (kind) {
    case BASIC_CONSTRAINTS:
        return basic_constraints(value, c);
    case KEY_USAGE:
        return key_usage(value, c);
    case EXTENDED_KEY_USAGE:
        return extended_key_usage(value, c);
    case SUBJECT_NAMES:
        c->names = der_take(&value, DER_SEQUENCE);
        return !value.bad;
    case NAME_CONSTRAINTS:
        c->limits = der_take(&value, DER_SEQUENCE);
        return !value.bad;
    case DIRECTORY_ATTRIBUTES:
    case SUBJECT_KEY:
    case ISSUER_NAMES:
    case CRL_POINTS:
    case POLICIES:
    case AUTHORITY_KEY:
    case FRESHEST_CRL:
        return true;
    default:
        c->strange = c->strange || (critical.n > 0 && *critical.p != 0);
        return true;
    }
}

static bool extensions(struct str explicit, struct der_certificate *c)
{
    struct reader r = der_inside(explicit);

    der_enter(&r, DER_SEQUENCE);
    while (!r.bad && reader_left(&r) > 0) {
        if (!extension(der_take(&r, DER_SEQUENCE), c))
            return false;
    }
    return !r.bad;
}

/* ---- certificates ---- */

/* What the signature is over. Returns the algorithm that it names, p NULL when it is none. */
static struct str signed_part(struct str whole, struct der_certificate *c)
{
    struct reader r = der_inside(whole), validity;
    struct str algorithm, explicit;
    const struct str none = { NULL, 0 };

    der_enter(&r, DER_SEQUENCE);
    der_take_if(&r, VERSION);
    der_take(&r, DER_INTEGER); /* serial number */
    algorithm = der_take(&r, DER_SEQUENCE);
    c->issuer = der_take_whole(&r, DER_SEQUENCE);
    validity = der_inside(der_take(&r, DER_SEQUENCE));
    c->from = take_time(&validity);
    c->to = take_time(&validity);
    c->subject = der_take_whole(&r, DER_SEQUENCE);
    c->key_info = der_take_whole(&r, DER_SEQUENCE);
    if (r.bad || validity.bad || !public_key(c))
        return none;
    /* What is left are unique identifiers, which nobody uses, and the extensions. */
    while (reader_left(&r) > 0 && *r.p != EXTENSIONS && !r.bad)
        der_take(&r, *r.p);
    explicit = der_take_if(&r, EXTENSIONS);
    if (r.bad || reader_left(&r) > 0 || (explicit.p && !extensions(explicit, c)))
        return none;
    return algorithm;
}

int der_certificate_parse(struct str der, struct der_certificate *c)
{
    struct reader outer = der_inside(der);
    struct reader r = der_inside(der_take(&outer, DER_SEQUENCE));
    struct str algorithm;

    *c = (struct der_certificate){ .path_len = DER_PATH_ANY, .usages = 0xff,
                                   .purposes = DER_SERVER | DER_CLIENT };
    c->signed_part = der_take_whole(&r, DER_SEQUENCE);
    algorithm = der_take(&r, DER_SEQUENCE);
    signed_with(algorithm, c);
    c->signature = take_bits(&r);
    /* RFC 5280 section 4.1.1.2: the algorithm is told twice. */
    return r.bad || reader_left(&r) > 0 || reader_left(&outer) > 0 || algorithm.n == 0 ||
                   !str_eq(signed_part(c->signed_part, c), algorithm)
               ? ERR_FILE : 0;
}

/* ---- private keys ---- */

int der_private_key_parse(struct str der, struct der_private_key *k)
{
    struct reader outer = der_inside(der);
    struct reader r;

    *k = (struct der_private_key){ .modulus = { NULL, 0 } };
    /* Of PKCS#8, what follows the algorithm has one of the other two forms. */
    for (;;) {
        r = der_inside(der_take(&outer, DER_SEQUENCE));
        der_take(&r, DER_INTEGER); /* version */
        if (!der_take_if(&r, DER_SEQUENCE).p)
            break;
        outer = der_inside(der_take(&r, DER_OCTET_STRING));
    }
    if (reader_left(&r) > 0 && *r.p == DER_INTEGER) {
        k->modulus = take_integer(&r);
        take_integer(&r); /* the public exponent */
        k->secret = take_integer(&r);
    } else {
        k->secret = der_take(&r, DER_OCTET_STRING);
    }
    return r.bad || k->secret.n == 0 || k->secret.n > RSA_LEN_MAX ? ERR_FILE : 0;
}
