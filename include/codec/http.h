/*
 * HTTP/1.1 heads and bodies as bytes.
 * Source: RFC 9112 (message syntax), RFC 9110 (fields).
 *
 * Strict on purpose: what two readers could read two ways is refused (RFC 9112 section 11.2,
 * request smuggling). No bare CR or LF, no obs-fold, no space before a colon, no NUL or other
 * control character but HTAB in a value. HTTP/1.2 to HTTP/1.9 are read as HTTP/1.1.
 */
#ifndef ADIT_HTTP_H
#define ADIT_HTTP_H

#include "codec/buf.h"
#include "limits.h"

/* ---- heads ---- */

struct http_head {
    /* request (section 3) */
    struct str method;
    struct str target; /* as sent: origin-form, absolute-form, authority-form or "*" */
    /* response (section 4) */
    unsigned status;   /* 100 to 599 */
    struct str reason; /* may be empty */
    /* both */
    unsigned minor;    /* HTTP/1.minor: 0 or 1 */
    struct str fields; /* the raw field lines, without the empty line; for http_field_next */
    size_t len;        /* of the whole head with its empty line */
};

/*
 * Input: n bytes from the first of a message. `from`: how many of them were already there at the
 * last call (0 at the first), so that a head in many pieces is searched once.
 * Returns the head's length when complete, 0 when more bytes are needed, or ERR_HTTP (malformed),
 * ERR_HTTP_VERSION (well-formed, but not HTTP/1), ERR_HTTP_SIZE (a field name
 * over HTTP_NAME_MAX, more than HTTP_FIELDS_MAX fields). What is wrong is told when the line that
 * shows it is complete, fields too many with the head.
 * One empty line before a request is skipped (section 2.2). A status without the space that
 * should follow it is taken. *head is set only when the head is complete.
 * Ownership: slices lie in `in`.
 * Limits: the caller's, by the size of its buffer; n is at most INT_MAX.
 */
int http_request_parse(const uint8_t *in, size_t n, size_t from, struct http_head *head);
int http_response_parse(const uint8_t *in, size_t n, size_t from, struct http_head *head);

/* Takes the first field off *rest (which begins as head.fields): name as sent, value without the
 * white space around it. False at the end. Only on fields that a parse accepted. */
bool http_field_next(struct str *rest, struct str *name, struct str *value);
/* The first field of that name; false when there is none. */
bool http_field_find(struct str fields, const char *name, struct str *value);
/* How many fields have that name; *first is the first one's value when there is one. */
unsigned http_field_count(struct str fields, const char *name, struct str *first);
/* Does the comma list of any field of that name have the member, case folded? (RFC 9110 5.6.1) */
bool http_field_lists(struct str fields, const char *name, const char *member);
/* Takes the first member off a comma list, trimmed; empty members are skipped.
 * Not handled: commas within quoted strings; lists of tokens have none. */
bool http_list_next(struct str *rest, struct str *member);
bool http_list_has(struct str list, struct str member);
/* Is it a legal field name (token) or value (section 5.5: no CR, LF, NUL, other controls)? */
bool http_name_valid(struct str name);
bool http_value_valid(struct str value);
/* A request target that may stand in a request line: printable ASCII or >= 0x80, no space. */
bool http_target_valid(struct str target);
bool http_method_valid(struct str method);

/*
 * Fields that concern one connection only (RFC 9110 section 7.6.1): Connection, Keep-Alive,
 * Proxy-Connection, TE, Transfer-Encoding, Upgrade; and Trailer, because http_chunk drops what it
 * announces. Those named by Connection itself are asked with http_field_lists.
 */
bool http_is_hop_by_hop(struct str name);

/* ---- status codes, from 100 to 599 ---- */

/* Standard reason phrase, "" when unknown. */
const char *http_reason(unsigned status);
/* Does another response to the same request follow (RFC 9110 section 15.2)? After a 101 none does.
 */
static inline bool http_is_interim(uint64_t status)
{
    return status < 200 && status != 101;
}
/* Has the response to a request of this method no body, whatever its fields say (RFC 9112 section
 * 6.3, rule 1)? Nor has a 101, but bytes of the other protocol follow it. */
bool http_is_bodiless(uint64_t status, struct str method);
/* May it have a Content-Length (RFC 9110 section 8.6)? */
static inline bool http_may_have_length(uint64_t status)
{
    return status >= 200 && status != 204;
}

/* ---- request targets, RFC 9112 section 3.2 ---- */

enum http_target_form {
    HTTP_TARGET_ORIGIN,    /* /path?query */
    HTTP_TARGET_ABSOLUTE,  /* http://authority/path?query; its authority goes before Host */
    HTTP_TARGET_AUTHORITY, /* CONNECT host:port */
    HTTP_TARGET_ASTERISK,  /* OPTIONS * */
};

struct http_target {
    enum http_target_form form;
    struct str authority; /* of absolute and authority form, else empty */
    struct str path; /* path and query; "*" of the asterisk form, and of OPTIONS in absolute form
                        without a path (section 3.2.4); empty of authority form */
};

/* Returns 0, or ERR_HTTP: none of the forms, or one that the method does not allow.
 * Not handled: absolute form with a query directly after the authority. */
int http_target_split(const struct http_head *head, struct http_target *target);

/* ---- how a body is delimited, RFC 9112 section 6.3 ---- */

enum http_body_kind {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,
    HTTP_BODY_CHUNKED,
    HTTP_BODY_CLOSE,  /* responses only: until the connection closes */
    HTTP_BODY_TUNNEL, /* 101, or 2xx to CONNECT: no HTTP any more */
};

struct http_framing {
    enum http_body_kind kind;
    uint64_t length;  /* with HTTP_BODY_LENGTH */
    bool keep_alive;  /* may the connection carry another message (section 9.3)? */
};

/*
 * Decides a request's or a response's framing; returns 0 or an error. ERR_HTTP_SMUGGLE:
 * Content-Length with Transfer-Encoding, a Content-Length that is repeated (even with equal
 * values, even in one list), malformed or beyond INT64_MAX, a Transfer-Encoding that is not
 * exactly "chunked" or is repeated, Transfer-Encoding in HTTP/1.0. ERR_HTTP: a request with more
 * than one Host field or a malformed one, or with none in HTTP/1.1.
 * For a response: the method it answers (HEAD and CONNECT matter). What forbids a body wins over
 * its fields, which are checked all the same.
 */
int http_request_framing(const struct http_head *head, struct http_framing *f);
int http_response_framing(const struct http_head *head, struct str method, struct http_framing *f);

/* ---- chunked coding, RFC 9112 section 7.1 ---- */

/* Private, but `done`. Zero it to start. */
struct http_chunk {
    uint64_t left;
    uint8_t state;
    uint8_t digits;
    uint16_t line; /* bytes of the present size line or trailer line, bounded */
    uint16_t trailer; /* bytes of the trailer section, bounded */
    bool done;     /* the last chunk and the trailer section have been read */
};

/*
 * Removes chunk framing in place: of the n bytes at p (more coded input, split anywhere) the data
 * bytes are moved to the front. Data that is alone in the buffer is not moved.
 * Returns the number of coded bytes consumed (n, or less when `done`); *data_len is set to the
 * data bytes that now stand at p, also before an error. ERR_HTTP, for good: a bad size (no digit,
 * over 16 digits, beyond INT64_MAX, white space without an extension), a bare CR or LF, a control
 * character, a size line or trailer line beyond HTTP_CHUNK_LINE_MAX, a trailer section beyond
 * HTTP_TRAILER_MAX. Extensions are skipped (section 7.1.1); trailer fields are checked and dropped
 * (RFC 9110 section 6.5.1 lets a recipient discard them).
 */
int http_chunk_decode(struct http_chunk *c, uint8_t *p, size_t n, size_t *data_len);

#define HTTP_CHUNK_LINE_MAX 1024
#define HTTP_TRAILER_MAX 8192

/* Room that a chunk's head takes at most: 8 hex digits and CR LF. */
#define HTTP_CHUNK_HEAD_MAX 10
/* "SIZE\r\n" of a chunk of `len` bytes into out; returns its length. len 0: the last chunk with
 * its empty trailer section is "0\r\n\r\n", 5 bytes. The CR LF after data is the caller's. */
size_t http_chunk_head(uint32_t len, uint8_t out[HTTP_CHUNK_HEAD_MAX]);

#endif
