/*
 * Between HTTP/1.1 heads and messages, both ends, both ways. What may not cross the tunnel is
 * taken out here (hop-by-hop fields, RFC 9110 section 7.6.1), what must not reach a server is
 * refused here (a name or value that would break out of its line).
 */
#ifndef ADIT_RELAY_H
#define ADIT_RELAY_H

#include "codec/http.h"
#include "codec/wire.h"

/* The options of all Connection fields of a head or message together; more is refused
 * (ERR_HTTP_SIZE). Every field is compared with each. */
#define RELAY_CONNECTION_MAX 256

/*
 * Packs the end-to-end fields of a parsed head for a message, IN PLACE: the packed form of a field
 * is never longer than its line, so it is written over the lines (from 3 bytes before the first
 * one, the end of the start line). `fields` is head->fields.p, writable; head->fields and
 * head->reason are invalid afterwards.
 * Left out: hop-by-hop fields, those that Connection names; and, when given, names in `drop` (a
 * NULL-ended list of lower-case names; one that ends with "-" stands for all that begin with it,
 * and "_" in a field's name counts as "-"). With `upgrade`, "connection: upgrade" and the Upgrade
 * field are kept, if Connection names it. Host and Content-Length stay even if it names them.
 * Returns 0 or ERR_HTTP_SIZE.
 */
int relay_pack(struct http_head *head, uint8_t *fields, bool upgrade, const char *const *drop,
               struct wire_headers *out);

/* ---- agent: message to request head ---- */

struct relay_request {
    enum http_body_kind body; /* NONE, LENGTH, CHUNKED (we chunk), TUNNEL (upgrade asked for) */
    uint64_t length;
    bool head;                /* method HEAD: the response has no body */
    bool repeatable;          /* idempotent (RFC 9110 section 9.2.2) and without a body */
};

struct relay_rules {
    struct str host;     /* Host for messages that have none, or for all */
    bool host_replace;   /* for all: --host-header */
    bool streams;        /* both ends speak streams: upgrades and Expect may pass */
};

/*
 * Writes the HTTP/1.1 request head for the local server. `has_body`: a body follows (`more`, or
 * body bytes); its length is the message's content-length, or body_len when that is >= 0 and
 * there is none; else it is chunked.
 * Complete when writer_fits; w->len tells the size. ERR_HTTP: a method, url, name or value that
 * may not stand in a head, CONNECT, more than one Host or Connection, a Content-Length that
 * body_len or has_body contradicts; ERR_HTTP_SMUGGLE: a bad Content-Length, more than one, one with
 * an upgrade; ERR_HTTP_SIZE: more than WIRE_HEADERS_MAX fields, a Connection too long.
 */
int relay_request_write(struct writer *w, const struct wire_msg *m, const struct relay_rules *rules,
                        bool has_body, int64_t body_len, struct relay_request *out);

/* ---- gateway: message to response head ---- */

struct relay_response {
    enum http_body_kind body; /* towards the visitor: NONE, LENGTH, CHUNKED, CLOSE, TUNNEL */
    uint64_t length;
};

/*
 * Writes the HTTP/1.1 response head for the visitor. A body whose length is not told is chunked;
 * for a visitor of HTTP/1.0 (`visitor_minor` 0) it ends with the connection. `keep_alive` becomes a
 * Connection field where it says other than the version's default.
 * 0, ERR_HTTP (a status out of 100 to 599, a name or value that may not stand in a head),
 * ERR_HTTP_SMUGGLE (a bad Content-Length, or more than one), ERR_HTTP_SIZE (more than
 * WIRE_HEADERS_MAX fields): a broken agent, for which the visitor gets 502.
 */
int relay_response_write(struct writer *w, const struct wire_msg *m, struct str method,
                         unsigned visitor_minor, bool keep_alive, struct relay_response *out);

#endif
