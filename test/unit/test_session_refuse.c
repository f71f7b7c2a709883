/* What a session gives up, refuses and ignores. */
#include "session_bench.h"
#include "tap.h"

static struct bench b;

static void aborts(enum upgrade_protocol protocol, bool client)
{
    const char *id = "id";

    bench_open(&b, client, protocol, 100);
    if (client)
        bench_say_request(&b, id, true);
    else
        bench_request(&b, true);
    if (!client)
        id = bench_id(&b);
    is_int(bench_say_error(&b, id, 502), 0, "Error for a stream");
    ok(bench_only(&b, SESSION_EV_ABORT) && b.slot[0].state == STREAM_FREE, "ABORT frees the slot");
    ok(!session_due(&b.s), "and is not answered");
    is_int(b.counters.requests_failed, 1, "counted once");
    if (client)
        bench_say_request(&b, id, true);
    else
        bench_request(&b, true);
    session_abort(&b.s, 0, 504, "too slow");
    session_abort(&b.s, 0, 500, "again");
    session_abort(&b.s, 2, 500, "nobody");
    ok(b.slot[0].state == STREAM_BROKEN && session_due(&b.s), "an abort of ours is due");
    is_int(bench_say_body(&b, client ? id : bench_id(&b), "x", true), 0, "body that comes late");
    ok(bench_only(&b, SESSION_EV_IGNORED), "is ignored");
    is_put(bench_put(&b), "Error", "Error is put");
    is_int(b.note.m.code, 504, "code");
    is_str(b.note.error, "too slow", "text");
    ok(b.slot[0].state == STREAM_FREE && !session_due(&b.s), "the slot is free");
    session_abort(&b.s, 0, 500, "too late");
    ok(!session_due(&b.s), "and nothing happens to it any more");
    is_int(b.counters.requests_failed, 2, "counted");
}

/* An abort of what has been answered already is no failure. */
static void abort_after_answer(void)
{
    bench_open(&b, true, UPGRADE_TLV, 100);
    bench_say_request(&b, "id", true);
    bench_respond(&b, 0, 403, false);
    ok(b.slot[0].state != STREAM_FREE, "answered early: the request's end is still to come");
    bench_say_error(&b, "id", 499);
    ok(b.slot[0].state == STREAM_FREE, "or its abort");
    is_int(b.counters.requests_processed, 1, "counts as processed");
    is_int(b.counters.requests_failed, 0, "and not as failed");
}

static void slots_exhausted(enum upgrade_protocol protocol)
{
    static const char *const ids[] = { "a", "b", "c", "d" };
    struct wire_msg m;
    int i;

    bench_open(&b, true, protocol, 100);
    for (i = 0; i < 4; i++)
        bench_say_request(&b, ids[i], false);
    wire_http_request(&m, STR("e"), STR("PUT"), STR("/"), (struct wire_headers){ { 0 } }, false);
    m.body = STR("some body that nobody wants");
    m.has |= WIRE_HAS(WIRE_BODY);
    is_int(bench_say(&b, &m), 0, "a request too many");
    ok(bench_only(&b, SESSION_EV_IGNORED), "takes no slot");
    bench_say_window(&b, "a", 5);
    is_int(b.event_count, 0, "no more input until its Error is out");
    is_put(bench_put(&b), "Error", "Error");
    is_int(b.note.m.code, 503, "503");
    is_str(b.note.id, "e", "for that request");
    bench_feed(&b, NULL, 0);
    ok(b.event_count == 1 && b.events[0] == (protocol == UPGRADE_PLAIN ? SESSION_EV_IGNORED
                                                                       : SESSION_EV_CREDIT),
       "what was held back comes now, the body not at all");
    bench_respond(&b, 2, 200, false);
    is_int(bench_say_request(&b, "f", false), 0, "a slot became free");
    is_int(b.events[0], SESSION_EV_REQUEST, "the next request has it");
    is_int(b.s.stream_count, 4, "all are in use again");
}

/* Before its end: what is open goes on, what is new is refused. */
static void drains(enum upgrade_protocol protocol)
{
    bench_open(&b, true, protocol, 100);
    bench_say_request(&b, "a", protocol != UPGRADE_PLAIN);
    session_drain(&b.s);
    ok(!session_due(&b.s), "nobody is told");
    is_int(bench_say_request(&b, "b", false), 0, "a new request");
    ok(bench_only(&b, SESSION_EV_IGNORED), "takes no slot");
    is_put(bench_put(&b), "Error", "Error");
    is_int(b.note.m.code, 503, "503");
    is_str(b.note.id, "b", "for that request");
    is_str(b.note.error, "this agent is about to end", "and why");
    is_int(b.counters.requests_failed, 1, "a failure");
    if (protocol != UPGRADE_PLAIN) {
        bench_say_body(&b, "a", "rest", false);
        ok(b.event_count == 2 && b.events[0] == SESSION_EV_BODY, "the open one goes on");
    }
    is_int(b.s.stream_count, 1, "and is counted");
    bench_respond(&b, 0, 200, false);
    is_int(b.s.stream_count, 0, "until its end");
    bench_say_request(&b, "c", false);
    is_put(bench_put(&b), "Error", "there is no way back");
    session_close(&b.s, WS_CLOSE_NORMAL);
    is_put(bench_close(&b), "close 1000", "but to the end");
}

static void too_big(enum upgrade_protocol protocol)
{
    static uint8_t packed[3 + 1 + WIRE_HEAD_MAX];
    struct wire_msg m;
    struct writer w;

    writer_init(&w, packed, sizeof packed);
    memset(packed, 'v', sizeof packed);
    wire_header_pack(&w, STR("h"), (struct str){ packed + 4, WIRE_HEAD_MAX });
    wire_http_request(&m, STR("big"), STR("GET"), STR("/"),
                      (struct wire_headers){ { packed, w.len } }, false);
    m.body = STR("body");
    m.has |= WIRE_HAS(WIRE_BODY);
    bench_open(&b, true, protocol, 100);
    is_int(bench_say(&b, &m), 0, "a head too big");
    ok(bench_only(&b, SESSION_EV_IGNORED) && b.s.stream_count == 0, "is refused alone");
    is_put(bench_put(&b), "Error", "Error");
    is_int(b.note.m.code, 431, "431");
    is_str(b.note.id, "big", "for that request");
    is_int(bench_say_request(&b, "next", false), 0, "the session lives on");
    is_int(b.events[0], SESSION_EV_REQUEST, "with the next request");
}

static void body_first_too_big(void)
{
    static char text[WIRE_HEAD_MAX * 2];
    uint8_t frame[WIRE_HEAD_MAX * 2 + 64];
    struct ws_head head = { .opcode = WS_TEXT, .fin = true };
    size_t n;
    size_t at;

    n = (size_t)snprintf(text, sizeof text, "{\"type\":\"HttpRequest\",\"data\":{\"body\":\"");
    memset(text + n, 'A', WIRE_HEAD_MAX / 3 * 4 + 8);
    n += WIRE_HEAD_MAX / 3 * 4 + 8;
    n += (size_t)snprintf(text + n, sizeof text - n,
                          "\",\"id\":\"q\",\"method\":\"PUT\",\"url\":\"/\",\"headers\":{}}}");
    head.len = n;
    at = ws_head_write(&head, frame);
    memcpy(frame + at, text, n);
    bench_open(&b, true, UPGRADE_PLAIN, 100);
    is_int(bench_feed(&b, frame, at + n), 0, "a body before its head, too big to wait");
    ok(bench_only(&b, SESSION_EV_IGNORED) && b.s.stream_count == 0, "is refused alone");
    is_put(bench_put(&b), "Error", "Error");
    is_int(b.note.m.code, 413, "413");
    is_str(b.note.id, "q", "for that request");
    is_int(bench_say_request(&b, "next", false), 0, "the session lives on");
}

static void response_too_big(enum upgrade_protocol protocol)
{
    static uint8_t packed[3 + 1 + WIRE_HEAD_MAX];
    struct wire_msg m;
    struct writer w;

    writer_init(&w, packed, sizeof packed);
    memset(packed, 'v', sizeof packed);
    wire_header_pack(&w, STR("h"), (struct str){ packed + 4, WIRE_HEAD_MAX });
    bench_open(&b, false, protocol, 100);
    bench_request(&b, false);
    wire_http_response(&m, str_of(bench_id(&b)), 200, (struct wire_headers){ { packed, w.len } },
                       false);
    is_int(bench_say(&b, &m), 0, "a response head too big");
    ok(bench_only(&b, SESSION_EV_ABORT) && b.last.slot == 0, "gives up its stream alone");
    is_put(bench_put(&b), "Error", "which the agent is told");
    is_int(b.note.m.code, 502, "as 502");
    ok(b.slot[0].state == STREAM_FREE && b.s.state == SESSION_OPEN, "the session lives on");
}

/* Taken for an interim one it would leave the visitor without an answer. */
static void no_status(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    for (unsigned status = 0; status < 100; status += 33) {
        bench_open(&b, false, protocol, 100);
        bench_request(&b, false);
        wire_http_response(&m, str_of(bench_id(&b)), status, (struct wire_headers){ { 0 } }, false);
        is_int(bench_say(&b, &m), 0, "status %u", status);
        ok(bench_only(&b, SESSION_EV_ABORT) && b.last.code == 502, "costs its stream, as 502");
        is_put(bench_put(&b), "Error", "which the agent is told");
        ok(b.slot[0].state == STREAM_FREE && b.s.state == SESSION_OPEN, "the session lives on");
    }
}

static void messages_ignored(enum upgrade_protocol protocol)
{
    struct wire_msg m;

    memset(&m, 0, sizeof m);
    wire_stats(&m);
    m.requests_processed = 7;
    bench_open(&b, false, protocol, 100);
    is_int(bench_say(&b, &m), 0, "Stats to a gateway");
    ok(bench_only(&b, SESSION_EV_STATS), "STATS");
    wire_goaway(&m, 5, STR("u"));
    bench_say(&b, &m);
    ok(bench_only(&b, SESSION_EV_IGNORED), "Goaway to a gateway is ignored");
    bench_open(&b, true, protocol, 100);
    bench_say(&b, &m);
    ok(bench_only(&b, protocol == UPGRADE_PLAIN ? SESSION_EV_IGNORED : SESSION_EV_GOAWAY),
       "GOAWAY to an agent that knows it");
    memset(&m, 0, sizeof m);
    wire_stats(&m);
    bench_say(&b, &m);
    ok(bench_only(&b, SESSION_EV_IGNORED), "Stats to an agent is ignored");
    is_int(bench_say_error(&b, "", 400), 0, "Error about the session");
    ok(bench_only(&b, SESSION_EV_ERROR), "ERROR");
}

/* Plain mode has none of these; a cloud that sends them all the same is not cut off. */
static void plain_knows_no_streams(void)
{
    bench_open(&b, true, UPGRADE_PLAIN, 100);
    bench_say_request(&b, "a", true);
    ok(b.event_count == 2 && b.events[1] == SESSION_EV_END, "plain: `more` means nothing");
    is_int(bench_say_body(&b, "a", "x", true), 0, "plain: HttpBody");
    ok(bench_only(&b, SESSION_EV_IGNORED), "plain: is ignored");
    is_int(bench_say_window(&b, "a", 4), 0, "plain: Window");
    ok(bench_only(&b, SESSION_EV_IGNORED), "plain: is ignored");
    ok(b.slot[0].state != STREAM_FREE && b.slot[0].tx != STREAM_ENDED, "plain: the stream goes on");
    session_grant(&b.s, 0, 100000);
    is_put(bench_put(&b), "", "plain: no Window is put");
}


static void each(void (*test)(enum upgrade_protocol))
{
    test(UPGRADE_TLV);
    test(UPGRADE_JSON);
    test(UPGRADE_PLAIN);
}

int main(void)
{
    int client;

    for (client = 0; client < 2; client++) {
        aborts(UPGRADE_TLV, client);
        aborts(UPGRADE_JSON, client);
    }
    abort_after_answer();
    each(slots_exhausted);
    each(drains);
    each(too_big);
    body_first_too_big();
    each(response_too_big);
    each(no_status);
    each(messages_ignored);
    plain_knows_no_streams();
    return done_testing();
}
