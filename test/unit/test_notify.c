/* What a service manager is told, at the end of a socket that plays it. */
#include "net/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "net/sock.h"
#include "tap.h"

static int manager;
static struct notify n;

/* A socket with a name that the kernel finds, as $NOTIFY_SOCKET has it. */
static void open_manager(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    socklen_t len = sizeof at.sun_family;

    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    bind(manager, (struct sockaddr *)&at, len);
    len = sizeof at;
    getsockname(manager, (struct sockaddr *)&at, &len);
    at.sun_path[0] = '@';
    at.sun_path[len - offsetof(struct sockaddr_un, sun_path)] = '\0';
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
}

/* The next datagram is `expected`; "": there is none. */
static void hears(const char *expected, const char *name)
{
    char text[200];
    ssize_t len = recv(manager, text, sizeof text, 0);

    is_mem(text, len > 0 ? (size_t)len : 0, expected, strlen(expected), "%s", name);
}

static void nobody(void)
{
    unsetenv("NOTIFY_SOCKET");
    setenv("WATCHDOG_USEC", "1000000", 1);
    notify_start(&n, 5);
    is_int(n.next, NET_NEVER, "without a manager no time is set");
    notify_reloading(&n, 5);
    notify_ready(&n);
    notify_stopping(&n);
    hears("", "and nothing is said");
}

static void states(void)
{
    unsetenv("WATCHDOG_USEC");
    notify_start(&n, 1000);
    hears("READY=1", "started");
    is_int(n.next, NET_NEVER, "no watchdog is wanted");
    notify_alive(&n, 2000);
    hears("", "so that none is fed");
    notify_reloading(&n, 1234567);
    hears("RELOADING=1\nMONOTONIC_USEC=1234568000",
          "reloading, in one datagram, not before the signal");
    notify_ready(&n);
    hears("READY=1", "done");
    notify_reloading(&n, INT64_C(9000000000000000));
    hears("RELOADING=1\nMONOTONIC_USEC=9000000000000001000", "the longest number");
    notify_stopping(&n);
    hears("STOPPING=1", "about to end");
}

static void watchdog(void)
{
    setenv("WATCHDOG_USEC", "3000000", 1);
    notify_start(&n, 1000);
    hears("READY=1", "started");
    notify_alive(&n, 1000);
    hears("WATCHDOG=1", "alive at once");
    notify_alive(&n, 2499);
    hears("", "not more often than twice within the time");
    notify_alive(&n, 2500);
    hears("WATCHDOG=1", "but that often");
}

int main(void)
{
    open_manager();
    states();
    watchdog();
    nobody();
    return done_testing();
}
