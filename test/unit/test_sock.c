/* Sockets over loopback and unix paths. */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "err.h"
#include "tap.h"

static const struct ip loopback = { { 127, 0, 0, 1 }, 4 };

static void wait_for(int fd, short what)
{
    struct pollfd p = { .fd = fd, .events = what };

    poll(&p, 1, 5000);
}

static int accept_one(int listener, struct ip *peer)
{
    wait_for(listener, POLLIN);
    return sock_accept(listener, peer, false);
}

static void test_stream(int listener, uint16_t port)
{
    int client = sock_connect(&loopback, port), server;
    struct ip peer;
    char got[8];

    ok(client >= 0, "connecting");
    server = accept_one(listener, &peer);
    ok(server >= 0, "accepted");
    wait_for(client, POLLOUT);
    is_int(sock_connected(client), 0, "connected");
    is_mem(peer.bytes, peer.len, loopback.bytes, 4, "from loopback");
    is_int(sock_accept(listener, NULL, false), ERR_STATE, "no other one waits");
    is_int(fcntl(server, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "close on exec");
    is_int(sock_read(server, got, sizeof got), 0, "nothing yet");
    const struct str piece[3] = { STR("ab"), { NULL, 0 }, STR("cdef") };

    is_int(sock_writev(client, piece, 3), 6, "pieces out");
    wait_for(server, POLLIN);
    is_int(sock_readv2(server, got, 3, got + 4, 4), 6, "two pieces in");
    ok(memcmp(got, "abc", 3) == 0 && memcmp(got + 4, "def", 3) == 0, "split as asked");
    sock_shutdown_write(client);
    wait_for(server, POLLIN);
    is_int(sock_read(server, got, sizeof got), ERR_CLOSED, "half closed");
    is_int(sock_write(server, "x", 1), 1, "the other half works");
    sock_close(&client);
    is_int(client, -1, "forgotten");
    sock_close(&client);
    sock_close(&server);
}

static void test_broken(int listener, uint16_t port)
{
    int client = sock_connect(&loopback, port), server = accept_one(listener, NULL);
    struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    char got[8];
    int result;

    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    sock_close(&client);
    wait_for(server, POLLIN);
    is_int(sock_read(server, got, sizeof got), ERR_TRUNCATED, "a reset is no end");
    result = sock_write(server, "x", 1);
    is_int(result, ERR_CLOSED, "nothing can be written either");
    sock_close(&server);
}

static void test_refused(uint16_t port)
{
    int fd = sock_connect(&loopback, port);

    if (fd >= 0) {
        wait_for(fd, POLLOUT);
        is_int(sock_connected(fd), ERR_REFUSED, "refused");
        sock_close(&fd);
    } else {
        is_int(fd, ERR_REFUSED, "refused at once");
    }
    /* To all on the link, by TCP: no system has a way there. */
    is_int(sock_connect(&(struct ip){ { 224, 0, 0, 1 }, 4 }, port), ERR_UNREACHABLE, "no way");
    fd = sock_udp(&loopback, port);
    is_int(sock_write(fd, "x", 1), 1, "a datagram to nobody");
    wait_for(fd, POLLIN);
    is_int(sock_read(fd, &port, 1), ERR_REFUSED, "comes back refused");
    sock_close(&fd);
}

/* A link-local address is one on every interface: without a zone it is none at all. */
static void test_zones(void)
{
    static const struct ip plain = { { 0xfe, 0x80, [15] = 1 }, 16 };
    struct ip by_name = plain, by_number = plain, other = loopback;
    char number[12], longest[64];
    int n = snprintf(number, sizeof number, "%u", if_nametoindex("lo"));

    is_int(sock_udp(&plain, 53), ERR_SYS, "no zone");
    ok(sock_set_zone(&by_name, STR("lo")), "an interface");
    /* No such address is on it: no more than that. */
    is_int(sock_udp(&by_name, 53), ERR_UNREACHABLE, "with it, there is no way");
    ok(sock_set_zone(&by_number, (struct str){ (const uint8_t *)number, (size_t)n }), "a number");
    is_mem(by_number.bytes, 16, by_name.bytes, 16, "is the same");
    memset(longest, 'x', sizeof longest);
    ok(!sock_set_zone(&by_name, (struct str){ (const uint8_t *)longest, sizeof longest }),
       "a name longer than any");
    ok(!sock_set_zone(&by_name, STR("no-such-one")), "no such interface");
    ok(!sock_set_zone(&by_name, STR("0")), "the number that is none");
    ok(!sock_set_zone(&by_name, STR("4294967296")), "nor one beyond all");
    ok(!sock_set_zone(&by_name, STR("")), "nothing");
    ok(!sock_set_zone(&other, STR("lo")), "an address that has no zones");
    is_mem(other.bytes, 4, loopback.bytes, 4, "stays as it is");
}

static void test_unix(void)
{
    char dir[] = "/tmp/adit-test-XXXXXX";
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    static uint8_t longest[sizeof a.sun_path];
    struct str path = { (const uint8_t *)a.sun_path, 0 };

    if (!mkdtemp(dir))
        return;
    path.n = (size_t)snprintf(a.sun_path, sizeof a.sun_path, "%s/s", dir);
    is_int(sock_connect_unix(path), ERR_REFUSED, "no such path");
    ok(bind(listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(listener, 1) == 0,
       "listening");
    fd = sock_connect_unix(path);
    ok(fd >= 0, "connected to a path");
    sock_close(&fd);
    sock_close(&listener);
    is_int(sock_connect_unix(path), ERR_REFUSED, "nobody listens");
    memset(longest, 'x', sizeof longest);
    is_int(sock_connect_unix((struct str){ longest, sizeof longest }), ERR_SYS, "path too long");
    unlink(a.sun_path);
    rmdir(dir);
}

/* Descriptors that select() cannot hold. */
static void test_high(int listener, uint16_t port)
{
    struct rlimit limit = { FD_SETSIZE + 64, FD_SETSIZE + 64 };
    static int filler[FD_SETSIZE];
    int n = 0, client = sock_connect(&loopback, port), server;

    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
        diag("the limit of descriptors cannot be raised here");
        sock_close(&client);
        return;
    }
    while (n < FD_SETSIZE && (filler[n] = dup(listener)) >= 0 && filler[n] < FD_SETSIZE - 1)
        n++;
    is_int(sock_connect(&loopback, port), ERR_FD, "a descriptor too high");
    wait_for(listener, POLLIN);
    server = sock_accept(listener, NULL, true);
    ok(server >= FD_SETSIZE, "unless any will do");
    sock_close(&server);
    sock_close(&client);
    for (int i = 0; i <= n && i < FD_SETSIZE; i++)
        sock_close(&filler[i]);
}

/* Connects so often; how many of them the listener got. */
static int got_of(int listener, uint16_t port, int times)
{
    int got = 0;

    for (int i = 0; i < times; i++) {
        int client = sock_connect(&loopback, port), server;

        wait_for(client, POLLOUT);
        server = sock_accept(listener, NULL, true);
        got += server >= 0;
        sock_close(&server);
        sock_close(&client);
    }
    return got;
}

/* One process takes over from another. */
static void test_shared(void)
{
    uint16_t port = 0, same;
    bool shared = true;
    int first = sock_listen_shared(&loopback, &port, 64, &shared), second, third;

    ok(first >= 0 && !shared, "nobody else has the address");
    same = port;
    is_int(sock_listen(&loopback, &same, 8, false), ERR_SYS, "who shares nothing cannot have it");
    second = sock_listen_shared(&loopback, &same, 64, &shared);
    ok(second >= 0 && shared && same == port, "another one can, and is told");
    if (!sock_give_way(first)) {
        diag("no SO_ATTACH_REUSEPORT_CBPF here");
    } else {
        is_int(got_of(second, port, 40), 40, "the first gives way: all come to the second");
        is_int(sock_accept(first, NULL, true), ERR_STATE, "none to the first");
        sock_close(&first);
        is_int(got_of(second, port, 40), 40, "nor are they lost when it is gone");
        third = sock_listen_shared(&loopback, &same, 64, &shared);
        ok(third >= 0 && sock_give_way(second), "and so again");
        is_int(got_of(third, port, 40), 40, "the third takes over");
        sock_close(&third);
        is_int(got_of(second, port, 40), 40, "who gave way to nobody gets them all");
    }
    sock_close(&first);
    sock_close(&second);
}

/* Sockets that come from elsewhere, listening as they should be or not. */
static void test_adopted(void)
{
    uint16_t port = 0, found = 0;
    struct ip ip = { .len = 0 };
    int fd = sock_listen(&loopback, &port, 8, false), other;

    fcntl(fd, F_SETFL, 0);
    fcntl(fd, F_SETFD, 0);
    is_int(sock_adopt_listener(fd, &ip, &found), 0, "a listening socket");
    is_int(found, port, "its port");
    is_mem(ip.bytes, ip.len, loopback.bytes, 4, "its address");
    is_int(sock_accept(fd, NULL, true), ERR_STATE, "it does not block");
    is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "nor is it inherited");
    sock_close(&fd);
    is_int(sock_adopt_listener(fd, &ip, &found), ERR_FD, "none");
    fd = socket(AF_INET, SOCK_STREAM, 0);
    is_int(sock_adopt_listener(fd, &ip, &found), ERR_FD, "one that does not listen");
    sock_close(&fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    is_int(sock_adopt_listener(fd, &ip, &found), ERR_FD, "one of datagrams");
    sock_close(&fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ok(bind(fd, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(sa_family_t)) == 0 &&
           listen(fd, 1) == 0, "a local one");
    is_int(sock_adopt_listener(fd, &ip, &found), ERR_FD, "listens for others");
    sock_close(&fd);
    other = open("/dev/null", O_RDONLY);
    is_int(sock_adopt_listener(other, &ip, &found), ERR_FD, "no socket");
    sock_close(&other);
}

int main(void)
{
    uint16_t port = 0, same;
    int listener = sock_listen(&loopback, &port, 8, false);
    struct ip any6 = { .len = 16 }, peer;
    uint16_t port6 = 0;
    int listener6, client, server;

    signal(SIGPIPE, SIG_IGN);
    ok(listener >= 0 && port != 0, "listening on port %u", port);
    same = port;
    is_int(sock_listen(&loopback, &same, 8, false), ERR_SYS, "the port is taken");
    is_int(errno, EADDRINUSE, "errno says so");
    test_stream(listener, port);
    test_broken(listener, port);
    test_high(listener, port);
    sock_close(&listener);
    test_refused(port);
    test_zones();
    test_unix();
    test_shared();
    test_adopted();
    listener6 = sock_listen(&any6, &port6, 8, false);
    if (listener6 >= 0) {
        client = sock_connect(&loopback, port6);
        server = accept_one(listener6, &peer);
        is_mem(peer.bytes, peer.len, loopback.bytes, 4, "IPv4 on an IPv6 listener");
        sock_close(&client);
        sock_close(&server);
        sock_close(&listener6);
    } else {
        diag("no IPv6 here");
    }
    return done_testing();
}
