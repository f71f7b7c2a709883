/* The local server's address as the agent looks it up, and what visitors and the log are told when
 * it cannot be reached. The name server is the test's. */
#include "agent.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "capture.h"
#include "err.h"
#include "sys/log.h"
#include "tap.h"

static char dir[] = "/tmp/adit-test-XXXXXX";
static char hosts_path[64], resolv_path[64];
static struct agent agent;
static int server = -1;
static uint16_t port;

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        exit(1);
    close(fd);
}

static bool server_open(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;

    server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (bind(server, (struct sockaddr *)&a, len) < 0 ||
        getsockname(server, (struct sockaddr *)&a, &len) < 0)
        return false;
    port = ntohs(a.sin_port);
    return true;
}

/* What has been asked since; with `host` above 0 each question for A is answered with 192.0.2.host,
 * with 0 there is no such name, and below that nothing is answered. */
static int questions(int host)
{
    static const uint8_t record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2 };
    uint8_t message[1024];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n;
    int count = 0;

    for (; (n = recvfrom(server, message, 500, 0, (struct sockaddr *)&from, &len)) > 0; count++) {
        size_t end = (size_t)n;
        bool has = host > 0 && message[end - 3] == DNS_A;

        if (host < 0)
            continue;
        message[2] = 0x81;
        message[3] = host > 0 ? 0x80 : 0x83;
        message[7] = has;
        if (has) {
            memcpy(message + end, record, sizeof record);
            message[end + sizeof record] = (uint8_t)host;
            end += sizeof record + 1;
        }
        sendto(server, message, end, 0, (struct sockaddr *)&from, len);
    }
    return count;
}

/* As the agent's loop does, until the answers have been taken. */
static void take_answers(void)
{
    int64_t now = agent.loop.now;

    for (int i = 0; i < 10 && agent.local.fd >= 0; i++) {
        loop_begin(&agent.loop);
        loop_want(&agent.loop, agent.local.fd, agent.local.want, agent.loop.now + 2000);
        loop_wait(&agent.loop);
        agent.loop.now = now;
        local_turn(&agent);
    }
}

static void set_up(const char *host, int64_t now)
{
    memset(&agent, 0, sizeof agent);
    agent.config.local = host;
    agent.target.local_host = str_of(host);
    agent.target.local_port = 8080;
    agent.local.hosts_path = hosts_path;
    agent.local.resolv_path = resolv_path;
    agent.local.server_port = port;
    local_init(&agent);
    agent.loop.signals = -1;
    agent.loop.now = now;
}

static void test_no_name(void)
{
    set_up("192.0.2.1", 1000);
    is_int(agent.origin.count, 1, "an address is one");
    is_int(agent.origin.ip[0].bytes[3], 1, "as it stands");
    is_int(agent.origin.port, 8080, "with its port");
    local_look_up(&agent);
    local_turn(&agent);
    is_int(questions(-1), 0, "nobody is asked for it");

    set_up("", 1000);
    agent.target.local_path = STR("/run/local");
    local_init(&agent);
    is_int(agent.origin.unix_path.n, 10, "a path");
    local_look_up(&agent);
    is_int(questions(-1), 0, "nor for that");
}

static void test_name(void)
{
    set_up("box.example", 1000);
    is_int(agent.origin.count, 0, "nothing is known of a name");
    local_look_up(&agent);
    agent.loop.now += 5000;
    local_look_up(&agent);
    is_int(questions(7), 2, "it is asked for once, in both families");
    take_answers();
    is_int(agent.origin.count, 1, "it has an address");
    is_int(agent.origin.ip[0].bytes[3], 7, "the one of the answer");
    is_int(agent.local.fd, -1, "and nothing is awaited any more");
}

static void test_name_again(void)
{
    set_up("box.example", 1000);
    local_look_up(&agent);
    questions(7);
    take_answers();
    agent.loop.now += 999;
    local_look_up(&agent);
    is_int(questions(-1), 0, "within a second it is not asked for again");
    agent.loop.now += 1;
    local_look_up(&agent);
    is_int(questions(-1), 0, "nor while the answer is good, which is a minute");
    agent.loop.now += 60000;
    local_look_up(&agent);
    is_int(questions(8), 2, "then it is");
    take_answers();
    is_int(agent.origin.ip[0].bytes[3], 8, "it has moved");
    agent.loop.now += 60000;
    local_look_up(&agent);
    questions(0);
    take_answers();
    is_int(agent.origin.count, 1, "when it has none any more, the last one stays");
    is_int(agent.local.fd, -1, "and that is all");
}

static void test_silence(void)
{
    int asked = 0;

    set_up("box.example", 1000);
    local_look_up(&agent);
    for (int i = 0; i < 20 && agent.local.fd >= 0; i++) {
        asked += questions(-1) / 2;
        loop_begin(&agent.loop);
        loop_want(&agent.loop, agent.local.fd, agent.local.want, 0);
        loop_wait(&agent.loop);
        agent.loop.now = agent.local.deadline;
        local_turn(&agent);
    }
    ok(asked > 1, "who does not answer is asked again");
    is_int(agent.local.fd, -1, "and given up");
    is_int(agent.origin.count, 0, "without an address");
}

static void test_hosts(void)
{
    write_file(hosts_path, "192.0.2.9 box.example\n");
    set_up("box.example", 1000);
    local_look_up(&agent);
    is_int(agent.origin.ip[0].bytes[3], 9, "a name of the hosts file has its address at once");
    is_int(questions(-1), 0, "without a question");
    write_file(hosts_path, "");
}

/* ---- what is told ---- */

static const struct {
    int err;
    const char *text;
} failures[] = {
    { ERR_REFUSED, "the local server refuses connections: does it run, on that port?" },
    { ERR_RESOLVE, "the local server's name cannot be looked up" },
    { ERR_TIMEOUT, "the local server does not answer" },
    { ERR_CLOSED, "the local server is unreachable: check its address and the network" },
    { ERR_UNREACHABLE, "the local server is unreachable: check its address and the network" },
};

static void test_told(void)
{
    static struct capture c;

    set_up("192.0.2.1", 1000);
    capture_begin(&c, STDERR_FILENO);
    local_answers(&agent);
    capture_end(&c);
    is_str(c.text, "", "that it answers as ever is no news");
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        is_str(local_failed(&agent, failures[i].err), failures[i].text, "error %d",
               failures[i].err);
    is_str(local_failed(&agent, ERR_SYS), err_text(ERR_SYS), "any other error");

    set_up("192.0.2.1", 1000);
    capture_begin(&c, STDERR_FILENO);
    local_failed(&agent, ERR_TIMEOUT);
    local_failed(&agent, ERR_REFUSED);
    local_answers(&agent);
    local_answers(&agent);
    capture_end(&c);
    is_str(c.text, "info: 192.0.2.1: the local server does not answer\n"
                   "info: 192.0.2.1: the local server answers again\n",
           "the log tells of the first failure, and of its end");
}

static void test_failure_looks_up(void)
{
    set_up("box.example", 1000);
    local_failed(&agent, ERR_REFUSED);
    is_int(questions(-1), 2, "a server that is not there may have moved");
    resolver_stop(&agent.local);
}

int main(void)
{
    if (!mkdtemp(dir) || !server_open())
        return 1;
    snprintf(hosts_path, sizeof hosts_path, "%s/hosts", dir);
    snprintf(resolv_path, sizeof resolv_path, "%s/resolv", dir);
    write_file(hosts_path, "");
    write_file(resolv_path, "nameserver 127.0.0.1\n");
    test_no_name();
    test_name();
    test_name_again();
    test_silence();
    test_hosts();
    test_told();
    test_failure_looks_up();
    unlink(hosts_path);
    unlink(resolv_path);
    rmdir(dir);
    return done_testing();
}
