/* Streams of a session: requests, bodies, credit. */
#include "session_bench.h"
#include "tap.h"

static struct bench b;

/* ---- streams, the agent's end ---- */

static void agent_exchange(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);

    bench_open(&b, true, protocol, 100);
    is_int(bench_say_request(&b, "r1", false), 0, "%s: a request", name);
    ok(b.event_count == 2 && b.events[0] == SESSION_EV_REQUEST && b.events[1] == SESSION_EV_END,
       "%s: REQUEST, END", name);
    is_int(b.s.stream_count, 1, "%s: takes a slot", name);
    ok(b.slot[0].rx == STREAM_ENDED && b.slot[0].tx == STREAM_HEAD, "%s: open for the answer",
       name);
    ok(bench_respond(&b, 0, 204, false), "%s: the answer", name);
    is_str(b.note.name, "HttpResponse", "%s: is heard", name);
    is_str(b.note.id, "r1", "%s: under the request's id", name);
    ok(!b.note.more && b.note.body_len == 0, "%s: without a body", name);
    ok(b.slot[0].state == STREAM_FREE && b.s.stream_count == 0, "%s: the slot is free", name);
    is_int(b.counters.requests_processed, 1, "%s: counted", name);
    is_int(bench_say_request(&b, "r1", false), 0, "%s: the id may come again", name);
    ok(!session_due(&b.s), "%s: nothing is due", name);
}

static void agent_bodies(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);
    struct wire_msg m;

    bench_open(&b, true, protocol, 8);
    bench_say_request(&b, "r", true);
    ok(b.event_count == 2 && b.events[1] == SESSION_EV_CONTINUES, "%s: CONTINUES, no END", name);
    bench_say_body(&b, "r", "hello ", true);
    ok(bench_only(&b, SESSION_EV_BODY) && b.last.slot == 0, "%s: a piece", name);
    is_mem(b.body, b.body_len, "hello ", 6, "%s: its bytes", name);
    is_int(b.slot[0].rx_credit, 994, "%s: its credit", name);
    bench_say_body(&b, "r", "you", false);
    ok(b.event_count == 2 && b.events[1] == SESSION_EV_END, "%s: the last piece, END", name);
    ok(b.slot[0].state == STREAM_OPEN && b.slot[0].rx == STREAM_ENDED,
       "%s: the slot waits for the answer", name);
    wire_http_response(&m, (struct str){ 0 }, 200, (struct wire_headers){ { 0 } }, true);
    is_int(bench_body(&b, 0, &m, "0123456789", true), 8, "%s: as much as is credited", name);
    is_str(b.note.name, "HttpResponse", "%s: along with the head", name);
    is_mem(b.note.body, b.note.body_len, "01234567", 8, "%s: these bytes", name);
    ok(b.note.more, "%s: more follows", name);
    is_int(bench_body(&b, 0, NULL, "89", true), -1, "%s: nothing without credit", name);
    bench_say_window(&b, "r", 1);
    ok(bench_only(&b, SESSION_EV_CREDIT), "%s: credit is told", name);
    is_int(bench_body(&b, 0, NULL, "89", true), 1, "%s: one byte", name);
    is_str(b.note.name, "HttpBody", "%s: in a message of its own", name);
    is_int(bench_body(&b, 0, NULL, "", false), 0, "%s: the end needs no credit", name);
    ok(!b.note.more && b.note.body_len == 0, "%s: empty and last", name);
    ok(b.slot[0].state == STREAM_FREE, "%s: the slot is free", name);
    is_int(b.counters.bytes_transferred, 18, "%s: body bytes counted", name);
}

static void agent_errors(enum upgrade_protocol protocol)
{
    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "a", true);
    is_fatal(bench_say_request(&b, "a", true), ERR_STATE, "close 1002", "an open id again");
    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "a", false);
    is_fatal(bench_say_body(&b, "a", "x", true), ERR_STATE, "close 1002", "body after the end");
    bench_open(&b, true, protocol, 100);
    is_int(bench_say_body(&b, "nobody", "x", true), 0, "a body of an unknown stream");
    ok(bench_only(&b, SESSION_EV_IGNORED), "is ignored");
    is_int(bench_say_window(&b, "nobody", 5), 0, "credit for an unknown stream");
    ok(bench_only(&b, SESSION_EV_IGNORED), "is ignored");
    is_int(bench_say_error(&b, "nobody", 500), 0, "Error for an unknown stream");
    ok(bench_only(&b, SESSION_EV_IGNORED), "is ignored");
    bench_say_request(&b, "a", true);
    bench_say_window(&b, "a", UINT64_C(1) << 61);
    is_fatal(bench_say_window(&b, "a", UINT64_C(1) << 62), ERR_CREDIT, "close 1002",
             "credit beyond all sense");
}

static void credit_overrun(enum upgrade_protocol protocol, bool client)
{
    char text[1002];

    memset(text, 'x', sizeof text);
    text[1001] = '\0';
    bench_open(&b, client, protocol, 100);
    if (client) {
        bench_say_request(&b, "id", true);
    } else {
        bench_request(&b, false);
        bench_say_response(&b, bench_id(&b), 200, true);
    }
    is_fatal(bench_say_body(&b, client ? "id" : bench_id(&b), text, true), ERR_CREDIT,
             "close 1002", "one byte more than credited");
    is_int(b.counters.bytes_transferred, 0, "none of which was taken");
}

static void credit_exact(enum upgrade_protocol protocol)
{
    char text[1001];

    memset(text, 'x', sizeof text);
    text[1000] = '\0';
    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "id", true);
    is_int(bench_say_body(&b, "id", text, true), 0, "all that was credited");
    is_int(b.slot[0].rx_credit, 0, "is used up");
    is_int(bench_say_body(&b, "id", "", true), 0, "an empty piece needs none");
    session_grant(&b.s, 0, 1);
    is_put(bench_put(&b), "Window", "a starving peer is told of each byte");
    is_int(b.note.m.credit, 1, "which is one");
    is_int(bench_say_body(&b, "id", "y", true), 0, "and may send it");
    session_grant(&b.s, 0, 499);
    is_put(bench_put(&b), "Window", "again");
    session_grant(&b.s, 0, 499);
    is_put(bench_put(&b), "", "one that can go on is told in halves of the window");
    session_grant(&b.s, 0, 1);
    is_put(bench_put(&b), "Window", "at the half");
    is_int(b.note.m.credit, 500, "all of it");
    session_grant(&b.s, 0, 400);
    is_put(bench_put(&b), "", "not yet");
    memset(text, 'z', sizeof text);
    text[999] = '\0';
    is_int(bench_say_body(&b, "id", text, true), 0, "the peer uses up what it has");
    is_put(bench_put(&b), "Window", "what was held back is told now");
    is_int(b.note.m.credit, 400, "all of that");
    bench_say_body(&b, "id", "", false);
    session_grant(&b.s, 0, 1000);
    is_put(bench_put(&b), "", "nothing is granted after the end");
}

/* ---- streams, the gateway's end ---- */

static void gateway_exchange(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);
    int slot;

    bench_open(&b, false, protocol, 100);
    slot = bench_request(&b, false);
    is_int(slot, 0, "%s: a stream", name);
    is_str(b.note.name, "HttpRequest", "%s: is asked for", name);
    is_int(strlen(b.note.id), 8, "%s: by an id of ours", name);
    is_int(bench_say_response(&b, bench_id(&b), 200, protocol != UPGRADE_PLAIN), 0,
           "%s: answered", name);
    if (protocol == UPGRADE_PLAIN) {
        ok(b.event_count == 2 && b.events[1] == SESSION_EV_END, "plain: RESPONSE, END");
    } else {
        ok(bench_only(&b, SESSION_EV_RESPONSE), "%s: RESPONSE", name);
        bench_say_body(&b, bench_id(&b), "ab", false);
        is_mem(b.body, b.body_len, "ab", 2, "%s: BODY", name);
        ok(b.events[1] == SESSION_EV_END, "%s: END", name);
    }
    ok(b.slot[0].state == STREAM_FREE && b.s.stream_count == 0, "%s: the slot is free", name);
    is_int(bench_say_response(&b, bench_id(&b), 200, false), 0, "%s: a late response", name);
    ok(bench_only(&b, SESSION_EV_IGNORED), "%s: is ignored", name);
}

static void gateway_responses(enum upgrade_protocol protocol)
{
    const char *name = bench_protocol_name(protocol);

    bench_open(&b, false, protocol, 100);
    bench_request(&b, false);
    is_int(bench_say_response(&b, bench_id(&b), 103, false), 0, "%s: 103", name);
    ok(bench_only(&b, SESSION_EV_INTERIM), "%s: is INTERIM, without END", name);
    is_int(bench_say_response(&b, bench_id(&b), 100, true), 0, "%s: 100", name);
    ok(bench_only(&b, SESSION_EV_INTERIM), "%s: as well", name);
    is_int(bench_say_response(&b, bench_id(&b), 200, true), 0, "%s: 200", name);
    ok(b.events[0] == SESSION_EV_RESPONSE, "%s: is the response", name);
    if (protocol == UPGRADE_PLAIN)
        return;
    is_fatal(bench_say_response(&b, bench_id(&b), 200, false), ERR_STATE, "close 1002",
             "a second response");
    bench_open(&b, false, protocol, 100);
    bench_request(&b, false);
    is_fatal(bench_say_body(&b, bench_id(&b), "x", true), ERR_STATE, "close 1002",
             "body before the response");
}

static void gateway_slots(enum upgrade_protocol protocol)
{
    int i;

    bench_open(&b, false, protocol, 100);
    for (i = 0; i < 4; i++)
        is_int(bench_request(&b, false), i, "stream %d", i);
    is_int(session_open(&b.s), ERR_STATE, "no more than there are slots");
    bench_say_response(&b, bench_id(&b), 200, false);
    is_int(session_open(&b.s), 3, "until one is free");
}

/* Answered before the request was all sent. */
static void gateway_answered(void)
{
    bench_open(&b, false, UPGRADE_TLV, 100);
    bench_request(&b, true);
    bench_say_response(&b, bench_id(&b), 413, false);
    ok(b.events[1] == SESSION_EV_END, "END of an early answer");
    ok(b.slot[0].state == STREAM_BROKEN, "the slot is held until the agent was told");
    is_int(bench_body(&b, 0, NULL, "x", true), -1, "no body goes out any more");
    is_put(bench_put(&b), "Error", "Error tells it");
    is_int(b.note.m.code, 499, "code");
    ok(b.slot[0].state == STREAM_FREE && !session_due(&b.s), "the slot is free");
}

static void upgraded(enum upgrade_protocol protocol)
{
    bench_open(&b, false, protocol, 100);
    bench_request(&b, true);
    bench_say_response(&b, bench_id(&b), 101, true);
    ok(bench_only(&b, SESSION_EV_RESPONSE), "101 with more");
    bench_say_body(&b, bench_id(&b), "srv", true);
    is_mem(b.body, b.body_len, "srv", 3, "bytes of the agent");
    bench_say_body(&b, bench_id(&b), "", false);
    ok(bench_only(&b, SESSION_EV_END) && b.slot[0].state == STREAM_OPEN,
       "half closed: our direction lives on");
    is_int(bench_body(&b, 0, NULL, "cli", true), 3, "bytes of the visitor");
    is_int(bench_body(&b, 0, NULL, "", false), 0, "until they end as well");
    ok(b.slot[0].state == STREAM_FREE, "the slot is free");
}

static void each(void (*test)(enum upgrade_protocol))
{
    test(UPGRADE_TLV);
    test(UPGRADE_JSON);
    test(UPGRADE_PLAIN);
}

static void streams(void (*test)(enum upgrade_protocol))
{
    test(UPGRADE_TLV);
    test(UPGRADE_JSON);
}

int main(void)
{
    int client;

    each(agent_exchange);
    streams(agent_bodies);
    streams(agent_errors);
    each(gateway_exchange);
    each(gateway_responses);
    each(gateway_slots);
    gateway_answered();
    streams(upgraded);
    for (client = 0; client < 2; client++) {
        credit_overrun(UPGRADE_TLV, client);
        credit_overrun(UPGRADE_JSON, client);
    }
    streams(credit_exact);
    return done_testing();
}
