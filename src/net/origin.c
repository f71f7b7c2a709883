#include "net/origin.h"

#include <string.h>

#include "check.h"
#include "err.h"

/* What came unasked would be taken for the answer to the next request, whoever asks. */
static bool is_quiet(int fd)
{
    uint8_t byte;

    return sock_read(fd, &byte, 1) == 0;
}

int origin_open(struct origin *o, bool fresh, bool *reused)
{
    *reused = false;
    while (!fresh && o->idle_count > 0) {
        int fd = o->idle[--o->idle_count].fd;

        *reused = is_quiet(fd);
        if (*reused)
            return fd;
        sock_close(&fd);
    }
    if (o->unix_path.n > 0)
        return sock_connect_unix(o->unix_path);
    /* The unspecified address would be this device itself. */
    if (o->count == 0)
        return ERR_RESOLVE;
    return sock_connect(&o->ip[o->at], o->port);
}

void origin_set(struct origin *o, const struct ip *ip, unsigned count)
{
    size_t size;

    o->count = count < ORIGIN_ADDRESSES_MAX ? count : ORIGIN_ADDRESSES_MAX;
    size = o->count * sizeof *ip;
    /* Among the same addresses, the good one is known. */
    if (o->at >= o->count || memcmp(o->ip, ip, size) != 0)
        o->at = 0;
    memcpy(o->ip, ip, size);
}

void origin_failed(struct origin *o, unsigned at)
{
    if (o->at == at)
        o->at = at + 1 < o->count ? at + 1 : 0;
}

void origin_keep(struct origin *o, int fd, int64_t now)
{
    if (o->idle_count == ORIGIN_IDLE_MAX)
        origin_drop(o, 0);
    o->idle[o->idle_count].fd = fd;
    o->idle[o->idle_count].until = now + ORIGIN_IDLE_MS;
    o->idle_count++;
}

int origin_idle(const struct origin *o, unsigned i, int64_t *until)
{
    if (i >= o->idle_count)
        return -1;
    *until = o->idle[i].until;
    return o->idle[i].fd;
}

void origin_drop(struct origin *o, unsigned i)
{
    CHECK(i < o->idle_count);
    sock_close(&o->idle[i].fd);
    o->idle_count--;
    memmove(&o->idle[i], &o->idle[i + 1], (o->idle_count - i) * sizeof o->idle[0]);
}

void origin_drop_all(struct origin *o)
{
    while (o->idle_count > 0)
        origin_drop(o, o->idle_count - 1);
}
