#include "tunnel_names.h"

#include <bearssl.h>
#include <string.h>

#include "codec/ascii.h"
#include "err.h"

void tunnel_names_init(struct tunnel_names *n, struct tunnel_name *entry, size_t cap)
{
    n->entry = entry;
    n->cap = cap;
    n->count = 0;
    for (size_t i = 0; i < TUNNEL_NAMES_BUCKETS; i++)
        n->bucket[i] = n->bucket_hash[i] = TUNNEL_NAMES_NONE;
}

bool tunnel_names_label_valid(struct str label)
{
    if (label.n == 0 || label.n > TUNNEL_NAME_LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.n; i++) {
        uint8_t c = ascii_lower(label.p[i]);

        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-')
            return false;
    }
    return label.p[0] != '-' && label.p[label.n - 1] != '-';
}

struct str tunnel_names_label(const struct tunnel_name *name)
{
    return (struct str){ name->label, name->label_len };
}

void tunnel_names_hash(struct str token, uint8_t out[TUNNEL_NAME_HASH_LEN])
{
    br_sha256_context sha;

    br_sha256_init(&sha);
    br_sha256_update(&sha, token.p, token.n);
    br_sha256_out(&sha, out);
}

/* FNV-1a over the lower-case label. Who chooses labels does not choose those in the table. */
static size_t bucket_of(struct str label)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < label.n; i++)
        hash = (hash ^ ascii_lower(label.p[i])) * 16777619u;
    return (hash ^ hash >> 16) % TUNNEL_NAMES_BUCKETS;
}

struct tunnel_name *tunnel_names_find(const struct tunnel_names *n, struct str label)
{
    uint16_t at = n->bucket[bucket_of(label)];

    while (at != TUNNEL_NAMES_NONE && !str_ieq(tunnel_names_label(&n->entry[at]), label))
        at = n->entry[at].next;
    return at == TUNNEL_NAMES_NONE ? NULL : &n->entry[at];
}

static unsigned differing(const uint8_t *a, const uint8_t *b)
{
    unsigned bits = 0;

    for (size_t i = 0; i < TUNNEL_NAME_HASH_LEN; i++)
        bits |= (unsigned)(a[i] ^ b[i]);
    return bits;
}

struct tunnel_name *tunnel_names_by_token(const struct tunnel_names *n, struct str token)
{
    uint8_t hash[TUNNEL_NAME_HASH_LEN];
    struct tunnel_name *found = NULL;

    tunnel_names_hash(token, hash);
    for (size_t i = 0; i < n->count; i++) {
        if (differing(n->entry[i].hash, hash) == 0)
            found = &n->entry[i];
    }
    return found;
}

/* Its first bytes spread well enough. */
static uint16_t *bucket_of_hash(struct tunnel_names *n, const uint8_t *hash)
{
    return &n->bucket_hash[(size_t)(hash[0] << 8 | hash[1]) % TUNNEL_NAMES_BUCKETS];
}

static bool has_hash(struct tunnel_names *n, const uint8_t *hash)
{
    uint16_t at = *bucket_of_hash(n, hash);

    while (at != TUNNEL_NAMES_NONE && memcmp(n->entry[at].hash, hash, TUNNEL_NAME_HASH_LEN) != 0)
        at = n->entry[at].next_hash;
    return at != TUNNEL_NAMES_NONE;
}

static int add(struct tunnel_names *n, struct str label, struct str hex)
{
    struct tunnel_name *e = &n->entry[n->count];
    size_t bucket;

    if (!tunnel_names_label_valid(label) || hex.n != 2 * TUNNEL_NAME_HASH_LEN ||
        tunnel_names_find(n, label))
        return ERR_FILE;
    if (n->count == n->cap)
        return ERR_LIMIT;
    memset(e, 0, sizeof *e);
    list_init(&e->held);
    if (!ascii_from_hex(hex, e->hash, TUNNEL_NAME_HASH_LEN))
        return ERR_FILE;
    if (has_hash(n, e->hash))
        return ERR_STATE;
    for (size_t i = 0; i < label.n; i++)
        e->label[i] = ascii_lower(label.p[i]);
    e->label_len = (uint8_t)label.n;
    bucket = bucket_of(label);
    e->next = n->bucket[bucket];
    e->next_hash = *bucket_of_hash(n, e->hash);
    *bucket_of_hash(n, e->hash) = (uint16_t)n->count;
    n->bucket[bucket] = (uint16_t)n->count++;
    return 0;
}

static int parse_line(struct tunnel_names *n, struct str line)
{
    struct str label = str_take_word(&line);
    struct str hex = str_take_word(&line);

    if (label.n == 0 || label.p[0] == '#')
        return 0;
    return str_take_word(&line).n == 0 ? add(n, label, hex) : ERR_FILE;
}

int tunnel_names_parse(struct tunnel_names *n, struct str text, unsigned *line)
{
    *line = 0;
    while (text.n > 0) {
        size_t left = text.n;
        struct str entry = str_take_until(&text, '\n');
        int err = entry.n < left ? parse_line(n, entry) : ERR_TRUNCATED;

        ++*line;
        if (err < 0)
            return err;
    }
    return 0;
}
