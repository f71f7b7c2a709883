/*
 * json-check FILE|-: is it JSON? Exit 0: valid, 1: invalid, 2: cannot be read.
 * The input passes through the streaming tokenizer in pieces, so its size does not matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "codec/json.h"

enum { VALID, INVALID, UNREADABLE };

static int invalid(const char *name, uint64_t offset, int err)
{
    const char *what = err == ERR_UTF8         ? "not UTF-8"
                       : err == ERR_JSON_DEPTH ? "nested too deeply"
                                               : "not JSON";

    fprintf(stderr, "json-check: %s: %s after byte %llu\n", name, what, (unsigned long long)offset);
    return INVALID;
}

static int unreadable(const char *name)
{
    fprintf(stderr, "json-check: %s: %s\n", name, strerror(errno));
    return UNREADABLE;
}

/* 0, or the error; *offset counts what was consumed. */
static int feed(struct json *j, const uint8_t *in, size_t n, uint64_t *offset)
{
    struct json_token t = { .kind = JSON_NULL };
    size_t at = 0;

    while (t.kind != JSON_MORE) {
        int used = json_next(j, in + at, n - at, &t);

        if (used < 0)
            return used;
        at += (size_t)used;
        *offset += (size_t)used;
    }
    return 0;
}

static int check(int fd, const char *name)
{
    static uint8_t in[65536];
    struct json j = { 0 };
    struct json_token t;
    uint64_t offset = 0;
    int err = 0;
    ssize_t n;

    while ((n = read(fd, in, sizeof in)) > 0) {
        err = feed(&j, in, (size_t)n, &offset);
        if (err)
            return invalid(name, offset, err);
    }
    if (n < 0)
        return unreadable(name);
    while ((err = json_end(&j, &t)) > 0)
        continue;
    return err ? invalid(name, offset, err) : VALID;
}

int main(int argc, char **argv)
{
    int fd;

    if (argc != 2) {
        fputs("usage: json-check FILE, or - for standard input\n", stderr);
        return UNREADABLE;
    }
    fd = strcmp(argv[1], "-") == 0 ? STDIN_FILENO : open(argv[1], O_RDONLY | O_CLOEXEC);
    return fd < 0 ? unreadable(argv[1]) : check(fd, argv[1]);
}
