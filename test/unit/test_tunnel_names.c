#include "tap.h"

#include "../../src/gateway/tunnel_names.h"
#include "codec/ascii.h"
#include "err.h"

#define CAP 300

/* FIPS 180-4: SHA-256 of "abc" and of "". */
#define HASH_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HASH_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct tunnel_name entry[CAP];
static struct tunnel_names names;

static int parse(const char *text, unsigned *line)
{
    tunnel_names_init(&names, entry, CAP);
    return tunnel_names_parse(&names, str_of(text), line);
}

static void files(void)
{
    unsigned line;

    is_int(parse("", &line), 0, "an empty file");
    is_int((int64_t)names.count, 0, "has no names");
    is_int(parse("# comment\n\n  \t\r\nRouter-1 " HASH_ABC "\r\n\ttwo\t" HASH_EMPTY "  \n", &line),
           0, "comments, blank lines, CR LF, white space");
    is_int((int64_t)names.count, 2, "two names");
    ok(tunnel_names_find(&names, STR("router-1")) == &entry[0], "found in lower case");
    ok(tunnel_names_find(&names, STR("ROUTER-1")) == &entry[0], "found in upper case");
    ok(str_eq(tunnel_names_label(&entry[0]), STR("router-1")), "kept in lower case");
    ok(tunnel_names_find(&names, STR("router-2")) == NULL, "another name is unknown");
    ok(tunnel_names_find(&names, STR("")) == NULL, "the empty name is unknown");
    ok(tunnel_names_by_token(&names, STR("abc")) == &entry[0], "a token by its hash (FIPS 180-4)");
    ok(tunnel_names_by_token(&names, STR("abd")) == NULL, "another token is unknown");
}

static void bad_files(void)
{
    static const char *const bad[] = {
        "x\n", "x " HASH_ABC "0\n", "x " HASH_ABC " y\n", "-x " HASH_ABC "\n", "x- " HASH_ABC "\n",
        "x.y " HASH_ABC "\n", "x_y " HASH_ABC "\n",
        "x g" HASH_ABC "\n", "x ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
        "a123456789012345678901234567890123456789012345678901234567890123 " HASH_ABC "\n",
        HASH_ABC " x\n",
    };
    unsigned line;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        is_int(parse(bad[i], &line), ERR_FILE, "refused: %.30s", bad[i]);
        is_int(line, 1, "in line 1");
    }
    is_int(parse("a " HASH_ABC "\n\nA " HASH_EMPTY "\n", &line), ERR_FILE, "a name twice");
    is_int(line, 3, "in line 3");
    is_int(parse("a " HASH_ABC "\nc " HASH_EMPTY "\nb " HASH_ABC "\n", &line), ERR_STATE,
           "a token twice");
    is_int(line, 3, "in line 3");
    is_int(parse("a " HASH_ABC "\nb " HASH_EMPTY, &line), ERR_TRUNCATED, "a line without an end");
    is_int(line, 2, "in line 2");
    is_int(parse("a " HASH_ABC "\n#", &line), ERR_TRUNCATED, "even a comment");
}

static void many(void)
{
    static char text[(CAP + 1) * 80];
    char label[16];
    unsigned line;
    size_t n = 0;
    bool good = true;

    for (int i = 0; i < CAP; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "n%d %064d\n", i, i);
    is_int(parse(text, &line), 0, "as many names as fit");
    for (int i = 0; i < CAP; i++) {
        snprintf(label, sizeof label, "N%d", i);
        good = good && tunnel_names_find(&names, str_of(label)) == &entry[i];
    }
    ok(good, "all are found");
    snprintf(text + n, sizeof text - n, "more " HASH_ABC "\n");
    is_int(parse(text, &line), ERR_LIMIT, "one more does not fit");
}

int main(void)
{
    files();
    bad_files();
    many();
    return done_testing();
}
