/*
 * The tunnel's messages: one flat struct, two encodings.
 * Source: WIRE.md beside this file, which is exact to the byte; this header is its C form.
 *
 * One table (wire_fields) names every field: TLV tag, JSON member, kind, offset in the struct. Both
 * encoders and both decoders walk it, so that a field is added in one line.
 * Not handled: whether a method, url or header may stand in an HTTP head (see relay.h).
 */
#ifndef ADIT_WIRE_H
#define ADIT_WIRE_H

#include "codec/base64.h"
#include "codec/buf.h"
#include "codec/json.h"
#include "limits.h"

enum wire_encoding { WIRE_TLV, WIRE_JSON };

/* The TLV type byte. */
enum wire_type {
    WIRE_NONE = 0, /* unknown: skipped by who receives it */
    WIRE_AUTH = 1,
    WIRE_AUTH_SUCCESS = 2,
    WIRE_AUTH_ERROR = 3,
    WIRE_HTTP_REQUEST = 4,
    WIRE_HTTP_RESPONSE = 5,
    WIRE_PING = 6,
    WIRE_PONG = 7,
    WIRE_ERROR = 8,
    WIRE_STATS = 9,
    WIRE_HTTP_BODY = 16,
    WIRE_WINDOW = 17,
    WIRE_GOAWAY = 18,
};

/* A field's TLV tag, and its bit in wire_msg.has. One space for all types. */
enum wire_tag {
    WIRE_REQUEST_ID = 0, /* no tag, only a wire_field.bit */
    WIRE_ID = 1,         /* string, 1 to ID_MAX bytes; `request_id` in Error's JSON form */
    WIRE_TOKEN = 2,
    WIRE_AGENT = 3,
    WIRE_SESSION_ID = 4,
    WIRE_URL = 5,
    WIRE_ERROR_TEXT = 6, /* `error` */
    WIRE_METHOD = 7,
    WIRE_HEADER = 8,     /* one field a TLV: name length (1 byte), name, value */
    WIRE_BODY = 9,       /* last in its TLV message */
    WIRE_MORE = 10,      /* integer 0 or 1; true or false in JSON */
    WIRE_WINDOW_SIZE = 11, /* `window`, bytes */
    WIRE_MAX_STREAMS = 12,
    WIRE_SERVER_TIME = 13, /* Unix seconds */
    WIRE_RETRY_AFTER = 14, /* seconds */
    WIRE_STATUS = 15,
    WIRE_TIMESTAMP = 16,   /* Unix seconds */
    WIRE_CODE = 17,
    WIRE_CREDIT = 18,      /* bytes */
    WIRE_DELAY_MS = 19,
    WIRE_REQUESTS_PROCESSED = 20,
    WIRE_REQUESTS_FAILED = 21,
    WIRE_BYTES_TRANSFERRED = 22,
    WIRE_UPTIME_SECONDS = 23,
    WIRE_RECONNECTS = 24,
    WIRE_STREAMS_ACTIVE = 25,
    WIRE_RTT_MS = 26,
    WIRE_TAGS
};

#define WIRE_HAS(tag) (UINT32_C(1) << (tag))

/* Header fields in the order of the wire, packed: name length (1), value length (2, big-endian),
 * name, value. Read with wire_header_next, written with wire_header_pack. */
struct wire_headers {
    struct str packed;
};

struct wire_msg {
    enum wire_type type;
    uint32_t has; /* WIRE_HAS bits; the encoders write exactly these */
    struct str id, token, agent, session_id, url, error, method, body;
    struct wire_headers headers;
    uint64_t more; /* 0 or 1 */
    uint64_t window, max_streams, server_time, retry_after, status, timestamp, code, credit,
        delay_ms;
    uint64_t requests_processed, requests_failed, bytes_transferred, uptime_seconds, reconnects,
        streams_active, rtt_ms;
};

enum wire_kind { WIRE_KIND_STR, WIRE_KIND_UINT, WIRE_KIND_BOOL, WIRE_KIND_HEADERS, WIRE_KIND_BODY };

/* A bit in wire_field.types. */
#define WIRE_TYPE_BIT(type) (UINT32_C(1) << (type))

struct wire_field {
    uint8_t tag;
    uint8_t kind;
    uint8_t offset;    /* in struct wire_msg, in steps of WIRE_STEP */
    uint8_t bit;       /* its own in masks of fields: the tag, but for request_id */
    uint32_t types;    /* the messages it belongs to; to others it is foreign, and ignored */
    uint32_t required; /* those of them that mean nothing without it */
};

#define WIRE_FIELDS 27
#define WIRE_FIELDS_END (wire_fields + WIRE_FIELDS)
/* In the order in which the encoders write; `more` and body last. */
extern const struct wire_field wire_fields[WIRE_FIELDS];
/* Their JSON members: texts, in the same order. */
extern const char wire_names[];
/* Bytes. */
#define WIRE_STEP 8
static inline const void *wire_at(const struct wire_msg *m, const struct wire_field *field)
{
    return (const uint8_t *)m + (size_t)field->offset * WIRE_STEP;
}
/* The field of a tag in a message of this type, NULL when it has none of this tag. */
const struct wire_field *wire_field_by_tag(enum wire_type type, uint8_t tag);
/* The same for a JSON member; WIRE_NONE asks for a field of any type. */
const struct wire_field *wire_field_by_name(enum wire_type type, struct str name);
/* "HttpRequest" and so on; NULL for WIRE_NONE. */
const char *wire_type_name(enum wire_type type);
enum wire_type wire_type_by_name(struct str name);
/* The fields of a message of this type; in *required those without which it is malformed. Masks
 * of wire_field.bit, which are WIRE_HAS bits but for request_id. */
uint32_t wire_type_fields(enum wire_type type, uint32_t *required);
/* The messages a cloud may use that knows nothing of streams. */
bool wire_type_is_plain(enum wire_type type);

/* ---- header fields ---- */

/* Takes the first field off *rest; false at the end, or where it is malformed. */
bool wire_header_next(struct str *rest, struct str *name, struct str *value);
/* Appends a field, its name in lower case; false (nothing written) when a length is beyond its
 * prefix. The writer's own overflow shows in writer_fits. */
bool wire_header_pack(struct writer *w, struct str name, struct str value);

/*
 * ---- building messages: each sets the whole struct ----
 * Optional fields are left out when they are 0 or empty; `headers` is always there, if empty.
 */

void wire_auth(struct wire_msg *m, struct str token, struct str agent, uint64_t window,
               uint64_t max_streams);
void wire_auth_success(struct wire_msg *m, struct str session_id, struct str url, uint64_t window,
                       uint64_t server_time);
void wire_auth_error(struct wire_msg *m, struct str error, uint64_t retry_after);
void wire_http_request(struct wire_msg *m, struct str id, struct str method, struct str url,
                       struct wire_headers headers, bool more);
void wire_http_response(struct wire_msg *m, struct str id, uint64_t status,
                        struct wire_headers headers, bool more);
void wire_http_body(struct wire_msg *m, struct str id, bool more);
void wire_ping(struct wire_msg *m, uint64_t timestamp);
void wire_pong(struct wire_msg *m, uint64_t timestamp);
/* id empty: about the session. */
void wire_error(struct wire_msg *m, struct str id, struct str error, uint64_t code);
void wire_window(struct wire_msg *m, struct str id, uint64_t credit);
/* url may be empty. */
void wire_goaway(struct wire_msg *m, uint64_t delay_ms, struct str url);
/* Stats: zero the message, set the counters, then this. */
void wire_stats(struct wire_msg *m);

/* ---- encoding ---- */

/*
 * The whole message, its body (m->body, if has says so) included. A pure function of m: with a
 * windowed writer it is resumable.
 */
void wire_put(struct writer *w, enum wire_encoding enc, const struct wire_msg *m);

/*
 * A message whose body is not at hand yet, in three parts:
 *   wire_open   everything up to the first body byte, except `more`;
 *   body        as many bytes as there are: raw in TLV, base64 characters in JSON;
 *   wire_close  what comes after the last body byte.
 * TLV: the body's length field is written in the 4-byte form, and `more` before it, as zeroes at
 * known distances from the end of what wire_open wrote; wire_patch fills them in. (has must not
 * have WIRE_MORE or WIRE_BODY; m->body is ignored.)
 * JSON: `more` and `error` follow the body; wire_close writes them when set.
 */
void wire_open(struct writer *w, enum wire_encoding enc, const struct wire_msg *m);
/* TLV only; `at` points behind what wire_open wrote. */
void wire_patch(uint8_t *at, uint32_t body_len, bool more);
/* error may be empty; with it the receiver knows that the body broke off. */
void wire_close(struct writer *w, enum wire_encoding enc, bool more, struct str error);

/* ---- decoding, one message at a time, input split anywhere ---- */

enum wire_event {
    WIRE_EV_MORE, /* input used up */
    WIRE_EV_HEAD, /* once a message: everything before the body is in `msg` */
    WIRE_EV_BODY, /* `body` is the next piece of the decoded body, never empty */
    WIRE_EV_END,  /* the message is complete; `more` and `error` are final now */
};

/* Private but msg, body, too_big. Not to be copied: msg.id points into it. */
struct wire_in {
    struct wire_msg msg; /* slices lie in the arena or here, valid until the next wire_in_begin;
                            msg.body is not for use */
    struct str body;     /* with WIRE_EV_BODY, until the next call: in the input, arena or here */
    uint32_t too_big;    /* WIRE_HAS bits of fields that did not fit; when there are any, the
                            body is skipped, and msg.has tells WIRE_BODY only if it is one */
    uint8_t encoding;
    uint8_t state;
    bool type_known;     /* WIRE_NONE then means an unknown one */
    bool type_seen, data_seen; /* JSON members of the outer object */
    bool head_told;
    bool body_waits;     /* JSON: the body lies in the arena as msg.body, to be told at the end */
    bool in_name;        /* JSON: some pieces of a header's name have come */
    bool dropping;       /* JSON: the present header did not fit */
    uint8_t skip_depth;  /* JSON: the depth at which a skipped value ends */
    uint8_t small_len;
    int err;
    uint8_t small[24];   /* a member or type name, the bytes of a length, one body byte */
    uint8_t id_len[2];
    uint8_t id[2][ID_MAX]; /* id, request_id: apart, so that a message too big still has them */
    const struct wire_field *field; /* the present one */
    uint32_t seen, got, bad, big;   /* wire_field.bit: occurred, has a value, has the wrong form,
                                       did not fit */
    uint8_t *arena;
    size_t arena_len; /* JSON values, or TLV headers, grow up from 0 */
    size_t arena_cap; /* TLV strings, whose length is known, grow down from the end */
    size_t mark;      /* JSON: where the present value began; TLV: where its next byte goes */
    uint64_t left;    /* TLV: value bytes to come */
    struct json json;
    struct base64 base64;
};

/*
 * Starts a message. The arena holds every field but the body and the id; WIRE_HEAD_MAX bytes take
 * any message within the limits.
 */
void wire_in_begin(struct wire_in *in, enum wire_encoding enc, uint8_t *arena, size_t cap);

/*
 * Consumes up to n bytes of the message and tells what they gave. `p` is overwritten: JSON bodies
 * are decoded in place, which is why no buffer is needed for them.
 * Call until it gives WIRE_EV_MORE; an event may come without a byte consumed.
 * JSON: a body that comes when the type, every required field and `headers` are known is told as
 * it arrives; one that comes before waits in the arena; if it does not fit, too_big is set and the
 * message still ends with WIRE_EV_HEAD, WIRE_EV_END, so that this request alone can be refused.
 * With too_big only the id is sure to be there; no WIRE_EV_BODY comes.
 * Messages of unknown type end with type WIRE_NONE and WIRE_EV_HEAD, WIRE_EV_END.
 * Returns the bytes consumed, or ERR_JSON, ERR_JSON_DEPTH, ERR_UTF8, ERR_BASE64, ERR_WIRE_FIELD
 * (a known field of the wrong form or twice, a required one missing), ERR_WIRE_SIZE (an id).
 * The error names what breaks the session, and stays.
 */
int wire_in_feed(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev);

/* The WebSocket message ends here: call until it gives WIRE_EV_END. Returns 0 or an error. */
int wire_in_finish(struct wire_in *in, enum wire_event *ev);

#endif
