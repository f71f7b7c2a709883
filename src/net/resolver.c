#include "net/resolver.h"

#include <string.h>

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

static struct str name_of(const struct resolver *r)
{
    return (struct str){ r->name, r->name_len };
}

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

/* RFC 8305 section 4: the families take turns. Their addresses have gathered at even and at odd
 * indexes: what one has less of leaves gaps. */
static int finish(struct resolver *r)
{
    for (unsigned i = 0; i < DNS_ADDRESSES_MAX * 2; i++) {
        if (i / 2 < (i % 2 == 0 ? r->a_count : r->aaaa_count))
            r->address[r->count++] = r->address[i];
    }
    if (r->count == 0)
        return fail(r, ERR_DNS_NAME);
    idle(r);
    return 1;
}

/* ---- questions ---- */

/* Bits of the last random number given, spread: ids differ between tries. */
static uint16_t next_id(struct resolver *r)
{
    r->random = r->random * 747796405u + 2891336453u;
    return (uint16_t)(r->random >> 16);
}

static bool ask(struct resolver *r, enum dns_type type, uint16_t id)
{
    uint8_t query[LENGTH_LEN + DNS_QUERY_MAX];
    int n = dns_query_write(id, name_of(r), type, query + LENGTH_LEN);
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

static int64_t wait_ms(const struct resolver *r)
{
    unsigned round = r->tried / r->conf.server_count;
    /* At most 30 s << 4: it fits. */
    uint32_t ms = (r->conf.timeout_ms << round) / r->conf.server_count;

    return ms < WAIT_MIN_MS ? WAIT_MIN_MS : (int64_t)ms;
}

static uint16_t port_of(const struct resolver *r)
{
    return r->server_port ? r->server_port : DNS_PORT;
}

static bool ask_server(struct resolver *r, const struct ip *server, int64_t now)
{
    int fd = sock_udp(server, port_of(r));

    if (fd < 0)
        return false;
    r->server = server;
    r->fd = fd;
    r->id = next_id(r);
    r->want = NET_IN;
    r->deadline = now + wait_ms(r);
    return ask_both(r);
}

/* RFC 7766 section 5: the same server, with what time is left; an answer that was too long for a
 * datagram is not for a stream. */
static bool ask_tcp(struct resolver *r)
{
    int fd = sock_connect(r->server, port_of(r));

    if (fd < 0)
        return false;
    sock_close(&r->fd);
    r->fd = fd;
    r->want = NET_OUT;
    r->tcp = true;
    r->in_len = 0;
    return true;
}

/* The next server that a question can be sent to. */
static int ask_next(struct resolver *r, int64_t now)
{
    unsigned last = r->conf.server_count * r->conf.attempts;

    while (r->tried < last) {
        const struct ip *server = &r->conf.server[r->tried % r->conf.server_count];
        bool asked;

        idle(r);
        asked = ask_server(r, server, now);
        r->tried++;
        if (asked)
            return 0;
    }
    return r->a_count + r->aaaa_count > 0 ? finish(r) : fail(r, ERR_RESOLVE);
}

int resolver_start(struct resolver *r, struct str name, uint32_t random, int64_t now)
{
    uint8_t query[DNS_QUERY_MAX];

    idle(r);
    r->err = 0;
    r->tried = r->count = r->a_count = r->aaaa_count = 0;
    r->got_a = r->got_aaaa = r->not_found = false;
    r->random = random;
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    if (name.n > sizeof r->name || dns_query_write(0, name, DNS_A, query) < 0)
        return fail(r, ERR_DNS);
    memcpy(r->name, name.p, name.n);
    r->name_len = name.n;
    r->count = hosts_lookup(r->hosts_path ? r->hosts_path : "/etc/hosts", name, r->address,
                            DNS_ADDRESSES_MAX * 2);
    if (r->count > 0)
        return 1;
    resolv_conf_read(r->resolv_path ? r->resolv_path : "/etc/resolv.conf", &r->conf);
    return ask_next(r, now);
}

/* ---- answers ---- */

/* Takes the addresses of an answer; false when it is no use and another server should be asked. */
static bool take(struct resolver *r, const uint8_t *in, size_t n, enum dns_type type)
{
    bool is_a = type == DNS_A;
    struct dns_answer answer;
    int result;

    if (is_a ? r->got_a : r->got_aaaa)
        return true;
    result = dns_answer_parse(in, n, is_a ? r->id : r->id ^ 1, name_of(r), type, &answer);
    /* With our id, but not to our question: somebody guesses. */
    if (result == ERR_DNS)
        return true;
    if (result == 0 && answer.truncated)
        return !r->tcp && ask_tcp(r);
    if (result == ERR_DNS_NAME)
        r->not_found = true;
    for (unsigned i = 0; i < answer.count; i++)
        r->address[2 * i + !is_a] = answer.address[i];
    *(is_a ? &r->a_count : &r->aaaa_count) = result > 0 ? answer.count : 0;
    *(is_a ? &r->got_a : &r->got_aaaa) = true;
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

static bool is_whole(const struct resolver *r)
{
    return r->got_a && r->got_aaaa;
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

    if (r->fd >= 0 && is_whole(r))
        return finish(r);
    if (!good)
        return ask_next(r, now);
    if ((r->a_count + r->aaaa_count > 0 || r->not_found) && r->deadline > now + OTHER_FAMILY_MS)
        r->deadline = now + OTHER_FAMILY_MS;
    return r->err;
}

int resolver_on_time(struct resolver *r, uint32_t random, int64_t now)
{
    if (now < r->deadline || r->fd < 0)
        return r->err;
    if (r->a_count + r->aaaa_count > 0 || r->not_found)
        return finish(r);
    r->random ^= random;
    return ask_next(r, now);
}

void resolver_stop(struct resolver *r)
{
    idle(r);
}
