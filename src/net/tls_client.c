#include "tls.h"

#include <string.h>

#include "err.h"

/* The kept session goes into the engine, if it is this server's; whether it is good there is seen
 * after the handshake. */
static bool take_session(struct tls_client *c, struct str name)
{
    bool same = c->session.session_id_len > 0 && str_eq(str_of(c->name), name);

    if (same)
        br_ssl_engine_set_session_parameters(&c->client.eng, &c->session);
    memset(&c->session, 0, sizeof c->session);
    return same;
}

int tls_client_start(struct tls_client *c, const struct trust *trust, struct str server_name,
                     const struct trust_clock *clock, const uint8_t seed[32])
{
    br_ssl_engine_context *e = &c->client.eng;
    bool resume;

    if ((server_name.n == 0 && !trust_by_pin_alone(trust)) || server_name.n >= sizeof c->name)
        return ERR_TLS;
    br_ssl_client_zero(&c->client);
    tls_engine_setup(e);
    br_ssl_engine_set_ec(e, &tls_small_curves);
    br_ssl_engine_set_rsavrfy(e, &br_rsa_i31_pkcs1_vrfy);
    br_ssl_engine_set_ecdsa(e, &br_ecdsa_i31_vrfy_asn1);
    trust_check_init(&c->check, trust, e, clock);
    br_ssl_engine_set_x509(e, &c->check.vtable);
    br_ssl_engine_set_buffers_bidi(e, c->in, sizeof c->in, c->out, sizeof c->out);
    br_ssl_engine_inject_entropy(e, seed, 32);
    resume = take_session(c, server_name);
    if (server_name.n > 0)
        memcpy(c->name, server_name.p, server_name.n);
    c->name[server_name.n] = '\0';
    return br_ssl_client_reset(&c->client, c->name, resume) ? 0 : ERR_TLS;
}

void tls_client_keep(struct tls_client *c)
{
    br_ssl_engine_get_session_parameters(&c->client.eng, &c->session);
}
