/* A visitor's connection, step by step with a fake clock; in every order: test_visit_model.c. */
#include "tap.h"

#include "err.h"
#include "core/visit.h"

#define WINDOW 1000

static struct visit v;
static uint8_t ring[VISIT_RING_EXTRA + WINDOW];
/* A limit each, so that none can stand for another. */
static const struct visit_times times = { 1000, 2000, 3000, 600, 4000, 50000, 100 };
static int64_t now;

static void fresh(void)
{
    memset(&v, 0, sizeof v);
    v.ring = (struct ring){ ring, sizeof ring, 0, 0 };
    now = 7;
    visit_start(&v, &times, now);
}

static int read_text(const char *text, struct http_head *head)
{
    size_t taken;

    return visit_read(&v, (const uint8_t *)text, strlen(text), now, &taken, head);
}

/* A request with this line and these fields, as far as WAITS. */
static void request(const char *line, const char *fields)
{
    struct http_head head;
    char text[512];

    snprintf(text, sizeof text, "%s\r\nHost: a\r\n%s\r\n", line, fields);
    if (read_text(text, &head) <= 0 || visit_begin(&v, &head) < 0)
        diag("the test's own request is bad");
}

static void stream(const char *line, const char *fields)
{
    fresh();
    request(line, fields);
    visit_open(&v);
    visit_progress(&v, now, 0);
}

static bool answer(enum http_body_kind body, uint64_t length)
{
    struct relay_response framing = { body, length };

    return visit_answer(&v, &framing, true);
}

/* Hands over up to n bytes; the body bytes that left the ring. */
static size_t take(size_t n, char *text)
{
    struct str piece[3], none = { NULL, 0 };
    size_t freed = 0, all;

    text[0] = '\0';
    while (n > 0 && (all = visit_gather(&v, none, piece)) > 0) {
        size_t room = all < n ? all : n, left = room;

        for (int i = 0; i < 3; i++) {
            size_t part = left < piece[i].n ? left : piece[i].n;

            strncat(text, part > 0 ? (const char *)piece[i].p : "", part);
            left -= part;
        }
        freed += visit_wrote(&v, piece, room, &none);
        n -= room;
    }
    return freed;
}

/* ---- time ---- */

static void idle(void)
{
    struct http_head head;

    fresh();
    is_int(v.deadline, 1007, "a first request has the time of a head, from the connection's start");
    now = 100;
    is_int(read_text("GET", &head), 0, "a part of a head");
    is_int(v.deadline, 1007, "its bytes move nothing");
    is_int(visit_on_time(&v, 1007, 3, false, false), VISIT_REFUSE, "a head that does not come");
    is_int(v.code, 408, "is told so");
    ok(!v.keep_alive, "and ends the connection");
    visit_next(&v, 5000);
    is_int(v.deadline, 7000, "between requests there is the idle time");
    is_int(visit_on_time(&v, 7000, 3, false, false), VISIT_FINISH, "after which it ends in order");
    now = 6000;
    is_int(read_text("G", &head), 0, "the next one begins");
    is_int(v.deadline, 7000, "with a head's time from its first byte on");
    now = 6500;
    read_text("E", &head);
    is_int(v.deadline, 7000, "not from its second");
}

static void waiting(void)
{
    fresh();
    request("GET / HTTP/1.1", "");
    visit_wait(&v, 10);
    is_int(v.deadline, 3010, "the queue has its time");
    is_int(visit_on_time(&v, 3010, 0, false, false), VISIT_REFUSE, "after which he is sent away");
    is_int(v.code, 503, "for now");
    ok(v.keep_alive, "and may ask again on this connection");
    ok(strstr(v.text, "busy") != NULL, "the device is busy");
}

static void held(void)
{
    fresh();
    request("GET / HTTP/1.1", "");
    visit_hold(&v, 10);
    is_int(v.deadline, 610, "a tunnel that is not there has its time");
    is_int(visit_on_time(&v, 610, 0, false, false), VISIT_REFUSE, "after which he is sent away");
    is_int(v.code, 503, "for now");
    ok(strstr(v.text, "not connected") != NULL, "and told why");
    visit_wait(&v, 600);
    is_int(v.deadline, 3600, "it is there: now he waits for a stream");
    visit_hold(&v, 3300);
    is_int(v.deadline, 3607, "but never longer than for both, however often it comes and goes");
    visit_open(&v);
    visit_progress(&v, 3600, 0);
    is_int(v.deadline, 7600, "with a stream the device has its time");
}

static void answers_late(void)
{
    stream("GET / HTTP/1.1", "");
    is_int(v.deadline, now + 4000, "a device has the request's time to answer");
    visit_head_put(&v, true);
    is_int(visit_on_time(&v, v.deadline, 0, false, true), VISIT_REFUSE, "then there is a page");
    is_int(v.code, 504, "that blames the device");
    stream("GET / HTTP/1.1", "");
    visit_head_put(&v, true);
    answer(HTTP_BODY_CHUNKED, 0);
    is_int(visit_on_time(&v, v.deadline, 0, false, true), VISIT_CLOSE,
           "in the middle of a response there is no page");
}

static void without_limits(void)
{
    static const struct visit_times none = { 1000, 2000, 3000, 0, 0, 0, 0 };

    stream("GET / HTTP/1.1", "");
    v.times = &none;
    visit_progress(&v, now, 0);
    is_int(v.deadline, VISIT_NEVER, "0: no limit for a response");
    visit_shut(&v, now);
    is_int(v.deadline, VISIT_NEVER, "nor for the other end of an upgraded connection");
    stream("PUT / HTTP/1.1", "Content-Length: 9\r\n");
    v.times = &none;
    visit_progress(&v, now, 0);
    is_int(v.deadline, VISIT_NEVER, "nor for a slow body");
}

static void slow_body(void)
{
    stream("PUT / HTTP/1.1", "Content-Length: 9000\r\n");
    visit_head_put(&v, true);
    is_int(v.deadline, now + 1000, "a body may be behind for as long as a head may take");
    now += 500;
    visit_progress(&v, now, 20);
    is_int(v.deadline, 7 + 1000 + 200, "20 bytes at 100 a second earn 200 ms");
    visit_progress(&v, now, 30);
    is_int(v.deadline, 7 + 1000 + 300, "10 more 100 ms");
    visit_progress(&v, now, 120);
    is_int(v.deadline, now + 1000, "but no more than that time from now");
    visit_progress(&v, now + 10, UINT64_C(1) << 62);
    is_int(v.deadline, now + 1010, "however many they are");
    now = v.deadline;
    is_int(visit_on_time(&v, now, v.heard, true, true), VISIT_GOES_ON, "what lies here is for us");
    is_int(v.deadline, now + 1000, "and his time begins anew");
    is_int(visit_on_time(&v, now, v.heard, false, false), VISIT_GOES_ON, "as without credit");
    is_int(visit_on_time(&v, now, v.heard, false, true), VISIT_REFUSE, "else he is too slow");
    is_int(v.code, 408, "which the page says");
}

/* The rate counts only while he alone is waited for. */
static void no_rate(void)
{
    stream("PUT / HTTP/1.1", "Content-Length: 9000\r\nExpect: 100-continue\r\n");
    visit_head_put(&v, true);
    is_int(v.deadline, now + 4000, "who waits for a 100 has no rate");
    visit_interim(&v, false);
    visit_progress(&v, now, 0);
    is_int(v.deadline, now + 4000, "another interim response does not change it");
    visit_interim(&v, true);
    visit_progress(&v, now, 0);
    is_int(v.deadline, now + 1000, "after it he has");
    answer(HTTP_BODY_CHUNKED, 0);
    visit_progress(&v, now, 0);
    is_int(v.deadline, now + 4000, "not while the device answers");
}

static void upgraded_time(void)
{
    stream("GET / HTTP/1.1", "");
    visit_ask_upgrade(&v);
    visit_head_put(&v, true);
    is_int(v.deadline, now + 4000, "an upgrade is answered like any request");
    is_int(visit_on_time(&v, v.deadline, 0, false, true), VISIT_REFUSE, "or there is a page");
    is_int(v.code, 504, "for the device's silence");
    answer(HTTP_BODY_TUNNEL, 0);
    visit_progress(&v, now, 0);
    is_int(v.deadline, now + 50000, "then both may be silent for long");
    visit_keep(&v, STR("x"));
    visit_progress(&v, now, 0);
    is_int(v.deadline, now + 4000, "but he takes what is for him");
}

/* ---- requests ---- */

static void heads(void)
{
    static const uint8_t two[] = "GET / HTTP/1.1\r\n\r\nNEXT";
    static uint8_t big[HTTP_HEAD_MAX];
    struct http_head head;
    size_t taken;

    fresh();
    memset(big, 'a', sizeof big);
    is_int(visit_read(&v, big, HTTP_HEAD_MAX - 1, now, &taken, &head), 0, "a byte less than all");
    is_int((int64_t)taken, HTTP_HEAD_MAX - 1, "is taken");
    is_int(visit_read(&v, big, 5, now, &taken, &head), ERR_HTTP_SIZE, "a head that does not fit");
    is_int((int64_t)taken, 1, "takes what there is room for");
    fresh();
    is_int(visit_read(&v, two, sizeof two - 1, now, &taken, &head), 18, "the length of a head");
    is_int((int64_t)taken, 18, "of which nothing of the next request is taken");
    is_int(v.up, VISIT_WAITS, "waits");
    is_int(visit_begin(&v, &head), ERR_HTTP, "without a Host");
}

static void read_whole(void)
{
    stream("GET / HTTP/1.1", "");
    ok(visit_is_read(&v), "a request without a body is read with its head");
    visit_head_put(&v, false);
    ok(visit_is_read(&v), "also when that goes in parts");
    stream("PUT / HTTP/1.1", "Content-Length: 3\r\n");
    ok(!visit_is_read(&v), "one with a body is not");
    ok(visit_pending(&v, false, false), "its head is to be put, whatever there is of its body");
    ok(visit_may_put_body(&v, true) && !visit_may_put_body(&v, false),
       "with body bytes, if there are some");
    visit_head_put(&v, false);
    ok(!visit_may_put_body(&v, true) && visit_must_put_head(&v), "not with a part of it");
    visit_head_put(&v, true);
    ok(visit_may_put_body(&v, true) && !visit_must_put_head(&v), "then the body goes");
    ok(visit_pending(&v, true, true), "when there are bytes and credit");
    ok(!visit_pending(&v, false, true) && !visit_pending(&v, true, false), "not without either");
    visit_body_put(&v, false);
    ok(visit_is_read(&v) && !visit_pending(&v, true, true), "to its end");
}

/* RFC 9112 section 9.3. */
static void discards(void)
{
    uint8_t bytes[8] = "abcdefg";

    stream("PUT / HTTP/1.1", "Content-Length: 5\r\n");
    visit_let_go(&v);
    visit_page(&v, false);
    ok(v.keep_alive, "a short rest of a body is worth the connection");
    is_int((int64_t)visit_discard(&v, bytes, 3), 3, "it is thrown away");
    is_int(v.up, VISIT_DROPS, "until its end");
    is_int((int64_t)visit_discard(&v, bytes, 7), 2, "and no byte more");
    is_int(v.up, VISIT_DONE, "which is the end of the request");
    is_int((int64_t)visit_discard(&v, bytes, 7), 0, "what follows is another one");
    stream("PUT / HTTP/1.1", "Content-Length: 65536\r\n");
    visit_let_go(&v);
    visit_page(&v, false);
    ok(v.keep_alive, "up to 64 KB");
    stream("PUT / HTTP/1.1", "Content-Length: 65537\r\n");
    visit_let_go(&v);
    visit_page(&v, false);
    ok(!v.keep_alive, "not more");
    is_int((int64_t)visit_discard(&v, bytes, 7), 0, "nothing of that is read");
    stream("PUT / HTTP/1.1", "Content-Length: 5\r\nExpect: 100-continue\r\n");
    visit_let_go(&v);
    visit_page(&v, false);
    ok(!v.keep_alive, "nor a body that may not come");
    stream("PUT / HTTP/1.1", "Transfer-Encoding: chunked\r\n");
    visit_let_go(&v);
    visit_page(&v, false);
    ok(!v.keep_alive, "nor one of unknown length");
    stream("GET / HTTP/1.1", "");
    visit_page(&v, true);
    ok(!v.keep_alive, "nor when the owner ends it");
}

/* ---- responses ---- */

static void interims(void)
{
    bool all = true;

    stream("GET / HTTP/1.0", "");
    ok(!visit_wants_interim(&v), "HTTP/1.0 knows no interim responses");
    stream("GET / HTTP/1.1", "");
    for (int i = 0; i < HTTP_INTERIM_MAX; i++) {
        all = all && visit_wants_interim(&v);
        visit_interim(&v, false);
    }
    ok(all && !visit_wants_interim(&v), "%d are passed on, and no more", HTTP_INTERIM_MAX);
    stream("GET / HTTP/1.1", "");
    visit_keep_raw(&v, (const uint8_t *)"x", 1);
    ok(!visit_wants_interim(&v), "none while he has not taken the last one");
    stream("GET / HTTP/1.1", "");
    answer(HTTP_BODY_CHUNKED, 0);
    ok(!visit_wants_interim(&v), "none behind the answer");
}

static void in_order(void)
{
    char text[64];

    stream("GET / HTTP/1.1", "");
    visit_head_put(&v, true);
    ok(answer(HTTP_BODY_CHUNKED, 0), "an answer");
    ok(!answer(HTTP_BODY_CHUNKED, 0), "there is but one");
    visit_keep_raw(&v, (const uint8_t *)"HEAD", 4);
    is_int((int64_t)visit_room(&v), WINDOW, "a head takes no room of the window's");
    is_int(visit_body(&v, 3), 1, "bytes of its body");
    visit_keep(&v, STR("abc"));
    is_int((int64_t)visit_room(&v), WINDOW - 3, "take theirs");
    is_int((int64_t)take(2, text), 0, "a part of the head frees nothing");
    is_int((int64_t)take(6, text), 1, "then bytes in their frame");
    ok(strcmp(text, "AD3\r\na") == 0, "in this order");
    is_int(visit_settle(&v, false, false), VISIT_GOES_ON, "not all is out");
    ok(visit_end(&v, false), "all is in");
    is_int(visit_settle(&v, false, false), VISIT_GOES_ON, "and still not out");
    is_int((int64_t)take(64, text), 2, "the rest");
    ok(strcmp(text, "bc\r\n0\r\n\r\n") == 0, "with its end");
    is_int(visit_settle(&v, false, false), VISIT_NEXT, "now another request may come");
    is_int(visit_settle(&v, true, false), VISIT_FINISH, "unless the gateway stops");
    v.keep_alive = false;
    is_int(visit_settle(&v, false, false), VISIT_FINISH, "or he has said close");
}

static void lengths(void)
{
    char text[64];

    stream("GET / HTTP/1.1", "");
    answer(HTTP_BODY_LENGTH, 2);
    is_int(visit_body(&v, 2), 1, "as many bytes as it says");
    is_int(visit_body(&v, 1), ERR_HTTP, "more are a mistake");
    stream("GET / HTTP/1.1", "");
    answer(HTTP_BODY_LENGTH, 2);
    visit_body(&v, 1);
    visit_keep(&v, STR("a"));
    visit_end(&v, false);
    is_int(v.down, VISIT_BROKEN, "fewer too");
    is_int(visit_settle(&v, false, false), VISIT_GOES_ON, "what there is he gets");
    take(9, text);
    ok(strcmp(text, "a") == 0, "as it is");
    is_int(visit_settle(&v, false, false), VISIT_CUT, "and sees that there is no more");
    stream("HEAD / HTTP/1.1", "");
    answer(HTTP_BODY_NONE, 0);
    is_int(visit_body(&v, 5), 0, "a body where none may be is nobody's");
    stream("GET / HTTP/1.1", "");
    is_int(visit_body(&v, 5), 0, "nor is one before a head");
    ok(!visit_end(&v, false), "an end before any answer is none");
}

static void broken(void)
{
    struct str piece[3];

    stream("GET / HTTP/1.1", "");
    ok(!visit_break(&v), "before an answer there can be a page");
    answer(HTTP_BODY_CHUNKED, 0);
    ok(visit_break(&v), "then no more");
    is_int((int64_t)visit_gather(&v, (struct str){ 0 }, piece), 0, "nothing looks like its end");
    is_int(visit_settle(&v, false, false), VISIT_CUT, "it is cut");
    stream("GET / HTTP/1.1", "");
    answer(HTTP_BODY_CHUNKED, 0);
    visit_end(&v, false);
    visit_break(&v);
    is_int(v.down, VISIT_ANSWERED, "a whole response is not");
    ok(!v.keep_alive, "but it is the last one");
    stream("GET / HTTP/1.1", "");
    answer(HTTP_BODY_CLOSE, 0);
    ok(!v.keep_alive, "a body to the connection's end is the last one");
    visit_end(&v, true);
    is_int(v.down, VISIT_BROKEN, "the device says that it is broken");
    visit_end(&v, false);
    is_int(v.down, VISIT_BROKEN, "which nothing mends");
}

static void upgraded(void)
{
    char text[16];

    stream("GET / HTTP/1.1", "");
    visit_head_put(&v, true);
    ok(!answer(HTTP_BODY_TUNNEL, 0), "101 is for those who asked");
    visit_ask_upgrade(&v);
    ok(!visit_half_close(&v), "who ends his direction before has left");
    ok(answer(HTTP_BODY_TUNNEL, 0), "for them it is");
    is_int(v.up, VISIT_BODY, "his bytes flow again");
    ok(!visit_is_read(&v) && !v.keep_alive, "without an end");
    ok(visit_half_close(&v), "he may end his direction");
    ok(visit_pending(&v, false, false), "which is told without credit");
    ok(!visit_half_close(&v), "once");
    visit_body_put(&v, false);
    visit_keep(&v, STR("a"));
    visit_end(&v, false);
    is_int(visit_settle(&v, false, false), VISIT_GOES_ON, "the other one goes on");
    take(9, text);
    is_int(visit_settle(&v, false, false), VISIT_FINISH, "to its end");
    v.up = VISIT_BODY;
    is_int(visit_settle(&v, false, true), VISIT_FINISH, "TLS ends both at once");
    is_int(visit_settle(&v, false, false), VISIT_HALF, "TCP does not");
    visit_shut(&v, 100);
    is_int(v.deadline, 4100, "his end has the request's time to come");
    is_int(visit_settle(&v, false, false), VISIT_GOES_ON, "it is told once");
    visit_let_go(&v);
    ok(!visit_half_close(&v), "without a stream an end has nowhere to go");
    visit_break(&v);
    is_int(visit_settle(&v, false, false), VISIT_CUT, "what is lost is seen");
}

static void upgrade_lost(void)
{
    char text[16];

    stream("GET / HTTP/1.1", "");
    visit_head_put(&v, true);
    visit_ask_upgrade(&v);
    answer(HTTP_BODY_TUNNEL, 0);
    visit_keep(&v, STR("a"));
    visit_let_go(&v);
    visit_break(&v);
    ok(visit_half_close(&v), "what is held is still his");
    ok(!visit_pending(&v, false, true), "and nobody is told");
    ok(!visit_half_close(&v), "once");
    is_int(visit_settle(&v, false, false), VISIT_GOES_ON, "it goes out");
    take(9, text);
    is_int(visit_settle(&v, false, false), VISIT_CUT, "what is lost is seen");
}

static void early_upgrade(void)
{
    stream("GET / HTTP/1.1", "");
    visit_ask_upgrade(&v);
    visit_head_put(&v, false);
    answer(HTTP_BODY_TUNNEL, 0);
    is_int(v.up, VISIT_PART, "a 101 before the head is out");
    visit_head_put(&v, true);
    is_int(v.up, VISIT_BODY, "is none before it");
}

int main(void)
{
    idle();
    waiting();
    held();
    answers_late();
    without_limits();
    slow_body();
    no_rate();
    upgraded_time();
    heads();
    read_whole();
    discards();
    interims();
    in_order();
    lengths();
    broken();
    upgraded();
    upgrade_lost();
    early_upgrade();
    return done_testing();
}
