/* Frames around messages, sent: every room, parts, bodies in place. */
#include "link_trace.h"
#include "tap.h"

static const uint8_t key[4] = { 0x01, 0x80, 0xff, 0x33 };
static uint8_t body[70000];

static struct wire_headers headers(size_t len)
{
    static uint8_t packed[4200];
    static uint8_t value[4000];
    struct writer w;

    memset(value, 'v', len);
    writer_init(&w, packed, sizeof packed);
    wire_header_pack(&w, STR("x"), (struct str){ value, len });
    return (struct wire_headers){ { packed, w.len } };
}

static void response(struct wire_msg *m, size_t header_len)
{
    wire_http_response(m, STR("id-1"), 200, headers(header_len), false);
}

/* What the other end reads of it. */
static void hear(struct trace *t, const uint8_t *p, size_t n)
{
    if (n > 0)
        trace_piece(t, p, n, 0);
    if (t->err < 0)
        diag("%s", err_text(t->err));
}

/* ---- control frames ---- */

static void control(bool client)
{
    static const uint8_t opcodes[] = { WS_CLOSE, WS_PING, WS_PONG };
    struct link l;
    size_t n;
    bool good = true;

    link_init(&l, client, UPGRADE_TLV);
    for (n = 0; n <= WS_CONTROL_MAX; n++) {
        size_t room = (client ? 8 : 4) + n;
        uint8_t *out = tap_guard_end(room);
        uint8_t *less = tap_guard_end(room - 1);
        struct trace t;
        size_t len = link_put_control(&l, out, room, opcodes[1 + n % 2], n ? body : NULL, n, key);

        good = good && len == (client ? 6 : 2) + n;
        good = good && link_put_control(&l, less, room - 1, WS_PING, body, n, key) == 0;
        good = good && link_put_control(&l, less, 0, WS_PING, body, n, key) == 0;
        trace_init(&t, !client, UPGRADE_TLV);
        hear(&t, out, len);
        good = good && t.err == 0 && t.len == 5 + n && t.text[1] == "io"[n % 2] &&
               memcmp(t.text + 4, body, n) == 0;
        trace_free(&t);
        tap_guard_free(out, room);
        tap_guard_free(less, room - 1);
    }
    ok(good, "control frames of every length, in the room they need");
}

/* ---- whole messages ---- */

static void whole(bool client, enum upgrade_protocol protocol)
{
    struct link l;
    struct trace t;
    struct wire_msg m;
    size_t cap;
    size_t n = 0;
    uint8_t *out = NULL;

    link_init(&l, client, protocol);
    response(&m, 50);
    m.body = STR("body");
    m.has |= WIRE_HAS(WIRE_BODY);
    for (cap = 0; n == 0 && cap < 1000; cap++) {
        out = tap_guard_end(cap ? cap : 1);
        n = link_put(&l, out, cap, &m, key);
        if (n == 0)
            tap_guard_free(out, cap ? cap : 1);
    }
    cap--;
    ok(n > 0 && n <= cap && cap - n <= 2, "put in %zu bytes of room, no earlier than it fits", cap);
    trace_init(&t, !client, protocol);
    hear(&t, out, n);
    ok(t.ends == 1 && t.err == 0 && memcmp(t.text + t.len - 5, "body.", 5) == 0, "whole");
    trace_free(&t);
    tap_guard_free(out, cap);
    out = tap_guard_end(140000);
    m.body = (struct str){ body, sizeof body };
    is_int(link_put(&l, out, 140000, &m, key), 0, "not more than two bytes of length can say");
    l.tx_open = true;
    response(&m, 5);
    is_int(link_put(&l, out, 140000, &m, key), 0, "not within another message");
    tap_guard_free(out, 140000);
}

/* Nothing but its type. */
static void shortest(void)
{
    static const struct wire_msg m = { .type = WIRE_GOAWAY };
    struct link l;
    uint8_t out[16];
    size_t cap = 0;

    link_init(&l, false, UPGRADE_TLV);
    while (cap < sizeof out && link_put(&l, out, cap, &m, key) == 0)
        cap++;
    is_int(cap, 4 + 1, "a message of one byte needs that behind the room for a head");
}

/* ---- in parts ---- */

static void parts(bool client, enum upgrade_protocol protocol, size_t cap)
{
    struct link l;
    struct trace t;
    struct wire_msg m;
    size_t offset = 0;
    size_t sum = 0;
    unsigned count = 0;
    bool done = false;
    bool good = true;

    link_init(&l, client, protocol);
    trace_init(&t, !client, protocol);
    response(&m, 3000);
    while (!done && count < 1000) {
        uint8_t *out = tap_guard_end(cap);
        size_t n = link_put_part(&l, out, cap, &m, false, &offset, &done, key);

        good = good && n > 0 && n <= cap;
        good = good && (out[0] & 15) == (count > 0 ? 0 : protocol == UPGRADE_TLV ? 2 : 1);
        good = good && ((out[0] & 128) != 0) == done && l.tx_open == !done;
        hear(&t, out, n);
        sum += n;
        count++;
        tap_guard_free(out, cap);
    }
    ok(good && done && offset > 3000, "in %u parts of up to %zu bytes", count, cap);
    ok(count == (sum - 1) / cap + 1 || sum / count > cap - 10, "which are full");
    ok(t.err == 0 && t.ends == 1 && t.heads == 1, "heard as one message");
    ok(t.len > 3000 && t.text[t.len - 3] == 'v', "whole");
    trace_free(&t);
}

static void small_parts(void)
{
    struct link l;
    struct wire_msg m;
    uint8_t out[300];
    size_t offset = 0;
    size_t cap;
    bool done = true;
    bool good = true;

    link_init(&l, false, UPGRADE_TLV);
    response(&m, 3000);
    for (cap = 0; cap < 256 + 4; cap++)
        good = good && link_put_part(&l, out, cap, &m, false, &offset, &done, key) == 0 && !done;
    ok(good && offset == 0 && !l.tx_open, "a part of less than 256 bytes is not begun");
    is_int(link_put_part(&l, out, 260, &m, false, &offset, &done, key), 260, "one of 256 is");
    response(&m, 10);
    offset = 0;
    is_int(link_put_part(&l, out, 260, &m, false, &offset, &done, key), 0,
           "no other message within it");
}

/* ---- bodies in place ---- */

/* A message with its body in pieces of `piece` bytes, each in room for exactly `cap`. */
static void in_place(bool client, enum upgrade_protocol protocol, size_t piece, size_t total,
                     size_t cap)
{
    struct link l;
    struct trace t;
    struct wire_msg m;
    size_t at = 0;
    bool good = true;
    bool more = true;
    const bool streams = protocol != UPGRADE_PLAIN;

    link_init(&l, client, protocol);
    trace_init(&t, !client, protocol);
    response(&m, 20);
    while (more && good) {
        uint8_t *out = tap_guard_end(cap);
        struct link_body b;
        size_t len = total - at < piece ? total - at : piece;
        size_t n;

        good = link_body_begin(&l, &b, out, cap, 1, at == 0 || streams ? &m : NULL) && b.max > 0;
        if (!good)
            break;
        len = len < b.max ? len : b.max;
        memcpy(b.body, body + at, len);
        at += len;
        more = at < total;
        n = link_body_end(&l, &b, len, more, more && !streams, (struct str){ 0 }, key);
        good = n > 0 && n <= cap && l.tx_open == (more && !streams);
        hear(&t, out, n);
        tap_guard_free(out, cap);
        if (streams)
            wire_http_body(&m, STR("id-1"), false);
    }
    good = good && t.err == 0 && l.carry_len == 0 && t.ends == (streams ? t.heads : 1);
    if (!streams)
        good = good && t.len > total && memcmp(t.text + t.len - 1 - total, body, total) == 0;
    if (!ok(good, "%d: %zu bytes by %zu in %zu", (int)protocol, total, piece, cap))
        diag("at %zu, err %d, ends %u", at, t.err, t.ends);
    trace_free(&t);
}

static void in_place_all(enum upgrade_protocol protocol)
{
    size_t piece;
    size_t total;

    for (piece = 1; piece <= 7; piece++)
        for (total = 1; total <= 12; total += 1 + total / 7)
            in_place(total & 1, protocol, piece, total, 400 + piece);
    in_place(true, protocol, 100000, 60000, 16384);
    in_place(false, protocol, 100000, 60000, 1000);
    in_place(false, protocol, 333, 2000, 70000);
    in_place(true, protocol, 100000, 65000, 70000);
}

/* Whatever the room: as much body as was offered fits it. */
static void every_room(bool client, enum upgrade_protocol protocol)
{
    static const char why[] = "a text as long as may be, of sixty-four bytes; what is more is cut";
    struct wire_msg m;
    size_t cap;
    size_t first = 0;
    bool good = true;

    for (cap = 0; cap < 700; cap++) {
        uint8_t *out = tap_guard_end(cap ? cap : 1);
        struct link_body b;
        struct link l;
        struct trace t;
        size_t n;

        link_init(&l, client, protocol);
        response(&m, 20);
        if (link_body_begin(&l, &b, out, cap, 3, &m)) {
            first = first ? first : cap;
            memset(b.body, 'b', b.max);
            n = link_body_end(&l, &b, b.max, true, false, STR(why), key);
            trace_init(&t, !client, protocol);
            hear(&t, out, n);
            good = good && b.max >= 3 && n <= cap && t.err == 0 && t.ends == 1;
            good = good && (protocol != UPGRADE_JSON || t.link.in.msg.more == 1);
            trace_free(&t);
        } else {
            good = good && first == 0;
        }
        tap_guard_free(out, cap ? cap : 1);
    }
    ok(good && first > 0, "bodies in any room from %zu bytes on", first);
}

static void broken_off(void)
{
    uint8_t out[1000];
    char text[81];
    struct link l;
    struct link_body b;
    struct trace t;
    struct wire_msg m;

    memset(text, 'e', 80);
    text[80] = '\0';
    link_init(&l, true, UPGRADE_PLAIN);
    trace_init(&t, false, UPGRADE_PLAIN);
    response(&m, 5);
    ok(link_body_begin(&l, &b, out, sizeof out, 1, &m), "a body begins");
    memcpy(b.body, "1234", 4);
    hear(&t, out, link_body_end(&l, &b, 4, true, true, (struct str){ 0 }, key));
    ok(!link_body_begin(&l, &b, out, sizeof out, 1, &m), "no other message within it");
    ok(link_body_begin(&l, &b, out, sizeof out, 0, NULL), "its end");
    hear(&t, out, link_body_end(&l, &b, 0, false, false, str_of(text), key));
    is_int(t.err, 0, "valid");
    is_mem(t.text + t.len - 5, 5, "1234.", 5, "with what was there, the carried byte too");
    is_mem(t.link.in.msg.error.p, t.link.in.msg.error.n, text, 64, "and a text, cut at its limit");
    trace_free(&t);
}

/* A head in parts whose body follows. */
static void open_part(void)
{
    static uint8_t out[3000];
    struct link l;
    struct link_body b;
    struct trace t;
    struct wire_msg m;
    size_t offset = 0;
    bool done = false;

    link_init(&l, true, UPGRADE_PLAIN);
    trace_init(&t, false, UPGRADE_PLAIN);
    response(&m, 4000);
    while (!done)
        hear(&t, out, link_put_part(&l, out, 700, &m, true, &offset, &done, key));
    ok(l.tx_open, "the message is still open behind its head");
    is_int(t.heads, 1, "the head can be told: the body has begun");
    ok(link_body_begin(&l, &b, out, sizeof out, 1, NULL), "the body goes on");
    memcpy(b.body, "xyz", 3);
    hear(&t, out, link_body_end(&l, &b, 3, false, false, (struct str){ 0 }, key));
    ok(t.err == 0 && t.ends == 1 && !l.tx_open, "and ends");
    is_mem(t.text + t.len - 4, 4, "xyz.", 4, "the body");
    trace_free(&t);
}

int main(void)
{
    static const enum upgrade_protocol protocols[] = { UPGRADE_TLV, UPGRADE_JSON, UPGRADE_PLAIN };
    size_t i;
    size_t cap;

    for (i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 11 + (i >> 8));
    control(true);
    control(false);
    for (i = 0; i < 3; i++) {
        whole(true, protocols[i]);
        whole(false, protocols[i]);
        for (cap = 270; cap < 4000; cap += 931) {
            parts(true, protocols[i], cap);
            parts(false, protocols[i], cap);
        }
        in_place_all(protocols[i]);
        every_room(true, protocols[i]);
        every_room(false, protocols[i]);
    }
    shortest();
    small_parts();
    broken_off();
    open_part();
    return done_testing();
}
