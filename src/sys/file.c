#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "err.h"

/* Up to n bytes, fewer only at the end of the file; -1 on failure. */
static ssize_t read_all(int fd, uint8_t *out, size_t n)
{
    size_t len = 0;

    while (len < n) {
        ssize_t got = read(fd, out + len, n - len);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

int file_read_fd(int fd, uint8_t *out, size_t cap)
{
    ssize_t n = read_all(fd, out, cap);
    uint8_t more;

    if (n < 0)
        return ERR_FILE;
    return (size_t)n == cap && read_all(fd, &more, 1) != 0 ? ERR_LIMIT : (int)n;
}

int file_read(const char *path, uint8_t *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result = file_read_fd(fd, out, cap);

    if (fd >= 0)
        close(fd);
    return result;
}

const char *file_why(void)
{
    switch (errno) {
    case ENOENT:
        return "no such file";
    case EACCES:
        return "permission denied";
    case EISDIR:
        return "is a directory";
    default:
        return "cannot be read";
    }
}
