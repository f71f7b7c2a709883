/* Who connects, by address: limits that one address cannot escape, in a table of fixed size. */
#include "tap.h"

#include "../../src/gateway/peers.h"

#define COUNT 8

static struct peer entry[COUNT];
static struct list bucket[4];
static struct peers peers;

static struct ip address(const char *text)
{
    struct ip ip = { .len = 0 };

    ok(ip_parse(str_of(text), &ip), "%s", text);
    return ip;
}

static struct ip number(unsigned n)
{
    return (struct ip){ { 10, 0, (uint8_t)(n >> 8), (uint8_t)n }, 4 };
}

static struct peer *find(const char *text)
{
    struct ip ip = address(text);

    return peers_find(&peers, &ip);
}

static void begin(void)
{
    peers = (struct peers){ .entry = entry, .count = COUNT, .bucket = bucket, .bucket_count = 4 };
    peers.seed[0] = UINT64_C(0x9e3779b97f4a7c15);
    peers.seed[1] = UINT64_C(0xbf58476d1ce4e5b9);
    peers.seed[2] = UINT64_C(0x94d049bb133111eb);
    peers_init(&peers);
}

static void test_addresses(void)
{
    struct peer *one, *six;

    begin();
    one = find("192.0.2.1");
    ok(find("192.0.2.1") == one, "the same address, the same entry");
    ok(find("192.0.2.2") != one, "another has its own");
    six = find("2001:db8:1:2::1");
    ok(find("2001:db8:1:2:ffff::9") == six, "one /64 is one");
    ok(find("2001:db8:1:3::1") != six, "the next is another");
    ok(find("::c000:201") != one, "IPv6 with the bytes of an IPv4 address");
}

static void test_connected_stay(void)
{
    struct peer *kept[COUNT - 1];
    bool stay = true;
    struct ip ip;

    begin();
    for (unsigned i = 0; i < COUNT - 1; i++) {
        ip = number(i);
        kept[i] = peers_find(&peers, &ip);
        peers_enter(&peers, kept[i], false);
    }
    for (unsigned i = 0; i < 1000; i++) {
        ip = number(1000 + i);
        stay = stay && peers_find(&peers, &ip)->strangers == 0;
    }
    for (unsigned i = 0; i < COUNT - 1; i++) {
        ip = number(i);
        stay = stay && peers_find(&peers, &ip) == kept[i] && kept[i]->strangers == 1;
    }
    ok(stay, "a thousand others displace nobody who is connected");
}

static void come_and_go(unsigned n, bool agent)
{
    struct ip ip = number(n);
    struct peer *peer = peers_find(&peers, &ip);

    peers_enter(&peers, peer, agent);
    peers_leave(&peers, peer, agent);
}

static bool had_agent(unsigned n)
{
    struct ip ip = number(n);

    return peers_find(&peers, &ip)->had_agent;
}

static void test_agents_are_kept(void)
{
    begin();
    come_and_go(1, true);
    for (unsigned i = 0; i < 100; i++)
        come_and_go(100 + i, false);
    ok(had_agent(1), "an agent's address is kept while others come and go");
    for (unsigned i = 0; i < COUNT; i++)
        come_and_go(300 + i, true);
    ok(!had_agent(1), "but not for ever");
    ok(had_agent(307), "the last one is");
}

static void test_counts(void)
{
    struct ip ip = number(7);
    struct peer *peer;

    begin();
    peer = peers_find(&peers, &ip);
    peers_enter(&peers, peer, false);
    peers_enter(&peers, peer, false);
    peers_enter(&peers, peer, true);
    peers_leave(&peers, peer, false);
    is_int(peer->strangers, 1, "a stranger left");
    is_int(peer->agents, 1, "the agent did not");
    peers_leave(&peers, peer, false);
    peers_leave(&peers, peer, true);
    ok(peers_find(&peers, &ip) == peer && peer->strangers + peer->agents == 0, "nobody is left");
}

static unsigned taken(struct rate *r, int64_t now, uint32_t per_second)
{
    unsigned n = 0;

    while (n < 10000 && rate_take(r, now, per_second))
        n++;
    return n;
}

static void test_rates(void)
{
    struct rate r = { 0 };

    is_int(taken(&r, 1000000, 20), 100, "20 a second: 100 at once");
    is_int(taken(&r, 1000049, 20), 0, "then none");
    is_int(taken(&r, 1000050, 20), 1, "until a twentieth of a second later");
    is_int(taken(&r, 1001050, 20), 20, "20 after a second");
    is_int(taken(&r, 9001050, 20), 100, "100 after a long time");
    r = (struct rate){ 0 };
    is_int(taken(&r, 5, 1), 5, "one a second");
    r = (struct rate){ 0 };
    is_int(taken(&r, 5, 0), 10000, "0: as many as come");
}

int main(void)
{
    test_addresses();
    test_connected_stay();
    test_agents_are_kept();
    test_counts();
    test_rates();
    return done_testing();
}
