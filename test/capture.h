/* What a piece of code writes to a descriptor, through a temporary file (a pipe could fill up). */
#ifndef ADIT_TEST_CAPTURE_H
#define ADIT_TEST_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
    int fd, saved;
    FILE *file;
    char text[65536]; /* after capture_end: what was written, terminated */
    size_t len;
};

static void capture_begin(struct capture *c, int fd)
{
    fflush(NULL);
    c->fd = fd;
    c->file = tmpfile();
    c->saved = dup(fd);
    if (!c->file || c->saved < 0 || dup2(fileno(c->file), fd) < 0)
        abort();
}

static const char *capture_end(struct capture *c)
{
    fflush(NULL);
    if (dup2(c->saved, c->fd) < 0)
        abort();
    close(c->saved);
    rewind(c->file);
    c->len = fread(c->text, 1, sizeof c->text - 1, c->file);
    c->text[c->len] = '\0';
    fclose(c->file);
    return c->text;
}

#endif
