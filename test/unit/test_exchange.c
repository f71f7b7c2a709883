/* An exchange, call by call. Every order of them is test_exchange_model's. */
#include "tap.h"

#include "err.h"
#include "core/exchange.h"

static struct exchange_shared shared;
static struct exchange x;
static uint8_t blocks[POOL_BLOCKS][POOL_BLOCK];
static struct wire_msg msg;
static uint8_t fields[4000];
static int64_t now = 1000;
static uint8_t long_url[HTTP_HEAD_MAX];

static void begin(const char *method, const char *name, const char *value, bool more)
{
    struct writer w;

    exchange_release(&x);
    writer_init(&w, fields, sizeof fields);
    wire_header_pack(&w, STR("host"), STR("a.test"));
    if (name)
        wire_header_pack(&w, str_of(name), str_of(value));
    wire_http_request(&msg, (struct str){ 0 }, str_of(method), STR("/"),
                      (struct wire_headers){ { fields, writer_stored(&w) } }, more);
    exchange_request(&x);
}

static void begin_upgrade(void)
{
    struct writer w;

    begin("GET", "connection", "upgrade", true);
    writer_init(&w, fields + msg.headers.packed.n, sizeof fields - msg.headers.packed.n);
    wire_header_pack(&w, STR("upgrade"), STR("x"));
    msg.headers.packed.n += writer_stored(&w);
}

/* All that can be written, up to n bytes. */
static void write_up_to(size_t n)
{
    struct str piece[3], data = exchange_peek(&x), rest = data;
    size_t all;

    while (n > 0 && (all = sender_gather(&x.sender, data, piece)) > 0) {
        all = all < n ? all : n;
        sender_wrote(&x.sender, piece, all, &rest);
        exchange_pop(&x, data.n - rest.n);
        data = rest = exchange_peek(&x);
        n -= all;
    }
}

static enum exchange_verdict answer(const char *text)
{
    size_t room;
    uint8_t *p = exchange_head_room(&x, &room);

    memcpy(p, text, strlen(text));
    return exchange_head_read(&x, (int)strlen(text), now);
}

/* A GET, its request written. */
static void asked(bool reused)
{
    begin("GET", NULL, NULL, false);
    is_int(exchange_end(&x, &msg), EXCHANGE_CONNECT, "connect");
    exchange_connected(&x, reused, now, 500);
    write_up_to(SIZE_MAX);
    is_int(exchange_flushed(&x), EXCHANGE_GOES_ON, "written");
    is_int(x.up, UP_DONE, "whole");
}

static void fails(enum exchange_verdict verdict, unsigned code, const char *text)
{
    is_int(verdict, EXCHANGE_FAILED, "given up");
    is_int(x.code, code, "with %u", code);
    is_str(x.text, text, "and a sentence");
    is_int(shared.pool.free_count, POOL_BLOCKS, "nothing of the pool is kept");
    is_int(shared.credit.sharers, 0, "nor of the credit");
    is_int(x.deadline, EXCHANGE_NEVER, "nor a deadline");
}

static void test_connections(void)
{
    begin("GET", NULL, NULL, false);
    exchange_end(&x, &msg);
    ok(!x.fresh, "what may be repeated goes out on an idle connection");
    begin("POST", NULL, NULL, false);
    exchange_end(&x, &msg);
    ok(x.fresh, "what may not does not");

    asked(true);
    is_int(exchange_head_read(&x, ERR_CLOSED, now), EXCHANGE_CONNECT, "an idle one was dead");
    ok(x.fresh, "once more on a fresh one");
    exchange_connected(&x, false, now, 500);
    is_int(exchange_cut(&x), EXCHANGE_ELSEWHERE, "that was none: another address");
    exchange_connected(&x, false, now, 500);
    write_up_to(3);
    is_int(exchange_cut(&x), EXCHANGE_GOES_ON, "dead with a part of it: there may be an answer");
    is_int(x.up, UP_DONE, "but no more is written");
    fails(exchange_head_read(&x, ERR_CLOSED, now), 502,
          "the local server closed the connection without an answer");

    begin("POST", NULL, NULL, false);
    exchange_end(&x, &msg);
    exchange_connected(&x, true, now, 500);
    write_up_to(SIZE_MAX);
    fails(exchange_head_read(&x, ERR_CLOSED, now), 502,
          "the local server closed the connection without an answer");

    asked(true);
    is_int(answer("HTTP/1.1 2"), EXCHANGE_GOES_ON, "a part of an answer");
    fails(exchange_head_read(&x, ERR_CLOSED, now), 502,
          "the local server closed the connection without an answer");
}

static void test_time(void)
{
    begin("GET", NULL, NULL, false);
    exchange_end(&x, &msg);
    exchange_connected(&x, false, now, 500);
    is_int(x.deadline, now + 500, "an address has its share");
    is_int(exchange_want(&x, true, false, now), EXCHANGE_OUT, "it is waited for");
    is_int(exchange_on_time(&x), EXCHANGE_ELSEWHERE, "then the next one");
    write_up_to(SIZE_MAX);
    exchange_flushed(&x);
    exchange_progress(&x, now);
    is_int(exchange_want(&x, true, false, now), EXCHANGE_IN, "the answer is waited for");
    is_int(x.deadline, now + 900, "for so long");
    answer("HTTP/1.1 200 OK\r\n");
    is_int(x.deadline, now + 900, "its first bytes are progress");
    now += 10;
    answer("a: b\r\n");
    is_int(x.deadline, now + 890, "those that drip are none");
    fails(exchange_on_time(&x), 504, EXCHANGE_NO_ANSWER);

    begin("POST", "content-length", "5", true);
    is_int(exchange_continue(&x, &msg), EXCHANGE_CONNECT, "a body will come");
    exchange_connected(&x, false, now, 500);
    write_up_to(SIZE_MAX);
    exchange_want(&x, true, false, now);
    is_int(x.deadline, EXCHANGE_NEVER, "while the visitor is slow no time runs");
    is_int(exchange_want(&x, true, true, now), EXCHANGE_IN | EXCHANGE_OUT, "bytes wait outside");
    is_int(x.deadline, now + 900, "then it does");
}

static void test_bodies(void)
{
    begin("POST", "content-length", "5", true);
    exchange_continue(&x, &msg);
    exchange_connected(&x, false, now, 500);
    ok(!exchange_is_direct(&x), "no byte before the connection takes the head");
    is_int(exchange_store(&x, STR("012")), 3, "kept");
    write_up_to(4);
    ok(!exchange_is_direct(&x), "nor before the older ones");
    write_up_to(SIZE_MAX);
    ok(exchange_is_direct(&x), "now");
    fails(exchange_body(&x, &msg, 3), 400, "request body longer than its Content-Length");
    is_int(exchange_store(&x, STR("x")), 1, "what still comes is nobody's");
    is_int(x.queue.len, 0, "and not kept");

    begin("POST", "content-length", "5", true);
    exchange_continue(&x, &msg);
    exchange_store(&x, STR("0123"));
    fails(exchange_end(&x, &msg), 400, "request body shorter than its Content-Length");

    begin("POST", "content-length", "5x", false);
    fails(exchange_end(&x, &msg), 400, err_text(ERR_HTTP_SMUGGLE));
    begin("GET", NULL, NULL, false);
    msg.url = (struct str){ long_url, sizeof long_url };
    fails(exchange_end(&x, &msg), 431, "request head too large for the device");
}

static void test_responses(void)
{
    uint8_t body[16];

    asked(false);
    is_int(answer("HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\n"
                  "content-length: 4\r\n\r\nbo"), EXCHANGE_GOES_ON, "interim, head, half a body");
    ok(exchange_has_something(&x) && x.down == DOWN_INTERIM && x.status == 103, "the interim one");
    is_int(exchange_put(&x), EXCHANGE_GOES_ON, "out");
    ok(x.down == DOWN_PUT && x.status == 200, "then the head");
    ok(!exchange_is_last(&x), "which is not all");
    is_int(exchange_take_ready(&x, body, sizeof body), 2, "the body that came along");
    is_int(exchange_put(&x), EXCHANGE_GOES_ON, "out");
    ok(!exchange_has_something(&x), "no more");
    is_int(exchange_want(&x, true, false, now), EXCHANGE_IN, "wanted");
    is_int(exchange_want(&x, false, false, now), 0, "if the tunnel takes it");
    is_int(x.deadline, EXCHANGE_NEVER, "which is not the local server's fault");
    x.readable = true;
    is_int(exchange_want_body(&x, 10), 2, "no more than belongs to it");
    memcpy(body, "dy", 2);
    is_int(exchange_body_read(&x, body, 2, 2, now), 2, "the rest");
    ok(exchange_is_last(&x), "is the last");
    is_int(exchange_put(&x), EXCHANGE_COMPLETE, "complete");
    ok(x.keep_alive, "for another one");

    asked(false);
    answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc");
    exchange_take_ready(&x, body, sizeof body);
    is_int(exchange_put(&x), EXCHANGE_COMPLETE, "more than its length");
    ok(!x.keep_alive, "is no answer to the next request");
    asked(false);
    answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    exchange_put(&x);
    memcpy(body, "1\r\na\r\n0\r\n\r\nHTTP", 15);
    is_int(exchange_body_read(&x, body, 15, 16, now), 1, "chunks and what comes behind the last");
    ok(exchange_is_last(&x) && body[0] == 'a' && !x.keep_alive, "is no answer either");
    begin("POST", "content-length", "5", true);
    exchange_continue(&x, &msg);
    exchange_connected(&x, false, now, 500);
    write_up_to(SIZE_MAX);
    answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    is_int(exchange_put(&x), EXCHANGE_COMPLETE, "answered before the request was complete");
    ok(!x.keep_alive, "whose rest the next one would follow");
    asked(false);
    answer("HTTP/1.1 200 OK\r\n\r\n");
    x.readable = true;
    is_int(exchange_body_read(&x, body, ERR_CLOSED, 16, now), 0, "ended by the connection");
    ok(exchange_is_last(&x) && !x.keep_alive, "that is all");
    asked(false);
    answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
    x.readable = true;
    ok(exchange_body_read(&x, body, ERR_CLOSED, 16, now) < 0, "cut short");
    asked(false);
    fails(answer("HTTP/1.1 200\r\nbad field\r\n\r\n"), 502,
          "the local server's response is malformed");
    asked(false);
    fails(answer("HTTP/1.1 101 Switching\r\n\r\n"), 502,
          "the local server's response is malformed");
    asked(false);
    for (int i = 0; i < HTTP_INTERIM_MAX; i++) {
        answer("HTTP/1.1 102 Processing\r\n\r\n");
        exchange_put(&x);
    }
    fails(answer("HTTP/1.1 102 Processing\r\n\r\n"), 504, EXCHANGE_NO_ANSWER);
}

static void test_long_head(void)
{
    enum exchange_verdict verdict;

    asked(false);
    answer("HTTP/1.1 200 OK\r\n");
    do
        verdict = answer("field: value\r\n");
    while (verdict == EXCHANGE_GOES_ON && HTTP_HEAD_MAX - x.head_len > 14);
    is_int(verdict, EXCHANGE_GOES_ON, "as long as there is room");
    while (verdict == EXCHANGE_GOES_ON)
        verdict = answer("a");
    fails(verdict, 502, "the local server's response head is too large");
}

/* Options of a Connection that are more than anybody compares. */
static void test_refused_fields(void)
{
    static char options[400], head[512];

    memset(options, 'a', sizeof options - 1);
    begin("GET", "connection", options, false);
    is_int(exchange_end(&x, &msg), EXCHANGE_FAILED, "a request's");
    is_int(x.code, 431, "is its visitor's mistake");
    asked(false);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nConnection: %s\r\n\r\n", options);
    fails(answer(head), 502, "the local server's response head is too large");
}

static void test_bad_chunks(void)
{
    uint8_t body[] = "zz\r\n";

    asked(false);
    fails(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 502,
          "the local server's response is malformed");
    asked(false);
    answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    exchange_put(&x);
    is_int(exchange_body_read(&x, body, 4, 4, now), ERR_HTTP, "bad chunks behind the head");
}

static void test_readable(void)
{
    uint8_t body[8] = "abcdefg";

    asked(false);
    answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    exchange_put(&x);
    x.readable = true;
    exchange_body_read(&x, body, 8, 8, now);
    ok(x.readable, "as many bytes as asked for: there may be more");
    exchange_body_read(&x, body, 7, 8, now);
    ok(!x.readable, "fewer: there are none");
    x.readable = true;
    exchange_body_read(&x, body, 0, 8, now);
    ok(!x.readable, "none: nor now");
}

/* RFC 9110 section 8.6: what stands behind such a head may be taken for the next response. */
static void test_no_content(void)
{
    asked(false);
    answer("HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n");
    ok(!x.keep_alive, "a length where there can be none costs the connection");
    asked(false);
    answer("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
    ok(x.keep_alive, "unless it is none");
}

static bool response_has(const char *wanted)
{
    struct str rest = x.fields.packed, name, value;

    while (wire_header_next(&rest, &name, &value)) {
        if (str_ieq(name, str_of(wanted)))
            return true;
    }
    return false;
}

/* Upgrade is between two neighbours, but for the one that has happened. */
static void test_upgrade_fields(void)
{
    static const struct {
        const char *head;
        bool upgrades;
    } cases[] = {
        { "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", true },
        { "HTTP/1.1 102 Processing\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", false },
        { "HTTP/1.1 426 Upgrade\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_upgrade();
        exchange_continue(&x, &msg);
        exchange_connected(&x, false, now, 500);
        write_up_to(SIZE_MAX);
        answer(cases[i].head);
        is_int(response_has("upgrade"), cases[i].upgrades, "Upgrade with a %u", x.status);
        is_int(response_has("connection"), cases[i].upgrades, "and Connection");
    }
}

static void test_upgrade(void)
{
    uint8_t body[16];

    begin_upgrade();
    exchange_continue(&x, &msg);
    ok(x.fresh, "never on an idle connection");
    exchange_connected(&x, false, now, 500);
    write_up_to(SIZE_MAX);
    is_int(x.sender.state, SENDER_HELD, "the other protocol begins after the 101");
    is_int(exchange_store(&x, STR("early")), 5, "kept");
    write_up_to(SIZE_MAX);
    is_int(x.queue.len, 5, "and held");
    is_int(answer("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
           EXCHANGE_GOES_ON, "101");
    is_int(exchange_put(&x), EXCHANGE_GOES_ON, "put");
    is_int(exchange_want(&x, true, false, now), EXCHANGE_OUT | EXCHANGE_IN, "both ways");
    is_int(x.deadline, EXCHANGE_NEVER, "without a limit");
    x.readable = true;
    is_int(exchange_body_read(&x, body, ERR_CLOSED, 16, now), 0, "the server has ended");
    is_int(exchange_put(&x), EXCHANGE_GOES_ON, "its direction");
    is_int(x.down, DOWN_DONE, "is over");
    ok(!exchange_lingers(&x), "the visitor's is not");
    exchange_end(&x, &msg);
    ok(exchange_lingers(&x), "now it is, but for bytes that the server has not taken");
    exchange_want(&x, false, false, now);
    is_int(x.deadline, now + 900, "for which it has its time");
    write_up_to(SIZE_MAX);
    is_int(exchange_flushed(&x), EXCHANGE_SHUT, "an end for the server");

    begin_upgrade();
    exchange_continue(&x, &msg);
    exchange_connected(&x, false, now, 500);
    write_up_to(SIZE_MAX);
    answer("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
    exchange_put(&x);
    x.readable = true;
    exchange_body_read(&x, body, ERR_CLOSED, 16, now);
    exchange_put(&x);
    fails(exchange_cut(&x), 502, "the local server has closed the connection");
}

static void test_plain(void)
{
    size_t room;

    shared.plain = true;
    begin("POST", NULL, NULL, true);
    is_int(exchange_body(&x, &msg, 3), EXCHANGE_GOES_ON, "its length may be known in a moment");
    exchange_store(&x, STR("abc"));
    is_int(exchange_end(&x, &msg), EXCHANGE_CONNECT, "at its end");
    is_int(x.sender.body, HTTP_BODY_LENGTH, "it is");
    is_int(exchange_grant(&x, 0, 0), 0, "there is no credit");
    exchange_connected(&x, false, now, 500);
    write_up_to(SIZE_MAX);
    exchange_flushed(&x);
    answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab");
    is_int(x.down, DOWN_PUT, "interim responses are left out");
    ok(!exchange_has_something(&x), "a short response goes out whole");
    is_int(exchange_want(&x, false, false, now), EXCHANGE_IN, "so the rest is read");
    x.readable = true;
    ok(exchange_gather_room(&x, &room) != NULL, "beside what is here");
    exchange_body_read(&x, x.head + x.ready_at + x.ready_len, 7, room, now);
    exchange_gathered(&x, 7);
    ok(exchange_gather_room(&x, &room) == NULL, "until it is all here");
    ok(exchange_has_something(&x), "then it goes");
    shared.plain = false;
}

static void test_credit(void)
{
    const uint64_t all = STREAM_WINDOW + POOL_SPARE, step = all / CREDIT_STEPS;

    begin("POST", NULL, NULL, true);
    is_int(exchange_grant(&x, 0, 0), 0, "none before it is known that a body comes");
    exchange_continue(&x, &msg);
    is_int(exchange_grant(&x, 0, 0), all, "all there is, for one");
    is_int(exchange_grant(&x, all, 0), 0, "once");
    is_int(exchange_grant(&x, all - step + 1, 0), 0, "a little is not worth a message");
    is_int(exchange_grant(&x, all - step, 0), step, "an eighth is");
    is_int(exchange_grant(&x, STREAM_WINDOW, 0), POOL_SPARE, "and again, when it is used");
    exchange_store(&x, STR("12345"));
    is_int(exchange_grant(&x, STREAM_WINDOW, 0), POOL_SPARE - 5, "but for what is still here");
    {
        struct credit_share second = { .shares = false };

        credit_join(&shared.credit, &second);
        is_int(credit_grant(&shared.credit, &second, 0, 0), STREAM_WINDOW,
               "what the first one has is not given twice");
        is_int(exchange_grant(&x, 0, 0), STREAM_WINDOW + POOL_SPARE / 2 - 5, "half for each");
        is_int(credit_grant(&shared.credit, &second, STREAM_WINDOW, 0), POOL_SPARE / 2, "of two");
        is_int(credit_grant(&shared.credit, &second, STREAM_WINDOW + POOL_SPARE / 2,
                            2 * LOCAL_ROOM),
               LOCAL_ROOM / 2, "so is what sockets are sure to take");
        credit_leave(&shared.credit, &second, STREAM_WINDOW + 1);
        is_int(shared.credit.used, POOL_SPARE, "kept while it is still in use");
        credit_leave(&shared.credit, &second, STREAM_WINDOW);
        is_int(shared.credit.used, POOL_SPARE / 2, "then given back");
    }
    is_int(exchange_grant(&x, all - 5, 2 * LOCAL_ROOM), LOCAL_ROOM,
           "what the socket is sure to take comes on top, within bounds");
    is_int(shared.credit.used, POOL_SPARE, "and is none of the pool's");
    is_int(exchange_grant(&x, all - 5, LOCAL_ROOM - 1), LOCAL_ROOM - 1, "no more than it takes");
    is_int(exchange_end(&x, &msg), EXCHANGE_GOES_ON, "the end");
    is_int(shared.credit.sharers, 0, "needs no more");
    exchange_release(&x);
    is_int(shared.credit.used, 0, "all is back");
}

int main(void)
{
    pool_init(&shared.pool, blocks);
    memset(long_url, '/', sizeof long_url);
    shared.timeout_ms = 900;
    shared.rules.streams = true;
    exchange_init(&x, &shared);
    test_connections();
    test_time();
    test_bodies();
    test_responses();
    test_long_head();
    test_refused_fields();
    test_bad_chunks();
    test_readable();
    test_no_content();
    test_upgrade();
    test_upgrade_fields();
    test_plain();
    test_credit();
    return done_testing();
}
