#include "sys/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "check.h"
#include "err.h"

/* Linux before 3.17. */
static int read_urandom(void *out, size_t n)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;

    if (fd >= 0) {
        got = read(fd, out, n);
        close(fd);
    }
    return got == (ssize_t)n ? 1 : ERR_SYS;
}

static int get(void *out, size_t n, unsigned flags)
{
    ssize_t got;

    do
        got = getrandom(out, n, flags);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)n)
        return 1;
    if (got < 0 && errno == EAGAIN)
        return 0;
    return errno == ENOSYS ? read_urandom(out, n) : ERR_SYS;
}

int entropy_get(void *out, size_t n)
{
    CHECK(n <= 256);
    return get(out, n, GRND_NONBLOCK);
}

void entropy_stock(struct entropy *e, void *out, size_t n)
{
    CHECK(n <= sizeof e->stock);
    if (n > e->left) {
        if (get(e->stock, sizeof e->stock, 0) != 1)
            __builtin_trap();
        e->left = sizeof e->stock;
    }
    memcpy(out, e->stock + e->left - n, n);
    e->left -= n;
}

uint32_t entropy_u32(struct entropy *e)
{
    uint32_t value;

    entropy_stock(e, &value, sizeof value);
    return value;
}
