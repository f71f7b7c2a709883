/* What a session puts: order, room, messages in parts. */
#include "session_bench.h"
#include "tap.h"

#define BIG 8000

static struct bench b;
static uint8_t big[3 + 3 + BIG];

static struct wire_headers big_headers(void)
{
    static uint8_t value[BIG];
    struct writer w;
    size_t i;

    for (i = 0; i < BIG; i++)
        value[i] = (uint8_t)('a' + i % 26);
    writer_init(&w, big, sizeof big);
    wire_header_pack(&w, STR("big"), (struct str){ value, BIG });
    return (struct wire_headers){ { big, w.len } };
}

static void big_response(struct wire_msg *m, unsigned status, bool more)
{
    wire_http_response(m, (struct str){ 0 }, status, big_headers(), more);
}

static void big_request(struct wire_msg *m, bool more)
{
    wire_http_request(m, (struct str){ 0 }, STR("GET"), STR("/"), big_headers(), more);
}

/* One part of a head in exactly `cap` bytes of room: the bytes put. */
static size_t part(int slot, struct wire_msg *m, size_t cap, bool *done)
{
    uint8_t *out = malloc(cap ? cap : 1);
    size_t n;

    bench_must(out != NULL, "memory");
    n = session_head_put(&b.s, slot, m, out, cap, done, bench_key);
    bench_must(n <= cap, "session_head_put beyond its room");
    if (n > 0)
        bench_hear_bytes(&b, out, n);
    free(out);
    return n;
}

/* The rest of the head. */
static void parts(int slot, struct wire_msg *m)
{
    bool done = false;

    while (!done)
        bench_must(part(slot, m, 1000, &done) > 0, "the head does not go on");
}

static void each(void (*test)(enum upgrade_protocol))
{
    test(UPGRADE_TLV);
    test(UPGRADE_JSON);
    test(UPGRADE_PLAIN);
}

/* ---- order ---- */

static void order(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "a", true);
    bench_say_request(&b, "b", true);
    bench_say_request(&b, "c", true);
    bench_say_request(&b, "d", true);
    session_grant(&b.s, 0, 600);
    session_abort(&b.s, 1, 502, "gone");
    wire_ping(&m, 5);
    bench_say(&b, &m);
    bench_say_control(&b, WS_PING, "xy", 2);
    bench_say_request(&b, "e", false);
    b.now = 61000;
    is_int(session_on_time(&b.s, b.now), 0, "a Ping and Stats");
    is_put(bench_put_all(&b),
           protocol == UPGRADE_PLAIN ? "Ping Pong ws-pong Stats Error Error"
                                     : "Ping Pong ws-pong Stats Error Window Error",
           "%s: all that is due", bench_protocol_name(protocol));
    ok(!session_due(&b.s), "nothing is left");
    session_grant(&b.s, 2, 600);
    session_abort(&b.s, 3, 502, "gone");
    bench_say(&b, &m);
    session_close(&b.s, WS_CLOSE_NORMAL);
    is_put(bench_put_all(&b),
           protocol == UPGRADE_PLAIN ? "Pong Error close" : "Pong Window Error close",
           "%s: the close frame is last", bench_protocol_name(protocol));
}

/* ---- room ---- */

/* Put in ever more room: nothing is lost before it fits, and it is put once. */
static void is_put_in_time(const char *name)
{
    size_t cap = 0;

    while (cap < 4000 && bench_put_within(&b, cap)[0] == '\0') {
        bench_must(session_due(&b.s), "what did not fit is not due any more");
        cap++;
    }
    is_str(b.note.name, name, "%s is put once there are %zu bytes", name, cap);
    ok(!session_due(&b.s), "%s: once", name);
}

static void room(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    bench_init(&b, true, protocol);
    is_put_in_time("Auth");
    bench_init(&b, false, protocol);
    wire_auth(&m, STR("t"), STR("a"), 5, 5);
    bench_say(&b, &m);
    session_accept(&b.s, STR("id"), STR("https://u.test"), 17);
    is_put_in_time("AuthSuccess");
    bench_open(&b, true, protocol, 100);
    b.now += 25000;
    session_on_time(&b.s, b.now);
    is_put_in_time("Ping");
    b.now = 61000;
    session_heard(&b.s, b.now);
    session_on_time(&b.s, b.now);
    bench_put(&b);
    is_put_in_time("Stats");
}

static void room_more(enum upgrade_protocol protocol)
{
    static const uint8_t payload[WS_CONTROL_MAX] = { 1, 2, 3 };
    struct wire_msg m;
    size_t n;

    bench_open(&b, true, protocol, 100);
    wire_pong(&m, 1);
    m.type = WIRE_PING;
    bench_say(&b, &m);
    is_put_in_time("Pong");
    for (n = 0; n <= WS_CONTROL_MAX; n += 25) {
        bench_say_control(&b, WS_PING, payload, n);
        is_put_in_time("ws-pong");
        is_mem(b.note.body, b.note.body_len, payload, n, "with the same %zu bytes", n);
    }
    bench_say_request(&b, "a", true);
    if (protocol != UPGRADE_PLAIN) {
        session_grant(&b.s, 0, 600);
        is_put_in_time("Window");
    }
    session_abort(&b.s, 0, 500, "text");
    is_put_in_time("Error");
    session_close(&b.s, WS_CLOSE_NORMAL);
    is_put_in_time("close");
    bench_open(&b, false, protocol, 100);
    session_goaway(&b.s, 1);
    session_close(&b.s, WS_CLOSE_AWAY);
    while (protocol != UPGRADE_PLAIN && bench_put(&b)[0] != 'G')
        bench_must(session_due(&b.s), "no Goaway");
    is_put_in_time("close");
}

/* Auth is first even if something shorter would fit. */
static void auth_first(void)
{
    bench_init(&b, true, UPGRADE_TLV);
    bench_say_control(&b, WS_PING, "", 0);
    is_put(bench_put_within(&b, 12), "", "no pong before Auth");
    is_put(bench_put_all(&b), "Auth ws-pong", "but behind it");
}

/* ---- heads in parts ---- */

static void head_in_parts(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);
    struct wire_msg m;
    struct wire_msg ping;
    bool done;

    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "a", false);
    bench_say_request(&b, "b", false);
    big_response(&m, 200, false);
    is_int(part(0, &m, 255, &done), 0, "%s: a part that is not worth its frame", name);
    ok(part(0, &m, 1000, &done) > 900 && !done, "%s: a part", name);
    ok(session_may_put(&b.s, 0) && !session_may_put(&b.s, 1), "%s: keeps the connection", name);
    ok(!bench_respond(&b, 1, 200, false), "%s: no other response comes between", name);
    wire_ping(&ping, 5);
    bench_say(&b, &ping);
    bench_say_control(&b, WS_PING, "p", 1);
    b.now += 25000;
    session_on_time(&b.s, b.now);
    is_put(bench_put_all(&b), "ws-ping ws-pong", "%s: control frames do", name);
    ok(session_due(&b.s), "%s: the Pong has to wait", name);
    parts(0, &m);
    is_str(b.note.name, "HttpResponse", "%s: the message is whole", name);
    ok(b.note.frames >= 8, "%s: in some parts", name);
    is_int(b.note.m.headers.packed.n, 3 + 3 + BIG, "%s: with its field", name);
    ok(memcmp(b.peer.in.msg.headers.packed.p, big, sizeof big) == 0, "%s: byte for byte", name);
    ok(b.slot[0].state == STREAM_FREE, "%s: the slot is free", name);
    is_put(bench_put_all(&b), "Pong", "%s: the Pong", name);
    ok(bench_respond(&b, 1, 200, false), "%s: the other response", name);
}

/* Given up by the peer, or by its owner, in the middle of a head. */
static void doomed(enum upgrade_protocol protocol, unsigned status, bool more, bool by_peer)
{
    const char *name = bench_protocol_name(protocol);
    bool body = protocol == UPGRADE_PLAIN && more;
    struct wire_msg m;
    bool done;

    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "a", true);
    big_response(&m, status, more);
    part(0, &m, 1000, &done);
    if (by_peer)
        bench_say_error(&b, "a", 499);
    else
        session_abort(&b.s, 0, 502, "broke off");
    ok(b.slot[0].state == STREAM_DOOMED && !session_due(&b.s), "%s: doomed", name);
    ok(session_may_put(&b.s, 0), "%s: its head goes on", name);
    session_grant(&b.s, 0, 5000);
    parts(0, &m);
    ok(b.slot[0].state != STREAM_DOOMED, "%s: up to its end", name);
    if (body) {
        ok(!session_may_put(&b.s, 0), "%s: no body follows", name);
        is_put(bench_put(&b), "HttpResponse", "%s: the message ends", name);
        is_str(b.note.error, by_peer ? "aborted" : "broke off", "%s: saying so", name);
    } else if (!by_peer) {
        is_put(bench_put(&b), "Error", "%s: then the peer is told", name);
        is_int(b.note.m.code, 502, "%s: the reason", name);
    }
    ok(b.slot[0].state == STREAM_FREE && !session_due(&b.s), "%s: the slot is free", name);
    is_int(b.counters.requests_failed, 1, "%s: failed", name);
    is_int(b.counters.requests_processed, 0, "%s: not processed", name);
}

static void doomed_all(enum upgrade_protocol protocol)
{
    doomed(protocol, 200, false, true);
    doomed(protocol, 200, true, true);
    doomed(protocol, 200, false, false);
    doomed(protocol, 200, true, false);
    doomed(protocol, 103, false, true);
    doomed(protocol, 103, false, false);
}

/* The visitor left while the request's head was out in part. */
static void doomed_request(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);
    struct wire_msg m;
    bool done;

    bench_open(&b, false, protocol, 100);
    is_int(session_open(&b.s), 0, "%s: a stream", name);
    big_request(&m, true);
    part(0, &m, 1000, &done);
    session_abort(&b.s, 0, 499, "the visitor left");
    ok(b.slot[0].state == STREAM_DOOMED, "%s: doomed", name);
    parts(0, &m);
    is_put(bench_put_all(&b), protocol == UPGRADE_PLAIN ? "HttpRequest Error" : "Error",
           "%s: the agent is told", name);
    ok(b.slot[0].state == STREAM_FREE, "%s: the slot is free", name);
}

/* ---- plain mode: the body within the message ---- */

static void plain_start(void)
{
    struct wire_msg m;

    bench_open(&b, true, UPGRADE_PLAIN, 0);
    bench_say_request(&b, "a", false);
    bench_say_request(&b, "b", false);
    wire_http_response(&m, (struct str){ 0 }, 200, (struct wire_headers){ { 0 } }, true);
    is_int(bench_body(&b, 0, &m, "0123456", true), 7, "plain: head and a piece");
}

static void plain_body(void)
{
    struct wire_msg ping;

    plain_start();
    ok(b.s.link.tx_open && !session_may_put(&b.s, 1), "plain: keeps the connection");
    is_int(bench_body(&b, 1, NULL, "x", true), -1, "plain: no other body");
    wire_ping(&ping, 5);
    bench_say(&b, &ping);
    bench_say_control(&b, WS_PING, "p", 1);
    b.now += 25000;
    session_on_time(&b.s, b.now);
    is_put(bench_put_all(&b), "ws-ping ws-pong", "plain: control frames between");
    is_int(bench_body(&b, 0, NULL, "78", true), 2, "plain: a piece");
    is_int(bench_body(&b, 0, NULL, "", true), 0, "plain: nothing");
    is_int(bench_body(&b, 0, NULL, "9", false), 1, "plain: the last");
    is_str(b.note.name, "HttpResponse", "plain: one message");
    is_mem(b.note.body, b.note.body_len, "0123456789", 10, "plain: the body");
    ok(!b.note.more && b.note.error[0] == '\0', "plain: without `more`");
    is_int(b.note.frames, 4, "plain: in four frames");
    is_put(bench_put_all(&b), "Pong", "plain: the Pong");
    ok(b.slot[0].state == STREAM_FREE && bench_respond(&b, 1, 200, false),
       "plain: the other response");
}

static void plain_broken(bool by_peer)
{
    plain_start();
    if (by_peer)
        bench_say_error(&b, "a", 499);
    else
        session_abort(&b.s, 0, 502, "broke off");
    ok(b.slot[0].state == STREAM_BROKEN && session_due(&b.s), "plain: broken off, its end is due");
    ok(!bench_respond(&b, 1, 200, false), "plain: nothing else before it");
    is_put_in_time("HttpResponse");
    is_str(b.note.error, by_peer ? "aborted" : "broke off", "plain: with `error`");
    is_mem(b.note.body, b.note.body_len, "0123456", 7, "plain: and the bytes that were sent");
    ok(b.slot[0].state == STREAM_FREE && bench_respond(&b, 1, 200, false),
       "plain: then the other response");
}

static void plain_error_end(void)
{
    struct link_body body;
    size_t n;

    plain_start();
    ok(session_body_begin(&b.s, 0, NULL, &body, b.out, sizeof b.out, true), "plain: the end");
    n = session_body_end(&b.s, 0, &body, 0, false, STR("cut short"), bench_key);
    bench_hear_bytes(&b, b.out, n);
    is_str(b.note.error, "cut short", "plain: `error` from the owner");
    ok(b.slot[0].state == STREAM_FREE, "plain: the slot is free");
    is_int(b.counters.requests_failed, 1, "plain: failed");
    is_int(b.counters.requests_processed, 0, "plain: not processed");
}

static void plain_close_within(void)
{
    plain_start();
    session_close(&b.s, WS_CLOSE_NORMAL);
    is_put(bench_close(&b), "close 1000", "plain: a close frame in the middle of a message");
    ok(!session_due(&b.s) && b.s.state == SESSION_ENDED, "plain: ended");
}

/* A request that the gateway breaks off. */
static void plain_request_broken(void)
{
    struct wire_msg m;

    bench_open(&b, false, UPGRADE_PLAIN, 0);
    session_open(&b.s);
    wire_http_request(&m, (struct str){ 0 }, STR("PUT"), STR("/"), (struct wire_headers){ { 0 } },
                      true);
    bench_body(&b, 0, &m, "half", true);
    session_abort(&b.s, 0, 499, "the visitor left");
    is_put(bench_put(&b), "HttpRequest", "plain: its message ends");
    ok(b.slot[0].state != STREAM_FREE && session_due(&b.s), "plain: that is not all");
    is_put(bench_put(&b), "Error", "plain: the agent is told");
    ok(b.slot[0].state == STREAM_FREE && !session_due(&b.s), "plain: the slot is free");
}

int main(void)
{
    each(order);
    each(room);
    each(room_more);
    auth_first();
    each(head_in_parts);
    each(doomed_all);
    each(doomed_request);
    plain_body();
    plain_broken(false);
    plain_broken(true);
    plain_error_end();
    plain_close_within();
    plain_request_broken();
    return done_testing();
}
