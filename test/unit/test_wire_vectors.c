/* Every message of the vectors, both ways, and the same ones in the specification's text. */
#include "err.h"
#include "wire_vectors.h"

#define ARENA 1024

static void decodes(const char *name, enum wire_encoding enc, struct bytes b,
                    const struct wire_msg *expected, const char *what)
{
    size_t bad_splits = 0;
    struct wire_msg m;
    struct feed f;

    feed_all(&f, enc, b.p, b.n, 0, b.n + 1, ARENA);
    m = feed_msg(&f);
    ok(f.err == 0 && !f.in.too_big && feed_same(&m, expected), "%s: read %s", name, what);
    feed_free(&f);
    for (size_t at = 0; at < b.n; at++) {
        feed_all(&f, enc, b.p, b.n, at, at ? b.n : 1, ARENA);
        m = feed_msg(&f);
        bad_splits += f.err != 0 || !feed_same(&m, expected);
        feed_free(&f);
    }
    is_int(bad_splits, 0, "%s: read %s, split at every byte, and byte by byte", name, what);
}

static void encodes(const char *name, enum wire_encoding enc, struct bytes b,
                    const struct wire_msg *m, const char *what)
{
    size_t len, wrong = 0;
    uint8_t *out = feed_encode(enc, m, &len);
    uint8_t *guarded = tap_guard_end(1);
    struct writer w;

    is_mem(out, len, b.p, b.n, "%s: written as %s", name, what);
    for (size_t skip = 0; skip < len; skip++) {
        writer_init_at(&w, guarded, 1, skip);
        wire_put(&w, enc, m);
        wrong += writer_stored(&w) != 1 || *guarded != out[skip] || w.len != len;
    }
    is_int(wrong, 0, "%s: written as %s one byte at a time", name, what);
    tap_guard_free(guarded, 1);
    free(out);
}

static void both_ways(const char *name)
{
    struct vector v;

    vector_load(&v, name);
    for (enum wire_encoding enc = WIRE_TLV; enc <= WIRE_JSON; enc++) {
        const char *what = enc == WIRE_TLV ? "TLV" : "JSON";
        struct bytes b = vector_message(name, enc);

        encodes(name, enc, b, &v.msg, what);
        decodes(name, enc, b, &v.msg, what);
        free(b.p);
    }
    vector_free(&v);
}

/* ---- the specification ---- */

/* Is `part` within `spec`, after *from? Moves *from behind it. */
static bool follows(struct bytes spec, size_t *from, const char *part, size_t n)
{
    for (size_t at = *from; at + n <= spec.n; at++) {
        if (memcmp(spec.p + at, part, n) == 0) {
            *from = at + n;
            return true;
        }
    }
    return false;
}

static bool block(struct bytes spec, size_t *from, const char *name, const char *suffix)
{
    struct bytes file = read_vector(name, suffix);
    bool there = follows(spec, from, "```", 3) && follows(spec, from, "\n", 1)
              && *from + file.n + 3 <= spec.n && memcmp(spec.p + *from, file.p, file.n) == 0
              && memcmp(spec.p + *from + file.n, "```", 3) == 0;

    *from += there ? file.n + 4 : 0;
    free(file.p);
    return there;
}

static void printed_in(struct bytes spec, const char *name)
{
    char heading[300];
    size_t from = 0;

    snprintf(heading, sizeof heading, "\n#### %s\n", name);
    ok(follows(spec, &from, heading, strlen(heading)) && block(spec, &from, name, ".json")
           && block(spec, &from, name, ".tlv"),
       "%s: printed in WIRE.md as in its files", name);
}

static size_t headings(struct bytes spec)
{
    size_t count = 0;

    for (size_t at = 0; follows(spec, &at, "\n#### ", 6);)
        count++;
    return count;
}

/* ---- tables ---- */

static void same_table(void)
{
    struct bytes file = read_vector("same", ".txt");
    char *rest = (char *)file.p, *line;
    struct vector_line l;
    char what[64];
    int number = 0;

    while ((line = next_line(&rest))) {
        struct vector v;

        number++;
        if (!vector_line_parse(line, &l))
            continue;
        snprintf(what, sizeof what, "line %d of same.txt", number);
        vector_load(&v, l.word);
        decodes(l.word, l.enc, l.message, &v.msg, what);
        vector_free(&v);
    }
    free(file.p);
}

static int error_named(const char *name)
{
    static const struct {
        const char *name;
        int err;
    } errors[] = {
        { "JSON", ERR_JSON }, { "UTF8", ERR_UTF8 }, { "BASE64", ERR_BASE64 },
        { "FIELD", ERR_WIRE_FIELD }, { "SIZE", ERR_WIRE_SIZE },
    };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].err;
    return 0;
}

static void bad_table(void)
{
    struct bytes file = read_vector("bad", ".txt");
    char *rest = (char *)file.p, *line;
    struct vector_line l;
    int number = 0;

    while ((line = next_line(&rest))) {
        size_t wrong = 0;
        struct feed f;

        number++;
        if (!vector_line_parse(line, &l))
            continue;
        feed_all(&f, l.enc, l.message.p, l.message.n, 0, l.message.n + 1, ARENA);
        is_int(f.err, error_named(l.word), "line %d of bad.txt: %s", number, l.word);
        feed_free(&f);
        for (size_t at = 0; at < l.message.n; at++) {
            feed_all(&f, l.enc, l.message.p, l.message.n, at, at ? l.message.n : 1, ARENA);
            wrong += f.err != error_named(l.word);
            feed_free(&f);
        }
        is_int(wrong, 0, "line %d of bad.txt, split at every byte", number);
    }
    free(file.p);
}

int main(void)
{
    char path[1024];
    struct bytes spec = read_path("include/WIRE.md");
    size_t count = 0;
    DIR *dir;

    snprintf(path, sizeof path, "%s/wire", vectors_dir());
    dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t len = strlen(e->d_name);

        if (len < 5 || strcmp(e->d_name + len - 4, ".tlv") != 0)
            continue;
        e->d_name[len - 4] = 0;
        both_ways(e->d_name);
        printed_in(spec, e->d_name);
        count++;
    }
    if (dir)
        closedir(dir);
    is_int(headings(spec), count, "WIRE.md prints no other vectors");
    free(spec.p);
    same_table();
    bad_table();
    return done_testing();
}
