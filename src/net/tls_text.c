#include "tls.h"

/* RFC 6066 section 3; BearSSL has no name for it. */
#define UNRECOGNIZED_NAME 112

static const char not_tls[] = "the server does not speak TLS 1.2 on this port: check host and port";
static const char no_suite[] =
    "the server offers nothing safe: it needs TLS 1.2 with ECDHE, AES-GCM or ChaCha20, and an RSA "
    "or EC certificate (no Ed25519)";
static const char bad_certificate[] =
    "the server's certificate is malformed, or of an unknown form: it needs another";
static const char bad_peer[] =
    "the server breaks the TLS protocol, or bytes are changed on the way: look for a proxy";

/* Alerts that the peer sent, RFC 5246 section 7.2. */
static const char *alert_text(int alert)
{
    switch (alert) {
    case BR_ALERT_HANDSHAKE_FAILURE:
    case BR_ALERT_INSUFFICIENT_SECURITY:
        return no_suite;
    case BR_ALERT_PROTOCOL_VERSION:
        return "the server refuses TLS 1.2: enable it there, beside 1.3";
    case UNRECOGNIZED_NAME:
        return "the server does not know this host name: check the URL";
    case BR_ALERT_UNKNOWN_CA:
        return "the other side does not know the authority of this certificate (there: --ca "
               "or --client-ca)";
    case BR_ALERT_BAD_CERTIFICATE:
    case BR_ALERT_UNSUPPORTED_CERTIFICATE:
    case BR_ALERT_CERTIFICATE_REVOKED:
    case BR_ALERT_CERTIFICATE_EXPIRED:
    case BR_ALERT_CERTIFICATE_UNKNOWN:
        return "the other side refuses this certificate: see its log";
    default:
        return "the other side ended the TLS connection with an alert: see its log";
    }
}

static const char *certificate_text(int code)
{
    switch (code) {
    case BR_ERR_X509_BAD_SERVER_NAME:
        return "the server's certificate is for another name: check the URL's host, or write "
               "--server-name";
    case BR_ERR_X509_EXPIRED:
    case BR_ERR_X509_TIME_UNKNOWN:
        return "the server's certificate, or one above it, has expired: renew it there, or set this "
               "machine's clock";
    case BR_ERR_X509_NOT_TRUSTED:
        return "the server's certificate chain does not end in a trusted CA; use --ca or --pin";
    case BR_ERR_X509_BAD_SIGNATURE:
    case BR_ERR_X509_DN_MISMATCH:
        return "the server's certificates do not sign each other: it must send its whole chain";
    case BR_ERR_X509_WEAK_PUBLIC_KEY:
        return "the server's certificate has an RSA key below 2048 bits: it needs a new one";
    case BR_ERR_X509_UNSUPPORTED:
        return "the server's certificate needs an RSA or EC key, signed with SHA-256 or better (no "
               "SHA-1, MD5, Ed25519)";
    case BR_ERR_X509_NOT_CA:
    case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
        return "a certificate of the server signs another although it may not: it needs another "
               "chain";
    case TRUST_ERR_PIN:
        return "the server's key is none of --pin: it has a new one, or somebody is in between";
    case TRUST_ERR_EARLY:
        return "the server's certificate is not valid yet: set this machine's clock";
    default:
        return bad_certificate;
    }
}

const char *tls_error_text(int code)
{
    if (code >= BR_ERR_SEND_FATAL_ALERT)
        return bad_peer;
    if (code >= BR_ERR_RECV_FATAL_ALERT)
        return alert_text(code - BR_ERR_RECV_FATAL_ALERT);
    if (code >= BR_ERR_X509_OK)
        return certificate_text(code);
    switch (code) {
    case BR_ERR_OK:
        return "no error";
    case BR_ERR_UNSUPPORTED_VERSION:
    case BR_ERR_BAD_VERSION:
    case BR_ERR_UNKNOWN_TYPE:
    case BR_ERR_BAD_LENGTH:
        return not_tls;
    case BR_ERR_TOO_LARGE:
        return "the server sends longer TLS records than this program takes: make it without "
               "PROFILE=tiny";
    case BR_ERR_NO_RANDOM:
        return "this machine has no random numbers yet: wait";
    case BR_ERR_BAD_CIPHER_SUITE:
        return no_suite;
    case BR_ERR_BAD_SIGNATURE:
        return "the server does not have the key of its certificate: it needs the right file";
    default:
        return bad_peer;
    }
}
