/* The session's answers to what a peer says: every event, every error. */
#include "session_bench.h"
#include "tap.h"

static struct bench b;

/* ---- authentication ---- */

static void agent_auth(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);
    struct wire_msg m;

    bench_init(&b, true, protocol);
    ok(session_due(&b.s) && b.s.state == SESSION_AUTH, "%s: Auth is due at first", name);
    is_put(bench_put(&b), "Auth", "%s: Auth is put", name);
    is_int(b.note.m.window, 1000, "%s: with the window", name);
    is_int(b.note.m.max_streams, 4, "%s: with the number of slots", name);
    ok(!session_due(&b.s), "%s: once", name);
    is_int(session_deadline(&b.s), INT64_MAX, "%s: no timer before AuthSuccess", name);
    wire_auth_success(&m, STR("session"), STR("https://x.test/"), 77, 1234);
    is_int(bench_say(&b, &m), 0, "%s: AuthSuccess is taken", name);
    ok(bench_only(&b, SESSION_EV_OPENED), "%s: and told", name);
    ok(b.s.state == SESSION_OPEN, "%s: open", name);
    is_int(b.s.server_time, 1234, "%s: server time", name);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "a second AuthSuccess");
}

/* Numbers that are none of ours are no numbers. */
static void numbers_beyond(void)
{
    struct wire_msg m;

    bench_init(&b, true, UPGRADE_TLV);
    bench_put(&b);
    wire_auth_error(&m, STR("no"), UINT32_MAX - 1);
    bench_say(&b, &m);
    is_int(b.s.retry_after, UINT32_MAX - 1, "the longest retry_after");
    bench_init(&b, true, UPGRADE_TLV);
    bench_put(&b);
    wire_auth_error(&m, STR("no"), UINT32_MAX);
    bench_say(&b, &m);
    is_int(b.s.retry_after, 0, "beyond it there is none");
    bench_init(&b, true, UPGRADE_TLV);
    bench_put(&b);
    wire_auth_success(&m, STR("s"), STR("https://x.test/"), 77, UINT64_MAX);
    bench_say(&b, &m);
    is_int(b.s.server_time, 0, "nor a time beyond all times");
}

static void agent_refused(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    bench_init(&b, true, protocol);
    bench_put(&b);
    wire_auth_error(&m, STR("no such token"), 30);
    is_int(bench_say(&b, &m), ERR_AUTH, "AuthError");
    is_mem(b.in.text.p, b.in.text.n, "no such token", 13, "its reason is told");
    is_int(b.s.retry_after, 30, "retry_after is kept");
    is_fatal(bench_feed(&b, NULL, 0), ERR_AUTH, "close 1001", "AuthError");
    bench_open(&b, true, protocol, 100);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "AuthError in an open session");
}

static void agent_before_auth(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    bench_init(&b, true, protocol);
    bench_put(&b);
    is_fatal(bench_say_request(&b, "a", false), ERR_STATE, "close 1002", "request before auth");
    bench_init(&b, true, protocol);
    is_int(bench_say_request(&b, "a", false), ERR_STATE, "request before Auth was sent");
    is_put(bench_close(&b), "close 1002", "only the close frame, no Auth after an error");
    bench_init(&b, true, protocol);
    wire_auth_success(&m, STR("s"), STR("u"), 9, 0);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "AuthSuccess before Auth was sent");
}

static void gateway_auth(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);
    struct wire_msg m;

    bench_init(&b, false, protocol);
    ok(!session_due(&b.s), "%s: a gateway waits for Auth", name);
    is_int(session_open(&b.s), ERR_STATE, "%s: no stream before auth", name);
    wire_auth(&m, STR("secret"), STR("adit/9"), 500, 3);
    is_int(bench_say(&b, &m), 0, "%s: Auth", name);
    ok(bench_only(&b, SESSION_EV_AUTH), "%s: is told", name);
    is_int(b.s.peer_max_streams, 3, "%s: the agent's slots", name);
    ok(!session_due(&b.s), "%s: nothing is put before the owner decides", name);
    session_accept(&b.s, STR("id"), STR("https://n.test"), 99);
    is_int(session_open(&b.s), ERR_STATE, "%s: no stream before AuthSuccess is out", name);
    is_int((long long)session_put(&b.s, b.out, 8, bench_key, b.now, 0), 0,
           "%s: for which there is no room", name);
    is_int(session_open(&b.s), ERR_STATE, "%s: then it is not open", name);
    is_put(bench_put(&b), "AuthSuccess", "%s: accepted", name);
    is_int(b.note.m.window, protocol == UPGRADE_PLAIN ? b.note.m.window : 1000,
           "%s: response window", name);
    ok(b.s.state == SESSION_OPEN, "%s: open", name);
    is_int(session_open(&b.s), 0, "%s: a stream opens", name);
    is_int(b.slot[0].tx_credit > 500, protocol == UPGRADE_PLAIN, "%s: with its credit", name);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "Auth in an open session");
}

static void gateway_auth_twice(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    wire_auth(&m, STR("secret"), STR("adit/9"), 500, 3);
    bench_init(&b, false, protocol);
    bench_say(&b, &m);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "Auth twice before the answer");
    bench_init(&b, false, protocol);
    bench_say(&b, &m);
    session_accept(&b.s, STR("id"), STR("u"), 0);
    is_int(bench_say(&b, &m), ERR_STATE, "Auth twice, the answer is due");
    is_put(bench_close(&b), "close 1002", "which is not sent any more");
}

static void gateway_refuses(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    wire_auth(&m, STR("secret"), STR("adit/9"), 500, 3);
    bench_init(&b, false, protocol);
    bench_say(&b, &m);
    session_refuse(&b.s, STR("unknown token"), 60);
    is_put(bench_put(&b), "AuthError", "AuthError is put");
    is_str(b.note.error, "unknown token", "with its reason");
    is_int(b.note.m.retry_after, 60, "and when to come again");
    is_put(bench_close(&b), "close 4401", "then the close frame");
    ok(!session_due(&b.s) && b.s.state == SESSION_ENDED, "ended");
}

/* Later it would be skipped: a stranger has nothing to be skipped. */
static void unknown_type_before_auth(enum upgrade_protocol protocol)
{
    static const char tlv[] = "\x82\x83\0\0\0\0\xc8\1\2";
    static const char json[] = "\x81\x9a\0\0\0\0{\"type\":\"Later\",\"data\":[]}";
    bool binary = protocol == UPGRADE_TLV;

    bench_init(&b, false, protocol);
    is_fatal(bench_feed(&b, (const uint8_t *)(binary ? tlv : json),
                        binary ? sizeof tlv - 1 : sizeof json - 1),
             ERR_STATE, "close 1002", "a message of unknown type before Auth");
}

static void gateway_before_auth(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    unknown_type_before_auth(protocol);
    bench_init(&b, false, protocol);
    is_fatal(bench_say_response(&b, "a", 200, false), ERR_STATE, "close 1002",
             "a response before Auth");
    bench_open(&b, false, protocol, 10);
    is_fatal(bench_say_request(&b, "a", false), ERR_STATE, "close 1002", "an agent's request");
    wire_auth_success(&m, STR("x"), STR("y"), 5, 0);
    bench_init(&b, false, protocol);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "an agent's AuthSuccess");
    bench_open(&b, false, protocol, 10);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "one in an open session");
    wire_auth_error(&m, STR("no"), 0);
    bench_open(&b, false, protocol, 10);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "an agent's AuthError");
    wire_auth(&m, STR("t"), STR("a"), 5, 5);
    bench_open(&b, true, protocol, 10);
    is_fatal(bench_say(&b, &m), ERR_STATE, "close 1002", "a cloud's Auth");
    bench_open(&b, true, protocol, 10);
    is_fatal(bench_say_response(&b, "a", 200, false), ERR_STATE, "close 1002",
             "a cloud's response");
}

static void auth_needs_window(void)
{
    struct wire_msg m;

    wire_auth(&m, STR("t"), STR("a"), 0, 4);
    bench_init(&b, false, UPGRADE_TLV);
    is_fatal(bench_say(&b, &m), ERR_WIRE_FIELD, "close 1002", "Auth without a window");
    bench_init(&b, false, UPGRADE_PLAIN);
    is_int(bench_say(&b, &m), 0, "which plain mode does not need");
    wire_auth_success(&m, STR("x"), STR("y"), 0, 0);
    bench_init(&b, true, UPGRADE_JSON);
    bench_put(&b);
    is_fatal(bench_say(&b, &m), ERR_WIRE_FIELD, "close 1002", "AuthSuccess without a window");
    bench_init(&b, true, UPGRADE_PLAIN);
    bench_put(&b);
    is_int(bench_say(&b, &m), 0, "nor there");
    wire_auth(&m, STR("t"), STR("a"), UINT64_MAX, 4);
    bench_init(&b, false, UPGRADE_TLV);
    is_fatal(bench_say(&b, &m), ERR_CREDIT, "close 1002", "Auth with a window beyond all sense");
    wire_auth_success(&m, STR("x"), STR("y"), UINT64_MAX, 0);
    bench_init(&b, true, UPGRADE_TLV);
    bench_put(&b);
    is_fatal(bench_say(&b, &m), ERR_CREDIT, "close 1002", "AuthSuccess with one");
}

/* ---- frames ---- */

static int feed(const void *p, size_t n)
{
    return bench_feed(&b, p, n);
}

#define FEED(bytes) feed(bytes, sizeof(bytes) - 1)

static void frames_bad(void)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x82\x83\1\2\3\4\xc8\1\2"), ERR_WS_MASK, "close 1002", "masked by a server");
    bench_open(&b, false, UPGRADE_TLV, 100);
    is_fatal(FEED("\x82\x03\xc8\1\2"), ERR_WS_MASK, "close 1002", "not masked by a client");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x81\x03\xc8\1\2"), ERR_STATE, "close 1002", "text in TLV form");
    bench_open(&b, true, UPGRADE_JSON, 100);
    is_fatal(FEED("\x82\x02{}"), ERR_STATE, "close 1002", "binary in JSON form");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\xc2"), ERR_WS_RESERVED, "close 1002", "a reserved bit");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x80\x01\xc8"), ERR_WS_FRAGMENT, "close 1002", "a continuation of nothing");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x02\x01\xc8\x82\x01\xc8"), ERR_WS_FRAGMENT, "close 1002",
             "a message within one");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x89\x7e\0\x7e"), ERR_WS_CONTROL, "close 1002", "a ping too long");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x88\x02\x03\xed"), ERR_WS_CLOSE, "close 1002", "a forbidden close code");
    bench_open(&b, true, UPGRADE_JSON, 100);
    is_fatal(FEED("\x81\x07{\"\xff\":1}"), ERR_UTF8, "close 1007", "not UTF-8");
    bench_open(&b, true, UPGRADE_JSON, 100);
    is_fatal(FEED("\x81\x01}"), ERR_JSON, "close 1002", "not JSON");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x82\x00"), ERR_WIRE_FIELD, "close 1002", "a message without a type");
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_fatal(FEED("\x82\x04\x04\x01\x40\x41"), ERR_WIRE_SIZE, "close 1009", "an id of 65 bytes");
}

static void unknown_type(void)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    is_int(FEED("\x82\x03\xc8\1\2"), 0, "an unknown type, TLV");
    ok(bench_only(&b, SESSION_EV_IGNORED), "is ignored");
    bench_open(&b, true, UPGRADE_JSON, 100);
    is_int(FEED("\x81\x1a{\"type\":\"Later\",\"data\":[]}"), 0, "an unknown type, JSON");
    ok(bench_only(&b, SESSION_EV_IGNORED), "is ignored");
    is_int(FEED("\x81\x30{\"data\":{\"id\":\"x\",\"new\":[{}]},\"type\":\"HttpBody\"}"), 0,
           "an unknown member");
    ok(bench_only(&b, SESSION_EV_IGNORED), "in a body of nobody");
}

/* ---- the end ---- */

static void peer_closes(uint16_t code, const char *answer)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    bench_say_request(&b, "a", false);
    session_abort(&b.s, 0, 500, "never told");
    is_int(bench_say_close(&b, code), 0, "the peer closes with %u", code);
    ok(bench_only(&b, SESSION_EV_CLOSED) && b.s.state == SESSION_ENDED, "CLOSED");
    is_int(b.s.link.close_code, code, "its code");
    is_put(bench_close(&b), answer, "is answered at once, by nothing else");
    is_put(bench_put(&b), "", "once");
    ok(!session_due(&b.s), "nothing is due");
    session_abort(&b.s, 0, 500, "too late");
    session_close(&b.s, WS_CLOSE_NORMAL);
    ok(!session_due(&b.s), "nor later");
    is_int(bench_say_request(&b, "b", false), 0, "what comes behind is no error");
    is_int(b.event_count, 0, "and not told");
}

static void gateway_closed_while_accepting(void)
{
    struct wire_msg m;

    wire_auth(&m, STR("t"), STR("a"), 5, 5);
    bench_init(&b, false, UPGRADE_TLV);
    bench_say(&b, &m);
    session_accept(&b.s, STR("s"), STR("u"), 0);
    bench_say_close(&b, 1000);
    is_put(bench_close(&b), "close 1000", "an agent that leaves is not accepted any more");
    ok(b.s.state == SESSION_ENDED, "ended");
}

static void we_close(enum upgrade_protocol protocol)
{
    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "a", false);
    bench_say_request(&b, "b", false);
    session_abort(&b.s, 1, 502, "gone");
    session_close(&b.s, WS_CLOSE_NORMAL);
    session_close(&b.s, WS_CLOSE_AWAY);
    ok(!bench_respond(&b, 0, 200, false), "no response any more");
    is_put(bench_put(&b), "Error", "aborts come first");
    is_put(bench_close(&b), "close 1000", "the first code counts");
    ok(!session_due(&b.s) && b.s.state == SESSION_ENDED, "ended");
    bench_init(&b, true, protocol);
    session_close(&b.s, WS_CLOSE_NORMAL);
    is_put(bench_put_all(&b), "Auth close", "an agent that stops before it is accepted");
}

static void goaway(void)
{
    int slot;

    bench_open(&b, false, UPGRADE_PLAIN, 100);
    session_goaway(&b.s, 1500);
    ok(!session_due(&b.s), "plain mode has no Goaway");
    is_int(session_open(&b.s), ERR_STATE, "but no stream is opened there either");
    session_close(&b.s, WS_CLOSE_AWAY);
    is_put(bench_close(&b), "close 1001", "only the code says why");
    bench_open(&b, false, UPGRADE_TLV, 100);
    ok(session_may_open(&b.s), "there is room");
    slot = session_open(&b.s);
    session_goaway(&b.s, 1500);
    session_goaway(&b.s, 9);
    ok(!session_may_open(&b.s), "none after Goaway");
    is_int(session_open(&b.s), ERR_STATE, "no stream after Goaway");
    is_put(bench_put(&b), "Goaway", "Goaway is put");
    is_int(b.note.m.delay_ms, 1500, "with the first delay");
    ok(!session_due(&b.s) && b.s.state == SESSION_OPEN, "once, and nothing ends by it");
    ok(session_may_put(&b.s, slot), "the open stream goes on");
    session_abort(&b.s, slot, 499, "left");
    session_close(&b.s, WS_CLOSE_AWAY);
    is_put(bench_put(&b), "Error", "what is due of it is said");
    is_put(bench_close(&b), "close 1001", "then the close frame");
}

static void each(void (*test)(enum upgrade_protocol))
{
    test(UPGRADE_TLV);
    test(UPGRADE_JSON);
    test(UPGRADE_PLAIN);
}

int main(void)
{
    numbers_beyond();
    each(agent_auth);
    each(agent_refused);
    each(agent_before_auth);
    each(gateway_auth);
    each(gateway_auth_twice);
    each(gateway_refuses);
    each(gateway_before_auth);
    auth_needs_window();
    frames_bad();
    unknown_type();
    peer_closes(1001, "close 1001");
    peer_closes(1000, "close 1000");
    peer_closes(4409, "close 4409");
    gateway_closed_while_accepting();
    each(we_close);
    goaway();
    return done_testing();
}
