/* Frames around messages, received: every split, fragments, masks, control frames between. */
#include "link_trace.h"
#include "tap.h"

static const uint8_t key[4] = { 0xde, 0xad, 0x00, 0x7f };
static uint8_t body[70000];

static struct wire_headers headers(void)
{
    static uint8_t packed[200];
    struct writer w;

    writer_init(&w, packed, sizeof packed);
    wire_header_pack(&w, STR("accept"), STR("*/*"));
    wire_header_pack(&w, STR("x-quote"), STR("a\"b\\c"));
    wire_header_pack(&w, STR("accept"), STR("text/html"));
    return (struct wire_headers){ { packed, w.len } };
}

static void request(struct wire_msg *m, size_t body_len)
{
    wire_http_request(m, STR("id-1"), STR("PUT"), STR("/path?q=1"), headers(), false);
    m->body = (struct str){ body, body_len };
    if (body_len > 0)
        m->has |= WIRE_HAS(WIRE_BODY);
}

/* A message in frames of at most `payload` bytes, masked by a client, each but the first preceded
 * by a ping with `between` if that is not NULL. */
static size_t frames(uint8_t *out, bool client, enum upgrade_protocol protocol,
                     const struct wire_msg *m, size_t payload, const char *between)
{
    static uint8_t text[100000];
    struct link control;
    struct writer w;
    size_t n = 0;
    size_t at = 0;

    link_init(&control, client, protocol);
    writer_init(&w, text, sizeof text);
    wire_put(&w, protocol == UPGRADE_TLV ? WIRE_TLV : WIRE_JSON, m);
    do {
        size_t len = w.len - at < payload ? w.len - at : payload;
        struct ws_head head = { .len = len, .masked = client, .fin = at + len == w.len,
            .opcode = at > 0 ? WS_CONTINUATION : protocol == UPGRADE_TLV ? WS_BINARY : WS_TEXT };

        if (at > 0 && between != NULL)
            n += link_put_control(&control, out + n, 200, WS_PING, (const uint8_t *)between,
                                  strlen(between), key);
        memcpy(head.key, key, sizeof key);
        n += ws_head_write(&head, out + n);
        memcpy(out + n, text + at, len);
        if (client)
            ws_mask(out + n, len, key, 0);
        n += len;
        at += len;
    } while (at < w.len);
    return n;
}

/* The same events however the bytes are cut, and as many as there should be. */
static void any_cut(bool client, enum upgrade_protocol protocol, const uint8_t *p, size_t n,
                    const char *what)
{
    struct trace whole;
    struct trace part;
    bool same = true;
    size_t i;

    trace_init(&whole, client, protocol);
    trace_all(&whole, p, n, 0, n, 0);
    is_int(whole.err, 0, "%s: no error", what);
    for (i = 1; i <= n; i++) {
        size_t again;

        for (again = 0; again < 2; again++) {
            trace_init(&part, client, protocol);
            trace_all(&part, p, n, i < n ? i : 0, i < n ? n : 1, again);
            same = same && part.err == 0 && part.len == whole.len && part.heads == whole.heads &&
                   part.ends == whole.ends &&
                   (whole.len == 0 || memcmp(part.text, whole.text, whole.len) == 0);
            trace_free(&part);
        }
    }
    ok(same && whole.ends == 1, "%s: the same in any two pieces and byte by byte", what);
    trace_free(&whole);
}

static void splits(bool client, enum upgrade_protocol protocol)
{
    static uint8_t out[4000];
    static const size_t payloads[] = { 4000, 1, 7, 100 };
    struct wire_msg m;
    char what[64];
    size_t i;
    size_t n;

    for (i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        request(&m, 41);
        n = frames(out, client, protocol, &m, payloads[i], NULL);
        snprintf(what, sizeof what, "%s %d, %zu bytes a frame", client ? "client" : "server",
                 (int)protocol, payloads[i]);
        any_cut(!client, protocol, out, n, what);
    }
    wire_ping(&m, 12345);
    n = frames(out, client, protocol, &m, 4000, NULL);
    any_cut(!client, protocol, out, n, "without a body");
}

/* Pings between fragments are told as they come, each with its payload; the message is whole. */
static void control_between(bool client, enum upgrade_protocol protocol)
{
    static uint8_t out[4000];
    struct wire_msg m;
    struct trace t;
    size_t n;
    const char *at;
    unsigned pings = 0;

    request(&m, 41);
    n = frames(out, client, protocol, &m, 30, "ping!");
    any_cut(!client, protocol, out, n, "pings between");
    trace_init(&t, !client, protocol);
    trace_all(&t, out, n, 0, 3, 0);
    for (at = t.text; (at = strstr(at, "{i0,ping!}")) != NULL; at++)
        pings++;
    ok(pings >= 2, "%u pings between the parts of a message", pings);
    is_int(t.ends, 1, "which is one");
    trace_free(&t);
}

/* Bodies of every length, whatever the remainder in base64. */
static void bodies(enum upgrade_protocol protocol)
{
    static uint8_t out[100000];
    static const size_t lens[] = { 0, 1, 2, 3, 4, 5, 6, 125, 126, 127, 3000, 65535, 65536, 70000 };
    size_t i;

    for (i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct wire_msg m;
        struct trace t;
        size_t n;

        request(&m, lens[i]);
        n = frames(out, true, protocol, &m, sizeof out, NULL);
        trace_init(&t, false, protocol);
        trace_all(&t, out, n, 0, 1000, 0);
        ok(t.err == 0 && t.ends == 1 && t.len > lens[i] &&
               memcmp(t.text + t.len - 1 - lens[i], body, lens[i]) == 0,
           "a body of %zu bytes", lens[i]);
        trace_free(&t);
    }
}

/* Bytes that were unmasked already are not unmasked again, however few are given next. */
static void given_again(void)
{
    uint8_t out[1000];
    struct wire_msg m;
    struct trace t;
    size_t n;

    request(&m, 60);
    n = frames(out, true, UPGRADE_TLV, &m, 1000, NULL);
    trace_init(&t, false, UPGRADE_TLV);
    trace_all(&t, out, n, 0, n, 7);
    ok(t.err == 0 && t.ends == 1 && memcmp(t.text + t.len - 61, body, 60) == 0,
       "a body whose bytes are given again by sevens");
    trace_free(&t);
}

/* Nor are those that were, when more of their frame has come behind them. */
static void given_more(void)
{
    uint8_t out[1000];
    struct wire_msg m;
    bool same = true;
    size_t n;

    request(&m, 60);
    n = frames(out, true, UPGRADE_TLV, &m, 1000, NULL);
    for (size_t cut = 1; cut < n; cut++) {
        uint8_t bytes[1000];
        size_t at = 0, end = cut;
        enum link_event ev = LINK_MORE;
        struct trace t;

        memcpy(bytes, out, n);
        trace_init(&t, false, UPGRADE_TLV);
        while (at < n && t.err == 0) {
            int used = link_recv(&t.link, bytes + at, end - at, &ev);

            t.err = used < 0 ? used : 0;
            at += used < 0 ? 0 : (size_t)used;
            trace_event(&t, ev);
            end = n;
        }
        while (t.err == 0 && ev != LINK_MORE) {
            t.err = link_recv(&t.link, bytes + n, 0, &ev);
            trace_event(&t, ev);
        }
        same = same && t.err == 0 && t.ends == 1 && memcmp(t.text + t.len - 61, body, 60) == 0;
        trace_free(&t);
    }
    ok(same, "a body of which more has come when its first bytes are given again");
}

static void empty_fragments(void)
{
    static const uint8_t in[] = { 2, 0, 0x89, 0, 0, 2, 7, 16, 0, 0, 0, 1, 1, 0x80, 1, 5, };
    struct trace t;

    any_cut(true, UPGRADE_TLV, in, sizeof in, "empty fragments");
    trace_init(&t, true, UPGRADE_TLV);
    trace_all(&t, in, sizeof in, 0, sizeof in, 0);
    is_int(t.link.in.msg.timestamp, 5, "a Pong in five frames, three of them with bytes");
    trace_free(&t);
}

/* A body that had to wait for its head, and has no bytes: no piece of it is told. */
static void empty_body_waits(void)
{
    static const uint8_t in[] = "\x81\x40{\"data\":{\"body\":\"\",\"status\":200,\"id\":\"a\"},"
                                "\"type\":\"HttpResponse\"}";

    is_int(sizeof in - 1, 2 + 0x40, "the frame's length");
    any_cut(true, UPGRADE_JSON, in, sizeof in - 1, "an empty body before its head");
}

static void close_frames(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        int err;
        uint16_t code;
    } cases[] = {
        { "\x88\x00", 2, 0, WS_CLOSE_NONE },
        { "\x88\x02\x03\xe8", 4, 0, 1000 },
        { "\x88\x06\x11\x31" "gone", 8, 0, 4401 },
        { "\x88\x01\x03", 3, ERR_WS_CLOSE, 0 },
        { "\x88\x02\x03\xee", 4, ERR_WS_CLOSE, 0 },
        { "\x88\x03\x03\xe8\xff", 5, ERR_UTF8, 0 },
        { "\x08\x00", 2, ERR_WS_CONTROL, 0 },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trace t;

        trace_init(&t, true, UPGRADE_TLV);
        trace_all(&t, (const uint8_t *)cases[i].bytes, cases[i].n, 0, 1, 0);
        is_int(t.err, cases[i].err, "close frame %zu", i);
        if (t.err == 0)
            is_int(t.link.close_code, cases[i].code, "close frame %zu: code", i);
        trace_free(&t);
    }
}

static void close_codes(void)
{
    is_int(link_close_code(ERR_UTF8), 1007, "text that is none");
    is_int(link_close_code(ERR_WIRE_SIZE), 1009, "too big");
    is_int(link_close_code(ERR_AUTH), 4401, "token refused");
    is_int(link_close_code(ERR_REPLACED), 4409, "replaced");
    is_int(link_close_code(ERR_CREDIT), 1002, "any other");
}

/* The guard page stands right behind the input. */
static void guarded(void)
{
    uint8_t out[1000];
    struct wire_msg m;
    size_t n;
    size_t i;
    enum link_event ev;
    bool good = true;

    request(&m, 60);
    n = frames(out, true, UPGRADE_JSON, &m, 1000, NULL);
    for (i = 1; i <= n; i++) {
        static struct link l;
        uint8_t *in = tap_guard_end(i);
        size_t at = 0;
        int used;

        memcpy(in, out, i);
        link_init(&l, false, UPGRADE_JSON);
        do {
            used = link_recv(&l, in + at, i - at, &ev);
            good = good && used >= 0;
            at += used > 0 ? (size_t)used : 0;
        } while (used >= 0 && ev != LINK_MORE);
        good = good && at == i;
        tap_guard_free(in, i);
    }
    ok(good, "no byte behind the input is touched");
}

int main(void)
{
    static const enum upgrade_protocol protocols[] = { UPGRADE_TLV, UPGRADE_JSON, UPGRADE_PLAIN };
    size_t i;

    for (i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7 + (i >> 8));
    for (i = 0; i < 3; i++) {
        splits(true, protocols[i]);
        splits(false, protocols[i]);
        control_between(true, protocols[i]);
        control_between(false, protocols[i]);
        bodies(protocols[i]);
    }
    given_again();
    given_more();
    empty_fragments();
    empty_body_waits();
    close_frames();
    close_codes();
    guarded();
    return done_testing();
}
