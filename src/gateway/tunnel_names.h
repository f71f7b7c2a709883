/*
 * The tunnels that may exist: the tokens file as a table. The file holds no token, only each one's
 * SHA-256, so that who reads it cannot dial with it.
 *
 *   # comment
 *   NAME SHA256HEX
 *
 * Every line has its end: one without may be half of what it will be.
 */
#ifndef ADIT_GATEWAY_TUNNEL_NAMES_H
#define ADIT_GATEWAY_TUNNEL_NAMES_H

#include "codec/buf.h"
#include "list.h"

/* One DNS label (RFC 1035 section 2.3.4). */
#define TUNNEL_NAME_LABEL_MAX 63
#define TUNNEL_NAME_HASH_LEN 32
/* The longest line: name, space, hash, and room for a carriage return and some white space. */
#define TUNNEL_NAME_LINE_MAX 160

struct tunnel;

struct tunnel_name {
    uint8_t label[TUNNEL_NAME_LABEL_MAX];
    uint8_t label_len;
    uint8_t hash[TUNNEL_NAME_HASH_LEN];
    uint16_t next;         /* private: of the same bucket */
    uint16_t next_hash;
    /* the owner's */
    struct tunnel *tunnel; /* connected, or NULL */
    int64_t missing_since; /* without one: since its end, or this gateway's start */
    struct list held;      /* visitors who wait for it then */
    size_t held_count;
};

#define TUNNEL_NAMES_BUCKETS 4096
#define TUNNEL_NAMES_NONE 0xffff

struct tunnel_names {
    struct tunnel_name *entry;
    size_t cap; /* below TUNNEL_NAMES_NONE */
    size_t count;
    uint16_t bucket[TUNNEL_NAMES_BUCKETS];
    uint16_t bucket_hash[TUNNEL_NAMES_BUCKETS];
};

/* An empty table over the caller's entries. */
void tunnel_names_init(struct tunnel_names *n, struct tunnel_name *entry, size_t cap);
/*
 * Reads a tokens file's text into an empty table. 0; ERR_FILE: *line is malformed or repeats a
 * name; ERR_STATE: it repeats another name's hash, and a token is one tunnel's; ERR_TRUNCATED: it
 * has no end; ERR_LIMIT: more than cap names.
 */
int tunnel_names_parse(struct tunnel_names *n, struct str text, unsigned *line);
/* A label in any case; NULL when unknown. */
struct tunnel_name *tunnel_names_find(const struct tunnel_names *n, struct str label);
/* The name whose token this is, or NULL. Takes as long for any token of the same length. */
struct tunnel_name *tunnel_names_by_token(const struct tunnel_names *n, struct str token);
/* Letters, digits and hyphens within, 1 to 63. */
bool tunnel_names_label_valid(struct str label);
struct str tunnel_names_label(const struct tunnel_name *name);
/* SHA-256 of a token. */
void tunnel_names_hash(struct str token, uint8_t out[TUNNEL_NAME_HASH_LEN]);

#endif
