/*
 * A visitor's connection between a visitor and a tunnel that do everything in every order, cut at
 * every place: pipelined requests in pieces, a connection that takes as little as one byte, a
 * device that answers early, late, too much, too little, not at all, or gives up. What came out at
 * either end is compared with what went in.
 *
 * Whoever includes this says where the choices come from (choices.h), and calls `run` for each
 * connection.
 */
#ifndef ADIT_TEST_VISIT_MODEL_H
#define ADIT_TEST_VISIT_MODEL_H

#include <stdio.h>
#include <string.h>

#include "choices.h"
#include "err.h"
#include "core/visit.h"

#define REQUESTS 3
#define IN_MAX 20000
#define OUT_MAX 60000
#define STEPS_MAX 20000
#define WINDOW 900
#define PAGE_TEXT "sorry"

/* How it came to an answer. */
enum answered { ANSWERED_NOT, ANSWERED_PAGE, ANSWERED_BY_DEVICE };

/* A request, as the visitor means it, and what became of it. */
struct asked {
    bool head, upgrade, expects, keep_alive;
    unsigned minor;
    enum http_body_kind kind;
    size_t body_len;
    size_t body_got;         /* in the tunnel */
    bool ended;              /* ... to its end */
    enum answered how;
    unsigned status, interims;
    enum http_body_kind framing;
    size_t length, given;    /* of the response's body: declared, and said by the device */
    bool whole;              /* ... which has ended it */
};

enum ending { ENDING_NONE, ENDING_FINISH, ENDING_CUT, ENDING_CLOSE };

struct run {
    int64_t now;
    struct asked asked[REQUESTS];
    int count, current;
    /* the visitor */
    uint8_t in[IN_MAX];
    size_t in_len, in_sent, in_taken;
    bool leaves, left;
    uint8_t out[OUT_MAX];
    size_t out_len;
    /* the tunnel */
    bool queued, streams, doomed;
    uint64_t credit;         /* for the request's body */
    uint64_t window;         /* for the response's */
    uint64_t granted;
    enum ending ending;
    bool half;
    const char *wrong;       /* seen on the way */
};

static struct run r;
static struct visit v;
static uint8_t ring_data[VISIT_RING_EXTRA + WINDOW];
static const struct visit_times times = { 1000, 500, 300, 200, 400, 800, 50 };

static struct asked *asked(void)
{
    return &r.asked[r.current];
}

/* What stands at an offset of a request's body, and of its response's. */
static uint8_t request_byte(int i, size_t at)
{
    return (uint8_t)((size_t)i * 131 + at * 7 + (at >> 8));
}

static uint8_t response_byte(int i, size_t at)
{
    return (uint8_t)((size_t)i * 57 + at * 11 + (at >> 7) + 3);
}

/* ---- the visitor's requests ---- */

static void say(const char *text)
{
    memcpy(r.in + r.in_len, text, strlen(text));
    r.in_len += strlen(text);
}

static void say_body(int i, size_t from, size_t n)
{
    for (size_t at = from; at < from + n; at++)
        r.in[r.in_len++] = request_byte(i, at);
}

static void say_chunks(int i, size_t all)
{
    size_t at = 0;
    char line[24];

    while (at < all) {
        size_t n = 1 + below((uint32_t)(all - at));

        snprintf(line, sizeof line, "%zx\r\n", n);
        say(line);
        say_body(i, at, n);
        say("\r\n");
        at += n;
    }
    say("0\r\n\r\n");
}

static void choose(struct asked *a, bool last)
{
    static const enum http_body_kind kinds[] = { HTTP_BODY_NONE, HTTP_BODY_LENGTH,
                                                 HTTP_BODY_CHUNKED };

    a->minor = sometimes(6) ? 0 : 1;
    a->head = sometimes(6);
    a->upgrade = last && a->minor == 1 && !a->head && sometimes(4);
    a->kind = a->upgrade || a->head ? HTTP_BODY_NONE : kinds[below(a->minor ? 3 : 2)];
    if (a->kind != HTTP_BODY_NONE || a->upgrade)
        a->body_len = below(sometimes(3) ? 3000 : 60);
    a->expects = a->kind != HTTP_BODY_NONE && sometimes(5);
    a->keep_alive = a->upgrade || (a->minor == 1 && !sometimes(6));
}

static void make_request(int i)
{
    struct asked *a = &r.asked[i];
    char line[128];

    choose(a, i == r.count - 1);
    snprintf(line, sizeof line, "%s /%d HTTP/1.%u\r\nHost: a\r\n", a->head ? "HEAD" : "PUT", i,
             a->minor);
    say(line);
    if (a->expects)
        say("Expect: 100-continue\r\n");
    if (a->upgrade)
        say("Connection: upgrade\r\nUpgrade: bytes\r\n");
    else if (a->minor == 1 && !a->keep_alive)
        say("Connection: close\r\n");
    if (a->kind == HTTP_BODY_LENGTH) {
        snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", a->body_len);
        say(line);
        say_body(i, 0, a->body_len);
    } else if (a->kind == HTTP_BODY_CHUNKED) {
        say("Transfer-Encoding: chunked\r\n\r\n");
        say_chunks(i, a->body_len);
    } else {
        say("\r\n");
        say_body(i, 0, a->body_len);
    }
}

/* ---- what an owner does ---- */

static void progress(void)
{
    visit_progress(&v, r.now, r.in_sent);
}

static void release(void)
{
    r.streams = r.doomed = false;
    visit_let_go(&v);
}

/* True: half of the head is in the tunnel, and the rest has to follow. */
static bool detach(void)
{
    if (r.queued) {
        r.queued = false;
        visit_let_go(&v);
    } else if (r.streams && v.up == VISIT_PART) {
        r.doomed = true;
    } else if (r.streams) {
        release();
    }
    return r.doomed;
}

/* As conn_put: what the connection takes, 0 included. */
static size_t take(const uint8_t *p, size_t n)
{
    size_t taken = sometimes(3) ? 0 : sometimes(2) ? n : below((uint32_t)n + 1);

    if (taken > OUT_MAX - r.out_len)
        taken = OUT_MAX - r.out_len;
    memcpy(r.out + r.out_len, p, taken);
    r.out_len += taken;
    return taken;
}

static void put_raw(const uint8_t *p, size_t n)
{
    size_t sent = v.ring.len == 0 ? take(p, n) : 0;

    if (sent < n)
        visit_keep_raw(&v, p + sent, n - sent);
}

static void page(unsigned status)
{
    struct asked *a = asked();
    char text[160];
    bool doomed = detach();

    visit_page(&v, doomed);
    if (a->how != ANSWERED_NOT)
        r.wrong = "a page behind an answer";
    a->how = ANSWERED_PAGE;
    a->status = status;
    a->whole = true;
    snprintf(text, sizeof text, "HTTP/1.1 %u x\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n%s",
             status, sizeof PAGE_TEXT - 1, v.keep_alive ? "keep-alive" : "close",
             a->head ? "" : PAGE_TEXT);
    put_raw((const uint8_t *)text, strlen(text));
    progress();
}

static void break_off(unsigned status)
{
    if (visit_break(&v))
        detach();
    else
        page(status);
}

static bool put_some(struct str *fresh, size_t *freed)
{
    struct str piece[3];
    size_t all = visit_gather(&v, *fresh, piece), room, n = 0;

    if (all == 0 || sometimes(3))
        return false;
    room = sometimes(2) ? all : 1 + below((uint32_t)all);
    if (room > OUT_MAX - r.out_len)
        room = OUT_MAX - r.out_len;
    for (int i = 0; i < 3; i++) {
        size_t part = piece[i].n < room - n ? piece[i].n : room - n;

        if (part > 0)
            memcpy(r.out + r.out_len + n, piece[i].p, part);
        n += part;
    }
    r.out_len += n;
    *freed += visit_wrote(&v, piece, n, fresh);
    return n > 0;
}

static void grant(size_t n)
{
    r.window += n;
    r.granted += n;
}

static void obey(enum visit_verdict verdict)
{
    if (verdict == VISIT_NEXT) {
        if (!asked()->keep_alive || v.up != VISIT_DONE)
            r.wrong = "another request on a connection that cannot have one";
        r.current++;
        visit_next(&v, r.now);
    } else if (verdict == VISIT_FINISH || verdict == VISIT_CLOSE || verdict == VISIT_CUT) {
        detach();
        r.ending = verdict == VISIT_FINISH ? ENDING_FINISH
                   : verdict == VISIT_CUT  ? ENDING_CUT
                                           : ENDING_CLOSE;
    } else if (verdict == VISIT_HALF) {
        r.half = true;
        visit_shut(&v, r.now);
    } else if (verdict == VISIT_REFUSE) {
        page(v.code);
    }
}

/* ---- steps ---- */

/* Bytes of another protocol only when the server speaks it (RFC 9110 section 7.8). */
static void step_visitor(void)
{
    const struct asked *last = &r.asked[r.count - 1];
    size_t held_back = last->upgrade && v.upgrade != VISIT_UPGRADED ? last->body_len : 0;
    size_t n = r.in_len - held_back - r.in_sent;

    if (n > 0) {
        r.in_sent += sometimes(3) ? n : 1 + below((uint32_t)(n < 400 ? n : 400));
    } else if (r.leaves && sometimes(20)) {
        r.left = true;
    }
}

static void begin(const struct http_head *head)
{
    if (visit_begin(&v, head) < 0) {
        r.wrong = "a good head is refused";
        return;
    }
    if (head->target.n != 2 || head->target.p[1] != (uint8_t)('0' + r.current))
        r.wrong = "another request than the next one";
    if (asked()->upgrade)
        visit_ask_upgrade(&v);
    if (sometimes(12)) {
        v.keep_alive = v.keep_alive && sometimes(2);
        page(429);
    } else {
        r.queued = true;
        if (sometimes(2))
            visit_hold(&v, r.now);
        else
            visit_wait(&v, r.now);
    }
}

static void read_head(uint8_t *p, size_t n)
{
    struct http_head head;
    size_t taken;
    int len;

    if (r.current >= r.count) {
        r.wrong = "bytes of no request";
        return;
    }
    len = visit_read(&v, p, n, r.now, &taken, &head);
    r.in_taken += taken;
    if (len < 0)
        r.wrong = "a good head is malformed";
    else if (len > 0)
        begin(&head);
}

static void step_input(void)
{
    size_t n = r.in_sent - r.in_taken;

    if (n == 0 && r.left) {
        if (!visit_half_close(&v)) {
            detach();
            r.ending = ENDING_CLOSE;
        }
        r.left = r.leaves = false;
    } else if (n > 0 && v.up <= VISIT_HEAD) {
        read_head(r.in + r.in_taken, n);
    } else if (n > 0) {
        r.in_taken += visit_discard(&v, r.in + r.in_taken, n);
    }
}

static void step_stream(void)
{
    if (!r.queued)
        return;
    if (sometimes(4)) {
        visit_wait(&v, r.now);
        return;
    }
    r.queued = false;
    r.streams = true;
    r.credit = below(500);
    r.window = WINDOW;
    visit_open(&v);
    progress();
}

static void take_body(const uint8_t *p, size_t n)
{
    struct asked *a = asked();

    for (size_t i = 0; i < n; i++) {
        if (a->body_got >= a->body_len || p[i] != request_byte(r.current, a->body_got))
            r.wrong = "another body than the visitor's";
        a->body_got++;
    }
}

/* False: there is nothing that a message could have. */
static bool put_body(void)
{
    size_t filled = 0, most = 1 + below(300), data;
    bool ends = v.up == VISIT_END, more = false;

    if (!ends && r.credit == 0)
        return false;
    if (most > r.credit)
        most = (size_t)r.credit;
    while (!ends && filled < most && !v.body.done && r.in_taken < r.in_sent) {
        size_t n = r.in_sent - r.in_taken;
        int used = http_body_decode(&v.body, r.in + r.in_taken,
                                    n < most - filled ? n : most - filled, &data);

        if (used < 0) {
            r.wrong = "a good body is malformed";
            return false;
        }
        take_body(r.in + r.in_taken, data);
        filled += data;
        r.in_taken += (size_t)used;
    }
    if (!ends)
        more = !v.body.done;
    if (filled == 0 && more)
        return false;
    r.credit -= filled;
    visit_body_put(&v, more);
    if (!more) {
        asked()->ended = true;
        if (v.down >= VISIT_ANSWERED)
            release();
    }
    return true;
}

static void put_head(void)
{
    bool done = !sometimes(3);

    visit_head_put(&v, done);
    if (done && r.doomed)
        release();
}

static void step_put(void)
{
    bool received = r.in_taken < r.in_sent, put = false;

    if (!r.streams || !visit_pending(&v, received, r.credit > 0))
        return;
    if (visit_may_put_body(&v, received) && (v.up != VISIT_SENDS || sometimes(2)))
        put = put_body();
    if (!put && r.streams && visit_must_put_head(&v))
        put_head();
    if (put)
        progress();
}

static void device_interim(void)
{
    if (!visit_wants_interim(&v))
        return;
    visit_interim(&v, true);
    asked()->interims++;
    put_raw((const uint8_t *)"HTTP/1.1 100 Continue\r\n\r\n", 25);
    progress();
}

static void device_answer(void)
{
    struct asked *a = asked();
    uint8_t out[VISIT_RESPONSE_HEAD_MAX], fields[64];
    bool keep_alive = v.keep_alive, sized = sometimes(2), switches = sometimes(2);
    struct relay_response framing;
    struct wire_msg m;
    struct writer w;
    char number[24];

    a->length = below(sometimes(3) ? 4000 : 100);
    writer_init(&w, fields, sizeof fields);
    snprintf(number, sizeof number, "%zu", a->length);
    /* An upgrade that nobody has asked for is a mistake of the device. */
    switches = a->upgrade ? switches : sometimes(30);
    if (switches) {
        wire_header_pack(&w, STR("connection"), STR("upgrade"));
        wire_header_pack(&w, STR("upgrade"), STR("bytes"));
    } else if (sized) {
        wire_header_pack(&w, STR("content-length"), str_of(number));
    }
    wire_http_response(&m, (struct str){ 0 }, switches ? 101 : 200,
                       (struct wire_headers){ { fields, writer_stored(&w) } }, true);
    writer_init(&w, out, sizeof out);
    if (relay_response_write(&w, &m, v.msg.method, v.minor, keep_alive, &framing) < 0 ||
        !visit_answer(&v, &framing, keep_alive)) {
        if (!switches || a->upgrade)
            r.wrong = "a good answer is refused";
        break_off(502);
        return;
    }
    if (switches && !a->upgrade)
        r.wrong = "an upgrade that nobody asked for";
    a->how = ANSWERED_BY_DEVICE;
    a->status = switches ? 101 : 200;
    a->framing = framing.body;
    put_raw(out, writer_stored(&w));
    progress();
}

static void device_body(void)
{
    struct asked *a = asked();
    size_t most = a->framing == HTTP_BODY_LENGTH ? a->length - a->given : 300, n, freed = 0;
    uint8_t bytes[300];
    struct str rest = { bytes, 0 };
    int wanted;

    n = most < 300 ? most : 300;
    n = n < r.window ? n : (size_t)r.window;
    n = n > 0 ? 1 + below((uint32_t)n) : 0;
    if (sometimes(60) && a->framing == HTTP_BODY_LENGTH && r.window >= most + 1 && most < 300)
        n = most + 1;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        bytes[i] = response_byte(r.current, a->given + i);
    rest.n = n;
    r.window -= n;
    wanted = visit_body(&v, n);
    if (wanted < 0) {
        if (n <= most)
            r.wrong = "a good body is refused";
        break_off(502);
        return;
    }
    if (wanted == 0) {
        grant(n);
        return;
    }
    if (n > most && a->framing == HTTP_BODY_LENGTH)
        r.wrong = "more than the length says";
    a->given += n;
    while (v.ring.len == 0 && rest.n > 0 && put_some(&rest, &freed))
        ;
    grant(n - rest.n);
    if (rest.n > 0)
        visit_keep(&v, rest);
    progress();
}

static void device_end(bool broken)
{
    struct asked *a = asked();
    bool complete = a->framing != HTTP_BODY_LENGTH || a->given == a->length;
    bool upgraded = v.upgrade == VISIT_UPGRADED;

    if (v.up == VISIT_DONE) {
        release();
    } else if (!upgraded) {
        v.keep_alive = false;
        detach();
    }
    if (!visit_end(&v, broken))
        page(502);
    else
        a->whole = complete && !broken;
}

/* The device hears of a request when its head is whole. */
static void step_device(void)
{
    uint32_t which = below(100);

    if (!r.streams || r.doomed || (v.up != VISIT_BODY && v.up != VISIT_END && v.up != VISIT_DONE))
        return;
    if (which == 0)
        detach(), break_off(503);
    else if (v.down == VISIT_ASKED && which < 10)
        device_interim();
    else if (v.down == VISIT_ASKED && which < 30)
        device_answer();
    else if (v.down == VISIT_ASKED && which < 31)
        device_end(false);
    else if (v.down == VISIT_ANSWERS && which < 80)
        device_body();
    else if (v.down == VISIT_ANSWERS && which < 88 &&
             (asked()->framing != HTTP_BODY_LENGTH || asked()->given == asked()->length))
        device_end(false);
    else if (v.down == VISIT_ANSWERS && which == 88)
        device_end(sometimes(2));
    else if (which > 90)
        r.credit += below(400);
}

static void step_output(void)
{
    struct str none = { NULL, 0 };
    size_t held = v.ring.len, freed = 0;

    while (put_some(&none, &freed))
        ;
    grant(freed);
    if (v.ring.len != held)
        progress();
    obey(visit_settle(&v, false, false));
}

static void step(void)
{
    uint32_t which = below(100);

    if (which < 20)
        step_visitor();
    else if (which < 40)
        step_input();
    else if (which < 45)
        step_stream();
    else if (which < 60)
        step_put();
    else if (which < 80)
        step_device();
    else if (which < 99)
        step_output();
    else
        r.now += below(20);
}

/* ---- what must hold ---- */

static void check(void)
{
    bool received = r.in_taken < r.in_sent;

    if (v.ring.len > v.ring.cap || v.raw_left > v.ring.len)
        r.wrong = "the ring has more than it holds";
    if (r.streams && v.down == VISIT_ANSWERS && v.upgrade == VISIT_HTTP &&
        v.sender.body != HTTP_BODY_NONE && r.window + (v.ring.len - v.raw_left) != WINDOW)
        r.wrong = "credit was lost, or came from nowhere";
    if (v.deadline == VISIT_NEVER)
        r.wrong = "nothing ends this";
    if (!r.streams && visit_pending(&v, received, false))
        r.wrong = "something for a stream that is gone";
    if (r.streams && v.up < VISIT_SENDS)
        r.wrong = "a stream without a request";
}

static bool body_is_right(int i, const uint8_t *p, size_t n)
{
    const struct asked *a = &r.asked[i];

    if (a->how == ANSWERED_PAGE)
        return n <= (a->head ? 0 : sizeof PAGE_TEXT - 1) && memcmp(p, PAGE_TEXT, n) == 0;
    for (size_t at = 0; at < n; at++) {
        if (p[at] != response_byte(i, at))
            return false;
    }
    return n <= a->given;
}

/* One response at *at; `must`: it has to be there, whole. */
static const char *check_response(int i, size_t *at, bool must)
{
    const struct asked *a = &r.asked[i];
    struct http_framing framing;
    struct http_body body;
    struct http_head head;
    size_t data = 0;
    unsigned interims = 0;
    int len, used;

    for (;;) {
        len = http_response_parse(r.out + *at, r.out_len - *at, 0, &head);
        if (len < 0)
            return "the visitor gets no HTTP";
        if (len == 0)
            return must ? "a response is missing" : NULL;
        if (head.status != 100)
            break;
        *at += (size_t)len;
        interims++;
    }
    if (interims > a->interims || head.status != a->status || a->how == ANSWERED_NOT)
        return "a response that nobody gave";
    if (http_response_framing(&head, a->head ? STR("HEAD") : STR("GET"), &framing) < 0)
        return "a response without framing";
    *at += (size_t)len;
    http_body_init(&body, &framing);
    used = http_body_decode(&body, r.out + *at, r.out_len - *at, &data);
    if (used < 0 || !body_is_right(i, r.out + *at, data))
        return "another body than the device's";
    *at += (size_t)used;
    if (body.kind == HTTP_BODY_CLOSE || body.kind == HTTP_BODY_TUNNEL)
        return must && a->whole && data != a->given ? "a part of the body is missing" : NULL;
    if (body.done && body.kind == HTTP_BODY_CHUNKED && !a->whole)
        return "a broken response looks whole";
    return must && !body.done ? "a response has no end" : NULL;
}

static const char *check_request(int i)
{
    const struct asked *a = &r.asked[i];

    if (a->ended && !a->upgrade && a->body_got != a->body_len)
        return "the device misses a part of the body";
    return NULL;
}

static const char *problem(void)
{
    const char *wrong = r.wrong;
    size_t at = 0;

    if (wrong == NULL && r.ending == ENDING_NONE)
        wrong = "it never ends";
    for (int i = 0; wrong == NULL && i < r.count && i <= r.current; i++) {
        bool must = i < r.current || (r.ending == ENDING_FINISH && r.asked[i].how != ANSWERED_NOT);

        wrong = check_response(i, &at, must);
        if (wrong == NULL)
            wrong = check_request(i);
    }
    if (wrong == NULL && at != r.out_len && r.ending == ENDING_FINISH)
        wrong = "bytes behind the last response";
    return wrong;
}

/* One connection: what was wrong with it, or NULL. `r` tells of its end. */
static const char *run(void)
{
    unsigned steps = 0;

    memset(&r, 0, sizeof r);
    r.count = 1 + (int)below(REQUESTS);
    for (int i = 0; i < r.count; i++)
        make_request(i);
    r.leaves = sometimes(4);
    memset(&v, 0, offsetof(struct visit, head));
    v.ring = (struct ring){ ring_data, sizeof ring_data, 0, 0 };
    visit_start(&v, &times, r.now);
    while (r.ending == ENDING_NONE && r.wrong == NULL && steps++ < STEPS_MAX) {
        step();
        check();
        if (r.ending == ENDING_NONE && r.now >= v.deadline)
            obey(visit_on_time(&v, r.now, r.in_sent, (r.in_taken < r.in_sent), r.credit > 0));
        /* Nobody has anything to do any more: then the time ends it. */
        if (steps > STEPS_MAX / 4)
            r.now += 10;
    }
    return problem();
}

#endif
