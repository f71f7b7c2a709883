/* A certificate read in pieces says what it says in one, and its key is the one that BearSSL reads:
 * a pin must not be compared with other bytes. */
#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

#include "leaf.h"

static void feed(struct leaf *l, const uint8_t *data, size_t size, size_t piece, size_t *from,
                 size_t *len)
{
    memset(l, 0, sizeof *l);
    *from = *len = 0;
    for (size_t at = 0; at < size; at += piece) {
        size_t n = piece < size - at ? piece : size - at;
        struct str key = leaf_feed(l, data + at, n);

        if (key.n == 0)
            continue;
        if (key.p < data + at || key.n > n || (size_t)(key.p - (data + at)) > n - key.n)
            abort();
        if (*len == 0)
            *from = (size_t)(key.p - data);
        else if (*from + *len != (size_t)(key.p - data))
            abort();
        *len += key.n;
    }
}

/* Both keys end with the bytes at the end of the public key info. */
static void compare(const uint8_t *data, size_t size, size_t from, size_t len)
{
    br_x509_decoder_context decoder;
    const br_x509_pkey *key;
    const uint8_t *tail;
    size_t n;

    br_x509_decoder_init(&decoder, NULL, NULL);
    br_x509_decoder_push(&decoder, data, size);
    key = br_x509_decoder_get_pkey(&decoder);
    if (!key)
        return;
    tail = key->key_type == BR_KEYTYPE_EC ? key->key.ec.q : key->key.rsa.e;
    n = key->key_type == BR_KEYTYPE_EC ? key->key.ec.qlen : key->key.rsa.elen;
    if (n > len || memcmp(data + from + len - n, tail, n) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leaf whole, part;
    size_t from, len, part_from, part_len;

    if (size < 2)
        return 0;
    feed(&whole, data, size, size, &from, &len);
    feed(&part, data, size, 1 + data[size - 1] % 64u, &part_from, &part_len);
    if (whole.step != part.step || whole.from != part.from || whole.to != part.to ||
        from != part_from || len != part_len)
        abort();
    if (whole.step > LEAF_FROM && whole.step < LEAF_BAD && whole.from < 0)
        abort();
    if (whole.step == LEAF_DONE)
        compare(data, size, from, len);
    return 0;
}
