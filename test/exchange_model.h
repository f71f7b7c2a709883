/*
 * An exchange between a tunnel and a local server that do everything in every order, cut at every
 * place: the visitor's body in pieces, a server that takes and gives as little as one byte, answers
 * early, late, in between, not at all, dies idle, in the head, in the body. What came out at either
 * end is compared with what went in, and what was shared has to be whole again.
 *
 * Whoever includes this says where the choices come from (choices.h), and calls model_init once and
 * `run` for each exchange.
 */
#ifndef ADIT_TEST_EXCHANGE_MODEL_H
#define ADIT_TEST_EXCHANGE_MODEL_H

#include <stdio.h>
#include <string.h>

#include "choices.h"
#include "err.h"
#include "core/exchange.h"

#define BODY_MAX 6000
#define OUT_MAX 40000
#define STEPS_MAX 60000
#define TIMEOUT_MS 1000

static struct exchange_shared shared;
static struct exchange x;
static uint8_t blocks[POOL_BLOCKS][POOL_BLOCK];

/* How the server's answer is framed, or what is wrong with it. */
enum answer { ANSWER_LENGTH, ANSWER_CHUNKED, ANSWER_CLOSE, ANSWER_EMPTY, ANSWER_101, ANSWER_BAD,
              ANSWER_KINDS };

struct run {
    int64_t now;
    /* the visitor */
    struct wire_msg msg;
    uint8_t fields[256];
    enum http_body_kind kind;
    uint8_t body[BODY_MAX];
    size_t body_len, given;
    bool more_said, end_said;
    /* the local server */
    bool connected, reused, dead, server_ended;
    unsigned connections;
    uint8_t request[OUT_MAX];
    size_t request_len;
    enum answer answer;
    uint8_t response[OUT_MAX];
    size_t response_len, head_len, sent;
    size_t cut_at;                 /* of the response; SIZE_MAX: nowhere */
    bool answers_early;
    unsigned interims;
    /* what the visitor gets */
    uint8_t got[OUT_MAX];
    size_t got_len;
    unsigned interims_got;
    unsigned status;
    bool complete, shut;
    unsigned failed;
    size_t declared;               /* the Content-Length */
    uint64_t credit;               /* granted and not used yet */
    const char *wrong;             /* seen on the way */
};

static struct run r;

/* ---- the parts ---- */

static void make_request(void)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "HEAD" };
    struct str method = str_of(methods[below(4)]);
    bool has_body = below(2);
    char length[24];
    struct writer w;

    r.body_len = has_body ? 1 + below(sometimes(4) ? BODY_MAX - 1 : 200) : 0;
    for (size_t i = 0; i < r.body_len; i++)
        r.body[i] = (uint8_t)below(256);
    writer_init(&w, r.fields, sizeof r.fields);
    wire_header_pack(&w, STR("host"), STR("a.test"));
    r.kind = has_body ? HTTP_BODY_CHUNKED : HTTP_BODY_NONE;
    if (r.answer == ANSWER_101) {
        method = STR("GET");
        wire_header_pack(&w, STR("connection"), STR("upgrade"));
        wire_header_pack(&w, STR("upgrade"), STR("bytes"));
        r.kind = HTTP_BODY_TUNNEL;
    } else if (has_body && below(2)) {
        r.declared = r.body_len;
        if (sometimes(8))
            r.declared += below(2) ? 1 + below(9) : (size_t)0 - below((uint32_t)r.body_len);
        snprintf(length, sizeof length, "%zu", r.declared);
        wire_header_pack(&w, STR("content-length"), str_of(length));
        r.kind = HTTP_BODY_LENGTH;
    }
    wire_http_request(&r.msg, (struct str){ 0 }, method, STR("/x"),
                      (struct wire_headers){ { r.fields, writer_stored(&w) } },
                      r.body_len > 0 || r.kind == HTTP_BODY_TUNNEL);
}

static void put(const void *p, size_t n)
{
    memcpy(r.response + r.response_len, p, n);
    r.response_len += n;
}

static void put_text(const char *text)
{
    put(text, strlen(text));
}

static uint8_t data[BODY_MAX];
static size_t data_len;

static void put_chunked(void)
{
    size_t at = 0;

    while (at < data_len) {
        size_t n = 1 + below(700);
        char head[24];

        n = n < data_len - at ? n : data_len - at;
        snprintf(head, sizeof head, "%zx\r\n", n);
        put_text(head);
        put(data + at, n);
        put_text("\r\n");
        at += n;
    }
    put_text("0\r\n\r\n");
}

static void make_response(void)
{
    char line[64];

    data_len = below(sometimes(4) ? BODY_MAX : 300);
    for (size_t i = 0; i < data_len; i++)
        data[i] = (uint8_t)below(256);
    r.interims = sometimes(3) ? below(3) : 0;
    for (unsigned i = 0; i < r.interims; i++)
        put_text("HTTP/1.1 102 Processing\r\nx: y\r\n\r\n");
    switch (r.answer) {
    case ANSWER_LENGTH:
        snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", data_len);
        put_text(line);
        break;
    case ANSWER_CHUNKED:
        put_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        break;
    case ANSWER_CLOSE:
        put_text("HTTP/1.1 200 OK\r\n\r\n");
        break;
    case ANSWER_101:
        put_text(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: bytes\r\n\r\n");
        break;
    case ANSWER_EMPTY:
        put_text("HTTP/1.1 204 No Content\r\n\r\n");
        break;
    default:
        put_text("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
    }
    r.head_len = r.response_len;
    if (r.answer == ANSWER_EMPTY || r.answer == ANSWER_BAD || str_eq(r.msg.method, STR("HEAD")))
        data_len = 0;
    else if (r.answer == ANSWER_CHUNKED)
        put_chunked();
    else
        put(data, data_len);
    r.cut_at = sometimes(4) ? below((uint32_t)r.response_len + 1) : SIZE_MAX;
}

/* ---- what an owner does ---- */

static enum exchange_verdict flush(void);

static enum exchange_verdict connect_to(bool fresh)
{
    /* What may not be done twice has not been begun, nor has anything been answered. */
    if (r.request_len > 0 && (!r.reused || !x.request.repeatable || r.sent > 0))
        r.wrong = "sent twice";
    if (!fresh && !x.request.repeatable)
        r.wrong = "on a connection that may be dying";
    r.connections++;
    if (!fresh && sometimes(2)) {
        r.reused = true;
        r.dead = sometimes(3);
    } else {
        r.reused = false;
        r.dead = false;
        if (sometimes(20))
            return exchange_fail(&x, 502, "unreachable");
    }
    r.connected = true;
    r.request_len = 0;
    r.sent = 0;
    r.server_ended = false;
    exchange_connected(&x, r.reused, r.now, TIMEOUT_MS);
    return EXCHANGE_GOES_ON;
}

static void obey(enum exchange_verdict verdict)
{
    while (verdict != EXCHANGE_GOES_ON) {
        enum exchange_verdict next = EXCHANGE_GOES_ON;

        if (verdict == EXCHANGE_CONNECT) {
            next = connect_to(x.fresh);
            if (next == EXCHANGE_GOES_ON)
                next = flush();
        } else if (verdict == EXCHANGE_ELSEWHERE) {
            next = sometimes(2) ? connect_to(true) : exchange_fail(&x, 502, "unreachable");
        } else if (verdict == EXCHANGE_FAILED) {
            r.failed = x.code;
            r.connected = false;
        } else if (verdict == EXCHANGE_SHUT) {
            r.shut = true;
        } else {
            r.complete = true;
            r.connected = false;
        }
        verdict = next;
    }
}

/* As writev: some of it, nothing, or an error. */
static int take(const struct str piece[3], size_t all)
{
    size_t n = sometimes(4) ? 0 : sometimes(2) ? all : 1 + below((uint32_t)all), left;

    if (r.dead)
        return ERR_CLOSED;
    left = n;
    for (int i = 0; i < 3; i++) {
        size_t part = left < piece[i].n ? left : piece[i].n;

        if (r.request_len + part > OUT_MAX)
            return ERR_SYS;
        if (part > 0)
            memcpy(r.request + r.request_len, piece[i].p, part);
        r.request_len += part;
        left -= part;
    }
    /* RFC 9110 section 7.8. */
    if (r.kind == HTTP_BODY_TUNNEL && r.request_len > x.head_len && r.sent < r.head_len)
        r.wrong = "the other protocol before the 101";
    return (int)n;
}

static int write_out(struct str bytes)
{
    size_t given = bytes.n;

    for (;;) {
        struct str piece[3];
        size_t all = sender_gather(&x.sender, bytes, piece);
        int n = all > 0 ? take(piece, all) : 0;

        if (n <= 0)
            return n < 0 ? n : (int)(given - bytes.n);
        exchange_progress(&x, r.now);
        sender_wrote(&x.sender, piece, (size_t)n, &bytes);
        if ((size_t)n < all || (given > 0 && bytes.n == 0))
            return (int)(given - bytes.n);
    }
}

static enum exchange_verdict flush(void)
{
    int n;

    if (x.up != UP_SENDS)
        return EXCHANGE_GOES_ON;
    while ((n = write_out(exchange_peek(&x))) > 0)
        exchange_pop(&x, (size_t)n);
    return n < 0 ? exchange_cut(&x) : exchange_flushed(&x);
}

/* ---- steps ---- */

static bool over(void)
{
    return r.complete || r.failed;
}

/* The visitor's next bytes, or the end of them. */
static void step_visitor(void)
{
    size_t n = r.body_len - r.given, taken = 0;
    struct str piece;

    if (r.end_said)
        return;
    if (!r.more_said && r.msg.more && sometimes(2)) {
        r.more_said = true;
        obey(exchange_continue(&x, &r.msg));
        return;
    }
    if (n == 0) {
        r.end_said = true;
        obey(exchange_end(&x, &r.msg));
        if (!over())
            obey(flush());
        return;
    }
    n = sometimes(3) ? n : 1 + below((uint32_t)n);
    if (!shared.plain && n > STREAM_WINDOW)
        n = STREAM_WINDOW;
    r.credit = r.credit > n ? r.credit - n : 0;
    piece = (struct str){ r.body + r.given, n };
    obey(exchange_body(&x, &r.msg, n));
    if (exchange_is_direct(&x)) {
        int wrote = write_out(piece);

        if (wrote < 0) {
            obey(exchange_cut(&x));
            taken = n;
        } else {
            exchange_sent(&x, (size_t)wrote);
            taken = (size_t)wrote;
        }
    }
    if (taken < n)
        taken += exchange_store(&x, (struct str){ piece.p + taken, n - taken });
    if (taken < n)
        obey(exchange_continue(&x, &r.msg));
    r.given += taken;
}

static int server_read(uint8_t *p, size_t room)
{
    size_t end = r.response_len < r.cut_at ? r.response_len : r.cut_at;
    size_t n = end - r.sent;

    if (r.dead)
        return ERR_CLOSED;
    if (n == 0)
        return r.cut_at <= r.response_len || r.answer == ANSWER_CLOSE || r.answer == ANSWER_101
                   ? ERR_CLOSED : 0;
    if (sometimes(4))
        return 0;
    n = sometimes(2) ? n : 1 + below((uint32_t)n);
    n = n < room ? n : room;
    memcpy(p, r.response + r.sent, n);
    r.sent += n;
    return (int)n;
}

static int read_body(uint8_t *p, size_t max)
{
    size_t want;

    while ((want = exchange_want_body(&x, max)) > 0) {
        int n = exchange_body_read(&x, p, server_read(p, want), want, r.now);

        if (n != 0)
            return n;
    }
    return 0;
}

static void step_server(void)
{
    size_t room;
    uint8_t *p;

    x.readable = true;
    p = exchange_head_room(&x, &room);
    if (p) {
        obey(exchange_head_read(&x, server_read(p, room), r.now));
        obey(flush());
        return;
    }
    while ((p = exchange_gather_room(&x, &room)) != NULL) {
        int n = read_body(p, room);

        if (n < 0) {
            obey(exchange_fail(&x, 502, "broke off"));
            return;
        }
        exchange_gathered(&x, (size_t)n);
    }
}

static void step_put(void)
{
    size_t max = 1 + below(sometimes(2) ? 3000 : 20);
    int n;

    if (!exchange_has_something(&x))
        return;
    if (x.down == DOWN_INTERIM) {
        r.interims_got++;
    } else {
        bool first = x.down == DOWN_PUT;

        r.status = x.status;
        if (r.got_len + max > OUT_MAX)
            max = OUT_MAX - r.got_len;
        n = x.ready_len > 0 ? (int)exchange_take_ready(&x, r.got + r.got_len, max)
                            : read_body(r.got + r.got_len, max);
        if (n < 0) {
            obey(exchange_fail(&x, 502, "broke off"));
            return;
        }
        r.got_len += (size_t)n;
        if (n == 0 && !first && !exchange_is_last(&x))
            return;
    }
    obey(exchange_put(&x));
    obey(flush());
}

/* The owner's loop: who wants nothing of the connection gets nothing. */
static void step_connection(bool out)
{
    unsigned want = exchange_want(&x, true, false, r.now);

    if (out && (want & EXCHANGE_OUT))
        obey(flush());
    /* A server that waits for the whole request, unless it answers early. */
    if (!out && (want & EXCHANGE_IN) && exchange_listens(&x) && r.connected &&
        (r.answers_early || r.dead || x.up == UP_DONE || x.sender.state == SENDER_HELD ||
         x.down > DOWN_HEAD))
        step_server();
}

static bool can_wait(void)
{
    return x.deadline != EXCHANGE_NEVER;
}

static void step(void)
{
    uint32_t which = below(100);

    if (which < 30)
        step_visitor();
    else if (which < 55 && r.connected)
        step_connection(true);
    else if (which < 80 && r.connected)
        step_connection(false);
    else if (which < 99)
        step_put();
    else
        r.now += below(30);
}

/* ---- what must hold ---- */

/* Credit is given within the pool, and only while the body goes on. */
static void check_credit(void)
{
    uint64_t n = exchange_grant(&x, r.credit, 0);

    r.credit += n;
    if (r.credit + x.queue.len > STREAM_WINDOW + POOL_SPARE)
        r.wrong = "more credit than room";
    if (n > 0 && (shared.plain || x.up == UP_NONE || x.up == UP_DONE || r.end_said))
        r.wrong = "credit that nobody needs";
}

/* Whenever it is the local server's turn, and only then, its time runs. */
static void check_deadline(void)
{
    unsigned want = exchange_want(&x, true, false, r.now);
    bool runs = x.deadline != EXCHANGE_NEVER;

    if (!r.connected || x.body.kind == HTTP_BODY_TUNNEL || over())
        return;
    if ((want & EXCHANGE_OUT) && !runs)
        r.wrong = "no deadline for what is to be written";
    if (x.up == UP_DONE && (want & EXCHANGE_IN) && !runs)
        r.wrong = "no deadline for the response";
    if (x.up == UP_SENDS && want == EXCHANGE_IN && x.down <= DOWN_HEAD && runs &&
        x.request.body != HTTP_BODY_TUNNEL)
        r.wrong = "a deadline while the visitor is waited for";
}

static bool length_is_wrong(void)
{
    return r.kind == HTTP_BODY_LENGTH && r.declared != r.body_len;
}

static bool whole(void)
{
    return shared.pool.free_count == POOL_BLOCKS && shared.credit.sharers == 0 &&
           shared.credit.used == 0;
}

/* Is what the server got the request, all of it or (if it answered before) its beginning? */
static bool request_is_right(void)
{
    struct http_framing framing;
    struct http_body body;
    struct http_head head;
    size_t n, at = 0;
    int len = http_request_parse(r.request, r.request_len, 0, &head);

    if (len <= 0 || http_request_framing(&head, &framing) < 0)
        return false;
    if (r.kind == HTTP_BODY_TUNNEL)
        return r.request_len - (size_t)len <= r.body_len &&
               memcmp(r.request + len, r.body, r.request_len - (size_t)len) == 0;
    http_body_init(&body, &framing);
    if (http_body_decode(&body, r.request + len, r.request_len - (size_t)len, &n) < 0)
        return false;
    at = n;
    return at <= r.body_len && memcmp(r.request + len, r.body, at) == 0 &&
           (r.answers_early || body.done) && (!body.done || at == r.body_len);
}

static bool response_is_right(void)
{
    unsigned status = r.answer == ANSWER_101 ? 101 : r.answer == ANSWER_EMPTY ? 204 : 200;

    return r.status == status && r.got_len <= data_len && memcmp(r.got, data, r.got_len) == 0 &&
           (r.got_len == data_len || r.cut_at < r.response_len) &&
           (shared.plain || r.interims_got == r.interims);
}

/* May a request like this one come to such an end? */
static bool end_is_right(void)
{
    if (r.failed == 400)
        return length_is_wrong();
    if (r.complete && length_is_wrong())
        return r.answers_early;
    if (r.complete)
        return r.answer != ANSWER_BAD && request_is_right() && response_is_right();
    /* All of an upgraded connection came through: nobody has failed. */
    if (r.shut && r.cut_at == SIZE_MAX)
        return false;
    return r.failed == 502 || r.failed == 504;
}

static const char *problem(void)
{
    if (r.wrong != NULL)
        return r.wrong;
    if (!over() && !(r.answer == ANSWER_101 && x.down == DOWN_DONE && x.up == UP_DONE))
        return "it never ends";
    exchange_release(&x);
    if (!whole())
        return "something shared is not given back";
    if (over() && !end_is_right())
        return r.complete ? "what came out is not what went in" : "a wrong code";
    return NULL;
}

static void model_init(void)
{
    pool_init(&shared.pool, blocks);
    exchange_init(&x, &shared);
}

/* One exchange: what was wrong with it, or NULL. `r` tells of its end. */
static const char *run(void)
{
    unsigned steps = 0;

    memset(&r, 0, sizeof r);
    shared.plain = sometimes(4);
    shared.rules.streams = !shared.plain;
    shared.timeout_ms = TIMEOUT_MS;
    r.answer = (enum answer)below(shared.plain ? ANSWER_101 : ANSWER_KINDS);
    r.answers_early = sometimes(3);
    make_request();
    make_response();
    exchange_request(&x);
    while (!over() && steps++ < STEPS_MAX && !(x.down == DOWN_DONE && x.up == UP_DONE)) {
        step();
        check_credit();
        check_deadline();
        if (r.now >= x.deadline)
            obey(exchange_on_time(&x));
        /* Neither end has anything to do any more: then the time ends it. */
        if (steps > STEPS_MAX / 2 && can_wait())
            r.now += 10;
    }
    return problem();
}

#endif
