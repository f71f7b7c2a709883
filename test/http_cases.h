/* The tables test/vectors/http_*.txt, one case a line; their form is told in the files.
 * Input: the folder of ADIT_VECTORS, or test/vectors below the working folder. */
#ifndef ADIT_TEST_HTTP_CASES_H
#define ADIT_TEST_HTTP_CASES_H

#include "tap.h"

#include "codec/ascii.h"
#include "err.h"

struct http_case {
    char *word[5]; /* the columns before the bytes */
    size_t len;
    unsigned char *bytes; /* ends at an unreadable page */
};

/* Decodes \r \n \t \\ \xNN in place; returns the length. */
static size_t unescape(char *text)
{
    char *out = text;

    for (char *in = text; *in != '\0'; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        switch (*++in) {
        case 'r':
            *out++ = '\r';
            break;
        case 'n':
            *out++ = '\n';
            break;
        case 't':
            *out++ = '\t';
            break;
        case 'x':
            *out++ = (char)(ascii_hex_value((uint8_t)in[1]) << 4 | ascii_hex_value((uint8_t)in[2]));
            in += 2;
            break;
        default: *out++ = *in;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}

/* The next case of a file with that many columns before the bytes; false at its end. */
static int http_case_next(FILE *file, size_t words, struct http_case *c)
{
    static char line[8192];
    char *at = line;

    do {
        if (fgets(line, sizeof line, file) == NULL)
            return 0;
        line[strcspn(line, "\n")] = '\0';
    } while (line[0] == '#' || line[0] == '\0');
    for (size_t i = 0; i < words; i++) {
        c->word[i] = at;
        at += strcspn(at, " ");
        if (*at == '\0') {
            printf("Bail out! too few columns: %s\n", line);
            exit(1);
        }
        *at++ = '\0';
    }
    c->len = unescape(at);
    c->bytes = tap_guard_end(c->len);
    memcpy(c->bytes, at, c->len);
    return 1;
}

static void http_case_free(struct http_case *c)
{
    tap_guard_free(c->bytes, c->len);
}

static FILE *http_cases_open(const char *name)
{
    const char *folder = getenv("ADIT_VECTORS");
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder ? folder : "test/vectors", name);
    file = fopen(path, "r");
    if (file == NULL) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    return file;
}

static int http_case_error(const char *name)
{
    return strcmp(name, "ERR_HTTP") == 0 ? ERR_HTTP
         : strcmp(name, "ERR_HTTP_SMUGGLE") == 0 ? ERR_HTTP_SMUGGLE
         : strcmp(name, "ERR_HTTP_SIZE") == 0 ? ERR_HTTP_SIZE
         : strcmp(name, "ERR_HTTP_VERSION") == 0 ? ERR_HTTP_VERSION : 0;
}

#endif
