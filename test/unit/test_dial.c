/* Dialling: literals, names with several addresses, refusals, addresses that never answer. */
#include "dial.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "err.h"
#include "tap.h"

static const struct ip loopback = { { 127, 0, 0, 1 }, 4 };
static const struct ip second = { { 127, 0, 0, 2 }, 4 };

static char hosts_path[] = "/tmp/adit-test-XXXXXX";
static struct dial d;

static void write_hosts(const char *text)
{
    int fd = open(hosts_path, O_WRONLY | O_TRUNC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        exit(1);
    close(fd);
}

/* Events until an end, or until none comes. */
static int run(int state, int64_t now)
{
    for (int i = 0; i < 10 && state == 0; i++) {
        struct pollfd p = { .fd = d.fd, .events = d.want & NET_IN ? POLLIN : POLLOUT };

        if (poll(&p, 1, 200) == 0)
            break;
        state = dial_on_event(&d, 1, now);
    }
    return state;
}

static int dial_to(const char *host, uint16_t port)
{
    return dial_start(&d, str_of(host), port, 1, 0);
}

static void test_connect(int listener, uint16_t port)
{
    int fd, peer;

    is_int(run(dial_to("127.0.0.1", port), 0), 1, "an address");
    is_int(d.want, 0, "nothing more to wait for");
    is_int(dial_on_event(&d, 1, 0), 1, "stays connected");
    fd = dial_take(&d);
    peer = sock_accept(listener, NULL, false);
    is_int(sock_write(fd, "x", 1), 1, "the descriptor works");
    sock_close(&fd);
    sock_close(&peer);
    is_int(d.fd, -1, "and is not the dial's any more");
    is_int(dial_on_event(&d, 1, 0), ERR_STATE, "nothing under way");
    is_int(run(dial_to("name.example", port), 0), 1, "a name");
    is_mem(d.peer.bytes, 4, loopback.bytes, 4, "its first address");
    dial_stop(&d);
    is_int(d.fd, -1, "stopped");
    peer = sock_accept(listener, NULL, false);
    sock_close(&peer);
}

static void test_refused(uint16_t port, uint16_t closed)
{
    is_int(run(dial_to("127.0.0.1", closed), 0), ERR_REFUSED, "nobody listens");
    is_int(d.fd, -1, "nothing left");
    write_hosts("127.0.0.2 two.example\n127.0.0.1 two.example\n");
    is_int(run(dial_to("two.example", port), 0), 1, "the next address at once");
    is_mem(d.peer.bytes, 4, loopback.bytes, 4, "which one is told");
    is_int(run(dial_to("two.example", closed), 0), ERR_REFUSED, "none of two");
    write_hosts("2001:db8::1 six.example\n127.0.0.1 six.example\n");
    ok(dial_to("six.example", port) == 0, "no route to the first");
    dial_stop(&d);
}

/* A listener whose queue is full never answers. */
static void test_silent(void)
{
    uint16_t port = 0, same;
    int silent = sock_listen(&second, &port, 0, false), listener, filler[4];

    same = port;
    listener = sock_listen(&loopback, &same, 4, false);
    for (int i = 0; i < 4; i++)
        filler[i] = sock_connect(&second, port);
    write_hosts("127.0.0.2 slow.example\n127.0.0.1 slow.example\n");
    is_int(run(dial_to("slow.example", port), 0), 0, "no answer");
    is_mem(d.peer.bytes, 4, second.bytes, 4, "from the first");
    is_int(d.deadline, 5000, "which has 5 s");
    is_int(dial_on_time(&d, 1, 4999), 0, "not yet");
    is_mem(d.peer.bytes, 4, second.bytes, 4, "still the first");
    is_int(dial_on_time(&d, 1, 5000), 0, "then the next");
    ok(d.deadline == NET_NEVER, "which has all the owner's time");
    is_int(run(0, 5001), 1, "connects");
    dial_stop(&d);
    for (int i = 0; i < 4; i++)
        sock_close(&filler[i]);
    sock_close(&silent);
    sock_close(&listener);
}

static void test_names(uint16_t port)
{
    is_int(dial_to("bad..name", port), ERR_DNS, "not a name");
    is_int(d.fd, -1, "nothing to wait for");
    is_int(dial_on_time(&d, 1, 0), ERR_STATE, "nothing under way");
    /* No name server listens on port 1. */
    is_int(run(dial_to("unknown.example", port), 0), ERR_RESOLVE, "nobody to ask");
}

int main(void)
{
    uint16_t port = 0, closed = 0;
    int listener = sock_listen(&loopback, &port, 8, false);
    int gone = sock_listen(&loopback, &closed, 8, false);
    int fd = mkstemp(hosts_path);

    if (listener < 0 || gone < 0 || fd < 0)
        return 1;
    close(fd);
    sock_close(&gone);
    write_hosts("127.0.0.1 name.example\n");
    d.resolver.hosts_path = hosts_path;
    d.resolver.resolv_path = "/nonexistent";
    d.resolver.server_port = 1;
    test_connect(listener, port);
    test_refused(port, closed);
    test_silent();
    test_names(port);
    unlink(hosts_path);
    return done_testing();
}
