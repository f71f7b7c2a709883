#include "net/notify.h"

#include <stdlib.h>

#include "codec/ascii.h"
#include "codec/buf.h"
#include "net/sock.h"

/* Twice within the time that the manager waits, as sd_watchdog_enabled(3) advises. */
#define MICROSECONDS 2000

static void say(struct notify *n, struct str text)
{
    if (n->fd >= 0)
        sock_write(n->fd, text.p, text.n);
}

void notify_ready(struct notify *n)
{
    say(n, STR("READY=1"));
}

void notify_stopping(struct notify *n)
{
    say(n, STR("STOPPING=1"));
}

void notify_reloading(struct notify *n, int64_t now)
{
    uint8_t text[sizeof "RELOADING=1\nMONOTONIC_USEC=" + 20];
    struct writer w;

    writer_init(&w, text, sizeof text);
    writer_text(&w, "RELOADING=1\nMONOTONIC_USEC=");
    /* Rounded up: a time before the manager's signal would be of another reload. */
    writer_u64(&w, ((uint64_t)now + 1) * 1000);
    say(n, (struct str){ text, writer_stored(&w) });
}

void notify_start(struct notify *n, int64_t now)
{
    const char *path = getenv("NOTIFY_SOCKET"), *limit = getenv("WATCHDOG_USEC");
    uint64_t us;

    n->fd = path ? sock_unix_datagram(str_of(path)) : -1;
    n->next = NET_NEVER;
    notify_ready(n);
    if (n->fd < 0 || !limit || !ascii_u64(str_of(limit), UINT32_MAX, &us))
        return;
    n->interval_ms = (uint32_t)us / MICROSECONDS;
    n->next = now;
}

void notify_alive(struct notify *n, int64_t now)
{
    if (now < n->next)
        return;
    n->next = now + n->interval_ms;
    say(n, STR("WATCHDOG=1"));
}
