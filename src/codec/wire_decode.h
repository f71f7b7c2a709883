/*
 * Private to the decoder of messages: what wire_decode.c, wire_tlv.c and wire_json.c
 * share, in wire_in.c and wire_json_skip.c.
 * Everybody else includes wire.h.
 */
#ifndef ADIT_WIRE_DECODE_H
#define ADIT_WIRE_DECODE_H

#include "codec/wire.h"

/* The bit of a field in seen, got, bad and big. */
#define WIRE_ROW(field) (UINT32_C(1) << (field)->bit)
/* The same bit for `data` of the wrong form, which no row has. */
#define WIRE_ROW_DATA (UINT32_C(1) << 31)

struct str *wire_in_str(struct wire_in *in, const struct wire_field *field);
uint64_t *wire_in_uint(struct wire_in *in, const struct wire_field *field);
/* Appends to the present field's id; false when it becomes too long. */
bool wire_in_id_append(struct wire_in *in, const uint8_t *p, size_t n);
/* The present field has its value. */
void wire_in_got(struct wire_in *in);
/* The present field does not fit. After the head was told it counts as empty instead. */
void wire_in_big(struct wire_in *in);
/* Appends to the values that grow upwards; false when they do not fit. */
bool wire_in_append(struct wire_in *in, const void *p, size_t n);

/*
 * Judges what has been read: fills msg.has, msg.id and too_big. Idempotent; called at each event
 * that shows msg. Returns 0, ERR_WIRE_FIELD or ERR_WIRE_SIZE.
 */
int wire_in_settle(struct wire_in *in);

/* What precedes a packed header's name: see struct wire_headers. */
#define WIRE_PACKED_HEAD 3

int wire_tlv_feed(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev);
int wire_json_feed(struct wire_in *in, uint8_t *p, size_t n, enum wire_event *ev);
/* May the message end here? 0 or an error. */
int wire_tlv_ends(const struct wire_in *in);
int wire_json_ends(struct wire_in *in);

/* ---- JSON only ---- */

/* What is read next. */
enum wire_json_state {
    AT_TOP,
    AT_MEMBER, /* of the message: a name, or the end */
    AT_TYPE,
    AT_DATA,
    AT_FIELD,  /* of `data`: a name, or the end */
    AT_STRING, /* from here on the value of a field, by kind */
    AT_SCALAR,
    AT_HEADERS,
    AT_BODY,
    AT_HEADER,       /* of `headers`: a name, or the end */
    AT_HEADER_VALUE, /* a string or an array of them */
    AT_HEADER_ITEM,  /* of that array, or its end */
    AT_BODY_TEXT,
    AT_BODY_BYTES, /* an array of numbers */
    AT_SKIP,
    AT_END,
};

/* Body bytes decoded during one call. They stand at the front of its input, over bytes that the
 * tokenizer has consumed: a character gives one byte at most. */
struct wire_piece {
    uint8_t *p;
    size_t n;
    size_t room; /* bytes consumed so far */
};

/* Depths of the tokenizer behind a member of the message, and of `data`. */
enum { WIRE_JSON_IN_MESSAGE = 1, WIRE_JSON_IN_DATA = 2 };

/* Skips what comes until the tokenizer is at this depth again; a token of it. */
void wire_json_skip_from(struct wire_in *in, uint8_t depth);
int wire_json_skipped(struct wire_in *in, const struct json_token *t);
/* The present field is malformed: an error, unless the type is not known yet, so that the field
 * may turn out to be foreign. */
int wire_json_wrong(struct wire_in *in, const struct json_token *t, int err);
/* The present field does not fit: its value, of which t is a token, is skipped. */
int wire_json_too_big(struct wire_in *in, const struct json_token *t);
/* Skips the rest of a value of `data`. */
int wire_json_skip(struct wire_in *in, const struct json_token *t);

/* One token of a field's value, in the states from AT_STRING to AT_BODY_BYTES. */
int wire_json_value(struct wire_in *in, const struct json_token *t, struct wire_piece *out);
/* Hands on the body bytes in `out`: as an event, or to the arena while the body waits. */
void wire_json_flush(struct wire_in *in, struct wire_piece *out, enum wire_event *ev);

#endif
