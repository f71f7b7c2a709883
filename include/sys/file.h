/* Small files: tokens, keys, certificates, state. */
#ifndef ADIT_FILE_H
#define ADIT_FILE_H

#include <stddef.h>
#include <stdint.h>

/* A whole small file into out: its length, ERR_FILE (unreadable), ERR_LIMIT (longer). */
int file_read(const char *path, uint8_t *out, size_t cap);
/* The same from where an open file stands. */
int file_read_fd(int fd, uint8_t *out, size_t cap);
/* Why a file could not be opened or read: errno as words. */
const char *file_why(void);

#endif
