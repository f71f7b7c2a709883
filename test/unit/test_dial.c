/* Dialling: literals, names with several addresses, refusals, addresses that never answer. */
#include "net/dial.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "err.h"
#include "tap.h"

static const struct ip loopback = { { 127, 0, 0, 1 }, 4 };
/* What the owner gives. */
#define TIME_MS 15000

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
    d.until = TIME_MS;
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
    ok(d.want == 0 && d.deadline == NET_NEVER, "and nothing to wait for");
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
    ok(d.fd == -1 && d.want == 0 && d.deadline == NET_NEVER, "and nothing is waited for");
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
struct silent {
    struct ip ip;
    int listener, filler[4];
};

static void silent_open(struct silent *s, uint8_t last_byte, uint16_t *port)
{
    s->ip = (struct ip){ { 127, 0, 0, last_byte }, 4 };
    s->listener = sock_listen(&s->ip, port, 0, false);
    for (int i = 0; i < 4; i++)
        s->filler[i] = sock_connect(&s->ip, *port);
}

static void silent_close(struct silent *s)
{
    for (int i = 0; i < 4; i++)
        sock_close(&s->filler[i]);
    sock_close(&s->listener);
}

/* Of four addresses only the last answers: it is reached with time to spare. */
static void test_silent(void)
{
    static struct silent silent[3];
    uint16_t port = 0;
    int64_t now = 0;
    int listener;

    for (uint8_t i = 0; i < 3; i++)
        silent_open(&silent[i], (uint8_t)(4 - i), &port);
    listener = sock_listen(&loopback, &port, 4, false);
    write_hosts("127.0.0.4 slow.example\n127.0.0.3 slow.example\n127.0.0.2 slow.example\n"
                "127.0.0.1 slow.example\n");
    is_int(run(dial_to("slow.example", port), 0), 0, "no answer");
    for (uint8_t i = 0; i < 3; i++) {
        is_mem(d.peer.bytes, 4, silent[i].ip.bytes, 4, "from address %d", i + 1);
        is_int(d.deadline, now + TIME_MS / 5, "which has its share");
        now = d.deadline;
        is_int(dial_on_time(&d, 1, now - 1), 0, "not yet");
        is_mem(d.peer.bytes, 4, silent[i].ip.bytes, 4, "still the same");
        is_int(dial_on_time(&d, 1, now), 0, "then the next");
    }
    ok(d.deadline == NET_NEVER, "the last has all the owner's time that is left");
    ok(now <= TIME_MS * 3 / 5, "enough of it");
    is_int(run(0, now + 1), 1, "connects");
    dial_stop(&d);
    is_int(dial_start(&d, STR("slow.example"), port, 1, TIME_MS), 0, "without any time");
    ok(d.deadline == NET_NEVER, "it is the owner who ends it");
    dial_stop(&d);
    for (int i = 0; i < 3; i++)
        silent_close(&silent[i]);
    sock_close(&listener);
}

/* What comes to nothing after the connect must not be what every round begins with. */
static void test_rounds(uint16_t port, uint16_t closed)
{
    static const uint8_t first[] = { 2, 3, 1, 2 };

    write_hosts("127.0.0.2 three.example\n127.0.0.3 three.example\n127.0.0.1 three.example\n");
    for (uint32_t i = 0; i < sizeof first; i++) {
        d.round = i;
        dial_to("three.example", closed);
        is_int(d.peer.bytes[3], first[i], "round %u begins with another address", i);
        is_int(run(dial_to("three.example", port), 0), 1, "and comes to the good one");
        is_mem(d.peer.bytes, 4, loopback.bytes, 4, "wherever it is");
        dial_stop(&d);
    }
    d.round = 0;
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
    test_rounds(port, closed);
    test_names(port);
    unlink(hosts_path);
    return done_testing();
}
