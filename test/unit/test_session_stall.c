/* A peer that takes nothing, one that hears nothing, and refusals that find no way out. */
#include "session_bench.h"
#include "tap.h"

static struct bench b; /* opened at 1000; the ping timeout is 10000 */

static void takes_nothing(bool client)
{
    bench_open(&b, client, UPGRADE_TLV, 100);
    session_unsent(&b.s, false, 0, 2000);
    is_int(session_deadline(&b.s), 26000, "nothing to take: only the Ping");
    session_unsent(&b.s, true, 500, 3000);
    is_int(session_deadline(&b.s), 13000, "something to take: the ping timeout");
    session_unsent(&b.s, true, 500, 9000);
    is_int(session_deadline(&b.s), 13000, "nothing was taken: the time runs on");
    session_heard(&b.s, 12999);
    is_int(session_on_time(&b.s, 12999), 0, "up to then");
    is_int(session_on_time(&b.s, 13000), ERR_STALLED, "dead, although it was heard of");
    session_unsent(&b.s, true, 501, 13000);
    is_int(session_on_time(&b.s, 13000), 0, "a byte is a sign of life");
    is_int(session_deadline(&b.s), 23000, "and gives it the same time again");
    session_unsent(&b.s, false, 501, 14000);
    is_int(session_deadline(&b.s), 26000, "all is taken");
    session_unsent(&b.s, true, 501, 20000);
    is_int(session_on_time(&b.s, 29999), 0, "what comes later has its own time");
    is_int(session_on_time(&b.s, 30000), ERR_STALLED, "from then on");
}

static void fill_slots(enum upgrade_protocol protocol)
{
    static const char *const ids[] = { "a", "b", "c", "d", "e" };
    int i;

    bench_open(&b, true, protocol, 100);
    for (i = 0; i < 5; i++)
        bench_say_request(&b, ids[i], false);
    ok(session_due(&b.s), "a refusal is due");
}

/* A connection that cannot be written: what still comes is read to its end. */
static void hears_nothing(enum upgrade_protocol protocol)
{
    fill_slots(protocol);
    bench_say_close(&b, WS_CLOSE_REPLACED);
    is_int(b.event_count, 0, "the close waits behind it");
    session_mute(&b.s);
    ok(!session_due(&b.s), "nothing is due to a peer that hears nothing");
    is_put(bench_put(&b), "", "nor is anything put");
    bench_say_request(&b, "f", false);
    ok(bench_only(&b, SESSION_EV_CLOSED), "the input goes on to its end");
    is_int(b.s.link.close_code, WS_CLOSE_REPLACED, "which says why");
}

/* Many refusals in a row do not stop a muted session either. */
static void refuses_unheard(void)
{
    fill_slots(UPGRADE_JSON);
    session_mute(&b.s);
    is_int(bench_say_request(&b, "f", false), 0, "one more");
    is_int(bench_say_request(&b, "g", false), 0, "and one more");
    is_int(b.held_len, 0, "are all read");
}

/* Plain mode: the Error has to wait until the response that is under way has ended. */
static void no_way_out(void)
{
    struct wire_msg m;

    fill_slots(UPGRADE_PLAIN);
    bench_put(&b);
    is_int(session_obstacle(&b.s, 2000), -1, "nothing waits");
    wire_http_response(&m, (struct str){ 0 }, 200, (struct wire_headers){ { 0 } }, true);
    is_int(bench_body(&b, 2, &m, "data: 1", true), 7, "a response without an end");
    bench_say_request(&b, "f", false);
    ok(session_waits_for_itself(&b.s), "a refusal waits behind it");
    is_int(session_obstacle(&b.s, 5000), -1, "for a while");
    is_int(session_deadline(&b.s), 15000, "the ping timeout");
    is_int(session_obstacle(&b.s, 14999), -1, "to the end");
    is_int(session_obstacle(&b.s, 15000), 2, "then the response is in the way");
    session_abort(&b.s, 2, 503, "made way");
    is_put(bench_put(&b), "HttpResponse", "and ends");
    is_str(b.note.error, "made way", "saying so");
    ok(!session_waits_for_itself(&b.s), "nothing is in the way");
    is_put(bench_put(&b), "Error", "of the refusal");
    is_int(session_obstacle(&b.s, 100000), -1, "nothing waits any more");
    is_int(session_deadline(&b.s), 26000, "only the Ping");
}

int main(void)
{
    takes_nothing(true);
    takes_nothing(false);
    hears_nothing(UPGRADE_TLV);
    hears_nothing(UPGRADE_JSON);
    hears_nothing(UPGRADE_PLAIN);
    refuses_unheard();
    no_way_out();
    return done_testing();
}
