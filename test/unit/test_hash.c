/* The hashes of scripts/bearssl.patch: FIPS 180-4's examples, and a long message in pieces. */
#include <bearssl.h>

#include "tap.h"

struct expected {
    const char *name;
    const br_hash_class *hash;
    size_t len;
    const char *one_block, *two_blocks, *long_one;
};

static const char two_blocks[] =
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
    "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

/* Of "abc", of the 112 bytes above, and of a million times "a". */
static const struct expected all[] = {
    { "SHA-1", &br_sha1_vtable, br_sha1_SIZE, "a9993e364706816aba3e25717850c26c9cd0d89d",
      "a49b2446a02c645bf419f995b67091253a04a259", "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
    { "SHA-256", &br_sha256_vtable, br_sha256_SIZE,
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
    { "SHA-384", &br_sha384_vtable, br_sha384_SIZE,
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
      "8086072ba1e7cc2358baeca134c825a7",
      "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
      "fcc7c71a557e2db966c3e9fa91746039",
      "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
      "07b8b3dc38ecc4ebae97ddd87f3d8985" },
    { "SHA-512", &br_sha512_vtable, br_sha512_SIZE,
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
      "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
      "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
      "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
};

static void check(const struct expected *e, const char *data, size_t repeat, const char *expected)
{
    br_hash_compat_context context;
    uint8_t digest[br_sha512_SIZE];
    char hex[2 * br_sha512_SIZE + 1] = "";

    e->hash->init(&context.vtable);
    for (size_t i = 0; i < repeat; i++)
        e->hash->update(&context.vtable, data, strlen(data));
    e->hash->out(&context.vtable, digest);
    for (size_t i = 0; i < e->len; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    is_str(hex, expected, "%s of %zu bytes", e->name, repeat * strlen(data));
}

int main(void)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        check(&all[i], "abc", 1, all[i].one_block);
        check(&all[i], two_blocks, 1, all[i].two_blocks);
        check(&all[i], "aaaaaaaaaaaaaaaaaaaaaaaaa", 40000, all[i].long_one);
    }
    return done_testing();
}
