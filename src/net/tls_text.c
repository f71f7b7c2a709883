#include "net/tls.h"

#include <string.h>

#include "net/trust.h"

#define ALERT(number) (BR_ERR_RECV_FATAL_ALERT + (number))
/* RFC 6066 section 3; BearSSL has no name for it. */
#define UNRECOGNIZED_NAME 112
/* The first code of the next sentence. */
#define NEXT 0x8000
/* What is not in the list. */
#define OTHER_CERTIFICATE BR_ERR_X509_OK
#define OTHER_ALERT BR_ERR_RECV_FATAL_ALERT
#define OTHER 0x7fff

/* Codes and sentences in the same order: pointers to the sentences would be a third of them. */
static const uint16_t codes[] = {
    NEXT | BR_ERR_OK,
    NEXT | BR_ERR_UNSUPPORTED_VERSION, BR_ERR_BAD_VERSION, BR_ERR_UNKNOWN_TYPE, BR_ERR_BAD_LENGTH,
    NEXT | BR_ERR_TOO_LARGE,
    NEXT | BR_ERR_NO_RANDOM,
    NEXT | BR_ERR_BAD_CIPHER_SUITE, ALERT(BR_ALERT_HANDSHAKE_FAILURE),
    ALERT(BR_ALERT_INSUFFICIENT_SECURITY),
    NEXT | BR_ERR_BAD_SIGNATURE,
    /* certificates */
    NEXT | BR_ERR_X509_BAD_SERVER_NAME,
    NEXT | BR_ERR_X509_EXPIRED, BR_ERR_X509_TIME_UNKNOWN,
    NEXT | BR_ERR_X509_NOT_TRUSTED,
    NEXT | BR_ERR_X509_BAD_SIGNATURE, BR_ERR_X509_DN_MISMATCH,
    NEXT | BR_ERR_X509_WEAK_PUBLIC_KEY,
    NEXT | BR_ERR_X509_UNSUPPORTED,
    NEXT | BR_ERR_X509_NOT_CA,
    NEXT | BR_ERR_X509_FORBIDDEN_KEY_USAGE,
    NEXT | TRUST_ERR_NAMELESS,
    NEXT | TRUST_ERR_PURPOSE,
    NEXT | TRUST_ERR_LIMITS,
    NEXT | TRUST_ERR_SIZE,
    NEXT | TRUST_ERR_PIN,
    NEXT | TRUST_ERR_EARLY,
    NEXT | OTHER_CERTIFICATE,
    /* alerts that the peer sent, RFC 5246 section 7.2 */
    NEXT | ALERT(BR_ALERT_PROTOCOL_VERSION),
    NEXT | ALERT(UNRECOGNIZED_NAME),
    NEXT | ALERT(BR_ALERT_UNKNOWN_CA),
    NEXT | ALERT(BR_ALERT_BAD_CERTIFICATE), ALERT(BR_ALERT_UNSUPPORTED_CERTIFICATE),
    ALERT(BR_ALERT_CERTIFICATE_REVOKED), ALERT(BR_ALERT_CERTIFICATE_EXPIRED),
    ALERT(BR_ALERT_CERTIFICATE_UNKNOWN),
    NEXT | OTHER_ALERT,
    NEXT | OTHER,
};

static const char sentences[] =
    "no error\0"
    "the server does not speak TLS 1.2 on this port: check host and port\0"
    "the server sends longer TLS records than this program takes: make it without PROFILE=tiny\0"
    "this machine has no random numbers yet: wait\0"
    "the server offers nothing safe: it needs TLS 1.2, ECDHE, AES-GCM or ChaCha20, an RSA or EC "
    "certificate for signatures (no P-521, Ed25519)\0"
    "the server does not have the key of its certificate: it needs the right file\0"
    /* certificates */
    "the server's certificate is for another name: check the URL's host, or write --server-name\0"
    "the server's certificate, or one above it, has expired: renew it there, or set this machine's "
    "clock\0"
    "the server's certificate chain does not end in a trusted CA; use --ca or --pin\0"
    "the server's certificates do not sign each other: it must send its whole chain\0"
    "the server's certificate has an RSA key below 2048 bits: it needs a new one\0"
    "a certificate of the server needs a key of RSA to 4096 bits, P-256 or P-384, signed with "
    "SHA-256 or better (no SHA-1, MD5, P-521, Ed25519)\0"
    "a certificate of the server signs another although it may not: it needs another chain\0"
    "the server's certificate is not for signatures (keyUsage): it needs one with "
    "digitalSignature\0"
    "the server's certificate names no host (subjectAltName): it needs a new one\0"
    "a certificate of the other side is for another purpose (extendedKeyUsage): a server's needs "
    "serverAuth, an agent's clientAuth\0"
    "an authority may not sign for this name (nameConstraints): the server needs another "
    "certificate\0"
    "the server's chain is too long: it needs only what leads to its authority\0"
    "the server's key is none of --pin: it has a new one, or somebody is in between\0"
    "the server's certificate is not valid yet: set this machine's clock (NTP), or use --state or "
    "--pin\0"
    "the server's certificate is malformed, or of an unknown form: it needs another\0"
    /* alerts */
    "the server refuses TLS 1.2: enable it there, beside 1.3\0"
    "the server does not know this host name: check the URL\0"
    "the other side does not know the authority of this certificate (there: --ca or "
    "--client-ca)\0"
    "the other side refuses this certificate: see its log\0"
    "the other side ended the TLS connection with an alert: see its log\0"
    "the server breaks the TLS protocol, or bytes are changed on the way: look for a proxy";

static const char *find(int code)
{
    const char *text = sentences;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (i > 0 && codes[i] & NEXT)
            text += strlen(text) + 1;
        if ((codes[i] & ~NEXT) == code)
            return text;
    }
    return NULL;
}

const char *tls_error_text(int code)
{
    const char *text = find(code);

    if (text)
        return text;
    if (code < BR_ERR_X509_OK || code >= BR_ERR_SEND_FATAL_ALERT)
        return find(OTHER);
    return find(code < BR_ERR_RECV_FATAL_ALERT ? OTHER_CERTIFICATE : OTHER_ALERT);
}
