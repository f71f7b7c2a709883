/*
 * A TLS client's own certificate, for gateways that ask for one: a PEM file with its chain, another
 * with its key, both kept in memory from the start on.
 * Source: RFC 5246 sections 7.4.4 (request), 7.4.6 (certificate), 7.4.8 (signature); RFC 8422
 * section 5.8 (ECDSA); RFC 8017 section 8.2.1 (RSA).
 *
 * The signature has the first hash of SHA-256, SHA-384 and SHA-512 that the gateway takes. RSA is
 * computed without the key's factors, by the code that verifies signatures: four times slower, 1.1
 * KB smaller. Neither leaves a trace of the key on the stack.
 *
 * Not handled: which authorities the gateway names (there is one chain to offer); static ECDH.
 */
#ifndef ADIT_MTLS_H
#define ADIT_MTLS_H

#include <bearssl.h>

#include "codec/buf.h"
#include "limits.h"

#define MTLS_CHAIN_MAX 4

/* Starts as all zeroes, and stays where it is. */
struct mtls {
    bool asked;          /* the gateway asked for a certificate, in this handshake */
    size_t chain_len;    /* certificates that it has to offer */
    /* private */
    const br_ssl_client_certificate_class *vtable;
    br_x509_certificate chain[MTLS_CHAIN_MAX];
    struct str modulus;  /* RSA; EC: empty */
    struct str secret;   /* the private exponent, or the scalar */
    int curve;
    uint8_t data[CLIENT_CERT_MAX];
};

/*
 * Two open files (a negative one cannot be read), which stay open. cert_fd: PEM, its own
 * certificate first, then those that lead to an authority, each signed by the next. key_fd: PEM,
 * not encrypted: PKCS#8, PKCS#1 or SEC1; RSA of 2048 to 4096 bits, or EC on P-256 or P-384. NULL,
 * or a sentence that says what to do; then nothing in it is of use.
 */
const char *mtls_load(struct mtls *m, int cert_fd, int key_fd);
/* After tls_client_start: in this connection. */
void mtls_use(struct mtls *m, br_ssl_client_context *client);

#endif
