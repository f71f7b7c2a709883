#include "tls.h"

#include <string.h>

#include "err.h"

int tls_client_start(struct tls_client *c, const struct trust *trust, struct str server_name,
                     int64_t unix_now, const uint8_t seed[32])
{
    br_ssl_engine_context *e = &c->client.eng;

    if (server_name.n == 0 || server_name.n >= sizeof c->name)
        return ERR_TLS;
    memcpy(c->name, server_name.p, server_name.n);
    c->name[server_name.n] = '\0';
    br_ssl_client_zero(&c->client);
    tls_engine_setup(e);
    br_ssl_engine_set_ec(e, &tls_small_curves);
    br_ssl_engine_set_rsavrfy(e, &br_rsa_i31_pkcs1_vrfy);
    br_ssl_engine_set_ecdsa(e, &br_ecdsa_i31_vrfy_asn1);
    trust_check_init(&c->check, trust, e, unix_now);
    br_ssl_engine_set_x509(e, &c->check.vtable);
    br_ssl_engine_set_buffers_bidi(e, c->in, sizeof c->in, c->out, sizeof c->out);
    br_ssl_engine_inject_entropy(e, seed, 32);
    return br_ssl_client_reset(&c->client, c->name, 0) ? 0 : ERR_TLS;
}
