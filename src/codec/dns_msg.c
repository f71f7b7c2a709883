#include "codec/dns.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"

/* RFC 1035 section 2.3.4. */
#define LABEL_MAX 63

/* A CNAME chain longer than any in use; it also ends a loop. */
#define CNAMES_MAX 10

#define CLASS_IN 1
#define TYPE_CNAME 5
#define HEADER_LEN 12

#define FLAG_RESPONSE 0x8000
#define FLAGS_OPCODE 0x7800
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSE 0x0100
#define RCODE 0x000f
#define RCODE_NXDOMAIN 3

/* ---- writing ---- */

/* Adds a label; the root one is empty and ends the name. */
static bool name_add(struct dns_name *name, struct str label)
{
    struct writer w;

    if (label.n > LABEL_MAX)
        return false;
    writer_init(&w, name->bytes + name->len, (size_t)(DNS_NAME_MAX - name->len));
    writer_u8(&w, (uint8_t)label.n);
    writer_str(&w, label);
    if (!writer_fits(&w))
        return false;
    name->len = (uint8_t)(name->len + w.len);
    return true;
}

/* The labels of a text, of which the last may have a dot behind it. */
static bool labels_add(struct dns_name *name, struct str text)
{
    do {
        struct str label = str_take_until(&text, '.');

        if (label.n == 0 || !name_add(name, label))
            return false;
    } while (text.n > 0);
    return true;
}

int dns_name_parse(struct str text, struct str suffix, struct dns_name *name)
{
    name->len = 0;
    if (labels_add(name, text) && (suffix.n == 0 || labels_add(name, suffix)) &&
        name_add(name, (struct str){ NULL, 0 }))
        return 0;
    return ERR_DNS;
}

int dns_query_write(uint16_t id, const struct dns_name *name, enum dns_type type, uint8_t *out)
{
    struct writer w;

    writer_init(&w, out, DNS_QUERY_MAX);
    writer_be(&w, id, 2);
    writer_be(&w, FLAG_RECURSE, 2);
    writer_be(&w, 1, 2); /* one question, and no records */
    writer_be(&w, 0, 6);
    writer_bytes(&w, name->bytes, name->len);
    writer_be(&w, (uint64_t)type, 2);
    writer_be(&w, CLASS_IN, 2);
    return (int)w.len;
}

/* ---- reading ---- */

struct message {
    const uint8_t *in;
    size_t n;
};

/*
 * Reads the name at `at` (RFC 1035 section 4.1.4). Returns the bytes that it takes there, or
 * ERR_DNS. Every pointer goes before the byte where the labels it ends began, so that it ends.
 */
static int name_read(struct message m, size_t at, struct dns_name *name)
{
    size_t began = at;
    size_t start = at;
    int taken = 0;

    name->len = 0;
    while (at < m.n) {
        size_t length = m.in[at];

        if (length >= 0xc0) {
            size_t target;

            if (m.n - at < 2)
                return ERR_DNS;
            target = (length & 0x3f) << 8 | m.in[at + 1];
            if (taken == 0)
                taken = (int)(at + 2 - start);
            if (target >= began)
                return ERR_DNS;
            began = target;
            at = target;
            continue;
        }
        if (length > LABEL_MAX || length >= m.n - at ||
            !name_add(name, (struct str){ m.in + at + 1, length }))
            return ERR_DNS;
        at += 1 + length;
        if (length == 0)
            return taken > 0 ? taken : (int)(at - start);
    }
    return ERR_DNS;
}

/* RFC 4343: case folded. Lengths are below the letters. */
static bool name_eq(const struct dns_name *a, const struct dns_name *b)
{
    return str_ieq((struct str){ a->bytes, a->len }, (struct str){ b->bytes, b->len });
}

struct record {
    struct dns_name owner;
    unsigned type;
    unsigned class;
    uint32_t ttl;
    size_t data; /* where its data begin */
    size_t data_len;
};

/* Reads the record at *at and moves *at behind it. */
static int record_read(struct message m, size_t *at, struct record *record)
{
    int taken = name_read(m, *at, &record->owner);
    struct reader r;

    if (taken < 0)
        return taken;
    reader_init(&r, m.in, m.n);
    reader_str(&r, *at + (size_t)taken);
    record->type = (unsigned)reader_be(&r, 2);
    record->class = (unsigned)reader_be(&r, 2);
    record->ttl = (uint32_t)reader_be(&r, 4);
    record->data_len = (size_t)reader_be(&r, 2);
    record->data = m.n - reader_left(&r);
    reader_str(&r, record->data_len);
    if (r.bad)
        return ERR_DNS;
    /* RFC 2181 section 8: the top bit set means zero. */
    if (record->ttl > INT32_MAX)
        record->ttl = 0;
    *at = m.n - reader_left(&r);
    return 0;
}

/* What the header and the question say; *at is moved to the first answer. */
static int head_check(struct message m, uint16_t id, const struct dns_name *asked,
                      enum dns_type type, size_t *at, unsigned *flags, bool *same_case)
{
    struct dns_name question;
    struct reader r;
    int taken;

    reader_init(&r, m.in, m.n);
    if (reader_be(&r, 2) != id)
        return ERR_DNS;
    *flags = (unsigned)reader_be(&r, 2);
    if (reader_be(&r, 2) != 1 || (*flags & FLAG_RESPONSE) == 0 || (*flags & FLAGS_OPCODE) != 0)
        return ERR_DNS;
    taken = name_read(m, HEADER_LEN, &question);
    if (taken < 0 || !name_eq(&question, asked))
        return ERR_DNS;
    *same_case = memcmp(question.bytes, asked->bytes, asked->len) == 0;
    reader_init(&r, m.in, m.n);
    reader_str(&r, HEADER_LEN + (size_t)taken);
    if (reader_be(&r, 2) != (unsigned)type || reader_be(&r, 2) != CLASS_IN || r.bad)
        return ERR_DNS;
    *at = m.n - reader_left(&r);
    return 0;
}

static int rcode_check(unsigned flags)
{
    if ((flags & RCODE) == RCODE_NXDOMAIN)
        return ERR_DNS_NAME;
    return (flags & RCODE) == 0 ? 0 : ERR_DNS;
}

static int address_add(struct message m, const struct record *record, struct dns_answer *answer)
{
    struct ip *ip = &answer->address[answer->count];

    if (record->data_len != (record->type == DNS_A ? 4 : 16))
        return ERR_DNS;
    if (answer->count == DNS_ADDRESSES_MAX)
        return 0;
    memset(ip, 0, sizeof *ip);
    ip->len = (uint8_t)record->data_len;
    memcpy(ip->bytes, m.in + record->data, record->data_len);
    answer->count++;
    return 0;
}

/* One pass over the answers for what is said about *name. Returns 1 when it is an alias, whose
 * target is then in *name, 0 when it is not, or ERR_DNS. */
static int answers_scan(struct message m, size_t at, struct dns_name *name, enum dns_type type,
                        struct dns_answer *answer)
{
    unsigned count = (unsigned)m.in[6] << 8 | m.in[7];
    struct record record;
    struct dns_name target;
    bool alias = false;

    while (count-- > 0) {
        int err = record_read(m, &at, &record);

        /* A truncated message may end anywhere; what came before is good (RFC 2181 section 9). */
        if (err < 0 && answer->truncated)
            break;
        if (err < 0)
            return err;
        if (record.class != CLASS_IN || !name_eq(&record.owner, name))
            continue;
        if (record.type == (unsigned)type)
            err = address_add(m, &record, answer);
        else if (record.type == TYPE_CNAME && !alias)
            err = name_read(m, record.data, &target) == (int)record.data_len ? 0 : ERR_DNS;
        else
            continue;
        if (err < 0)
            return err;
        alias = alias || record.type == TYPE_CNAME;
        answer->ttl = record.ttl < answer->ttl ? record.ttl : answer->ttl;
    }
    if (!alias || answer->count > 0)
        return 0;
    *name = target;
    return 1;
}

int dns_answer_parse(const uint8_t *in, size_t n, uint16_t id, const struct dns_name *name,
                     enum dns_type type, struct dns_answer *answer)
{
    struct message m = { in, n };
    struct dns_name *at_name = &answer->alias;
    unsigned flags;
    size_t at;
    int err, aliases = -1;

    memset(answer, 0, sizeof *answer);
    answer->ttl = INT32_MAX;
    err = head_check(m, id, name, type, &at, &flags, &answer->same_case);
    if (err == 0)
        err = rcode_check(flags);
    if (err < 0)
        return err;
    answer->truncated = (flags & FLAG_TRUNCATED) != 0;
    *at_name = *name;
    do
        err = answers_scan(m, at, at_name, type, answer);
    while (++aliases < CNAMES_MAX && err > 0);
    /* A ring leads nowhere. */
    if (err != 0 || aliases == 0 || answer->count > 0)
        at_name->len = 0;
    return err < 0 ? err : (int)answer->count;
}
