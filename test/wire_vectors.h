/*
 * The vectors of test/vectors/wire: its README tells the form of the files.
 * The directory is $ADIT_VECTORS, or test/vectors below the current directory.
 */
#ifndef ADIT_TEST_WIRE_VECTORS_H
#define ADIT_TEST_WIRE_VECTORS_H

#include <ctype.h>
#include <dirent.h>

#include "codec/ascii.h"
#include "tap.h"
#include "wire_feed.h"

struct bytes {
    uint8_t *p;
    size_t n;
};

static inline struct bytes read_path(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct bytes b = { malloc(1 << 18), 0 };

    if (!file || !b.p) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    b.n = fread(b.p, 1, (1 << 18) - 1, file);
    b.p[b.n] = 0;
    fclose(file);
    return b;
}

static inline const char *vectors_dir(void)
{
    const char *dir = getenv("ADIT_VECTORS");

    return dir ? dir : "test/vectors";
}

static inline struct bytes read_vector(const char *name, const char *suffix)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/wire/%s%s", vectors_dir(), name, suffix);
    return read_path(path);
}

/* Hex digits of one line or more, with comments, decoded in place. */
static inline size_t hex_decode(char *text, uint8_t *out)
{
    size_t n = 0;

    for (char *p = text; *p; p++) {
        if (*p == '#')
            p += strcspn(p, "\n");
        else if (!isspace((unsigned char)*p)) {
            MUST(ascii_from_hex((struct str){ (uint8_t *)p, 2 }, out + n, 1));
            n++;
            p++;
        }
        if (!*p)
            break;
    }
    return n;
}

/* \xNN, in place. */
static inline struct str unescape(char *text)
{
    uint8_t *out = (uint8_t *)text;
    size_t n = 0;

    for (char *p = text; *p; p++) {
        if (p[0] == '\\') {
            MUST(p[1] == 'x' && ascii_from_hex((struct str){ (uint8_t *)p + 2, 2 }, out + n, 1));
            n++;
            p += 3;
        } else {
            out[n++] = (uint8_t)*p;
        }
    }
    return (struct str){ out, n };
}

/* A message as its .fields file says. */
struct vector {
    struct bytes text;
    struct wire_msg msg;
    struct writer headers;
    uint8_t packed[4096];
};

static inline void vector_header(struct vector *v, char *rest)
{
    size_t name_len = strcspn(rest, " ");
    char *value = rest[name_len] ? rest + name_len + 1 : rest + name_len;

    MUST(wire_header_pack(&v->headers, (struct str){ (uint8_t *)rest, name_len },
                          unescape(value)));
}

static inline void vector_line(struct vector *v, char *line)
{
    size_t key_len = strcspn(line, " ");
    char *rest = line[key_len] ? line + key_len + 1 : line + key_len;
    struct str key = { (uint8_t *)line, key_len };

    if (str_eq(key, STR("type"))) {
        v->msg.type = wire_type_by_name(str_of(rest));
        return;
    }
    bool is_header = str_eq(key, STR("header"));
    const struct wire_field *f =
        wire_field_by_name(v->msg.type, is_header ? STR("headers") : key);
    MUST(f);
    void *at = (uint8_t *)&v->msg + f->offset * WIRE_STEP;
    v->msg.has |= WIRE_HAS(f->tag);
    if (is_header)
        vector_header(v, rest);
    else if (f->kind == WIRE_KIND_UINT || f->kind == WIRE_KIND_BOOL)
        MUST(ascii_u64(str_of(rest), UINT64_MAX, at));
    else if (f->kind != WIRE_KIND_HEADERS)
        *(struct str *)at = unescape(rest);
}

static inline void vector_load(struct vector *v, const char *name)
{
    memset(v, 0, sizeof *v);
    v->text = read_vector(name, ".fields");
    writer_init(&v->headers, v->packed, sizeof v->packed);
    for (char *line = strtok((char *)v->text.p, "\n"); line; line = strtok(NULL, "\n"))
        vector_line(v, line);
    MUST(writer_fits(&v->headers));
    v->msg.headers.packed = (struct str){ v->packed, v->headers.len };
}

static inline void vector_free(struct vector *v)
{
    free(v->text.p);
}

/* NAME.json or NAME.tlv as the bytes of the message. */
static inline struct bytes vector_message(const char *name, enum wire_encoding enc)
{
    struct bytes b = read_vector(name, enc == WIRE_TLV ? ".tlv" : ".json");

    if (enc == WIRE_TLV)
        b.n = hex_decode((char *)b.p, b.p);
    else if (b.n && b.p[b.n - 1] == '\n')
        b.n--;
    return b;
}

/* A line of same.txt or bad.txt: WORD KIND MESSAGE. False for comments and empty lines. */
struct vector_line {
    char *word;
    enum wire_encoding enc;
    struct bytes message;
};

static inline bool vector_line_parse(char *line, struct vector_line *l)
{
    size_t word = strcspn(line, " "), kind;

    if (word == 0 || line[0] == '#')
        return false;
    MUST(line[word]);
    line[word] = 0;
    l->word = line;
    line += word + 1;
    kind = strcspn(line, " ");
    l->enc = strncmp(line, "tlv", 3) == 0 ? WIRE_TLV : WIRE_JSON;
    bool hex = l->enc == WIRE_TLV || (kind == 8 && strncmp(line, "json-hex", 8) == 0);
    MUST(hex || (kind == 4 && strncmp(line, "json", 4) == 0));
    line += kind + (line[kind] == ' ');
    l->message.p = (uint8_t *)line;
    l->message.n = hex ? hex_decode(line, l->message.p) : strlen(line);
    return true;
}

/* The next line of a file that is cut in place; NULL at the end. */
static inline char *next_line(char **rest)
{
    char *line = *rest;
    size_t n = strcspn(line, "\n");

    if (!*line)
        return NULL;
    *rest = line[n] ? line + n + 1 : line + n;
    line[n] = 0;
    return line;
}

#endif
