#include "net/tls.h"

/*
 * BearSSL's own combination takes a special P-256 for twice the speed and 10 KB more. A client does
 * three multiplications per connection, and a router has few connections and little flash.
 */
static const br_ec_impl *of(int curve)
{
    return curve == BR_EC_curve25519 ? &br_ec_c25519_i31 : &br_ec_prime_i31;
}

static const unsigned char *generator(int curve, size_t *len)
{
    return of(curve)->generator(curve, len);
}

static const unsigned char *order(int curve, size_t *len)
{
    return of(curve)->order(curve, len);
}

static size_t xoff(int curve, size_t *len)
{
    return of(curve)->xoff(curve, len);
}

static uint32_t mul(unsigned char *point, size_t len, const unsigned char *x, size_t x_len,
                    int curve)
{
    return of(curve)->mul(point, len, x, x_len, curve);
}

static size_t mulgen(unsigned char *result, const unsigned char *x, size_t x_len, int curve)
{
    return of(curve)->mulgen(result, x, x_len, curve);
}

static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len,
                       const unsigned char *x, size_t x_len, const unsigned char *y, size_t y_len,
                       int curve)
{
    return of(curve)->muladd(a, b, len, x, x_len, y, y_len, curve);
}

/* No P-521: no authority of the web uses it, and it is the slowest. */
const br_ec_impl tls_small_curves = {
    (uint32_t)1 << BR_EC_secp256r1 | (uint32_t)1 << BR_EC_secp384r1 |
        (uint32_t)1 << BR_EC_curve25519,
    generator, order, xoff, mul, mulgen, muladd,
};
