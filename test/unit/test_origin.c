/* The local server's connections: which one is used again, and which is not. */
#include "net/origin.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "err.h"
#include "tap.h"

static const struct ip loopback = { { 127, 0, 0, 1 }, 4 };

/* A connection that waits in the origin; returns the server's end of it. */
static int keep(struct origin *o, int64_t now)
{
    int end[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, end) < 0)
        exit(1);
    origin_keep(o, end[0], now);
    return end[1];
}

static bool is_closed(int server)
{
    uint8_t byte;

    return sock_read(server, &byte, 1) < 0;
}

/* The descriptor that origin_open gives belongs to this server's end. */
static bool leads_to(int fd, int server)
{
    uint8_t byte = 0;

    return sock_write(fd, "?", 1) == 1 && sock_read(server, &byte, 1) == 1 && byte == '?';
}

static void test_newest_first(void)
{
    static struct origin o;
    int older = keep(&o, 0), newer = keep(&o, 1), fd;
    bool reused;

    fd = origin_open(&o, false, &reused);
    ok(reused && leads_to(fd, newer), "the one used last is used again");
    sock_close(&fd);
    is_int(origin_open(&o, true, &reused), ERR_RESOLVE, "a fresh one is no idle one");
    ok(!reused && !is_closed(older), "which stays");
    fd = origin_open(&o, false, &reused);
    ok(reused && leads_to(fd, older), "then the other");
    sock_close(&fd);
    is_int(origin_open(&o, false, &reused), ERR_RESOLVE, "without an address and without any");
    ok(!reused, "nothing is used again");
    sock_close(&older);
    sock_close(&newer);
}

static void test_noisy(void)
{
    static struct origin o;
    int quiet = keep(&o, 0), loud = keep(&o, 0), ended = keep(&o, 0), gone = keep(&o, 0), fd;
    bool reused;

    sock_write(loud, "HTTP/1.1 200 OK\r\n", 17);
    sock_shutdown_write(ended);
    sock_close(&gone);
    fd = origin_open(&o, false, &reused);
    ok(reused && leads_to(fd, quiet), "only one on which nothing has come is used again");
    ok(is_closed(loud), "one with an answer that nobody asked for is dropped");
    ok(is_closed(ended), "one that has ended too");
    is_int(o.idle_count, 0, "none is left");
    sock_close(&fd);
    sock_close(&quiet);
    sock_close(&loud);
    sock_close(&ended);
}

static void test_all_noisy(void)
{
    static struct origin o;
    int loud = keep(&o, 0), listener, fd;
    bool reused;

    origin_set(&o, &loopback, 1);
    listener = sock_listen(&loopback, &o.port, 4, false);
    sock_write(loud, "x", 1);
    fd = origin_open(&o, false, &reused);
    ok(fd >= 0 && !reused, "a new connection when none of the idle ones is of use");
    ok(is_closed(loud), "which are dropped");
    sock_close(&fd);
    sock_close(&listener);
    sock_close(&loud);
}

static void test_addresses(void)
{
    static const struct ip three[3] = { { { 127, 0, 0, 1 }, 4 }, { { [15] = 1 }, 16 },
                                        { { 127, 0, 0, 2 }, 4 } };
    static const struct ip many[ORIGIN_ADDRESSES_MAX + 1];
    static struct origin o;

    origin_set(&o, three, 3);
    is_int(o.at, 0, "the first");
    origin_failed(&o, 0);
    is_int(o.at, 1, "the next when it failed");
    origin_failed(&o, 0);
    is_int(o.at, 1, "which another request may have found out before");
    origin_set(&o, three, 3);
    is_int(o.at, 1, "looked up again, the good one is still known");
    origin_failed(&o, 1);
    origin_failed(&o, 2);
    is_int(o.at, 0, "after the last comes the first");
    origin_failed(&o, 0);
    origin_set(&o, three + 1, 2);
    is_int(o.at, 0, "of other addresses nothing is known");
    origin_failed(&o, 0);
    origin_set(&o, three + 1, 1);
    is_int(o.at, 0, "nor of one that is not there any more");
    origin_set(&o, many, ORIGIN_ADDRESSES_MAX + 1);
    is_int(o.count, ORIGIN_ADDRESSES_MAX, "no more than there is room for");
}

static void test_watching(void)
{
    static struct origin o;
    int server[ORIGIN_IDLE_MAX + 1];
    int64_t until = 0;
    unsigned i;

    for (i = 0; i <= ORIGIN_IDLE_MAX; i++)
        server[i] = keep(&o, i);
    is_int(o.idle_count, ORIGIN_IDLE_MAX, "no more than there is room for");
    ok(is_closed(server[0]) && !is_closed(server[1]), "the oldest goes");
    ok(origin_idle(&o, 0, &until) >= 0 && until == 1 + ORIGIN_IDLE_MS, "each has its time");
    is_int(origin_idle(&o, ORIGIN_IDLE_MAX, &until), -1, "to the last");
    origin_drop(&o, 0);
    ok(is_closed(server[1]) && !is_closed(server[2]), "one dropped");
    ok(origin_idle(&o, 0, &until) >= 0 && until == 2 + ORIGIN_IDLE_MS, "the next is the first");
    origin_drop_all(&o);
    is_int(o.idle_count, 0, "all dropped");
    for (i = 0; i <= ORIGIN_IDLE_MAX; i++)
        ok(is_closed(server[i]), "%u is closed", i);
    for (i = 0; i <= ORIGIN_IDLE_MAX; i++)
        sock_close(&server[i]);
}

/* As --local unix:s names it, in the folder where the agent was started. */
static void test_shortest_path(void)
{
    static struct origin o = { .unix_path = { (uint8_t *)"s", 1 } };
    char dir[] = "/tmp/adit-test-XXXXXX";
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "s" };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    bool reused;

    if (!mkdtemp(dir) || chdir(dir) < 0 ||
        bind(listener, (struct sockaddr *)&name, sizeof name) < 0 || listen(listener, 1) < 0)
        exit(1);
    fd = origin_open(&o, false, &reused);
    ok(fd >= 0 && !reused, "a socket whose path is one byte");
    sock_close(&fd);
    sock_close(&listener);
    unlink("s");
    rmdir(dir);
}

int main(void)
{
    test_newest_first();
    test_noisy();
    test_all_noisy();
    test_addresses();
    test_watching();
    test_shortest_path();
    return done_testing();
}
