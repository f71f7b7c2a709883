#include "net/resolver.h"

#include "codec/ascii.h"
#include "err.h"

#define DNS_PORT 53
/* RFC 1035 section 4.1.1: the header, where the id, the flags and the response code are. */
#define DNS_HEAD_LEN 12
/* Of its second byte of flags: the answer is not whole. */
#define FLAG_TRUNCATED 0x02
/* RFC 1035 section 4.2.2: what leads a message over TCP, its length. */
#define LENGTH_LEN 2
#define RCODE_NO_ERROR 0
#define RCODE_NAME_ERROR 3
#define OTHER_FAMILY_MS 250
#define WAIT_MIN_MS 1000

/* A resolver of all zeroes has no descriptor either: it wants nothing. */
static void idle(struct resolver *r)
{
    if (r->want)
        sock_close(&r->fd);
    r->fd = -1;
    r->want = 0;
    r->deadline = NET_NEVER;
    r->tcp = false;
}

static int fail(struct resolver *r, int err)
{
    idle(r);
    r->err = err;
    return err;
}

static bool has_addresses(const struct resolver *r)
{
    return r->a_count + r->aaaa_count > 0;
}

static bool is_whole(const struct resolver *r)
{
    return r->got_a && r->got_aaaa;
}

/* RFC 8305 section 4: the families take turns. Their addresses have gathered at even and at odd
 * indexes: what one has less of leaves gaps. */
static int done(struct resolver *r, int64_t now)
{
    idle(r);
    for (unsigned i = 0; i < DNS_ADDRESSES_MAX * 2; i++) {
        if (i / 2 < (i % 2 == 0 ? r->a_count : r->aaaa_count))
            r->address[r->count++] = r->address[i];
    }
    r->count = dns_cache_put(r->cache, r->asked, r->address, r->count, r->ttl, now);
    return r->count > 0 ? 1 : fail(r, ERR_DNS_NAME);
}

/* No server has an answer, or none in time. */
static int give_up(struct resolver *r, int64_t now)
{
    if (has_addresses(r))
        return done(r, now);
    idle(r);
    r->count = dns_cache_stale(r->cache, r->asked, now, r->address);
    r->stale = r->count > 0;
    return r->stale ? 1 : fail(r, ERR_RESOLVE);
}

/* ---- questions ---- */

/* Bits of the last random number given, spread: ids differ between tries. */
static uint16_t next_id(struct resolver *r)
{
    r->random = r->random * 747796405u + 2891336453u;
    return (uint16_t)(r->random >> 16);
}

/*
 * Letters of random case, which an answer has to have as well: whoever sends forged ones has a bit
 * more to guess for each ("0x20", draft-vixie-dnsext-dns0x20). Nearly all servers copy the
 * question. One that does not is left for the next, and the last round asks in lower case for its
 * sake: to get there, an attacker would have to guess id and port of every try before.
 */
static void mix_case(struct resolver *r, bool mixed)
{
    r->mixed = mixed;
    for (unsigned i = 0; i < r->name.len; i++) {
        uint8_t c = ascii_lower(r->name.bytes[i]);

        if (mixed && c >= 'a' && c <= 'z' && (next_id(r) & 0x8000))
            c = (uint8_t)(c - 'a' + 'A');
        r->name.bytes[i] = c;
    }
}

static bool ask(struct resolver *r, enum dns_type type, uint16_t id)
{
    uint8_t query[LENGTH_LEN + DNS_QUERY_MAX];
    int n = dns_query_write(id, &r->name, type, query + LENGTH_LEN);
    uint8_t *from = query + LENGTH_LEN;

    query[0] = (uint8_t)((unsigned)n >> 8);
    query[1] = (uint8_t)n;
    if (r->tcp) {
        from = query;
        n += LENGTH_LEN;
    }
    return sock_write(r->fd, from, (size_t)n) == n;
}

/* For what is not answered yet. */
static bool ask_both(struct resolver *r)
{
    if (!r->got_a && !ask(r, DNS_A, r->id))
        return false;
    return r->got_aaaa || ask(r, DNS_AAAA, r->id ^ 1);
}

static uint16_t port_of(const struct resolver *r)
{
    return r->server_port ? r->server_port : DNS_PORT;
}

static int64_t deadline_of(const struct resolver *r, const struct resolv_conf *conf, int64_t now)
{
    /* At most 30 s << 4: it fits. */
    uint32_t ms = (conf->timeout_s * 1000 << r->round) / conf->server_count;
    int64_t at = now + (ms < WAIT_MIN_MS ? WAIT_MIN_MS : (int64_t)ms);

    return at < r->give_up_at ? at : r->give_up_at;
}

/* The next one of this round. */
static bool ask_server(struct resolver *r, const struct resolv_conf *conf, int64_t now)
{
    unsigned first = conf->rotate ? r->first : 0;
    int fd;

    r->server = conf->server[(first + r->tried++) % conf->server_count];
    fd = sock_udp(&r->server, port_of(r));
    if (fd < 0)
        return false;
    r->fd = fd;
    r->want = NET_IN;
    r->deadline = deadline_of(r, conf, now);
    mix_case(r, r->round + 1u < conf->attempts);
    r->id = next_id(r);
    return ask_both(r);
}

/* RFC 7766 section 5: the same server, with what time is left; an answer that was too long for a
 * datagram is not for a stream. */
static bool ask_tcp(struct resolver *r)
{
    int fd = sock_connect(&r->server, port_of(r));

    if (fd < 0)
        return false;
    sock_close(&r->fd);
    r->fd = fd;
    r->want = NET_OUT;
    r->tcp = true;
    r->in_len = 0;
    return true;
}

/* The next server that a question can be sent to; for the next name if there is none at hand. The
 * file may have changed since the last try. */
static int ask_next(struct resolver *r, int64_t now)
{
    struct resolv_conf conf;

    /* Who has no descriptor to spare needs this one to read the file. */
    idle(r);
    resolv_conf_read(r->resolv_path ? r->resolv_path : "/etc/resolv.conf", &conf);
    if (!r->named && !resolv_conf_name(&conf, r->asked, &r->suffix, &r->name))
        return done(r, now);
    r->named = true;
    for (;;) {
        if (r->tried >= conf.server_count) {
            r->tried = 0;
            r->round++;
        }
        if (r->round >= conf.attempts || now >= r->give_up_at)
            return give_up(r, now);
        if (ask_server(r, &conf, now))
            return 0;
        idle(r);
    }
}

/* Begins with the name that an alias has led to, or with the next one. */
static int ask_name(struct resolver *r, int64_t now)
{
    r->named = r->followed;
    r->followed = r->got_a = r->got_aaaa = r->not_found = false;
    r->round = r->tried = 0;
    return ask_next(r, now);
}

static int finish(struct resolver *r, int64_t now)
{
    return has_addresses(r) ? done(r, now) : ask_name(r, now);
}

/* In the file, "host." is written "host". */
static unsigned look_in_hosts(struct resolver *r)
{
    struct str name = r->asked;

    name.n -= name.p[name.n - 1] == '.';
    return hosts_lookup(r->hosts_path ? r->hosts_path : "/etc/hosts", name, r->address,
                        DNS_ADDRESSES_MAX * 2);
}

int resolver_start(struct resolver *r, struct str name, uint32_t random, int64_t now)
{
    int known;

    idle(r);
    r->asked = name;
    r->err = 0;
    r->count = r->a_count = r->aaaa_count = r->suffix = r->aliases = 0;
    r->followed = r->stale = false;
    r->random = random;
    r->first = (uint8_t)random;
    r->ttl = UINT32_MAX;
    r->give_up_at = now + dns_cache_patience(r->cache, name);
    if (dns_name_parse(name, (struct str){ 0 }, &r->name) < 0)
        return fail(r, ERR_DNS);
    r->count = look_in_hosts(r);
    if (r->count > 0)
        return 1;
    known = dns_cache_find(r->cache, name, now, r->address);
    if (known < 0)
        return fail(r, known);
    r->count = (unsigned)known;
    return known > 0 ? 1 : ask_name(r, now);
}

/* ---- answers ---- */

/* The name has no address, as far as both families are known, but is an alias: of this one. */
static void follow(struct resolver *r, const struct dns_name *alias)
{
    if (alias->len == 0 || !is_whole(r) || has_addresses(r) ||
        r->aliases++ >= RESOLVER_ALIASES_MAX)
        return;
    r->name = *alias;
    r->followed = true;
}

static void take_addresses(struct resolver *r, const struct dns_answer *answer, bool is_a)
{
    for (unsigned i = 0; i < answer->count; i++)
        r->address[2 * i + !is_a] = answer->address[i];
    *(is_a ? &r->a_count : &r->aaaa_count) = (uint8_t)answer->count;
    *(is_a ? &r->got_a : &r->got_aaaa) = true;
    r->ttl = answer->ttl < r->ttl ? answer->ttl : r->ttl;
}

/* Takes what an answer says; false when it is no use and another server should be asked. */
static bool take(struct resolver *r, const uint8_t *in, size_t n, enum dns_type type)
{
    bool is_a = type == DNS_A;
    struct dns_answer answer;
    int result;

    if (is_a ? r->got_a : r->got_aaaa)
        return true;
    result = dns_answer_parse(in, n, is_a ? r->id : r->id ^ 1, &r->name, type, &answer);
    /* With our id, but not to our question: somebody guesses. */
    if (result == ERR_DNS)
        return true;
    if (r->mixed && !answer.same_case)
        return false;
    if (result == 0 && answer.truncated)
        return !r->tcp && ask_tcp(r);
    if (result == ERR_DNS_NAME)
        r->not_found = true;
    take_addresses(r, &answer, is_a);
    follow(r, &answer.alias);
    return true;
}

/* One message; false when its server is of no use. */
static bool take_message(struct resolver *r, const uint8_t *in, size_t n)
{
    uint16_t id;
    uint8_t rcode;

    if (n < DNS_HEAD_LEN)
        return true;
    id = (uint16_t)(in[0] << 8 | in[1]);
    if ((id | 1) != (r->id | 1))
        return true;
    rcode = in[3] & 0x0f;
    if (rcode != RCODE_NO_ERROR && rcode != RCODE_NAME_ERROR)
        return false;
    return take(r, in, n, id == r->id ? DNS_A : DNS_AAAA);
}

/* Datagrams, as long as there are any. */
static bool hear_udp(struct resolver *r)
{
    while (!r->tcp && !is_whole(r)) {
        int n = sock_read(r->fd, r->in, DNS_ANSWER_MAX);

        if (n == 0)
            break;
        /* An empty datagram reads as an end, which UDP does not have. */
        if (n == ERR_CLOSED)
            continue;
        if (n < 0 || !take_message(r, r->in, (size_t)n))
            return false;
    }
    return true;
}

/* The length and then its message, as far as there is room for it: the rest is cut off, and that
 * is then a truncated answer like any other. */
static bool hear_tcp(struct resolver *r)
{
    while (!is_whole(r)) {
        size_t length = r->in_len < LENGTH_LEN ? 0 : (size_t)(r->in[0] << 8 | r->in[1]);
        size_t end = LENGTH_LEN + (length < DNS_ANSWER_MAX ? length : DNS_ANSWER_MAX);
        int n;

        if (r->in_len == end) {
            if (length > DNS_ANSWER_MAX)
                r->in[LENGTH_LEN + 2] |= FLAG_TRUNCATED;
            if (!take_message(r, r->in + LENGTH_LEN, end - LENGTH_LEN) || length > DNS_ANSWER_MAX)
                return false;
            r->in_len = 0;
            continue;
        }
        n = sock_read(r->fd, r->in + r->in_len, end - r->in_len);
        if (n == 0)
            break;
        if (n < 0)
            return false;
        r->in_len += (size_t)n;
    }
    return true;
}

static bool hear(struct resolver *r)
{
    if (!r->tcp)
        return hear_udp(r);
    if (r->want == NET_IN)
        return hear_tcp(r);
    r->want = NET_IN;
    return ask_both(r);
}

int resolver_on_event(struct resolver *r, int64_t now)
{
    bool good = r->fd < 0 || hear(r);
    int result = 0;

    if (r->fd >= 0 && is_whole(r))
        return finish(r, now);
    if (!good)
        result = ask_next(r, now);
    if (result != 0)
        return result;
    if ((has_addresses(r) || r->not_found) && r->deadline > now + OTHER_FAMILY_MS)
        r->deadline = now + OTHER_FAMILY_MS;
    return r->err;
}

int resolver_on_time(struct resolver *r, uint32_t random, int64_t now)
{
    if (now < r->deadline || r->fd < 0)
        return r->err;
    if (has_addresses(r) || r->not_found)
        return finish(r, now);
    r->random ^= random;
    return ask_next(r, now);
}

void resolver_stop(struct resolver *r)
{
    idle(r);
}

bool resolver_mark(struct resolver *r, const struct ip *ip, enum dns_cache_mark mark)
{
    return dns_cache_mark(r->cache, r->asked, ip, mark);
}
