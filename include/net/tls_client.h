/*
 * The TLS of one connection, as a client; see tls.h.
 */
#ifndef ADIT_TLS_CLIENT_H
#define ADIT_TLS_CLIENT_H

#include "net/tls.h"
#include "net/trust.h"

struct tls_client {
    br_ssl_client_context client;
    struct trust_check check;
    /* set by the owner before a start: which server that is (one number, one server_name), so that
     * only its own session is resumed with it; 0: none ever is */
    unsigned peer;
    /* private */
    br_ssl_session_parameters session; /* to be resumed; session_id_len 0: none */
    unsigned session_peer;
    bool kept;                         /* of this connection */
    uint8_t in[TLS_IN_MAX];
    uint8_t out[TLS_OUT_MAX];
    char name[HOST_MAX];
};

/*
 * Prepares the engine for one connection (call before each; the struct starts as all zeroes).
 * server_name: for SNI, and what the certificate has to be for, a DNS name or an address (which is
 * not for SNI); empty: none, which only a pin alone can do without. seed: 32 fresh random bytes.
 * `trust` is used until the handshake is done. Resumes the last session that was kept, if it was
 * with the same peer and its chain would be accepted now (trust_holds). It outlasts attempts with
 * others, up to the first chain that comes of them: there is memory for one. Returns 0 or ERR_TLS
 * (no name where one is needed, or one that is too long). The engine is &c->client.eng.
 */
int tls_client_start(struct tls_client *c, const struct trust *trust, struct str server_name,
                     const struct trust_clock *clock, const uint8_t seed[32]);
/* After the handshake: keeps the session for the next connection. A session that fails before this
 * is forgotten. */
void tls_client_keep(struct tls_client *c);

#endif
