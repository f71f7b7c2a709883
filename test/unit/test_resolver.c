/* The resolver against name servers on loopback that answer as the test says. */
#include "net/resolver.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "err.h"
#include "tap.h"

#define QUESTION_AT 12

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

static bool wait_in(int fd, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, ms) > 0;
}

/* ---- what a server does with a question ---- */

enum { FAIL = 2, NO_NAME = 3, SILENT = 16, TRUNCATED = 32, FOREIGN = 64, FOLDED = 128,
       ALIAS = 256 };

/* What the last question asked for, and the last one that its server answered. */
static char asked[256];
static uint32_t ttl = 60;

static void read_question(const uint8_t *message)
{
    size_t at = QUESTION_AT, n = 0;

    while (message[at] > 0) {
        memcpy(asked + n, message + at + 1, message[at]);
        n += message[at];
        at += message[at] + 1u;
        asked[n++] = '.';
    }
    asked[n] = '\0';
}

static void fold(char *text)
{
    for (; *text; text++)
        *text = (char)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text);
}

static size_t put_record(uint8_t *out, const uint8_t *data, uint16_t n)
{
    const uint8_t head[12] = { 0xc0, QUESTION_AT, 0, n == 4 ? DNS_A : DNS_AAAA, 0, 1,
                               (uint8_t)(ttl >> 24), (uint8_t)(ttl >> 16), (uint8_t)(ttl >> 8),
                               (uint8_t)ttl, 0, (uint8_t)n };

    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, data, n);
    return sizeof head + n;
}

/* The question's name is an alias of n. and itself. */
static size_t put_alias(uint8_t *out)
{
    static const uint8_t record[] = { 0xc0, QUESTION_AT, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4,
                                      1, 'n', 0xc0, QUESTION_AT };

    memcpy(out, record, sizeof record);
    return sizeof record;
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

    read_question(message);
    message[0] ^= what & FOREIGN ? 0x55 : 0;
    for (size_t i = QUESTION_AT; (what & FOLDED) && i < n - 4; i++)
        message[i] = (uint8_t)(message[i] >= 'A' && message[i] <= 'Z' ? message[i] + 32
                                                                      : message[i]);
    message[2] = what & TRUNCATED ? 0x83 : 0x81;
    message[3] = (uint8_t)(0x80 | (what & 15));
    if (what & ALIAS) {
        message[7] = 1;
        return n + put_alias(message + n);
    }
    count = (what & ~(FOREIGN | FOLDED)) == 0 ? count : 0;
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
    read_question(message);
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

/* One question, for what is not known yet. */
static void one_question(int i, int type, int what, unsigned count)
{
    wait_in(server[i], 2000);
    is_int(answer_one(i, what, what, count), type, "server %d: asked for one family", i + 1);
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
                            "options timeout:6 attempts:2\n");
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

/* One family has come, the other's server is of no use: the next one has as little time. */
static void test_one_family_broken(void)
{
    write_file(resolv_path, "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
    start("host.example");
    two_questions(0, 0, FAIL, 1);
    if (event(10) == 0 && r.round + r.tried == 1)
        is_int(event(10), 0, "half an answer");
    one_question(1, DNS_AAAA, SILENT, 0);
    is_int(r.deadline, 260, "the other server has a moment");
    is_int(resolver_on_time(&r, 1, 260), 1, "then it is done");
    is_int(r.count, 1, "with what there is");
}

/* What is no answer to the question, whatever it is, ends nothing. */
static void test_garbage(void)
{
    static const size_t lengths[] = { 0, 1, 11, 12, 13, 60, 512, 1024 };
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    uint8_t message[1024], id[2];

    write_file(resolv_path, "nameserver 127.0.0.1\n");
    start("host.example");
    wait_in(server[0], 2000);
    is_int(recvfrom(server[0], message, sizeof message, 0, (struct sockaddr *)&from, &len) > 17, 1,
           "a question");
    memcpy(id, message, sizeof id);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (size_t at = 0; at < sizeof message; at++)
            message[at] = (uint8_t)(at * 7 + i);
        memcpy(message, id, sizeof id);
        message[3] &= 0xf0;
        sendto(server[0], message, lengths[i], 0, (struct sockaddr *)&from, len);
        is_int(event(1), 0, "%zu bytes of garbage", lengths[i]);
    }
    is_int(r.deadline, 2000, "change nothing");
    is_int(resolver_on_time(&r, 1, 1999), 0, "the answer has its time");
    resolver_stop(&r);
    wait_in(server[0], 2000);
    answer_one(0, SILENT, SILENT, 0);
}

/* ---- letters ---- */

/* Answers with other letters than the question's are not heard, but the last round asks for one
 * that any server gives. */
static void test_letters(void)
{
    char first[256], lower[] = "a-name-of-many-letters.example.";

    write_file(resolv_path, "nameserver 127.0.0.1\n");
    start("A-name-of-many-letters.EXAMPLE");
    two_questions(0, SILENT, SILENT, 0);
    snprintf(first, sizeof first, "%s", asked);
    ok(strcmp(first, lower) != 0, "letters of random case");
    is_int(resolver_on_time(&r, 99, 2000), 0, "again");
    two_questions(0, 0, FOLDED, 1);
    ok(strcmp(first, asked) != 0, "other ones each time");
    fold(first);
    is_str(first, lower, "of the same name");
    is_int(event_until_done(2001), 0, "an answer with other letters");
    is_int(r.round, 2, "is left at once");
    is_int(r.a_count + r.aaaa_count, 1, "without what it says");
    one_question(0, DNS_AAAA, FOLDED, 1);
    is_str(asked, lower, "the last round has no capitals");
    is_int(event(2002), 1, "so that any server has the same");
    is_int(r.count, 2, "both are there");
    start("host.example");
    two_questions(0, FOLDED | NO_NAME, FOLDED | NO_NAME, 0);
    is_int(event(1), 0, "that there is no such name, in other letters");
    is_int(r.round, 1, "is not believed either");
    two_questions(0, NO_NAME, NO_NAME, 0);
    is_int(event_until_done(2), ERR_DNS_NAME, "in the same letters it is");
    write_file(resolv_path, "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
    start("host.example");
    two_questions(0, FOLDED, FOLDED, 1);
    is_int(event(1), 0, "another server");
    two_questions(1, 0, 0, 1);
    is_int(event_until_done(2), 1, "may be better");
}

/* ---- names ---- */

static void answer_to(const char *name, int what)
{
    two_questions(0, what, what, 1);
    fold(asked);
    is_str(asked, name, "for %s", name);
}

static void test_suffixes(void)
{
    write_file(resolv_path, "domain first.test\nnameserver 127.0.0.1\n"
                            "search one.test . two.test. bad..test four.test # five.test\n");
    start("host");
    answer_to("host.one.test.", NO_NAME);
    is_int(event_until_done(1), 0, "no such name");
    answer_to("host.two.test.", 0);
    is_int(event_until_done(2), 1, "the next one is");
    start("host");
    answer_to("host.one.test.", NO_NAME);
    event_until_done(1);
    answer_to("host.two.test.", NO_NAME);
    is_int(event_until_done(2), 0, "of three suffixes one is no name");
    answer_to("host.", 0);
    is_int(event_until_done(3), 1, "and at last as it is");
    start("host");
    answer_to("host.one.test.", SILENT);
    is_int(resolver_on_time(&r, 1, r.deadline), 0, "silence");
    answer_to("host.one.test.", NO_NAME);
    is_int(event_until_done(4), 0, "is no answer");
    answer_to("host.two.test.", NO_NAME);
    event_until_done(5);
    answer_to("host.", NO_NAME);
    is_int(event_until_done(6), ERR_DNS_NAME, "there is none anywhere");
    start("host.");
    answer_to("host.", 0);
    is_int(event_until_done(1), 1, "with a last dot: only as it is");
    start("host.example");
    answer_to("host.example.", NO_NAME);
    is_int(event_until_done(1), ERR_DNS_NAME, "with dots enough, too");
    write_file(resolv_path, "nameserver 127.0.0.1\nsearch one.test\noptions ndots:2\n");
    start("host.example");
    answer_to("host.example.one.test.", NO_NAME);
    is_int(event_until_done(1), 0, "what is enough can be said");
    answer_to("host.example.", 0);
    is_int(event_until_done(2), 1, "as it is");
    start("host.example.");
    answer_to("host.example.", 0);
    is_int(event_until_done(2), 1, "unless it has a last dot");
}

static void test_conf(void)
{
    static char long_line[400];
    struct resolv_conf conf;

    write_file(resolv_path, "options ndots:0 timeout:0 attempts:99 rotate\noptions ndots:99\n"
                            "options timeout:x timeout: attempts:4294967296\n");
    resolv_conf_read(resolv_path, &conf);
    is_int(conf.timeout_s, 1, "a second at least");
    is_int(conf.attempts, 5, "five rounds at most");
    is_int(conf.ndots, 15, "fifteen dots at most");
    ok(conf.rotate, "rotate");
    write_file(resolv_path, "search a b c d\n");
    resolv_conf_read(resolv_path, &conf);
    is_int(conf.suffix_count, 3, "three suffixes");
    is_mem(conf.suffix[2].p, conf.suffix[2].n, "c", 1, "in order");
    ok(!conf.rotate && conf.ndots == 1 && conf.timeout_s == 2 && conf.attempts == 3, "defaults");
    snprintf(long_line, sizeof long_line, "search a\ndomain b\nsearch %0250d\n", 0);
    write_file(resolv_path, long_line);
    resolv_conf_read(resolv_path, &conf);
    is_int(conf.suffix_count, 1, "the last line counts");
    is_int((int)conf.suffix[0].n, 250, "as far as there is room");
    snprintf(long_line, sizeof long_line, "search a\ndomain b\nsearch c %0256d\n", 0);
    write_file(resolv_path, long_line);
    resolv_conf_read(resolv_path, &conf);
    is_int(conf.suffix_count, 0, "a longer one is empty");
}

static void test_rotate(void)
{
    write_file(resolv_path, "nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\n"
                            "options attempts:2 rotate\n");
    for (uint32_t random = 0; random < 3; random++) {
        is_int(resolver_start(&r, STR("host.example"), random, 0), 0, "any of three begins");
        for (uint32_t i = 0; i < 6; i++) {
            two_questions((int)(random + i) % 3, SILENT, SILENT, 0);
            is_int(resolver_on_time(&r, 9, r.deadline), i < 5 ? 0 : ERR_RESOLVE, "the next one");
        }
    }
}

/* The file is another one at the next try. */
static void test_change(void)
{
    write_file(resolv_path, "nameserver 127.0.0.1\nnameserver 127.0.0.1\nnameserver 127.0.0.1\n");
    start("host.example");
    two_questions(0, SILENT, SILENT, 0);
    is_int(resolver_on_time(&r, 1, r.deadline), 0, "silence");
    two_questions(0, SILENT, SILENT, 0);
    write_file(resolv_path, "nameserver 127.0.0.2\n");
    is_int(resolver_on_time(&r, 1, r.deadline), 0, "and the file changes");
    two_questions(1, 0, 0, 1);
    is_int(event_until_done(5), 1, "its server is asked");
}

/* ---- aliases ---- */

static void test_aliases(void)
{
    char name[64] = "host.test.", longer[70];

    write_file(resolv_path, "nameserver 127.0.0.1\nsearch other.test\n");
    start("host.test");
    answer_to("host.test.", ALIAS);
    is_int(event_until_done(1), 0, "an alias without an address");
    answer_to("n.host.test.", SILENT);
    is_int(resolver_on_time(&r, 1, r.deadline), 0, "silence");
    answer_to("n.host.test.", 0);
    is_int(event_until_done(2), 1, "what it is an alias of is asked for");
    is_int(r.count, 2, "and has addresses");
    start("host.test");
    two_questions(0, 0, ALIAS, 1);
    is_int(event_until_done(1), 1, "with an address of one family");
    is_int(r.count, 1, "nothing else is needed");
    start("host.test");
    answer_to("host.test.", ALIAS);
    is_int(event_until_done(1), 0, "an alias");
    answer_to("n.host.test.", NO_NAME);
    is_int(event_until_done(2), ERR_DNS_NAME, "of nothing");
    start("host.test");
    for (int i = 0; i <= RESOLVER_ALIASES_MAX; i++) {
        answer_to(name, ALIAS);
        is_int(event_until_done(3), i < RESOLVER_ALIASES_MAX ? 0 : ERR_DNS_NAME, "alias %d", i + 1);
        snprintf(longer, sizeof longer, "n.%s", name);
        memcpy(name, longer, sizeof name);
    }
}

/* ---- what is known ---- */

static struct dns_cache cache;

static void no_question(int result, int expected, const char *what)
{
    is_int(result, expected, "%s", what);
    ok(r.fd < 0 && !wait_in(server[0], 0), "without a question");
}

static int start_at(const char *name, int64_t now)
{
    return resolver_start(&r, str_of(name), 12345, now);
}

static void learn(int what, int64_t now)
{
    is_int(start_at("host.example", now), 0, "asking");
    two_questions(0, what, what, 1);
    event_until_done(now);
}

static void test_cache(void)
{
    struct ip first;

    memset(&cache, 0, sizeof cache);
    r.cache = &cache;
    write_file(resolv_path, "nameserver 127.0.0.1\n");
    learn(0, 0);
    is_int(r.count, 2, "answered");
    first = r.address[0];
    r.count = 0;
    no_question(start_at("host.example", 59999), 1, "within the TTL");
    is_int(r.count, 2, "the same addresses");
    is_mem(&r.address[0], sizeof first, &first, sizeof first, "in the same order");
    ok(!r.stale, "which are good");
    learn(0, 60000);
    ok(!resolver_mark(&r, &first, DNS_CACHE_FAILED), "an address fails");
    no_question(start_at("host.example", 60001), 1, "the other one is good");
    is_int(r.count, 1, "alone");
    resolver_mark(&r, &r.address[0], DNS_CACHE_FAILED);
    learn(0, 60002);
    is_int(r.count, 2, "none is: that is asked for");
    learn(NO_NAME, 60003);
    no_question(start_at("host.example", 60004), ERR_DNS_NAME, "no such name, a moment ago");
    ok(start_at("other.example", 60005) == 0, "another one is");
    two_questions(0, SILENT, SILENT, 0);
    resolver_stop(&r);
    ttl = 0x80000000u;
    learn(0, 70000);
    is_int(start_at("host.example", 71000), 0, "a TTL of nonsense is none");
    two_questions(0, SILENT, SILENT, 0);
    resolver_stop(&r);
    ttl = 60;
}

/* The least TTL of both families and of the alias (30) counts, under the name that was asked. */
static void test_cache_of_alias(void)
{
    is_int(start_at("www.example", 0), 0, "asking");
    answer_to("www.example.", ALIAS);
    event_until_done(1);
    answer_to("n.www.example.", 0);
    is_int(event_until_done(2), 1, "answered");
    no_question(start_at("www.example", 30001), 1, "within the alias's TTL");
    is_int(start_at("www.example", 30002), 0, "and no longer");
    two_questions(0, SILENT, SILENT, 0);
    resolver_stop(&r);
}

static void test_stale(void)
{
    const int64_t later = 1000000;

    memset(&cache, 0, sizeof cache);
    learn(0, 0);
    is_int(start_at("host.example", later), 0, "the TTL is over");
    two_questions(0, SILENT, SILENT, 0);
    is_int(r.deadline, later + DNS_CACHE_PATIENCE_MS, "servers have not long");
    is_int(resolver_on_time(&r, 1, r.deadline - 1), 0, "not yet");
    is_int(resolver_on_time(&r, 1, r.deadline), 1, "the old addresses are as good");
    ok(r.stale && r.count == 2 && r.fd == -1, "and that is told");
    no_question(start_at("host.example", later + 20000), 1, "nobody is asked for a while");
    is_int(start_at("host.example", later + 40000), 0, "and then again");
    for (int i = 0; i < 2; i++) {
        two_questions(0, FAIL, FAIL, 0);
        is_int(event(later + 40000), 0, "failure");
    }
    two_questions(0, FAIL, FAIL, 0);
    is_int(event(later + 40000), 1, "of every round: the old addresses");
    ok(r.stale, "they are");
    resolver_mark(&r, &r.address[0], DNS_CACHE_FAILED);
    resolver_mark(&r, &r.address[1], DNS_CACHE_FAILED);
    is_int(start_at("host.example", later + 40001), 0, "they fail: asked at once");
    two_questions(0, SILENT, SILENT, 0);
    is_int(resolver_on_time(&r, 1, later + 42001), 0, "and waited for");
    two_questions(0, SILENT, SILENT, 0);
    is_int(r.deadline, later + 40001 + DNS_CACHE_FAILED_PATIENCE_MS, "longer");
    is_int(resolver_on_time(&r, 1, r.deadline), 1, "but not for ever");
    ok(r.stale && r.count == 2, "they may be there again");
    is_int(start_at("host.example", later + 80000), 0, "asking");
    two_questions(0, NO_NAME, NO_NAME, 0);
    is_int(event_until_done(later + 80001), ERR_DNS_NAME, "an answer is an answer");
    ok(!r.stale, "and not stale");
    is_int(start_at("unknown.example", later + 90000), 0, "what nobody knew before");
    two_questions(0, SILENT, SILENT, 0);
    is_int(r.deadline, later + 92000, "has all the time");
    resolver_stop(&r);
    r.cache = NULL;
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
    is_int(r.round, 1, "a second round");
    sock_close(&stream);
    two_questions(0, TRUNCATED, TRUNCATED, 0);
    stream_open(r.deadline);
    stream_question(message);
    sock_write(stream, "\0\100half", 6);
    sock_close(&stream);
    is_int(event(4), 0, "closed within an answer");
    is_int(r.round, 2, "a third");
    two_questions(0, TRUNCATED, TRUNCATED, 0);
    stream_open(r.deadline);
    is_int(resolver_on_time(&r, 1, r.deadline - 1), 0, "silence");
    is_int(resolver_on_time(&r, 1, r.deadline), ERR_RESOLVE, "has its end");
    is_int(r.fd, -1, "closed");
    sock_close(&stream);
}

static int lowest_free(void)
{
    int fd = dup(STDOUT_FILENO);

    close(fd);
    return fd;
}

/* Neither a stream nor, before the old one is closed, anything else can be opened. */
static void test_no_descriptors(void)
{
    struct rlimit all, none;

    write_file(resolv_path, "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
    start("long.example");
    two_questions(0, TRUNCATED, TRUNCATED, 0);
    getrlimit(RLIMIT_NOFILE, &all);
    none = (struct rlimit){ (rlim_t)lowest_free(), all.rlim_max };
    setrlimit(RLIMIT_NOFILE, &none);
    is_int(event(1), 0, "truncated to nothing, and no stream can be had");
    setrlimit(RLIMIT_NOFILE, &all);
    is_int(r.tried, 2, "the next server is asked at once");
    two_questions(1, 0, 0, 1);
    is_int(event_until_done(2), 1, "and answers");
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
    is_mem(r.server.bytes, 4, loopback.bytes, 4, "without a file, the own machine");
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
    test_one_family_broken();
    test_garbage();
    test_letters();
    test_suffixes();
    test_conf();
    test_rotate();
    test_change();
    test_aliases();
    test_cache();
    test_cache_of_alias();
    test_stale();
    test_stream();
    test_stream_for_one();
    test_stream_too_long();
    test_stream_useless();
    sock_close(&stream_listener);
    test_no_descriptors();
    test_zone();
    test_files_closed();
    test_unreachable();
    unlink(hosts_path);
    rmdir(dir);
    return done_testing();
}
