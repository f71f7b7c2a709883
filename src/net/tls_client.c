#include "net/tls_client.h"

#include <string.h>

#include "codec/ip.h"
#include "err.h"

int tls_client_start(struct tls_client *c, const struct trust *trust, struct str server_name,
                     const struct trust_clock *clock, const uint8_t seed[32])
{
    br_ssl_engine_context *e = &c->client.eng;
    struct ip ip;
    bool resume;

    if ((server_name.n == 0 && !trust_by_pin_alone(trust)) || server_name.n >= sizeof c->name)
        return ERR_TLS;
    if (server_name.n > 0)
        memcpy(c->name, server_name.p, server_name.n);
    c->name[server_name.n] = '\0';
    /* The chain that is remembered, by which a session is judged, would be another's. */
    if (c->check.used && !c->kept)
        c->session.session_id_len = 0;
    c->kept = false;
    br_ssl_client_zero(&c->client);
    tls_engine_setup(e);
    br_ssl_engine_set_ec(e, &tls_small_curves);
    br_ssl_engine_set_rsavrfy(e, &br_rsa_i31_pkcs1_vrfy);
    br_ssl_engine_set_ecdsa(e, &br_ecdsa_i31_vrfy_asn1);
    trust_check_init(&c->check, trust, e, DER_SERVER, str_of(c->name), clock);
    br_ssl_engine_set_buffers_bidi(e, c->in, sizeof c->in, c->out, sizeof c->out);
    br_ssl_engine_inject_entropy(e, seed, 32);
    /* Whether the server still has the session is seen after the handshake. */
    resume = c->session.session_id_len > 0 && c->peer > 0 && c->peer == c->session_peer;
    if (resume) {
        resume = trust_holds(&c->check);
        if (resume)
            br_ssl_engine_set_session_parameters(e, &c->session);
        memset(&c->session, 0, sizeof c->session);
    }
    /* RFC 6066 section 3: an address is no server name. */
    return br_ssl_client_reset(&c->client, ip_parse(server_name, &ip) ? NULL : c->name, resume)
               ? 0 : ERR_TLS;
}

void tls_client_keep(struct tls_client *c)
{
    br_ssl_engine_get_session_parameters(&c->client.eng, &c->session);
    c->session_peer = c->peer;
    c->kept = true;
}
