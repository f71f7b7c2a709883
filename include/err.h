/*
 * Errors of every layer, one list.
 *
 * A result >= 0 is bytes consumed or produced, or a state; a result < 0 is one of these.
 * "Need more input" and "need more room" are no errors: the functions that can say so return 0
 * or a state of their own.
 */
#ifndef ADIT_ERR_H
#define ADIT_ERR_H

enum err {
    ERR_NONE = 0,
    /* codec */
    ERR_WS_RESERVED = -1,   /* RFC 6455 section 5.2: RSV bit or reserved opcode */
    ERR_WS_MASK = -2,       /* section 5.1: masked by a server, unmasked by a client */
    ERR_WS_LENGTH = -3,     /* section 5.2: not the minimal form, or the top bit is set */
    ERR_WS_CONTROL = -4,    /* section 5.5: control frame fragmented or over 125 bytes */
    ERR_WS_FRAGMENT = -5,   /* section 5.4: continuation without a start, or a start within */
    ERR_WS_CLOSE = -6,      /* section 7.4: malformed or forbidden close payload */
    ERR_UTF8 = -7,          /* RFC 3629 */
    ERR_BASE64 = -8,        /* RFC 4648 section 4 */
    ERR_JSON = -9,          /* RFC 8259: not JSON */
    ERR_JSON_DEPTH = -10,   /* nested deeper than JSON_DEPTH_MAX */
    ERR_WIRE_FIELD = -11,   /* a message field of the wrong form, missing or repeated */
    ERR_WIRE_SIZE = -12,    /* a message field beyond its limit */
    ERR_HTTP = -13,         /* RFC 9112: malformed HTTP/1.1 */
    ERR_HTTP_SMUGGLE = -14, /* RFC 9112 section 6.3: a body length that two readers read two ways */
    ERR_HTTP_SIZE = -15,    /* a head beyond its limit */
    ERR_HTTP_VERSION = -16, /* not HTTP/1.x */
    ERR_URI = -17,          /* malformed or unsupported URL */
    ERR_DNS = -18,          /* malformed or foreign DNS answer */
    ERR_DNS_NAME = -19,     /* the name does not exist */
    /* core */
    ERR_UPGRADE = -20,      /* the server refused the WebSocket upgrade */
    ERR_ACCEPT = -21,       /* RFC 6455 section 4.1: wrong Sec-WebSocket-Accept */
    ERR_AUTH = -22,         /* token refused */
    ERR_STATE = -23,        /* message not allowed now, or for an unknown stream */
    ERR_CREDIT = -24,       /* peer sent more body than it was credited */
    ERR_REPLACED = -25,     /* a newer session of the same tunnel took over (4409) */
    ERR_PING_TIMEOUT = -26, /* nothing heard within the ping timeout */
    ERR_TIMEOUT = -27,      /* a step took longer than its limit */
    ERR_GOAWAY = -28,       /* the cloud asked to dial again */
    ERR_CLOSED = -29,       /* the peer closed */
    /* net and sys */
    ERR_SYS = -30,          /* a system call failed: see sock_errno */
    ERR_REFUSED = -31,      /* nobody listens there, or does not want us */
    ERR_RESOLVE = -32,      /* no name server answered */
    ERR_FD = -33,           /* out of descriptors, or one beyond FD_SETSIZE */
    ERR_TLS = -34,          /* TLS failed; the owner kept the TLS code */
    ERR_TRUNCATED = -35,    /* the peer's bytes stopped without an end (no close_notify) */
    ERR_USAGE = -36,        /* bad option or configuration */
    ERR_FILE = -37,         /* a file cannot be read or is malformed */
    ERR_STALLED = -38,      /* the peer took nothing within the ping timeout */
    ERR_SPINS = -39,        /* the watchdog: turns that move nothing; a defect of this program */
    ERR_UNREACHABLE = -40,  /* no way to the host, or none on which it answers */
    ERR_LIMIT = -41,        /* a file or a list of the owner's is longer than its room */
    ERR_RETURN = -42,       /* we left a session for the first gateway */
    ERR_LAST = ERR_RETURN,
};

/*
 * A sentence for a router's owner. Never NULL, static, no full stop.
 */
const char *err_text(int err);

#endif
