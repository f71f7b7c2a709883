#include "net/tls.h"

#include <stdbool.h>

#define AES_GCM_SUITES                                                                     \
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,  \
        BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
#define CHACHA20_SUITES                               \
    BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, \
        BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256

static const uint16_t aes_first[] = { AES_GCM_SUITES, CHACHA20_SUITES };
static const uint16_t chacha20_first[] = { CHACHA20_SUITES, AES_GCM_SUITES };
#define CHACHA20_COUNT 2

/* Software AES is 5 KB that an x86-64 processor with AES-NI, nearly every one, never runs; the
 * others offer ChaCha20 only. */
#ifdef __x86_64__
#define SOFT_AES NULL
#define SOFT_GHASH NULL
#elif UINTPTR_MAX > 0xffffffff
#define SOFT_AES &br_aes_ct64_ctr_vtable
#define SOFT_GHASH &br_ghash_ctmul64
#else
#define SOFT_AES &br_aes_ct_ctr_vtable
#define SOFT_GHASH &br_ghash_ctmul
#endif

static void setup_suites(br_ssl_engine_context *e, bool have_aes, bool fast_aes)
{
    size_t count = have_aes ? sizeof aes_first / sizeof *aes_first : CHACHA20_COUNT;

    br_ssl_engine_set_suites(e, fast_aes ? aes_first : chacha20_first, count);
}

/* BearSSL's getters return NULL on other machines, and where the CPU lacks the instructions. */
static void setup_aes_gcm(br_ssl_engine_context *e)
{
    const br_block_ctr_class *aes = br_aes_x86ni_ctr_get_vtable();
    br_ghash ghash = br_ghash_pclmul_get();
    bool fast = aes && ghash;

    if (!aes)
        aes = SOFT_AES;
    if (!ghash)
        ghash = SOFT_GHASH;
    setup_suites(e, aes && ghash, fast);
    if (!aes || !ghash)
        return;
    br_ssl_engine_set_aes_ctr(e, aes);
    br_ssl_engine_set_ghash(e, ghash);
    br_ssl_engine_set_gcm(e, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
}

static void setup_chacha20(br_ssl_engine_context *e)
{
#ifdef __SSE2__
    br_ssl_engine_set_chacha20(e, &br_chacha20_sse2_run);
#else
    br_ssl_engine_set_chacha20(e, &br_chacha20_ct_run);
#endif
    /* 64-bit boards have a faster one, which the gateway takes. It is 1 to 2 KB larger, and with
     * ChaCha20 at its side the gain is less than a tenth. */
    br_ssl_engine_set_poly1305(e, &br_poly1305_ctmul_run);
    br_ssl_engine_set_chapol(e, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
}

void tls_engine_setup(br_ssl_engine_context *e)
{
    br_ssl_engine_set_versions(e, BR_TLS12, BR_TLS12);
    br_ssl_engine_add_flags(e, BR_OPT_NO_RENEGOTIATION);
    setup_aes_gcm(e);
    setup_chacha20(e);
    br_ssl_engine_set_hash(e, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_hash(e, br_sha384_ID, &br_sha384_vtable);
    br_ssl_engine_set_hash(e, br_sha512_ID, &br_sha512_vtable);
    br_ssl_engine_set_prf_sha256(e, &br_tls12_sha256_prf);
    br_ssl_engine_set_prf_sha384(e, &br_tls12_sha384_prf);
}
