/* Files and text without stdio: what --help, --version and subcommands print, tokens, keys. */
#ifndef ADIT_FMT_H
#define ADIT_FMT_H

#include "buf.h"

/* Writes all of it, whatever write() takes at a time; false on failure. */
bool fmt_write(int fd, const void *p, size_t n);
bool fmt_text(int fd, const char *text);
/* A whole small file into out: its length, ERR_FILE (unreadable), ERR_LIMIT (longer). */
int fmt_read_file(const char *path, uint8_t *out, size_t cap);
/* The same from where an open file stands. */
int fmt_read_fd(int fd, uint8_t *out, size_t cap);
/* Why a file could not be opened or read: errno as words. */
const char *fmt_why(void);

#endif
