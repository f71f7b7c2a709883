#include "err.h"

#include "codec/buf.h"

/* In the order of enum err. */
static const char texts[] =
    "no error\0"
    "the peer used a WebSocket extension that was not agreed\0"
    "the peer masked its WebSocket frames the wrong way round\0"
    "the peer sent a malformed WebSocket frame length\0"
    "the peer sent a malformed WebSocket control frame\0"
    "the peer sent WebSocket fragments out of order\0"
    "the peer sent a malformed WebSocket close frame\0"
    "text from the peer is not valid UTF-8\0"
    "a body from the peer is not valid base64\0"
    "a message from the peer is not valid JSON\0"
    "a message from the peer is nested too deeply\0"
    "a message from the peer has a missing, repeated or malformed field\0"
    "a message from the peer has a field that is too long\0"
    "malformed HTTP\0"
    "HTTP with a contradictory body length\0"
    "an HTTP head that is too long\0"
    "HTTP of a version other than 1.x\0"
    "malformed or unsupported URL\0"
    "the name server sent a malformed answer\0"
    "the host name does not exist\0"
    "the server refused the WebSocket connection\0"
    "the server does not speak WebSocket (wrong Sec-WebSocket-Accept)\0"
    "the token was refused\0"
    "the peer sent a message that is not allowed now\0"
    "the peer sent more data than it was allowed to\0"
    "another agent with the same token took over\0"
    "the server has gone silent\0"
    "timed out\0"
    "the server asked to connect again\0"
    "the peer closed the connection\0"
    "a system call failed\0"
    "connection refused: does the server run, and listen on that port?\0"
    "no name server answered\0"
    "too many open files\0"
    "TLS failed\0"
    "the connection broke off\0"
    "wrong option or configuration\0"
    "a file cannot be read or is malformed\0"
    "the peer takes nothing any more\0"
    "a defect: turning without getting on; please report this\0"
    "host unreachable: check its address and the network\0"
    "more than there is room for\0"
    "going back to the preferred gateway";

const char *err_text(int err)
{
    return err > 0 || err < ERR_LAST ? "unknown error" : texts_at(texts, (unsigned)-err);
}
