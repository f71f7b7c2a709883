/* Text without stdio: what --help, --version and subcommands print. */
#ifndef ADIT_FMT_H
#define ADIT_FMT_H

#include "codec/buf.h"

/* Writes all of it, whatever write() takes at a time; false on failure. */
bool fmt_write(int fd, const void *p, size_t n);
bool fmt_text(int fd, const char *text);

#endif
