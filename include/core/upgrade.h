/*
 * The WebSocket opening handshake, both sides.
 * Source: RFC 6455 section 4.
 */
#ifndef ADIT_UPGRADE_H
#define ADIT_UPGRADE_H

#include "codec/http.h"
#include "codec/ws.h"

/* Offered and chosen encodings; PLAIN is what holds when the server picks none. */
enum upgrade_protocol { UPGRADE_TLV = 1, UPGRADE_JSON = 2, UPGRADE_PLAIN = 4 };
#define UPGRADE_TLV_NAME "adit.tlv.v1"
#define UPGRADE_JSON_NAME "adit.json.v1"

/*
 * The client's request. host_port: value of Host. offer: bits of UPGRADE_TLV and UPGRADE_JSON
 * (none: no Sec-WebSocket-Protocol). Complete when writer_fits.
 */
void upgrade_request_write(struct writer *w, struct str path, struct str host_port,
                           const uint8_t key[WS_KEY_LEN], unsigned offer);

/*
 * The client checks the server's answer (a complete head).
 * Returns one enum upgrade_protocol, or ERR_UPGRADE (not 101, missing or wrong fields, a
 * subprotocol not offered, any extension), ERR_ACCEPT. head.status tells why for the former.
 */
int upgrade_response_check(const struct http_head *head, const uint8_t key[WS_KEY_LEN],
                           unsigned offer);

/*
 * The server checks a request: GET, HTTP/1.1, Upgrade, Connection, version 13, a 16-byte key.
 * Returns the protocol chosen of those in `accept` (bits; the client's order decides), or
 * ERR_UPGRADE (also: none of those in `accept`). *key is the client's, in the head's memory.
 */
int upgrade_request_check(const struct http_head *head, unsigned accept, struct str *key);
/* The server's 101. */
void upgrade_response_write(struct writer *w, struct str key, enum upgrade_protocol protocol);

#endif
