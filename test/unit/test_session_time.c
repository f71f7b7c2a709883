/* A session's clock: Ping, Pong, Stats and silence. */
#include "session_bench.h"
#include "tap.h"

static struct bench b; /* opened at 1000 */

static void at(int64_t now)
{
    b.now = now;
}

static void pong(uint64_t timestamp)
{
    struct wire_msg m;

    wire_pong(&m, timestamp);
    bench_say(&b, &m);
}

/* A Ping for the round trip alone: no sign of life is waited for. */
static void measured(void)
{
    bench_open(&b, false, UPGRADE_TLV, 100);
    session_measure(&b.s);
    is_put(bench_put(&b), "Ping", "a Ping for the round trip");
    is_int(session_deadline(&b.s), 26000, "which moves no deadline");
    session_measure(&b.s);
    ok(!session_due(&b.s), "one at a time");
    pong(BENCH_UNIX + 1);
    is_int(b.s.rtt_ms, 1, "1 ms at least: 0 is none");
    session_measure(&b.s);
    ok(!session_due(&b.s), "once it is known none is needed");
    bench_open(&b, false, UPGRADE_PLAIN, 100);
    session_measure(&b.s);
    ok(!session_due(&b.s), "plain mode has no use for it");
}

static void alive(bool client)
{
    bench_open(&b, client, UPGRADE_TLV, 100);
    is_int(session_deadline(&b.s), 26000, "the first Ping, an interval after the start");
    is_int(session_on_time(&b.s, 25999), 0, "not a millisecond before");
    ok(!session_due(&b.s), "nothing is due");
    at(26000);
    is_int(session_on_time(&b.s, b.now), 0, "at the interval");
    is_int(session_deadline(&b.s), 36000, "silence is over after the timeout");
    at(26300);
    is_put(bench_put(&b), "Ping", "Ping is put");
    is_int(b.note.m.timestamp, BENCH_UNIX + 26, "with the time of the day");
    at(26450);
    pong(BENCH_UNIX + 25);
    is_int(b.s.rtt_ms, 0, "the Pong of another Ping says nothing");
    pong(BENCH_UNIX + 26);
    is_int(b.s.rtt_ms, 150, "the round trip, from when the Ping was put");
    at(30000);
    pong(BENCH_UNIX + 26);
    is_int(b.s.rtt_ms, 150, "counted once");
    session_heard(&b.s, b.now);
    is_int(session_deadline(&b.s), 51000, "heard of: the next Ping");
    is_int(session_on_time(&b.s, 50999), 0, "in time");
    ok(!session_due(&b.s), "nothing is due");
}

static void silence(bool put)
{
    bench_open(&b, true, UPGRADE_JSON, 100);
    at(26000);
    session_on_time(&b.s, b.now);
    if (put)
        bench_put(&b);
    is_int(session_on_time(&b.s, 35999), 0, "silence up to the timeout");
    is_int(session_on_time(&b.s, 36000), ERR_PING_TIMEOUT, "and no longer");
    session_heard(&b.s, 36000);
    is_int(session_on_time(&b.s, 36000), 0, "any byte is a sign of life");
}

/* A doubt that came before the Ping's time, and bytes that came before the doubt. */
static void probe(void)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    at(5000);
    session_probe(&b.s, 3000, b.now);
    is_int(session_deadline(&b.s), 8000, "a probe is a deadline");
    session_heard(&b.s, b.now);
    is_int(session_deadline(&b.s), 8000, "what came before its Ping is no answer");
    is_put(bench_put_all(&b), "Ping", "its Ping");
    session_heard(&b.s, b.now);
    is_int(session_deadline(&b.s), 8000, "nor is what came in the same turn");
    is_int(session_on_time(&b.s, b.now), 0, "the turn ends");
    at(6000);
    session_probe(&b.s, 3000, b.now);
    is_int(session_deadline(&b.s), 8000, "a second doubt gives no more time");
    ok(!session_due(&b.s), "and no second Ping");
    is_int(session_on_time(&b.s, 7999), 0, "silence up to the limit");
    is_int(session_on_time(&b.s, 8000), ERR_PING_TIMEOUT, "and no longer");
    session_heard(&b.s, b.now);
    is_int(session_on_time(&b.s, 8000), 0, "any byte after it is an answer");
    is_int(session_deadline(&b.s), 26000, "then the next Ping is when it was");
    session_probe(&b.s, 3000, b.now);
    is_int(session_deadline(&b.s), 9000, "and there can be another doubt");
}

/* A Ping that finds no room has the same limit. */
static void probe_unsent(void)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    session_probe(&b.s, 3000, b.now);
    session_on_time(&b.s, b.now);
    session_heard(&b.s, b.now);
    is_int(session_on_time(&b.s, 3999), 0, "not put, and yet in time");
    is_int(session_on_time(&b.s, 4000), ERR_PING_TIMEOUT, "silence");
}

static void probe_early(void)
{
    struct wire_msg m;

    bench_init(&b, true, UPGRADE_TLV);
    bench_put(&b);
    session_probe(&b.s, 3000, b.now);
    ok(!session_due(&b.s), "no Ping before the opening");
    is_int(session_deadline(&b.s), 4000, "but the limit holds");
    session_on_time(&b.s, b.now);
    session_heard(&b.s, b.now);
    at(3000);
    wire_auth_success(&m, STR("s"), STR("u"), 5, 0);
    bench_say(&b, &m);
    is_put(bench_put(&b), "Ping", "a Ping after it");
    is_int(session_on_time(&b.s, 3999), 0, "in time");
    is_int(session_deadline(&b.s), 4000, "the limit is the same");
    is_int(session_on_time(&b.s, 4000), ERR_PING_TIMEOUT, "silence");
    bench_init(&b, true, UPGRADE_TLV);
    bench_put(&b);
    session_probe(&b.s, 3000, b.now);
    is_int(session_on_time(&b.s, 3999), 0, "who is not let in");
    is_int(session_on_time(&b.s, 4000), ERR_PING_TIMEOUT, "does not wait longer either");
    bench_open(&b, true, UPGRADE_TLV, 100);
    session_close(&b.s, WS_CLOSE_NORMAL);
    bench_put(&b);
    session_probe(&b.s, 3000, b.now);
    ok(!session_due(&b.s) && session_deadline(&b.s) == INT64_MAX, "nor after the end");
}

static void late_clock(void)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    at(500000);
    is_int(session_on_time(&b.s, b.now), 0, "called far too late");
    is_int(session_deadline(&b.s), 510000, "the peer still has its time to answer");
    is_put(bench_put_all(&b), "Ping Stats", "one Ping, one Stats");
    session_heard(&b.s, b.now);
    is_int(session_deadline(&b.s), 525000, "the next Ping");
}

/* A Ping more often than its answer may take. */
static void short_interval(void)
{
    struct wire_msg m;

    bench_init(&b, true, UPGRADE_TLV);
    b.config.ping_interval_ms = 1000;
    b.config.ping_timeout_ms = 2500;
    b.config.stats_interval_ms = 0;
    session_init(&b.s, &session_agent, UPGRADE_TLV, &b.config, b.slot, &b.counters, b.now);
    bench_put(&b);
    wire_auth_success(&m, STR("s"), STR("u"), 5, 0);
    bench_say(&b, &m);
    at(2000);
    session_on_time(&b.s, b.now);
    is_put(bench_put(&b), "Ping", "a Ping");
    is_int(session_deadline(&b.s), 3000, "the next one comes before its timeout");
    at(3000);
    session_on_time(&b.s, b.now);
    is_put(bench_put(&b), "Ping", "another");
    at(3100);
    pong(BENCH_UNIX + 3);
    is_int(b.s.rtt_ms, 100, "answered: the round trip of this one");
    at(4000);
    is_int(session_on_time(&b.s, b.now), 0, "nobody said that bytes came");
    is_int(session_deadline(&b.s), 4500, "silence counts from the first");
    is_int(session_on_time(&b.s, 4499), 0, "to the millisecond");
    is_int(session_on_time(&b.s, 4500), ERR_PING_TIMEOUT, "silence");
}

static void stats(void)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    b.counters = (struct session_counters){ .requests_processed = 1, .requests_failed = 2,
        .bytes_transferred = 3, .reconnects = 4, .started_ms = -2000 };
    bench_say_request(&b, "a", true);
    b.s.rtt_ms = 77;
    at(60999);
    session_on_time(&b.s, b.now);
    is_put(bench_put_all(&b), "Ping", "no Stats before their interval");
    session_heard(&b.s, b.now);
    at(61000);
    is_int(session_deadline(&b.s), 61000, "Stats are a deadline");
    session_on_time(&b.s, b.now);
    is_put(bench_put(&b), "Stats", "Stats");
    is_int(b.note.m.requests_processed, 1, "processed");
    is_int(b.note.m.requests_failed, 2, "failed");
    is_int(b.note.m.bytes_transferred, 3, "bytes");
    is_int(b.note.m.reconnects, 4, "reconnects");
    is_int(b.note.m.uptime_seconds, 63, "uptime");
    is_int(b.note.m.streams_active, 1, "streams");
    is_int(b.note.m.rtt_ms, 77, "round trip");
    is_int(b.s.stats_next, 121000, "the next ones");
}

static void none(void)
{
    struct wire_msg m;

    bench_init(&b, true, UPGRADE_TLV);
    b.config.ping_interval_ms = 0;
    b.config.stats_interval_ms = 0;
    session_init(&b.s, &session_agent, UPGRADE_TLV, &b.config, b.slot, &b.counters, b.now);
    bench_put(&b);
    wire_auth_success(&m, STR("s"), STR("u"), 5, 0);
    bench_say(&b, &m);
    is_int(session_deadline(&b.s), INT64_MAX, "no intervals, no deadline");
    is_int(session_on_time(&b.s, INT64_C(1) << 40), 0, "ever");
    ok(!session_due(&b.s), "nothing is due");
}

static void gateway_has_no_stats(void)
{
    bench_open(&b, false, UPGRADE_TLV, 100);
    b.s.config.stats_interval_ms = 10;
    is_int(session_deadline(&b.s), 26000, "a gateway's only timer is the Ping");
    session_close(&b.s, WS_CLOSE_AWAY);
    bench_put(&b);
    is_int(session_deadline(&b.s), INT64_MAX, "which ends with the session");
    is_int(session_on_time(&b.s, 1000000), 0, "for good");
}

/* The peer's Ping and WebSocket ping, many at once. */
static void pings(void)
{
    struct wire_msg m;

    bench_open(&b, true, UPGRADE_JSON, 100);
    wire_ping(&m, 1);
    bench_say(&b, &m);
    wire_ping(&m, 2);
    bench_say(&b, &m);
    is_put(bench_put(&b), "Pong", "Pong");
    is_int(b.note.m.timestamp, 2, "of the last Ping");
    is_put(bench_put(&b), "", "once");
    bench_say_control(&b, WS_PING, "one", 3);
    bench_say_control(&b, WS_PING, "two!", 4);
    is_put(bench_put(&b), "ws-pong", "a pong");
    is_mem(b.note.body, b.note.body_len, "two!", 4, "of the last ping");
    is_put(bench_put(&b), "", "once");
    bench_say_control(&b, WS_PONG, "?", 1);
    ok(b.event_count == 0 && !session_due(&b.s), "a pong that nobody asked for is nothing");
}

int main(void)
{
    measured();
    alive(true);
    alive(false);
    silence(true);
    silence(false);
    probe();
    probe_unsent();
    probe_early();
    late_clock();
    short_interval();
    stats();
    none();
    gateway_has_no_stats();
    pings();
    return done_testing();
}
