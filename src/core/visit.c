#include "core/visit.h"

#include <string.h>

#include "check.h"
#include "err.h"

/*
 * request | bytes | head is here | a stream | head put    | body put | its end | the stream is lost
 * IDLE    | HEAD  | WAITS        |          |             |          |         |
 * HEAD    | HEAD  | WAITS        |          |             |          |         | DROPS
 * WAITS   |       |              | SENDS    |             |          |         | DROPS
 * SENDS   |       |              |          | PART, BODY  | BODY     | DONE    | DROPS
 * PART    |       |              |          | PART, BODY  |          |         | DROPS
 * BODY    |       |              |          |             | BODY     | DONE    | DROPS
 * END     |       |              |          |             |          | DONE    | DROPS
 * DROPS   |       |              |          |             |          | DONE    |
 *
 * A request without a body is DONE where it says BODY or DROPS. With its 101 an upgraded connection
 * is at BODY again, from where the visitor's end of it brings it to END.
 *
 * response | head     | its end  | all is written | broke off
 * ASKED    | ANSWERS  |          |                | (a page)
 * ANSWERS  | ANSWERS  | ANSWERED |                | BROKEN
 * ANSWERED |          |          | ASKED; upgraded: SHUT | BROKEN if upgraded
 * SHUT     |          |          |                | BROKEN
 */

/* The rest of a body that is taken only to keep the connection. */
#define DISCARD_MAX 65536

/* ---- from request to request ---- */

static void reset(struct visit *v)
{
    v->up = VISIT_IDLE;
    v->down = VISIT_ASKED;
    v->upgrade = VISIT_HTTP;
    v->keep_alive = true;
    v->expects = false;
    v->minor = 1;
    v->head_len = 0;
    memset(&v->body, 0, sizeof v->body);
    v->msg.method = (struct str){ 0 };
    v->interims = 0;
    v->sender.body = HTTP_BODY_NONE;
    v->late_at = 0;
}

void visit_start(struct visit *v, const struct visit_times *times, int64_t now)
{
    reset(v);
    v->times = times;
    v->served = false;
    v->ring.at = v->ring.len = 0;
    v->raw_left = 0;
    v->deadline = now + times->header_ms;
}

void visit_next(struct visit *v, int64_t now)
{
    reset(v);
    v->served = true;
    v->deadline = now + v->times->idle_ms;
}

/* ---- the request: from the visitor ---- */

int visit_read(struct visit *v, const uint8_t *p, size_t n, int64_t now, size_t *taken,
               struct http_head *head)
{
    size_t room = HTTP_HEAD_MAX - v->head_len;
    int len;

    /* The first request's time began with the connection. */
    if (v->up == VISIT_IDLE && v->served)
        v->deadline = now + v->times->header_ms;
    v->up = VISIT_HEAD;
    if (n > room)
        n = room;
    memcpy(v->head + v->head_len, p, n);
    len = http_request_parse(v->head, v->head_len + n, v->head_len, head);
    if (len == 0 && n == room)
        len = ERR_HTTP_SIZE;
    if (len > 0) {
        n = (size_t)len - v->head_len;
        v->up = VISIT_WAITS;
        v->until = now + v->times->queue_ms + v->times->hold_ms;
    }
    v->head_len += n;
    *taken = n;
    return len;
}

int visit_begin(struct visit *v, const struct http_head *head)
{
    struct http_framing framing;
    struct str value;
    int err = http_request_framing(head, &framing);

    v->minor = head->minor;
    v->msg.method = head->method;
    if (err < 0)
        return err;
    v->keep_alive = framing.keep_alive;
    v->expects = http_field_find(head->fields, "expect", &value);
    http_body_init(&v->body, &framing);
    return 0;
}

void visit_ask_upgrade(struct visit *v)
{
    v->upgrade = VISIT_ASKS_UPGRADE;
}

static void wait_until(struct visit *v, int64_t at, const char *late)
{
    v->deadline = at < v->until ? at : v->until;
    v->text = late;
}

void visit_hold(struct visit *v, int64_t now)
{
    wait_until(v, now + v->times->hold_ms,
               "The tunnel is not connected: its device is off or has no network.");
}

void visit_wait(struct visit *v, int64_t now)
{
    wait_until(v, now + v->times->queue_ms, "The device is busy with other requests.");
}

void visit_open(struct visit *v)
{
    v->up = VISIT_SENDS;
}

bool visit_is_read(const struct visit *v)
{
    return v->up == VISIT_DONE || (v->up >= VISIT_WAITS && v->up <= VISIT_PART && v->body.done);
}

/* A request was answered without the rest of its body, which is short and sure to come: taking it
 * keeps the connection (RFC 9112 section 9.3). */
static bool may_discard(const struct visit *v)
{
    return v->body.kind == HTTP_BODY_LENGTH && v->body.left <= DISCARD_MAX && !v->expects;
}

size_t visit_discard(struct visit *v, uint8_t *p, size_t n)
{
    size_t data;
    int used;

    if (v->up != VISIT_DROPS || !v->keep_alive || !may_discard(v))
        return 0;
    used = http_body_decode(&v->body, p, n, &data);
    if (v->body.done)
        v->up = VISIT_DONE;
    return (size_t)used;
}

/* The server may still have something to say on an upgraded connection. A visitor of plain HTTP who
 * ends his direction is taken to have left, as most servers do. */
bool visit_half_close(struct visit *v)
{
    if (v->upgrade != VISIT_UPGRADED)
        return false;
    if (v->up == VISIT_BODY) {
        v->up = VISIT_END;
        return true;
    }
    /* The stream is gone: there is nobody to tell, but what has come is still the visitor's. */
    if (v->up != VISIT_DROPS || v->ring.len == 0)
        return false;
    v->up = VISIT_DONE;
    return true;
}

/* ---- the request: into the tunnel ---- */

bool visit_pending(const struct visit *v, bool received, bool credit)
{
    switch (v->up) {
    case VISIT_SENDS:
    case VISIT_PART:
    case VISIT_END:
        return true;
    case VISIT_BODY:
        return received && credit;
    default:
        return false;
    }
}

bool visit_may_put_body(const struct visit *v, bool received)
{
    return v->up == VISIT_BODY || v->up == VISIT_END ||
           (v->up == VISIT_SENDS && !v->body.done && received);
}

bool visit_must_put_head(const struct visit *v)
{
    return v->up == VISIT_SENDS || v->up == VISIT_PART;
}

void visit_head_put(struct visit *v, bool done)
{
    if (!done)
        v->up = VISIT_PART;
    else
        v->up = v->body.done ? VISIT_DONE : VISIT_BODY;
}

void visit_body_put(struct visit *v, bool more)
{
    v->up = more ? VISIT_BODY : VISIT_DONE;
}

void visit_let_go(struct visit *v)
{
    v->up = visit_is_read(v) ? VISIT_DONE : VISIT_DROPS;
}

/* ---- the response: from the tunnel, or a page ---- */

/* RFC 9110 section 15.2: HTTP/1.0 knows none. They may be left out when they pile up. */
bool visit_wants_interim(const struct visit *v)
{
    return v->minor > 0 && v->down == VISIT_ASKED && v->ring.len == 0 &&
           v->interims < HTTP_INTERIM_MAX;
}

void visit_interim(struct visit *v, bool go_on)
{
    v->interims++;
    /* From here on the body is sure to come. */
    v->expects = v->expects && !go_on;
}

static void answer(struct visit *v, enum http_body_kind body, uint64_t length)
{
    v->down = VISIT_ANSWERS;
    sender_start(&v->sender, body, length, (struct str){ 0 }, false);
}

/* From here on the connection carries bytes of another protocol. */
static void become_upgraded(struct visit *v)
{
    v->upgrade = VISIT_UPGRADED;
    v->keep_alive = false;
    v->body = (struct http_body){ .kind = HTTP_BODY_TUNNEL };
    if (v->up == VISIT_DONE)
        v->up = VISIT_BODY;
}

bool visit_answer(struct visit *v, const struct relay_response *framing, bool keep_alive)
{
    bool upgraded = framing->body == HTTP_BODY_TUNNEL;

    if (v->down != VISIT_ASKED || (upgraded && v->upgrade != VISIT_ASKS_UPGRADE))
        return false;
    answer(v, framing->body, framing->length);
    v->keep_alive = keep_alive && framing->body != HTTP_BODY_CLOSE;
    if (upgraded)
        become_upgraded(v);
    return true;
}

void visit_page(struct visit *v, bool closing)
{
    if (v->up < VISIT_SENDS)
        visit_let_go(v);
    if (closing || !(visit_is_read(v) || may_discard(v)))
        v->keep_alive = false;
    answer(v, HTTP_BODY_NONE, 0);
    visit_end(v, false);
}

void visit_keep_raw(struct visit *v, const uint8_t *p, size_t n)
{
    CHECK(v->ring.len == v->raw_left);
    ring_push(&v->ring, p, n);
    v->raw_left += n;
}

int visit_body(struct visit *v, size_t n)
{
    if (v->sender.body == HTTP_BODY_NONE || v->down != VISIT_ANSWERS)
        return 0;
    return sender_count(&v->sender, n) < 0 ? ERR_HTTP : 1;
}

void visit_keep(struct visit *v, struct str rest)
{
    ring_push(&v->ring, rest.p, rest.n);
}

bool visit_end(struct visit *v, bool broken)
{
    if (v->down == VISIT_ANSWERS)
        v->down = sender_end(&v->sender) < 0 || broken ? VISIT_BROKEN : VISIT_ANSWERED;
    return v->down != VISIT_ASKED;
}

bool visit_break(struct visit *v)
{
    if (v->down == VISIT_ASKED)
        return false;
    v->keep_alive = false;
    /* A response that is here as a whole is worth no less for what broke behind it. */
    if (v->down != VISIT_ANSWERED || v->upgrade == VISIT_UPGRADED)
        v->down = VISIT_BROKEN;
    return true;
}

size_t visit_room(const struct visit *v)
{
    size_t held = v->ring.len - v->raw_left, most = v->ring.cap - VISIT_RING_EXTRA;

    return held < most ? most - held : 0;
}

/* ---- the response: to the visitor ---- */

static struct str first(struct str s, size_t n)
{
    return (struct str){ s.p, s.n < n ? s.n : n };
}

size_t visit_gather(struct visit *v, struct str fresh, struct str piece[3])
{
    struct str front = ring_peek(&v->ring);

    if (v->raw_left > 0) {
        piece[0] = first(front, v->raw_left);
        piece[1] = piece[2] = (struct str){ 0 };
        return piece[0].n;
    }
    /* Nothing may look like its end. */
    if (v->down == VISIT_ASKED || (v->down == VISIT_BROKEN && v->ring.len == 0))
        return 0;
    return sender_gather(&v->sender, v->ring.len > 0 ? front : fresh, piece);
}

size_t visit_wrote(struct visit *v, const struct str piece[3], size_t n, struct str *fresh)
{
    struct str front = ring_peek(&v->ring);
    size_t held = front.n;

    if (v->raw_left > 0) {
        ring_pop(&v->ring, n);
        v->raw_left -= n;
        return 0;
    }
    sender_wrote(&v->sender, piece, n, held > 0 ? &front : fresh);
    ring_pop(&v->ring, held - front.n);
    return held - front.n;
}

static bool is_sent(const struct visit *v)
{
    if (v->ring.len > 0 || v->down < VISIT_ANSWERED)
        return false;
    return v->down == VISIT_BROKEN || v->sender.state == SENDER_DONE;
}

static enum visit_verdict settle_upgraded(const struct visit *v, bool both)
{
    if (v->up == VISIT_DONE || both)
        return VISIT_FINISH;
    return v->down == VISIT_SHUT ? VISIT_GOES_ON : VISIT_HALF;
}

enum visit_verdict visit_settle(const struct visit *v, bool closing, bool both)
{
    if (!is_sent(v))
        return VISIT_GOES_ON;
    if (v->down == VISIT_BROKEN)
        return VISIT_CUT;
    if (v->upgrade == VISIT_UPGRADED)
        return settle_upgraded(v, both);
    if (!v->keep_alive || closing)
        return VISIT_FINISH;
    if (v->up == VISIT_DONE)
        return VISIT_NEXT;
    return may_discard(v) ? VISIT_GOES_ON : VISIT_FINISH;
}
