#include "err.h"

#include <stddef.h>

static const char *const texts[] = {
    [-ERR_NONE] = "no error",
    [-ERR_WS_RESERVED] = "the peer used a WebSocket extension that was not agreed",
    [-ERR_WS_MASK] = "the peer masked its WebSocket frames the wrong way round",
    [-ERR_WS_LENGTH] = "the peer sent a malformed WebSocket frame length",
    [-ERR_WS_CONTROL] = "the peer sent a malformed WebSocket control frame",
    [-ERR_WS_FRAGMENT] = "the peer sent WebSocket fragments out of order",
    [-ERR_WS_CLOSE] = "the peer sent a malformed WebSocket close frame",
    [-ERR_UTF8] = "text from the peer is not valid UTF-8",
    [-ERR_BASE64] = "a body from the peer is not valid base64",
    [-ERR_JSON] = "a message from the peer is not valid JSON",
    [-ERR_JSON_DEPTH] = "a message from the peer is nested too deeply",
    [-ERR_WIRE_FIELD] = "a message from the peer has a missing, repeated or malformed field",
    [-ERR_WIRE_SIZE] = "a message from the peer has a field that is too long",
    [-ERR_HTTP] = "malformed HTTP",
    [-ERR_HTTP_SMUGGLE] = "HTTP with a contradictory body length",
    [-ERR_HTTP_SIZE] = "an HTTP head that is too long",
    [-ERR_HTTP_VERSION] = "HTTP of a version other than 1.x",
    [-ERR_URI] = "malformed or unsupported URL",
    [-ERR_DNS] = "the name server sent a malformed answer",
    [-ERR_DNS_NAME] = "the host name does not exist",
    [-ERR_UPGRADE] = "the server refused the WebSocket connection",
    [-ERR_ACCEPT] = "the server does not speak WebSocket (wrong Sec-WebSocket-Accept)",
    [-ERR_AUTH] = "the token was refused",
    [-ERR_STATE] = "the peer sent a message that is not allowed now",
    [-ERR_CREDIT] = "the peer sent more data than it was allowed to",
    [-ERR_REPLACED] = "another agent with the same token took over",
    [-ERR_PING_TIMEOUT] = "the server has gone silent",
    [-ERR_TIMEOUT] = "timed out",
    [-ERR_GOAWAY] = "the server asked to connect again",
    [-ERR_CLOSED] = "the peer closed the connection",
    [-ERR_SYS] = "a system call failed",
    [-ERR_REFUSED] = "connection refused or host unreachable",
    [-ERR_RESOLVE] = "no name server answered",
    [-ERR_FD] = "too many open files",
    [-ERR_TLS] = "TLS failed",
    [-ERR_TRUNCATED] = "the connection broke off",
    [-ERR_USAGE] = "wrong option or configuration",
    [-ERR_FILE] = "a file cannot be read or is malformed",
};

const char *err_text(int err)
{
    size_t at = 0U - (unsigned)err;

    if (err > 0 || at >= sizeof texts / sizeof texts[0] || !texts[at])
        return "unknown error";
    return texts[at];
}
