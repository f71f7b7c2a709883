/* The resolver against name servers on loopback that answer as the test says. */
#include "net/resolver.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "err.h"
#include "tap.h"

static const struct ip loopback = { { 127, 0, 0, 1 }, 4 };

static char dir[] = "/tmp/adit-test-XXXXXX";
static char hosts_path[64], resolv_path[64];
static uint16_t port;
/* Servers on 127.0.0.1, .2 and .3, all on `port`. */
static int server[3] = { -1, -1, -1 };
static struct resolver r;

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        exit(1);
    close(fd);
}

static bool server_open(int i)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t len = sizeof a;
    uint32_t address = htonl(0x7f000001u + (uint32_t)i);

    memcpy(&a.sin_addr, &address, sizeof address);
    server[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (bind(server[i], (struct sockaddr *)&a, len) < 0 ||
        getsockname(server[i], (struct sockaddr *)&a, &len) < 0)
        return false;
    port = ntohs(a.sin_port);
    return true;
}

static void wait_in(int fd, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    poll(&p, 1, ms);
}

/* ---- what a server does with a question ---- */

enum { FAIL = 2, NO_NAME = 3, SILENT = 16, TRUNCATED = 32, FOREIGN = 64 };

static size_t put_record(uint8_t *out, const uint8_t *data, uint16_t n)
{
    const uint8_t head[12] = { 0xc0, 12, 0, n == 4 ? DNS_A : DNS_AAAA, 0, 1,
                               0, 0, 0, 60, 0, (uint8_t)n };

    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, data, n);
    return sizeof head + n;
}

static int type_of(const uint8_t *question, size_t n)
{
    return question[n - 3];
}

/* Makes a question of n bytes its answer, `what` of the codes and flags above, or 0 and then
 * `count` addresses follow. Returns its length. */
static size_t make_answer(uint8_t *message, size_t n, int what, unsigned count)
{
    uint8_t address[16] = { 10, 0, 0, 1 };
    int type = type_of(message, n);

    message[0] ^= what & FOREIGN ? 0x55 : 0;
    message[2] = what & TRUNCATED ? 0x83 : 0x81;
    message[3] = (uint8_t)(0x80 | (what & 15));
    count = what == 0 || what == FOREIGN ? count : 0;
    message[6] = (uint8_t)(count >> 8);
    message[7] = (uint8_t)count;
    while (count-- > 0) {
        address[3] = (uint8_t)(count + 1);
        n += put_record(message + n, address, type == DNS_A ? 4 : 16);
    }
    return n;
}

/* Answers one question that waits at a server. Returns its type, 0 when none waits. */
static int answer_one(int i, int a, int aaaa, unsigned count)
{
    uint8_t message[1024];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(server[i], message, 500, 0, (struct sockaddr *)&from, &len);
    int type, what;
    size_t end;

    if (n < 17)
        return 0;
    type = type_of(message, (size_t)n);
    what = type == DNS_A ? a : aaaa;
    if (what & SILENT)
        return type;
    end = make_answer(message, (size_t)n, what, count);
    sendto(server[i], message, end, 0, (struct sockaddr *)&from, len);
    return type;
}

static int event(int64_t now)
{
    wait_in(r.fd, 2000);
    return resolver_on_event(&r, now);
}

static int start(const char *name)
{
    return resolver_start(&r, str_of(name), 12345, 0);
}

static void two_questions(int i, int a, int aaaa, unsigned count)
{
    int types;

    wait_in(server[i], 2000);
    types = answer_one(i, a, aaaa, count);
    wait_in(server[i], 2000);
    types += answer_one(i, a, aaaa, count);
    is_int(types, DNS_A + DNS_AAAA, "server %d: asked for both families", i + 1);
}

/* Both answers may have come by the first event. */
static int event_until_done(int64_t now)
{
    int result = event(now);

    return result == 0 ? event(now) : result;
}

/* ---- tests ---- */

static void test_hosts(void)
{
    write_file(resolv_path, "nameserver 127.0.0.1\n");
    write_file(hosts_path, "# comment\n192.0.2.1 one.example alias # two.example\n"
                           "not-an-address two.example\n\n"
                           "2001:db8::2\tTWO.example\r\n127.0.0.1 localhost\n"
                           "192.0.2.2 two.example three");
    is_int(start("alias"), 1, "an alias");
    ok(r.count == 1 && r.address[0].bytes[3] == 1, "has its address");
    is_int(r.fd, -1, "without a question");
    is_int(start("two.example."), 1, "any case, with a final dot");
    is_int(r.count, 2, "both lines, not the comment");
    is_int(r.address[0].len, 16, "in order");
    is_int(start("three"), 1, "the last line without an end");
    is_int(start("localhost"), 1, "localhost, of which the file has one address");
    ok(r.count == 2 && r.address[0].bytes[0] == 127 && r.address[1].bytes[15] == 1, "has both");
    is_int(start("one.exam"), 0, "part of a name is another name");
    two_questions(0, SILENT, SILENT, 0);
    resolver_stop(&r);
    is_int(start("bad..name"), ERR_DNS, "not a name");
    is_int(start(""), ERR_DNS, "no name");
}

static void test_answers(void)
{
    write_file(resolv_path, "nameserver 127.0.0.1\n");
    is_int(start("host.example"), 0, "asking");
    is_int(r.want, NET_IN, "waiting for an answer");
    two_questions(0, 0, 0, 2);
    is_int(event_until_done(1), 1, "done");
    is_int(r.count, 4, "four addresses");
    for (unsigned i = 0; i < r.count; i++)
        is_int(r.address[i].len, i % 2 == 0 ? 4 : 16, "%u: the families take turns", i);
    is_int(r.address[2].bytes[3], 1, "in the order of their answer");
    is_int(r.fd, -1, "descriptor closed");
    start("host.example");
    two_questions(0, SILENT, 0, 3);
    is_int(event(100), 0, "only IPv6 came");
    is_int(r.deadline, 350, "IPv4 has 250 ms");
    is_int(resolver_on_time(&r, 1, 349), 0, "not yet");
    is_int(resolver_on_time(&r, 1, 350), 1, "then it is done");
    ok(r.count == 3 && r.address[0].len == 16, "with IPv6");
    is_int(r.address[2].bytes[3], 1, "all of it");
    start("host.example");
    two_questions(0, 0, NO_NAME, 1);
    is_int(event_until_done(1), 1, "a server that denies IPv6 names");
    is_int(r.count, 1, "does not deny IPv4");
    start("none.example");
    two_questions(0, NO_NAME, NO_NAME, 0);
    is_int(event_until_done(1), ERR_DNS_NAME, "no such name");
    start("empty.example");
    two_questions(0, 0, 0, 0);
    is_int(event_until_done(1), ERR_DNS_NAME, "no addresses");
    is_int(r.err, ERR_DNS_NAME, "kept");
}

static void test_forged(void)
{
    start("host.example");
    two_questions(0, FOREIGN, FOREIGN, 1);
    is_int(event(1), 0, "answers to other ids are not heard");
    wait_in(r.fd, 50);
    resolver_on_event(&r, 1);
    is_int(r.a_count + r.aaaa_count, 0, "nothing taken");
    ok(r.fd >= 0, "still asking");
    resolver_stop(&r);
    is_int(r.fd, -1, "stopped");
    resolver_stop(&r);
}

static void test_servers(void)
{
    uint16_t id;

    write_file(resolv_path, "; three\nnameserver 127.0.0.1\nnameserver 127.0.0.2 # two\n"
                            "nameserver bogus\n nameserver 127.0.0.3\nnameserver 127.0.0.4\n"
                            "options timeout:6 attempts:2 rotate\n");
    start("host.example");
    two_questions(0, SILENT, SILENT, 0);
    is_int(r.deadline, 2000, "6 s shared by three servers");
    id = r.id;
    is_int(resolver_on_time(&r, 99, 2000), 0, "no answer");
    ok(r.id != id, "a fresh id");
    two_questions(1, FAIL, SILENT, 0);
    is_int(event(2001), 0, "a failure");
    two_questions(2, TRUNCATED, TRUNCATED, 0);
    is_int(event(2002), 0, "truncated to nothing");
    is_int(event(2002), 0, "and it has no TCP");
    is_int(r.deadline, 2002 + 4000, "the second round waits longer");
    two_questions(0, 0, 0, 1);
    is_int(event_until_done(2003), 1, "the first server, asked again");
    start("host.example");
    for (int i = 0; i < 6; i++) {
        two_questions(i % 3, SILENT, SILENT, 0);
        is_int(resolver_on_time(&r, 7, r.deadline), i < 5 ? 0 : ERR_RESOLVE, "try %d", i + 1);
    }
}

/* ---- over TCP ---- */

/* The server's listener on TCP, and the resolver's connection. */
static int stream_listener = -1, stream = -1;

static void stream_open(int64_t deadline)
{
    is_int(event(1), 0, "truncated to nothing");
    is_int(r.want, NET_OUT, "connecting");
    is_int(r.deadline, deadline, "within the same time");
    is_int(event(1), 0, "connected");
    is_int(r.want, NET_IN, "and asking");
    wait_in(stream_listener, 2000);
    stream = sock_accept(stream_listener, NULL, false);
}

static uint8_t stream_byte(void)
{
    uint8_t byte = 0;

    wait_in(stream, 2000);
    is_int(sock_read(stream, &byte, 1), 1, "a byte");
    return byte;
}

/* The next question that comes, led by its length. */
static size_t stream_question(uint8_t *message)
{
    size_t n = (size_t)stream_byte() << 8;

    n |= stream_byte();
    for (size_t i = 0; i < n; i++)
        message[i] = stream_byte();
    return n;
}

/* The answer to it, in pieces. Returns what the resolver says of the last. */
static int stream_answer(const uint8_t *message, size_t n, size_t piece)
{
    static uint8_t out[5000];
    int result = 0;

    out[0] = (uint8_t)(n >> 8);
    out[1] = (uint8_t)n;
    memcpy(out + 2, message, n);
    for (size_t at = 0; at < n + 2; at += piece) {
        size_t left = n + 2 - at;

        is_int(result, 0, "not yet");
        sock_write(stream, out + at, left < piece ? left : piece);
        result = event(3);
    }
    return result;
}

static void test_stream(void)
{
    uint8_t message[4096], other[1024];
    size_t n, other_n;

    write_file(resolv_path, "nameserver 127.0.0.1\n");
    start("long.example");
    two_questions(0, TRUNCATED, TRUNCATED, 0);
    stream_open(2000);
    n = stream_question(message);
    other_n = stream_question(other);
    is_int(type_of(message, n) + type_of(other, other_n), DNS_A + DNS_AAAA, "for both families");
    is_int(stream_answer(other, make_answer(other, other_n, 0, 2), 1), 0, "byte by byte");
    is_int(stream_answer(message, make_answer(message, n, 0, 20), 100), 1, "and in larger pieces");
    is_int(r.count, DNS_ADDRESSES_MAX + 2, "all that there is room for");
    is_int(r.fd, -1, "closed");
    sock_close(&stream);
}

/* One family has come by datagram: it is not asked for again, and not waited for long. */
static void test_stream_for_one(void)
{
    uint8_t message[4096];
    size_t n;

    start("long.example");
    two_questions(0, 0, TRUNCATED, 1);
    stream_open(251);
    n = stream_question(message);
    is_int(type_of(message, n), DNS_AAAA, "only what is missing");
    is_int(stream_answer(message, make_answer(message, n, 0, 1), 100), 1, "done");
    is_int(r.count, 2, "with both");
    sock_close(&stream);
}

/* An answer longer than there is room for is used as far as it goes. */
static void test_stream_too_long(void)
{
    uint8_t message[4096];
    size_t n;

    start("long.example");
    two_questions(0, 0, TRUNCATED, 1);
    stream_open(251);
    n = make_answer(message, stream_question(message), 0, 100);
    ok(n > DNS_ANSWER_MAX, "a long answer");
    is_int(stream_answer(message, n, 4000), 1, "is taken");
    is_int(r.count, 1 + DNS_ADDRESSES_MAX, "as far as it goes");
    sock_close(&stream);
}

/* A server that is of no use over TCP is left for the next, or for another round. */
static void test_stream_useless(void)
{
    uint8_t message[4096];
    size_t n;

    start("long.example");
    two_questions(0, TRUNCATED, TRUNCATED, 0);
    stream_open(2000);
    n = stream_question(message);
    is_int(stream_answer(message, make_answer(message, n, TRUNCATED, 0), 100), 0,
           "truncated over TCP, too");
    is_int(r.tried, 2, "a second round");
    sock_close(&stream);
    two_questions(0, TRUNCATED, TRUNCATED, 0);
    stream_open(r.deadline);
    stream_question(message);
    sock_write(stream, "\0\100half", 6);
    sock_close(&stream);
    is_int(event(4), 0, "closed within an answer");
    is_int(r.tried, 3, "a third");
    two_questions(0, TRUNCATED, TRUNCATED, 0);
    stream_open(r.deadline);
    is_int(resolver_on_time(&r, 1, r.deadline - 1), 0, "silence");
    is_int(resolver_on_time(&r, 1, r.deadline), ERR_RESOLVE, "has its end");
    is_int(r.fd, -1, "closed");
    sock_close(&stream);
}

static void test_zone(void)
{
    struct resolv_conf conf;

    write_file(resolv_path, "nameserver fe80::1%lo\nnameserver 192.0.2.1%lo\n"
                            "nameserver fe80::2%no-such-one\nnameserver fe80::3%7\n");
    resolv_conf_read(resolv_path, &conf);
    is_int(conf.server_count, 2, "servers on a link, each with its interface");
    is_int(conf.server[0].bytes[15], 1, "by name");
    is_int(conf.server[1].bytes[15], 3, "by number");
    is_int(sock_udp(&conf.server[0], 53), ERR_UNREACHABLE, "the interface is used");
    write_file(resolv_path, "nameserver fe80::1%lo\nnameserver 127.0.0.1\n");
    is_int(start("host.example"), 0, "a server to which there is no way");
    is_int(r.tried, 2, "is left at once");
    two_questions(0, 0, 0, 1);
    is_int(event_until_done(1), 1, "the next one answers");
}

static int lowest_free(void)
{
    int fd = dup(STDOUT_FILENO);

    close(fd);
    return fd;
}

static void test_files_closed(void)
{
    int before = lowest_free();
    struct resolv_conf conf;
    struct ip ip;

    write_file(hosts_path, "192.0.2.7 other.example\n");
    write_file(resolv_path, "nameserver 127.0.0.1\n");
    is_int(hosts_lookup(hosts_path, STR("other.example"), &ip, 1), 1, "a file of hosts is read");
    is_int(lowest_free(), before, "and closed");
    resolv_conf_read(resolv_path, &conf);
    is_int(lowest_free(), before, "as is the one of name servers");
}

static void test_unreachable(void)
{
    int tries = 0, result;

    write_file(resolv_path, "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
    sock_close(&server[0]);
    start("host.example");
    if (r.tried == 1)
        is_int(event(5), 0, "nobody at the first server");
    two_questions(1, 0, 0, 1);
    is_int(event_until_done(6), 1, "the second one is asked at once");
    sock_close(&server[1]);
    result = start("host.example");
    while (result == 0 && tries++ < 20)
        result = event(7);
    is_int(result, ERR_RESOLVE, "nobody anywhere ends without waiting");
    unlink(resolv_path);
    start("host.example");
    is_mem(r.conf.server[0].bytes, 4, loopback.bytes, 4, "without a file, the own machine");
    resolver_stop(&r);
}

/* All servers, and the first one's listener on TCP, on a port that is free for all of them. */
static bool servers_open(void)
{
    for (int tries = 0; tries < 20; tries++) {
        port = 0;
        if (server_open(0) && server_open(1) && server_open(2) &&
            (stream_listener = sock_listen(&loopback, &port, 4, false)) >= 0)
            return true;
        for (int i = 0; i < 3; i++)
            sock_close(&server[i]);
    }
    return false;
}

int main(void)
{
    int before = dup(STDOUT_FILENO);

    /* All zeroes: its descriptor is 0. */
    dup2(before, 0);
    resolver_stop(&r);
    ok(fcntl(0, F_GETFD) >= 0, "stopping what never started closes nothing");
    if (!mkdtemp(dir) || !servers_open())
        return 1;
    snprintf(hosts_path, sizeof hosts_path, "%s/hosts", dir);
    snprintf(resolv_path, sizeof resolv_path, "%s/resolv", dir);
    r.hosts_path = hosts_path;
    r.resolv_path = resolv_path;
    r.server_port = port;
    test_hosts();
    test_answers();
    test_forged();
    test_servers();
    test_stream();
    test_stream_for_one();
    test_stream_too_long();
    test_stream_useless();
    sock_close(&stream_listener);
    test_zone();
    test_files_closed();
    test_unreachable();
    unlink(hosts_path);
    rmdir(dir);
    return done_testing();
}
