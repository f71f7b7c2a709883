/*
 * The whole agent, from dialling to the local server, against a gateway that stops at every point
 * where it can: between any two pieces that it reads or writes. Whatever it does then, the agent
 * dials again within its deadlines, or is at its end in time when it has been told to stop, and
 * never turns without need. In all modes, in the clear and through TLS.
 *
 * And trouble that lasts an hour: no link, or a clock that is years off, from every point on. The
 * agent tries all the time, but not too often, and serves when it is over, or through it.
 */
#include "agent_world.h"

#include "../../src/core/session_parts.h"
#include "agent.h"
#include "tls_pair.h"

/* Every point natively; some of them where the program is emulated or instrumented. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define STRIDE 1
#else
#define STRIDE 7
#endif
#define GATEWAY_PORT 7001
#define SLOTS 40
/* More than the agent takes. */
#define FLOOD (STREAMS_MAX + 8)
#define BIG 100000
#define UPLOAD 50000
/* Silence begins with a Ping after an interval; a moment to dial again; in plain mode a local
 * server that takes nothing may have had its own time before. */
#define PING_MS 25000
#define PONG_MS 10000
#define PROBE_MS 5000
#define DIAL_MS 2000
#define CONNECT_MS 15000
#define LOCAL_MS 60000
/* After SIGTERM: the flood is open, and nobody ever answers it. */
#define DRAIN_MS 5000
/* An undisturbed run: everything that it does has been done long before. */
#define CALM_MS 200000

#define HOUR_MS 3600000
/* --max-delay, the longest; attempts in an hour, with those before it has grown. */
#define DELAY_MS 300000
#define DIALS_MIN 12
#define DIALS_MAX 40
/* Beyond the end of any certificate here. */
#define YEARS_S (20 * 31622400ll)

/* Doubted: it freezes, and SIGUSR2 says that something may be wrong. */
enum stop {
    CALM, FREEZE, DOUBTED, DEAF, MUTE, RESET, END, BROKEN, TERMINATED, STOPS,
    /* these last an hour; the clock alone, or the connection breaks as well */
    LOST = STOPS, NO_ROUTE, AHEAD, BEHIND, AHEAD_RESET, BEHIND_RESET, TROUBLES
};
static const char *const stop_names[] = {
    "calm", "freeze", "doubted", "deaf", "mute", "reset", "end", "broken", "terminated",
    "an hour of loss", "an hour without a route", "a clock years ahead", "a clock in 1970",
    "a clock years ahead and a reset", "a clock in 1970 and a reset",
};

static const char *const mode_names[] = { [UPGRADE_TLV] = "tlv", [UPGRADE_JSON] = "json",
                                          [UPGRADE_PLAIN] = "plain" };

static struct agent agent, fresh;
static struct tls_identity identity;
static enum upgrade_protocol protocol;
static bool with_tls, local_frozen;
static unsigned calm_steps; /* of an undisturbed run, until it is told to end */

/* ---- the stop ---- */

static struct {
    enum stop kind;
    unsigned at;          /* the step */
    int64_t since;        /* when it came; 0: not yet */
    bool reads, writes;   /* what the gateway still does */
    int64_t dialled;      /* when the agent came again */
    /* of what lasts an hour */
    int64_t mended, served, clock;
    bool was_open;        /* the session, when it came */
    unsigned dials;       /* while it lasted */
} stop;

/* ---- the gateway: the real session and transport, and a script ---- */

static struct {
    bool live, upgraded, asked;
    struct transport transport;
    struct tls_server tls;
    struct session session;
    struct stream slot[SLOTS];
    struct session_counters counters;
    uint8_t clear[2][TLS_RECORD_MAX];
    uint8_t head[4096];
    size_t head_len;
    int request;          /* of the script: the next to be sent */
    int slot_now;         /* its slot while its body goes out, -1 */
    uint64_t left;        /* of that body */
    unsigned answered, refused;
    uint64_t received;    /* body bytes */
} gateway;

static struct tls_shared shared;

static const struct request {
    const char *method, *path;
    uint64_t body;
} script[] = {
    { "GET", "/small", 0 }, { "GET", "/big", 0 }, { "POST", "/sink", UPLOAD },
    { "GET", "/small", 0 }, { "GET", "/chunked", 0 },
};
#define SCRIPT ((int)(sizeof script / sizeof script[0]))

static bool stopped(void)
{
    return stop.since != 0;
}

static bool is_open(void)
{
    return gateway.live && gateway.transport.err == 0 && gateway.upgraded &&
           gateway.session.state == SESSION_OPEN;
}

static void begin_trouble(void)
{
    bool link = stop.kind == LOST || stop.kind == NO_ROUTE;

    stop.reads = stop.writes = !link;
    stop.was_open = is_open();
    stop.clock = world.unix_start;
    world.peers_at = world.now + HOUR_MS;
    if (link)
        world.link = stop.kind == LOST ? WORLD_LOSES : WORLD_NO_ROUTE;
    else if (stop.kind == AHEAD || stop.kind == AHEAD_RESET)
        world.unix_start += YEARS_S;
    else
        world.unix_start = 0;
    if (stop.kind == AHEAD_RESET || stop.kind == BEHIND_RESET)
        break_off(gateway.transport.fd);
}

static void end_trouble(void)
{
    if (stop.kind < STOPS || !stopped() || stop.mended != 0 || world.now < stop.since + HOUR_MS)
        return;
    stop.mended = world.now;
    stop.dials = world.dials;
    stop.reads = stop.writes = true;
    world.peers_at = NET_NEVER;
    world.link = WORLD_UP;
    world.unix_start = stop.clock;
}

static void world_at_step(void)
{
    if (world.steps != stop.at || stopped())
        return;
    stop.since = world.now;
    if (stop.kind >= STOPS) {
        begin_trouble();
        return;
    }
    stop.reads = stop.kind == MUTE;
    stop.writes = world.full = stop.kind == DEAF;
    if (stop.kind == DEAF)
        world.peers_at = world.now;
    if (stop.kind == RESET)
        break_off(gateway.transport.fd);
    world.broken = stop.kind == BROKEN;
    if (stop.kind == END || stop.kind == BROKEN)
        sock_shutdown_write(gateway.transport.fd);
    world.terminate = stop.kind == TERMINATED;
    world.doubt = stop.kind == DOUBTED;
}

static void open_gateway(int fd)
{
    static uint8_t seed[32];

    memset(&gateway, 0, offsetof(__typeof__(gateway), clear));
    gateway.live = true;
    gateway.upgraded = gateway.asked = false;
    gateway.head_len = 0;
    gateway.request = 0;
    gateway.slot_now = -1;
    gateway.answered = gateway.refused = 0;
    gateway.received = 0;
    seed[0]++;
    if (!with_tls) {
        transport_init_clear(&gateway.transport, fd, gateway.clear[0], gateway.clear[1],
                             TLS_RECORD_MAX);
        return;
    }
    tls_shared_forget(&shared);
    world_must(tls_server_start(&gateway.tls, &identity, &shared, clock_unix(), seed) == 0, "TLS");
    transport_init_tls(&gateway.transport, fd, tls_engine(&gateway.tls.server.eng));
}

static void open_session(void)
{
    const struct session_config config = {
        .window = 30000, .max_streams = SLOTS, .ping_timeout_ms = 1000000,
    };

    session_init(&gateway.session, &session_gateway, protocol, &config, gateway.slot,
                 &gateway.counters, world.now);
    gateway.upgraded = true;
}

static bool take_upgrade(void)
{
    struct http_head head;
    struct writer w;
    struct str key;
    size_t n, room;
    uint8_t *p = transport_recv_buf(&gateway.transport, &n), *out;
    int len;

    if (!p)
        return false;
    world_must(n <= sizeof gateway.head - gateway.head_len, "the upgrade is too long");
    memcpy(gateway.head + gateway.head_len, p, n);
    gateway.head_len += n;
    transport_recv_ack(&gateway.transport, n);
    len = http_request_parse(gateway.head, gateway.head_len, 0, &head);
    world_must(len >= 0, "the upgrade is malformed");
    if (len == 0)
        return true;
    out = transport_send_buf(&gateway.transport, &room);
    world_must(out && upgrade_request_check(&head, protocol, &key) > 0, "the upgrade is wrong");
    writer_init(&w, out, room);
    upgrade_response_write(&w, key, protocol);
    transport_send_ack(&gateway.transport, w.len);
    open_session();
    return true;
}

static void on_event(const struct session_in *in)
{
    struct session *s = &gateway.session;

    switch (in->event) {
    case SESSION_EV_AUTH:
        session_accept(s, STR("s"), STR("http://u/"), (uint64_t)clock_unix());
        break;
    case SESSION_EV_BODY:
        gateway.received += in->body.n;
        session_grant(s, in->slot, in->body.n);
        break;
    case SESSION_EV_END:
        gateway.answered++;
        break;
    case SESSION_EV_ABORT:
        gateway.refused++;
        if (in->slot == gateway.slot_now)
            gateway.slot_now = -1;
        break;
    default:
        break;
    }
}

static bool take_messages(void)
{
    struct session_in in;
    bool any = false;
    int used;

    do {
        size_t n = 0;
        uint8_t none, *p = transport_recv_buf(&gateway.transport, &n);

        used = session_recv(&gateway.session, p ? p : &none, p ? n : 0, world.now, &in);
        if (used < 0) {
            fprintf(stderr, "# %s\n", err_text(used));
            world_must(false, "the agent breaks the protocol");
        }
        on_event(&in);
        if (used > 0)
            transport_recv_ack(&gateway.transport, (size_t)used);
        any = any || used > 0;
    } while (used > 0 || in.event != SESSION_EV_MORE);
    return any;
}

/* ---- what it asks for ---- */

static void make(struct wire_msg *m, const struct request *r)
{
    wire_http_request(m, (struct str){ 0 }, str_of(r->method), str_of(r->path),
                      (struct wire_headers){ { 0 } }, r->body > 0);
}

static size_t put_body(uint8_t *out, size_t cap)
{
    struct wire_msg m;
    bool first = gateway.left == script[gateway.request].body;
    struct link_body b;
    size_t n;

    make(&m, &script[gateway.request]);
    if (!session_body_begin(&gateway.session, gateway.slot_now, first ? &m : NULL, &b, out, cap,
                            false))
        return 0;
    n = gateway.left < b.max ? (size_t)gateway.left : b.max;
    memset(b.body, 'x', n);
    gateway.left -= n;
    n = session_body_end(&gateway.session, gateway.slot_now, &b, n, gateway.left > 0,
                         (struct str){ 0 }, NULL);
    if (gateway.left == 0) {
        gateway.slot_now = -1;
        gateway.request++;
    }
    return n;
}

static size_t put_request(uint8_t *out, size_t cap)
{
    static const struct request flood = { "GET", "/silent", 0 };
    const struct request *r = gateway.request < SCRIPT ? &script[gateway.request] : &flood;
    struct wire_msg m;
    bool done;
    int slot;

    if (gateway.slot_now >= 0)
        return put_body(out, cap);
    /* The flood comes when all else is under way, and does not ask how many are welcome. */
    if (gateway.request == SCRIPT + FLOOD)
        return 0;
    gateway.session.peer_max_streams = SLOTS;
    slot = session_open(&gateway.session);
    if (slot < 0)
        return 0;
    if (r->body > 0) {
        gateway.slot_now = slot;
        gateway.left = r->body;
        return put_body(out, cap);
    }
    make(&m, r);
    gateway.request++;
    return session_head_put(&gateway.session, slot, &m, out, cap, &done, NULL);
}

static bool say(void)
{
    struct session *s = &gateway.session;
    bool any = false;
    size_t n, cap;
    uint8_t *out;

    while ((out = transport_send_buf(&gateway.transport, &cap)) != NULL && cap > 2000) {
        n = session_due(s) ? session_put(s, out, cap, NULL, world.now, clock_unix()) : 0;
        if (n == 0 && s->state == SESSION_OPEN)
            n = put_request(out, cap);
        if (n == 0)
            break;
        transport_send_ack(&gateway.transport, n);
        any = true;
    }
    return any;
}

/* One that takes nothing still gives signs of life. */
static void chatter(void)
{
    if (stop.kind != DEAF || !stopped() || world.now < world.peers_at)
        return;
    world.peers_at = world.now + 1000;
    if (gateway.upgraded && gateway.session.state == SESSION_OPEN)
        gateway.session.flags |= SESSION_DUE_PING;
}

static bool move_gateway(void)
{
    uint64_t moved = world.moved;
    int fd;

    end_trouble();
    fd = stopped() && (stop.kind < STOPS || world.link != WORLD_UP) ? -1 : world_accept(true);
    if (fd >= 0)
        open_gateway(fd);
    if (!gateway.live || gateway.transport.err)
        return false;
    chatter();
    if (stop.reads && transport_pump(&gateway.transport) == 0) {
        if (!gateway.upgraded)
            take_upgrade();
        else
            take_messages();
    }
    if (stop.writes) {
        if (gateway.upgraded)
            say();
        transport_flush(&gateway.transport);
        transport_push(&gateway.transport);
    }
    return world.moved != moved;
}

/* ---- the local server ---- */

static struct local {
    int fd;
    bool answered, sink;
    size_t head_len;
    uint64_t left;      /* of the answer */
    uint64_t taken;     /* of the request's body */
    char head[HTTP_HEAD_MAX];
} local[WORLD_ENDS];

static void answer(struct local *l, const char *head, uint64_t left)
{
    sock_write(l->fd, head, strlen(head));
    l->answered = true;
    l->left = left;
}

static void begin_answer(struct local *l)
{
    if (strncmp(l->head, "GET /small ", 11) == 0)
        answer(l, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0);
    else if (strncmp(l->head, "GET /chunked ", 13) == 0)
        answer(l, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0);
    else if (strncmp(l->head, "GET /big ", 9) == 0)
        answer(l, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", BIG);
    else
        l->sink = strncmp(l->head, "POST /sink ", 11) == 0;
}

static void take_local(struct local *l)
{
    char piece[3000];
    int n;

    if (!l->sink && !l->answered) {
        n = sock_read(l->fd, l->head + l->head_len, sizeof l->head - 1 - l->head_len);
        if (n > 0) {
            char *end;

            l->head_len += (size_t)n;
            l->head[l->head_len] = '\0';
            end = strstr(l->head, "\r\n\r\n");
            if (end) {
                l->taken = (uint64_t)(l->head + l->head_len - (end + 4));
                begin_answer(l);
            }
        }
    } else if ((n = sock_read(l->fd, piece, sizeof piece)) > 0) {
        l->taken += (uint64_t)n;
    }
    /* Chunked or not, the end is seen by the count. */
    if (l->sink && !l->answered && l->taken >= UPLOAD)
        answer(l, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 0);
    if (n == ERR_CLOSED || n == ERR_TRUNCATED)
        sock_close(&l->fd);
}

static void give_local(struct local *l)
{
    static const char bytes[5000];
    size_t n = l->left < sizeof bytes ? (size_t)l->left : sizeof bytes;
    int took = l->fd >= 0 && n > 0 ? sock_write(l->fd, bytes, n) : 0;

    if (took > 0)
        l->left -= (unsigned)took;
    if (l->answered && l->left == 0 && !l->sink) {
        l->answered = false; /* the next request */
        l->head_len = 0;
    }
}

static bool move_local(void)
{
    uint64_t moved = world.moved;

    for (int i = 0; i < WORLD_ENDS; i++) {
        struct local *l = &local[i];

        if (l->fd < 0 && world.waiting[false] > 0) {
            memset(l, 0, offsetof(struct local, head));
            l->fd = world_accept(false);
        }
        if (l->fd < 0 || local_frozen)
            continue;
        take_local(l);
        give_local(l);
    }
    return world.moved != moved;
}

static bool world_peers(void)
{
    bool moved = move_gateway();

    return move_local() || moved;
}

/* ---- a run ---- */

static int64_t patience(void)
{
    /* What is at an end says so. */
    bool tells = stop.kind == RESET || stop.kind == BROKEN;
    bool open = gateway.upgraded && gateway.session.state == SESSION_OPEN;
    int64_t ms = (tells ? 0 : open ? PING_MS + PONG_MS : CONNECT_MS) + DIAL_MS;

    if (protocol == UPGRADE_PLAIN)
        return ms + LOCAL_MS;
    return stop.kind == DOUBTED ? PROBE_MS + DIAL_MS : ms;
}

/* Whoever asks is answered, on a connection that the trouble has not met. */
static bool is_served(void)
{
    bool clock = stop.kind == AHEAD || stop.kind == BEHIND;

    return is_open() && (clock || world.dials > 1) &&
           (local_frozen || gateway.answered == SCRIPT);
}

static void watch_trouble(void)
{
    int64_t end = stop.mended + DELAY_MS + CONNECT_MS + LOCAL_MS + DIAL_MS;

    if (stopped() && stop.served == 0 && world.now > stop.since && is_served())
        stop.served = world.now;
    /* No link serves nobody: a connection from before is no longer there. */
    if (stop.mended == 0 && world.link != WORLD_UP)
        stop.served = 0;
    if (stopped() && stop.mended != 0 && (stop.served != 0 || world.now > end))
        world.terminate = true;
}

static void world_on_wait(void)
{
    bool late = stopped() && stop.kind != TERMINATED && world.now > stop.since + patience();

    if (stopped() && world.dials > 1 && stop.dialled == 0)
        stop.dialled = world.now;
    if (stop.kind >= STOPS) {
        if (!agent.stopping)
            watch_trouble();
        return;
    }
    /* Enough is known: the run ends as programs do. */
    if (agent.stopping || !(stop.dialled != 0 || late || (!stopped() && world.now > CALM_MS)))
        return;
    world.terminate = true;
    calm_steps = world.steps;
}

/* What is wrong with how it went through an hour of trouble, or NULL. */
static const char *judge_trouble(void)
{
    bool link = stop.kind == LOST || stop.kind == NO_ROUTE;
    bool ahead = stop.kind == AHEAD || stop.kind == AHEAD_RESET;
    unsigned dials = stop.dials;

    if (!stopped())
        return "over";
    if (stop.served == 0)
        return "nobody is served";
    if (link && stop.served < stop.mended)
        return "served without a link";
    if (link && (dials < DIALS_MIN || dials > DIALS_MAX))
        return "dialled too often, or not often enough";
    if (!link && !with_tls && dials > (stop.kind >= AHEAD_RESET ? 2 : 1))
        return "the clock counts without certificates";
    if (with_tls && stop.kind == AHEAD_RESET && stop.served < stop.mended)
        return "a certificate that has expired counts";
    /* The time that the gateway told stands in for a clock that stands in 1970. */
    if (with_tls && !ahead && !link && stop.was_open && stop.served >= stop.mended)
        return "the clock kept it away though the time was known";
    return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *run(enum stop kind, unsigned at)
{
    int64_t told;

    world_reset(at);
    world.gateway_port = GATEWAY_PORT;
    memset(&stop, 0, sizeof stop);
    stop.kind = kind;
    stop.at = at;
    stop.reads = stop.writes = true;
    memcpy(&agent, &fresh, sizeof agent);
    gateway.live = false;
    for (int i = 0; i < WORLD_ENDS; i++)
        local[i].fd = -1;
    agent_init(&agent);
    notify_start(&agent.notify, world.now);
    if (agent_run(&agent) != 0)
        return "the exit code is not 0";
    if (kind >= STOPS)
        return judge_trouble();
    told = stop.kind == TERMINATED ? stop.since : stop.dialled;
    if (kind == CALM)
        return world.dials == 1 ? NULL : "dialled again without need";
    if (!stopped())
        return "over";
    if (kind != TERMINATED && stop.dialled == 0)
        return "did not dial again in time";
    return world.now <= told + DRAIN_MS + 2000 ? NULL : "did not end in time";
}

static void all_points(enum stop kind, unsigned steps, unsigned stride)
{
    const char *wrong = NULL;
    unsigned at, runs = 0;

    for (at = 1; at <= steps && !wrong; at += stride) {
        wrong = run(kind, at);
        runs++;
        /* Chance differs from run to run: one may be shorter. */
        if (wrong && strcmp(wrong, "over") == 0)
            wrong = NULL;
    }
    if (wrong)
        fprintf(stderr, "# at step %u of %u: %s\n", at - stride, steps, wrong);
    ok(!wrong, "%s, %s%s: %s at each of %u points ends well", mode_names[protocol],
       with_tls ? "TLS" : "clear", local_frozen ? ", local server frozen" : "", stop_names[kind],
       runs);
}

static void prepare(bool tls)
{
    static char words[16][300];
    char *argv[16] = { NULL };
    int argc = 0;

    with_tls = tls;
    memset(&fresh, 0, sizeof fresh);
#define WORD(...) do { snprintf(words[argc], sizeof words[argc], __VA_ARGS__); \
                       argv[argc] = words[argc]; argc++; } while (0)
    WORD("adit");
    WORD("--url=%s://127.0.0.1:%d/_adit", tls ? "wss" : "ws", GATEWAY_PORT);
    WORD("--token=token");
    WORD("--local=127.0.0.1:80");
    WORD("--protocol=%s", mode_names[protocol]);
    WORD("--log-level=error");
    WORD("--drain=%dms", DRAIN_MS);
    if (tls) {
        WORD("--ca=%s", pair_path("ca.pem"));
        WORD("--server-name=tunnel.example");
    } else {
        WORD("--allow-plaintext");
    }
    world_must(config_parse(&fresh.config, &fresh.target, argc, argv) == 0 &&
               gateway_trust_init(&fresh) == 0, "options");
}

static void mode(enum upgrade_protocol p, bool tls, unsigned stride)
{
    const char *wrong;
    unsigned steps;

    protocol = p;
    prepare(tls);
    local_frozen = false;
    wrong = run(CALM, 0);
    steps = calm_steps;
    is_str(wrong ? wrong : "", "", "undisturbed: one session, and an end");
    is_int(gateway.refused, FLOOD, "all of the flood is refused, sooner or later");
    is_int(gateway.answered, SCRIPT, "the rest is answered");
    is_int(gateway.received, BIG + 5 + 5 + 3, "with every byte");
    for (int kind = FREEZE; kind < TROUBLES; kind++)
        all_points((enum stop)kind, steps, kind < STOPS ? stride : 5 * stride);
    local_frozen = true;
    run(CALM, 0);
    steps = calm_steps;
    for (int kind = FREEZE; kind < STOPS; kind++)
        all_points((enum stop)kind, steps, 3 * stride);
}

int main(void)
{
    world_must(
        pair_begin() && pair_ca("ca") &&
            pair_leaf("leaf", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ca", "sha256") &&
            tls_identity_load(&identity, pair_path("leaf.pem"), pair_path("leaf.key")) == 0,
        "certificates");
    mode(UPGRADE_TLV, false, STRIDE);
    mode(UPGRADE_JSON, false, STRIDE);
    mode(UPGRADE_PLAIN, false, STRIDE);
    mode(UPGRADE_TLV, true, 20 * STRIDE);
    mode(UPGRADE_PLAIN, true, 20 * STRIDE);
    pair_finish();
    return done_testing();
}
