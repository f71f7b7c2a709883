#include "sys/fmt.h"

#include <string.h>
#include <unistd.h>

bool fmt_write(int fd, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n > 0) {
        ssize_t took = write(fd, at, n);

        if (took <= 0)
            return false;
        at += took;
        n -= (size_t)took;
    }
    return true;
}

bool fmt_text(int fd, const char *text)
{
    return fmt_write(fd, text, strlen(text));
}
