/* The cache of addresses, by a clock of the test's own. */
#include "core/dns_cache.h"

#include "err.h"
#include "tap.h"

#define NAME STR("gw.example")
#define S(seconds) ((int64_t)(seconds) * 1000)

static struct dns_cache c;
static struct ip got[DNS_CACHE_ADDRESSES];

/* 192.0.2.n; above 100, 2001:db8::n. */
static struct ip address(unsigned n)
{
    struct ip ip = { { 192, 0, 2, (uint8_t)n }, 4 };

    if (n > 100)
        ip = (struct ip){ { 0x20, 1, 0xd, 0xb8, [15] = (uint8_t)n }, 16 };
    return ip;
}

/* An answer with these addresses, each a character: '1' is 192.0.2.1, 'a' 2001:db8::a1. */
static unsigned fill(struct ip *ip, const char *which)
{
    unsigned count = 0;

    for (; which[count]; count++)
        ip[count] = address((unsigned)(which[count] < 'a' ? which[count] - '0'
                                                          : which[count] - 'a' + 0xa1));
    return count;
}

static const char *names_of(unsigned count)
{
    static char text[DNS_CACHE_ADDRESSES + 1];

    for (unsigned i = 0; i < count; i++) {
        uint8_t last = got[i].bytes[got[i].len - 1];

        text[i] = (char)(got[i].len == 4 ? '0' + last : 'a' + last - 0xa1);
    }
    text[count] = '\0';
    return text;
}

static const char *put(const char *which, uint32_t ttl, int64_t now)
{
    unsigned count = fill(got, which);

    return names_of(dns_cache_put(&c, NAME, got, count, ttl, now));
}

/* What is found, or "?" for what has to be asked for, "-" for what has no address. */
static const char *found(int64_t now)
{
    int count = dns_cache_find(&c, NAME, now, got);

    return count == 0 ? "?" : count == ERR_DNS_NAME ? "-" : names_of((unsigned)count);
}

static const char *stale(int64_t now)
{
    return names_of(dns_cache_stale(&c, NAME, now, got));
}

static bool mark(char which, enum dns_cache_mark m)
{
    const char text[2] = { which, '\0' };
    struct ip ip[1];

    fill(ip, text);
    return dns_cache_mark(&c, NAME, &ip[0], m);
}

static void empty(void)
{
    memset(&c, 0, sizeof c);
}

/* ---- tests ---- */

static void test_life(void)
{
    static const struct {
        uint32_t ttl;
        int64_t lives;
    } cases[] = { { 0, 1 }, { 1, 1 }, { 2, 2 }, { 300, 300 }, { 86399, 86399 }, { 86400, 86400 },
                  { 86401, 86400 }, { INT32_MAX, 86400 }, { UINT32_MAX, 86400 } };

    empty();
    is_str(found(0), "?", "nothing is known");
    is_str(stale(0), "", "nor from before");
    is_int(dns_cache_patience(&c, NAME), UINT32_MAX, "so that an answer is all there is");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t begin = S(1000000), end = begin + S(cases[i].lives);

        is_str(put("1a", cases[i].ttl, begin), "1a", "an answer with a TTL of %u", cases[i].ttl);
        is_str(found(end - 1), "1a", "is good for %d seconds", (int)cases[i].lives);
        is_str(found(end), "?", "and no longer");
    }
}

static void test_negative(void)
{
    empty();
    is_str(put("", 3600, 0), "", "no address");
    is_str(found(S(5) - 1), "-", "is known for a moment");
    is_str(found(S(5)), "?", "and then asked for");
    is_str(stale(S(6)), "", "it is no answer when nobody answers");
    put("1", 60, S(10));
    is_str(put("", 60, S(20)), "", "no address any more");
    is_str(found(S(21)), "-", "is the answer");
    is_str(stale(S(26)), "", "and the address is forgotten");
    put("12", 60, S(30));
    mark('2', DNS_CACHE_PROVEN);
    is_str(put("", 60, S(40)), "", "no address any more");
    is_str(found(S(41)), "-", "is the answer");
    is_str(stale(S(46)), "2", "but the gateway was there: it is tried when nobody answers");
    is_str(put("", 60, S(50)), "", "and an answer");
    is_str(found(S(51)), "-", "is one still");
}

static void test_stale(void)
{
    empty();
    put("12", 10, 0);
    is_str(found(S(10)), "?", "over");
    is_int(dns_cache_patience(&c, NAME), DNS_CACHE_PATIENCE_MS, "servers have a moment");
    is_str(stale(S(12)), "12", "nobody answers");
    is_str(found(S(42) - 1), "12", "nobody is asked again for a moment");
    is_str(found(S(42)), "?", "and then they are");
    is_str(stale(S(1000000)), "12", "it is good for ever");
    is_str(put("3", 10, S(1000001)), "3", "until there is an answer");
    is_str(stale(S(1000100)), "3", "which is all then");
}

static void test_failed(void)
{
    empty();
    put("1a2", 100, 0);
    ok(!mark('a', DNS_CACHE_FAILED), "one fails");
    is_str(found(1), "12", "the others are good");
    is_int(dns_cache_patience(&c, NAME), DNS_CACHE_PATIENCE_MS, "one is enough not to wait long");
    mark('1', DNS_CACHE_FAILED);
    is_str(found(2), "2", "another");
    mark('2', DNS_CACHE_FAILED);
    is_str(found(3), "?", "all: that is asked for");
    is_int(dns_cache_patience(&c, NAME), DNS_CACHE_FAILED_PATIENCE_MS, "and waited for");
    is_str(stale(S(4)), "1a2", "nobody answers: any may be there again");
    is_str(found(S(5)), "?", "and servers, too");
    mark('2', DNS_CACHE_GOOD);
    is_str(found(S(6)), "2", "one is");
    is_str(stale(S(50)), "21a", "it comes first then");
    is_str(put("1a2", 100, S(60)), "21a", "in an answer as well");
    is_str(found(S(61)), "2", "which does not make the others better");
    is_str(put("13", 100, S(62)), "31", "a new one has not failed");
    ok(!mark('9', DNS_CACHE_FAILED), "who is not of the name");
    is_str(found(S(63)), "3", "changes nothing");
}

/* A name server that lies, as those of hotels do, and some routers until they are online. */
static void test_wrong_answers(void)
{
    empty();
    put("12", 100, 0);
    ok(mark('2', DNS_CACHE_PROVEN), "the gateway is there, which is news");
    ok(!mark('2', DNS_CACHE_PROVEN), "once");
    is_str(put("9", 100, S(200)), "9", "another answer");
    is_str(found(S(201)), "9", "is believed");
    mark('9', DNS_CACHE_FAILED);
    is_str(found(S(202)), "?", "until it turns out to be wrong");
    is_str(put("9", 100, S(203)), "29", "the same answer: where the gateway was comes before it");
    is_str(found(S(204)), "?", "it is asked for every time");
    is_str(put("3", 100, S(205)), "3", "an answer that may be good");
    mark('3', DNS_CACHE_PROVEN);
    is_str(put("4", 100, S(206)), "4", "is believed, too");
    is_str(stale(S(400)), "432", "the last ones first");
    empty();
    put("12345678", 100, 0);
    for (char which = '1'; which <= '8'; which++)
        mark(which, DNS_CACHE_PROVEN);
    is_str(put("abcd", 100, 1), "abcd", "an answer has its place");
    is_str(stale(S(101)), "abcd1234", "and others what is left");
    is_str(put("abcdefgh", 100, S(102)), "abcdefgh", "which may be none");
    is_str(stale(S(300)), "abcdefgh", "it is all then");
}

static void test_many(void)
{
    struct ip ip[12];
    unsigned count = fill(ip, "123412345678");

    empty();
    is_int(dns_cache_put(&c, NAME, ip, count, 10, 0), 8, "the same ones are there once");
    is_int(ip[7].bytes[3], 8, "each has its place");
    count = fill(ip, "abcdefghijkl");
    is_int(dns_cache_put(&c, NAME, ip, count, 10, 0), 8, "more than there is room for");
    memcpy(got, ip, sizeof got);
    is_str(names_of(8), "abcdefgh", "the first are taken");
}

static struct str nth(unsigned i)
{
    static char text[2] = "?";

    text[0] = (char)('a' + i);
    return str_of(text);
}

static void test_names(void)
{
    char longest[HOST_MAX + 1];
    struct ip ip[DNS_CACHE_ADDRESSES];

    empty();
    for (unsigned i = 0; i < DNS_CACHE_NAMES; i++) {
        ip[0] = address(i + 1);
        dns_cache_put(&c, nth(i), ip, 1, 100, 0);
    }
    for (unsigned i = 0; i < DNS_CACHE_NAMES; i++) {
        is_int(dns_cache_find(&c, nth(i), 1, ip), 1, "name %u", i + 1);
        is_int(ip[0].bytes[3], (int)i + 1, "has its own address");
    }
    ok(DNS_CACHE_NAMES > HOMES_MAX, "a round over all gateways leaves the local server's");
    is_int(dns_cache_find(&c, STR("A"), 1, ip), 1, "in capitals, the same name");
    dns_cache_put(&c, STR("new"), ip, 1, 100, 2);
    is_int(dns_cache_find(&c, nth(0), 3, ip), 1, "what is used stays");
    is_int(dns_cache_find(&c, nth(1), 3, ip), 0, "what was not for the longest gives way");
    is_int(dns_cache_find(&c, nth(2), 3, ip), 1, "nothing else does");
    is_int(dns_cache_find(&c, (struct str){ NULL, 0 }, 3, ip), 0, "no name");
    is_int(dns_cache_put(&c, (struct str){ NULL, 0 }, ip, 1, 100, 3), 1, "is not kept");
    memset(longest, 'x', sizeof longest);
    for (size_t n = HOST_MAX; n <= HOST_MAX + 1; n++) {
        struct str name = { (uint8_t *)longest, n };

        is_int(dns_cache_put(&c, name, ip, 1, 100, 4), 1, "%zu bytes", n);
        is_int(dns_cache_find(&c, name, 4, ip), n == HOST_MAX, "are kept up to %d", HOST_MAX);
    }
}

static void test_without(void)
{
    struct ip ip[DNS_CACHE_ADDRESSES] = { address(1) };
    uint8_t out[10];
    struct writer w;

    writer_init(&w, out, sizeof out);
    is_int(dns_cache_put(NULL, NAME, ip, 1, 10, 0), 1, "without a cache, an answer is as it is");
    is_int(dns_cache_put(NULL, NAME, ip, 0, 10, 0), 0, "also an empty one");
    is_int(dns_cache_find(NULL, NAME, 0, ip), 0, "nothing is known");
    is_int(dns_cache_stale(NULL, NAME, 0, ip), 0, "nor from before");
    is_int(dns_cache_patience(NULL, NAME), UINT32_MAX, "there is nothing else");
    ok(!dns_cache_mark(NULL, NAME, &ip[0], DNS_CACHE_PROVEN), "nothing becomes of it");
    dns_cache_write(NULL, NAME, &w);
    is_int((int)w.len, 0, "nothing is kept");
}

static void test_forget(void)
{
    empty();
    put("1234", 1000, 0);
    mark('1', DNS_CACHE_PROVEN);
    mark('1', DNS_CACHE_FAILED);
    mark('2', DNS_CACHE_FAILED);
    mark('3', DNS_CACHE_PROVEN);
    dns_cache_forget_failed(&c);
    is_str(found(1), "?", "everything is asked for");
    is_int(dns_cache_patience(&c, NAME), DNS_CACHE_PATIENCE_MS, "nothing has failed");
    is_str(stale(2), "341", "what failed and was never good is gone");
    dns_cache_forget_failed(&c);
    is_str(stale(3), "341", "and nothing else");
}

static void is_line(const char *expected, const char *what)
{
    uint8_t out[DNS_CACHE_LINE_MAX];
    struct writer w;

    writer_init(&w, out, sizeof out);
    dns_cache_write(&c, NAME, &w);
    is_mem(out, writer_stored(&w), expected, strlen(expected), "%s", what);
}

static void test_lines(void)
{
    static const char *const bad[] = {
        "", "gw.example", "gw.example ", "gw.example 192.0.2", "gw.example 192.0.2.1 x",
        "gw.example 192.0.2.1  192.0.2.2", "gw.example 192.0.2.1\t192.0.2.2",
        "gw.example 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 1.1.1.9",
        "192.0.2.1", "other x",
    };

    empty();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        is_int(dns_cache_read(&c, NAME, str_of(bad[i])), ERR_FILE, "damaged: '%s'", bad[i]);
    is_int(dns_cache_read(&c, NAME, STR("other 192.0.2.1")), 0, "another's");
    is_str(stale(0), "", "none of them was taken");
    is_line("", "there is nothing to write");
    is_int(dns_cache_read(&c, NAME, STR("GW.example 192.0.2.1 2001:db8::a1 192.0.2.2")), 0, "ours");
    is_str(found(0), "?", "servers are asked first");
    is_int(dns_cache_patience(&c, NAME), DNS_CACHE_PATIENCE_MS, "but not for long");
    is_str(stale(1), "1a2", "nobody answers");
    is_line("gw.example 192.0.2.1 2001:0db8:0000:0000:0000:0000:0000:00a1 192.0.2.2\n",
            "the same line again");
    is_str(put("3", 100, S(100)), "3", "an answer");
    is_line("gw.example 192.0.2.1 2001:0db8:0000:0000:0000:0000:0000:00a1 192.0.2.2\n",
            "that was not proven is not kept");
    mark('3', DNS_CACHE_PROVEN);
    is_line("gw.example 192.0.2.3 192.0.2.1 2001:0db8:0000:0000:0000:0000:0000:00a1 192.0.2.2\n",
            "and then it is");
    is_int(dns_cache_read(&c, NAME, STR("gw.example 192.0.2.7")), 0, "a second line");
    is_str(stale(S(300)), "731a2", "is added");
    empty();
    put("abcdefgh", 100, 0);
    for (char which = 'a'; which <= 'h'; which++)
        mark(which, DNS_CACHE_PROVEN);
    is_int(dns_cache_read(&c, NAME, STR("gw.example 192.0.2.1")), 0, "one too many");
    is_str(stale(1), "1abcdefg", "takes the last one's place");
}

/* What is known of each gateway outlasts the local server's name, and one where we were sent. */
static void test_gateways(void)
{
    char text[] = "a 192.0.2.1";
    struct ip ip[DNS_CACHE_ADDRESSES] = { address(9) };
    uint8_t out[DNS_CACHE_LINE_MAX];
    struct writer w;

    empty();
    for (unsigned i = 0; i < HOMES_MAX; i++) {
        text[0] = (char)('a' + i);
        is_int(dns_cache_read(&c, nth(i), str_of(text)), 0, "gateway %u is known", i + 1);
    }
    dns_cache_put(&c, STR("local"), ip, 1, 100, 0);
    dns_cache_put(&c, STR("elsewhere"), ip, 1, 100, 0);
    for (unsigned i = 0; i < HOMES_MAX; i++) {
        writer_init(&w, out, sizeof out);
        dns_cache_write(&c, nth(i), &w);
        is_int((int)w.len, (int)sizeof text, "gateway %u still is", i + 1);
    }
}

/* The longest line fits. */
static void test_longest_line(void)
{
    uint8_t name[HOST_MAX], out[DNS_CACHE_LINE_MAX];
    struct ip ip[DNS_CACHE_ADDRESSES];
    struct str text = { name, sizeof name };
    struct writer w;

    empty();
    memset(name, 'x', sizeof name);
    memset(ip, 0xff, sizeof ip);
    for (unsigned i = 0; i < DNS_CACHE_ADDRESSES; i++) {
        ip[i].len = 16;
        ip[i].bytes[0] = (uint8_t)i;
    }
    dns_cache_put(&c, text, ip, DNS_CACHE_ADDRESSES, 10, 0);
    for (unsigned i = 0; i < DNS_CACHE_ADDRESSES; i++)
        dns_cache_mark(&c, text, &ip[i], DNS_CACHE_PROVEN);
    writer_init(&w, out, sizeof out);
    dns_cache_write(&c, text, &w);
    ok(writer_fits(&w), "%zu bytes of %zu", w.len, sizeof out);
    is_int(dns_cache_read(&c, text, (struct str){ out, w.len - 1 }), 0, "can be read");
}

int main(void)
{
    test_life();
    test_negative();
    test_stale();
    test_failed();
    test_wrong_answers();
    test_many();
    test_names();
    test_without();
    test_forget();
    test_lines();
    test_gateways();
    test_longest_line();
    return done_testing();
}
