/*
 * Input: a byte of role and encoding, then a script for a session and its owner: messages and raw
 * bytes from the peer, room to put in, heads, bodies, aborts, credit, time.
 * Properties: what is put fits its room and is what a link reads; used, due and stream_count agree;
 * an owner that does what the header allows cannot break any of it; after an error or a close the
 * close frame is the last that is put, and then nothing is due.
 */
#include "link_trace.h"
#include "core/session.h"

#define SLOTS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
    const uint8_t *p;
    size_t n;
};

static const uint8_t key[4] = { 0x5a, 0x00, 0xff, 0x81 };
static struct session session;
static struct stream slots[SLOTS];
static struct session_counters counters;
static struct trace peer;
static uint8_t held[1 << 17]; /* input that was not taken yet */
static size_t held_len;
static int64_t now;
static bool closed; /* the close frame is out */
static uint8_t out[8192];

static unsigned take(struct script *s)
{
    if (s->n == 0)
        return 0;
    s->n--;
    return *s->p++;
}

/* ---- the session's owner ---- */

static bool has_ended(const struct stream *t)
{
    return t->rx == STREAM_ENDED && t->tx == STREAM_ENDED;
}

/* The owner may still put something of it. */
static bool is_owned(const struct stream *t)
{
    return t->state == STREAM_OPEN || t->state == STREAM_DOOMED;
}

static void look(void)
{
    unsigned count = 0;
    unsigned i;

    for (i = 0; i < 64; i++) {
        uint64_t bit = UINT64_C(1) << i;

        TRACE_MUST(!!(session.used & bit) == (i < SLOTS && slots[i].state != STREAM_FREE));
        if (!(session.used & bit))
            continue;
        count++;
        TRACE_MUST(slots[i].state == STREAM_OPEN || has_ended(&slots[i]));
        TRACE_MUST(slots[i].state != STREAM_DOOMED || slots[i].put_offset > 0);
        TRACE_MUST(slots[i].state != STREAM_OPEN || !has_ended(&slots[i]));
    }
    TRACE_MUST(count == session.stream_count);
    TRACE_MUST(session.current < SLOTS && session.tx_slot < SLOTS);
    TRACE_MUST(session.link.tx_open == (session.tx_slot >= 0));
    TRACE_MUST(session.tx_slot < 0 || slots[session.tx_slot].state != STREAM_FREE);
}

static void on_event(const struct session_in *in)
{
    TRACE_MUST(in->slot >= -1 && in->slot < SLOTS);
    if (in->event == SESSION_EV_BODY)
        TRACE_MUST(in->body.n > 0 && slots[in->slot].rx == STREAM_BODY);
    if (in->event == SESSION_EV_AUTH && (in->msg->token.n & 7) != 7)
        session_accept(&session, STR("session"), STR("https://x.test"), 1);
    else if (in->event == SESSION_EV_AUTH)
        session_refuse(&session, STR("no"), 5);
}

static void feed(const uint8_t *p, size_t n)
{
    uint8_t *copy;
    size_t at = 0;
    struct session_in in;

    if (held_len + n > sizeof held)
        return;
    if (n > 0)
        memcpy(held + held_len, p, n);
    held_len += n;
    copy = malloc(held_len ? held_len : 1);
    TRACE_MUST(copy != NULL);
    memcpy(copy, held, held_len);
    do {
        int used = session_recv(&session, copy + at, held_len - at, now, &in);

        if (used < 0) {
            TRACE_MUST(session.err == used && session.close_code != 0);
            at = held_len;
            break;
        }
        TRACE_MUST((size_t)used <= held_len - at);
        at += (size_t)used;
        on_event(&in);
        look();
    } while (in.event != SESSION_EV_MORE);
    memcpy(held, copy + at, held_len - at);
    held_len -= at;
    free(copy);
}

static void say(struct script *s, uint8_t opcode)
{
    uint8_t frame[WS_HEAD_MAX + 256];
    struct ws_head head = { .opcode = opcode, .fin = true, .masked = !session.link.client };
    size_t n = take(s);
    size_t at;

    n = n < s->n ? n : s->n;
    head.len = n;
    memcpy(head.key, key, sizeof key);
    at = ws_head_write(&head, frame);
    if (n > 0)
        memcpy(frame + at, s->p, n);
    if (head.masked)
        ws_mask(frame + at, n, key, 0);
    s->p += n;
    s->n -= n;
    feed(frame, at + n);
}

static void hear(size_t n, size_t cap)
{
    TRACE_MUST(n <= cap && (n == 0 || !closed));
    if (n > 0)
        trace_piece(&peer, out, n, 0);
    TRACE_MUST(peer.err == 0);
    look();
}

static size_t put(size_t cap)
{
    size_t n = session_put(&session, out, cap, key, now, 1000000000 + now / 1000);

    TRACE_MUST(n == 0 || session.err == 0 || (out[0] & 15) == WS_CLOSE);
    hear(n, cap);
    if (n > 0)
        closed = (out[0] & 15) == WS_CLOSE;
    return n;
}

/* ---- what an owner may do ---- */

static void make_head(const struct stream *t, unsigned kind, struct wire_msg *m)
{
    static uint8_t packed[3 + 1 + 1200];
    struct writer w;

    memset(packed, 'h', sizeof packed);
    writer_init(&w, packed, sizeof packed);
    wire_header_pack(&w, STR("h"), (struct str){ packed + 4, t->id[0] & 1 ? 1200 : 5 });
    if (session.link.client)
        wire_http_response(m, (struct str){ 0 }, kind & 2 ? 101 : 200,
                           (struct wire_headers){ { packed, w.len } }, kind & 1);
    else
        wire_http_request(m, (struct str){ 0 }, STR("GET"), STR("/"),
                          (struct wire_headers){ { packed, w.len } }, kind & 1);
}

/* The owner gives the same head as long as it is going out. */
static void put_head(int slot, unsigned kind, size_t cap)
{
    static unsigned begun[SLOTS];
    struct stream *t = &slots[slot];
    struct wire_msg m;
    bool done;

    if (!is_owned(t) || (t->state == STREAM_OPEN && t->tx != STREAM_HEAD))
        return;
    if (t->put_offset == 0)
        begun[slot] = kind;
    make_head(t, begun[slot], &m);
    hear(session_head_put(&session, slot, &m, out, cap, &done, key), cap);
}

static void put_body(int slot, unsigned kind, size_t cap)
{
    struct stream *t = &slots[slot];
    struct link_body b;
    struct wire_msg m;
    size_t n;

    if (!is_owned(t) || t->tx == STREAM_ENDED || t->put_offset > 0)
        return;
    make_head(t, kind | 1, &m);
    if (!session_body_begin(&session, slot, t->tx == STREAM_HEAD ? &m : NULL, &b, out, cap,
                            kind & 4))
        return;
    TRACE_MUST(b.body >= out && b.body + b.max <= out + cap && b.max <= t->tx_credit);
    n = kind & 4 ? 0 : b.max < 100 ? b.max : 100;
    memset(b.body, 'b', n);
    hear(session_body_end(&session, slot, &b, n, (kind & 1) != 0, (struct str){ 0 }, key), cap);
}

static void act(struct script *s, unsigned op)
{
    int slot = (int)(op >> 4) % SLOTS;
    struct stream *t = &slots[slot];
    unsigned arg = take(s);
    size_t cap = (arg & 31) * 60;

    switch (op & 7) {
    case 0:
        put(cap);
        break;
    case 1:
        put_head(slot, arg >> 5, cap);
        break;
    case 2:
        put_body(slot, arg >> 5, cap);
        break;
    case 3:
        if (!session.link.client && (slot = session_open(&session)) >= 0)
            put_head(slot, arg >> 5, cap);
        break;
    case 4:
        if (t->state == STREAM_OPEN)
            session_abort(&session, slot, 500, "given up");
        break;
    case 5:
        if (is_owned(t))
            session_grant(&session, slot, arg);
        break;
    case 6:
        now += (int64_t)arg * 100;
        session_on_time(&session, now);
        break;
    default:
        if (arg == 1)
            session_close(&session, 1000);
        else if (arg == 2 && !session.link.client)
            session_goaway(&session, 5);
        else
            session_heard(&session, now);
    }
    look();
}

static void step(struct script *s)
{
    unsigned op = take(s);
    uint8_t data = session.link.enc == WIRE_TLV ? WS_BINARY : WS_TEXT;

    if (op < 64)
        say(s, op < 48 ? data : (uint8_t)(op & 15));
    else if (op < 80) {
        size_t n = op - 63 < s->n ? op - 63 : s->n;

        s->p += n;
        s->n -= n;
        feed(s->p - n, n);
    } else {
        act(s, op);
    }
}

/* Whatever has happened: a session that is closed has nothing more to say, soon. */
static void finish(void)
{
    unsigned count = 0;

    session_close(&session, 1000);
    while (put(sizeof out) > 0)
        TRACE_MUST(++count < 200);
    TRACE_MUST(closed && !session_due(&session) && session.state == SESSION_ENDED);
    TRACE_MUST(session_deadline(&session) == INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum upgrade_protocol protocols[] = { UPGRADE_TLV, UPGRADE_JSON, UPGRADE_PLAIN,
                                                       UPGRADE_TLV };
    struct session_config config = { .token = STR("token"), .agent = STR("fuzz"), .window = 100,
        .max_streams = SLOTS, .ping_interval_ms = 5000, .ping_timeout_ms = 3000,
        .stats_interval_ms = 7000 };
    struct script s = { data, size };
    unsigned first = take(&s);

    now = 0;
    held_len = 0;
    closed = false;
    session_init(&session, first & 1 ? &session_agent : &session_gateway,
                 protocols[first >> 1 & 3], &config, slots, &counters, now);
    trace_init(&peer, !session.link.client, protocols[first >> 1 & 3]);
    while (s.n > 0)
        step(&s);
    finish();
    trace_free(&peer);
    return 0;
}
