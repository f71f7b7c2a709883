/* Certificates and private keys: every slice lies in the input, and a usable key is complete. */
#include <stdlib.h>

#include "der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str slice, const uint8_t *data, size_t size)
{
    if (slice.n == 0)
        return;
    if (slice.p < data || slice.n > size || (size_t)(slice.p - data) > size - slice.n)
        abort();
}

static void try_key(const uint8_t *data, size_t size)
{
    struct der_private_key k;

    if (der_private_key_parse((struct str){ data, size }, &k) < 0)
        return;
    check(k.modulus, data, size);
    check(k.secret, data, size);
    if (k.secret.n == 0 || k.secret.n > 512)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct der_certificate c;

    try_key(data, size);
    if (der_certificate_parse((struct str){ data, size }, &c) < 0)
        return 0;
    check(c.subject, data, size);
    check(c.modulus, data, size);
    check(c.exponent, data, size);
    check(c.point, data, size);
    if (c.subject.n < 2 || c.subject.p[0] != 0x30)
        abort();
    if (c.key == DER_KEY_RSA && (c.modulus.n == 0 || c.modulus.n > 512 || c.modulus.p[0] == 0))
        abort();
    if (c.key == DER_KEY_EC && c.point.n != (c.curve == 23 ? 65u : 97u))
        abort();
    return 0;
}
