/*
 * One session against a scripted peer: the peer is a bare link of the other role, so that it can
 * say anything, and notes what the session puts. For tests of the session; a broken rule aborts.
 */
#ifndef ADIT_TEST_SESSION_BENCH_H
#define ADIT_TEST_SESSION_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "core/session.h"

#define BENCH_UNIX INT64_C(1700000000)
#define BENCH_ROOM 70000

/* What the peer heard: a message, or a control frame ("ws-ping", "ws-pong", "close"). */
struct note {
    char name[24];
    char id[ID_MAX + 1];
    char error[160];
    char body[4096];
    size_t body_len;
    struct wire_msg m; /* numbers only */
    bool more;
    unsigned frames;   /* of the whole message */
};

struct bench {
    struct session s;
    struct stream slot[SESSION_STREAMS_MAX];
    struct session_counters counters;
    struct session_config config;
    struct link peer;
    int64_t now;
    struct session_in in, last; /* of the last call, of the last event */
    char body[4096];      /* of all SESSION_EV_BODY since the last bench_feed */
    size_t body_len;
    enum session_event events[64];
    unsigned event_count;
    struct note note;     /* of the last message heard */
    struct note partial;
    unsigned heard;       /* messages and control frames */
    uint8_t held[BENCH_ROOM]; /* input that the session has not taken yet */
    size_t held_len;
    uint8_t out[BENCH_ROOM];
};

static const uint8_t bench_key[4] = { 0x11, 0xa2, 0x33, 0xf4 };

static inline void bench_must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "# session_bench: %s\n", what);
        abort();
    }
}

static inline void bench_init(struct bench *b, bool client, enum upgrade_protocol protocol)
{
    memset(b, 0, sizeof *b);
    b->now = 1000;
    b->config = (struct session_config){
        .token = STR("token"), .agent = STR("adit/1"), .window = 1000, .max_streams = 4,
        .ping_interval_ms = 25000, .ping_timeout_ms = 10000,
        .stats_interval_ms = client ? 60000 : 0,
    };
    session_init(&b->s, client ? &session_agent : &session_gateway, protocol, &b->config, b->slot,
                 &b->counters, b->now);
    link_init(&b->peer, !client, protocol);
}

/* ---- what the session puts ---- */

static inline void bench_note(struct bench *b, const char *name)
{
    const struct wire_msg *m = &b->peer.in.msg;
    struct note *n = &b->note;

    *n = b->partial;
    memset(&b->partial, 0, sizeof b->partial);
    snprintf(n->name, sizeof n->name, "%s", name);
    snprintf(n->id, sizeof n->id, "%.*s", (int)m->id.n, (const char *)m->id.p);
    snprintf(n->error, sizeof n->error, "%.*s", (int)m->error.n, (const char *)m->error.p);
    n->m = *m;
    n->more = m->more != 0;
    b->heard++;
}

static inline void bench_control(struct bench *b, const char *name)
{
    struct note *n = &b->note;

    memset(n, 0, sizeof *n);
    snprintf(n->name, sizeof n->name, "%s", name);
    memcpy(n->body, b->peer.control, b->peer.control_len);
    n->body_len = b->peer.control_len;
    n->m.code = b->peer.close_code;
    b->heard++;
}

/* The peer reads one frame. */
static inline void bench_hear_bytes(struct bench *b, const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n);
    size_t at = 0;
    enum link_event ev = LINK_HEAD;

    bench_must(copy != NULL && n > 0, "memory");
    memcpy(copy, p, n);
    if ((copy[0] & 8) == 0)
        b->partial.frames++;
    while (at < n || ev != LINK_MORE) {
        int used = link_recv(&b->peer, copy + at, n - at, &ev);

        bench_must(used >= 0, "the session puts what a link refuses");
        at += (size_t)used;
        if (ev == LINK_BODY) {
            bench_must(b->partial.body_len + b->peer.in.body.n <= sizeof b->partial.body, "body");
            memcpy(b->partial.body + b->partial.body_len, b->peer.in.body.p, b->peer.in.body.n);
            b->partial.body_len += b->peer.in.body.n;
        } else if (ev == LINK_END) {
            bench_note(b, wire_type_name(b->peer.in.msg.type));
        } else if (ev != LINK_MORE && ev != LINK_HEAD) {
            bench_control(b, ev == LINK_PING ? "ws-ping" : ev == LINK_PONG ? "ws-pong" : "close");
        }
    }
    free(copy);
}

/* The next thing that is due, in room for exactly `cap` bytes: its name, "" when none was put. */
static inline const char *bench_put_within(struct bench *b, size_t cap)
{
    uint8_t *out = malloc(cap ? cap : 1);
    size_t n;

    bench_must(out != NULL, "memory");
    memset(&b->note, 0, sizeof b->note);
    n = session_put(&b->s, out, cap, bench_key, b->now, BENCH_UNIX + b->now / 1000);
    bench_must(n <= cap, "session_put beyond its room");
    if (n > 0)
        bench_hear_bytes(b, out, n);
    free(out);
    return b->note.name;
}

static inline const char *bench_put(struct bench *b)
{
    return bench_put_within(b, BENCH_ROOM);
}

/* Puts all that is due; the names, joined by spaces. */
static inline const char *bench_put_all(struct bench *b)
{
    static char names[512];
    size_t n = 0;

    names[0] = '\0';
    while (bench_put(b)[0] != '\0') {
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? " " : "", b->note.name);
        bench_must(n < sizeof names, "too much is due");
    }
    return names;
}

/* The close frame that is due: "close CODE". */
static inline const char *bench_close(struct bench *b)
{
    static char text[48];
    const char *name = bench_put(b);

    snprintf(text, sizeof text, "%s %u", name, (unsigned)b->note.m.code);
    return text;
}

/* ---- what the peer says ---- */

/* Gives bytes to the session, in a buffer of exactly their length, after those that it did not
 * take before. Returns 0 or the error; all events but MORE are noted. */
static inline int bench_feed(struct bench *b, const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(b->held_len + n + 1);
    size_t at = 0;
    int used = 0;

    bench_must(copy != NULL && b->held_len + n <= sizeof b->held, "memory");
    memcpy(copy, b->held, b->held_len);
    if (n > 0)
        memcpy(copy + b->held_len, p, n);
    n += b->held_len;
    copy = realloc(copy, n ? n : 1);
    bench_must(copy != NULL, "memory");
    b->event_count = 0;
    b->body_len = 0;
    do {
        used = session_recv(&b->s, copy + at, n - at, b->now, &b->in);
        if (used < 0)
            break;
        bench_must((size_t)used <= n - at, "session_recv beyond its input");
        at += (size_t)used;
        if (b->in.event == SESSION_EV_BODY) {
            bench_must(b->body_len + b->in.body.n <= sizeof b->body, "body");
            memcpy(b->body + b->body_len, b->in.body.p, b->in.body.n);
            b->body_len += b->in.body.n;
        }
        if (b->in.event != SESSION_EV_MORE && b->event_count < 64) {
            b->last = b->in;
            b->events[b->event_count++] = b->in.event;
        }
    } while (b->in.event != SESSION_EV_MORE);
    b->held_len = n - at;
    memcpy(b->held, copy + at, n - at);
    free(copy);
    return used < 0 ? used : 0;
}

static inline int bench_say(struct bench *b, const struct wire_msg *m)
{
    uint8_t *out = malloc(BENCH_ROOM);
    size_t n = link_put(&b->peer, out, BENCH_ROOM, m, bench_key);
    int err;

    bench_must(n > 0, "the peer's message does not fit");
    err = bench_feed(b, out, n);
    free(out);
    return err;
}

static inline int bench_say_control(struct bench *b, uint8_t opcode, const void *p, size_t n)
{
    uint8_t out[WS_CONTROL_MAX + WS_HEAD_MAX];

    n = link_put_control(&b->peer, out, sizeof out, opcode, p, n, bench_key);
    return bench_feed(b, out, n);
}

static inline int bench_say_close(struct bench *b, uint16_t code)
{
    uint8_t payload[WS_CONTROL_MAX];

    return bench_say_control(b, WS_CLOSE, payload,
                             ws_close_write(code, (struct str){ 0 }, payload));
}

static inline int bench_say_request(struct bench *b, const char *id, bool more)
{
    struct wire_msg m;

    wire_http_request(&m, str_of(id), STR("GET"), STR("/"), (struct wire_headers){ { 0 } }, more);
    return bench_say(b, &m);
}

static inline int bench_say_response(struct bench *b, const char *id, unsigned status, bool more)
{
    struct wire_msg m;

    wire_http_response(&m, str_of(id), status, (struct wire_headers){ { 0 } }, more);
    return bench_say(b, &m);
}

static inline int bench_say_body(struct bench *b, const char *id, const char *text, bool more)
{
    struct wire_msg m;

    wire_http_body(&m, str_of(id), more);
    m.body = str_of(text);
    m.has |= WIRE_HAS(WIRE_BODY);
    return bench_say(b, &m);
}

static inline int bench_say_error(struct bench *b, const char *id, unsigned code)
{
    struct wire_msg m;

    wire_error(&m, str_of(id), STR("told"), code);
    return bench_say(b, &m);
}

static inline int bench_say_window(struct bench *b, const char *id, uint64_t credit)
{
    struct wire_msg m;

    wire_window(&m, str_of(id), credit);
    return bench_say(b, &m);
}

/* Was this the only event of the last bench_say? */
static inline bool bench_only(const struct bench *b, enum session_event event)
{
    return b->event_count == 1 && b->events[0] == event;
}

/* ---- to the open state ---- */

/* `window`: what the peer credits. */
static inline void bench_open(struct bench *b, bool client, enum upgrade_protocol protocol,
                              uint64_t window)
{
    struct wire_msg m;

    bench_init(b, client, protocol);
    if (client) {
        bench_must(strcmp(bench_put(b), "Auth") == 0, "no Auth");
        wire_auth_success(&m, STR("s1"), STR("https://a.test"), window, 0);
        bench_must(bench_say(b, &m) == 0 && b->in.event == SESSION_EV_MORE, "AuthSuccess");
    } else {
        wire_auth(&m, STR("token"), STR("test"), window, 16);
        bench_must(bench_say(b, &m) == 0, "Auth");
        session_accept(&b->s, STR("s1"), STR("https://a.test"), 1);
        bench_must(strcmp(bench_put(b), "AuthSuccess") == 0, "no AuthSuccess");
    }
    bench_must(b->s.state == SESSION_OPEN, "not open");
}

/* ---- what the session's owner sends ---- */

static inline bool bench_head(struct bench *b, int slot, struct wire_msg *m)
{
    bool done;
    size_t n = session_head_put(&b->s, slot, m, b->out, sizeof b->out, &done, bench_key);

    if (n > 0)
        bench_hear_bytes(b, b->out, n);
    return done;
}

static inline bool bench_respond(struct bench *b, int slot, unsigned status, bool more)
{
    struct wire_msg m;

    wire_http_response(&m, (struct str){ 0 }, status, (struct wire_headers){ { 0 } }, more);
    return bench_head(b, slot, &m);
}

/* Opens a stream with a bodiless GET, or one with `more`. */
static inline int bench_request(struct bench *b, bool more)
{
    struct wire_msg m;
    int slot = session_open(&b->s);

    wire_http_request(&m, (struct str){ 0 }, STR("GET"), STR("/"),
                      (struct wire_headers){ { 0 } }, more);
    if (slot >= 0)
        bench_must(bench_head(b, slot, &m), "request head");
    return slot;
}

/* Body bytes of the owner, at most `text`; how many were sent, -1 when none could be. */
static inline int bench_body(struct bench *b, int slot, struct wire_msg *m, const char *text,
                             bool more)
{
    struct link_body body;
    size_t n = strlen(text);
    size_t len;

    if (!session_body_begin(&b->s, slot, m, &body, b->out, sizeof b->out, n == 0))
        return -1;
    if (n > body.max) {
        n = body.max;
        more = true;
    }
    memcpy(body.body, text, n);
    len = session_body_end(&b->s, slot, &body, n, more, (struct str){ 0 }, bench_key);
    bench_must(len > 0 && len <= sizeof b->out, "body frame");
    bench_hear_bytes(b, b->out, len);
    return (int)n;
}

/* The id that the peer last heard, as bench_say_* wants it. */
static inline const char *bench_id(struct bench *b)
{
    static char id[ID_MAX + 1];

    memcpy(id, b->note.id, sizeof id);
    return id;
}

/* With tap.h, whose is_str looks twice at what it compares: what bench_put and the like return. */
#define is_put(call, expected, ...)                                                               \
    do {                                                                                          \
        const char *is_put_name = call;                                                           \
        is_str(is_put_name, expected, __VA_ARGS__);                                               \
    } while (0)

/* Ends in an error: the close frame is all that is put, and the error stays. */
#define is_fatal(err, expected, code, what)                                                       \
    do {                                                                                          \
        is_int(err, expected, "%s", what);                                                        \
        is_put(bench_close(&b), code, "%s: close code", what);                                    \
        is_put(bench_put(&b), "", "%s: nothing after the close frame", what);                     \
        ok(!session_due(&b.s) && b.s.state == SESSION_ENDED, "%s: ended, nothing is due", what);  \
        is_int(bench_feed(&b, NULL, 0), expected, "%s: the error stays", what);                   \
    } while (0)

static inline const char *bench_protocol_name(enum upgrade_protocol protocol)
{
    return protocol == UPGRADE_TLV ? "tlv" : protocol == UPGRADE_JSON ? "json" : "plain";
}

#endif
