#include "core/exchange.h"

#include <string.h>

#include "err.h"

/*
 * request | message | its body is known of | all is out | cut off           | answered, given up
 * NONE    | NEW     |                      |            |                   |
 * NEW     | NEW     | SENDS, connect       |            |                   | DONE
 * SENDS   | NEW     |                      | DONE       | SENDS again, DONE | DONE
 * DONE    | NEW     |                      |            |                   |
 *
 * response | connect | first byte | head complete | 1xx complete | put     | all is put
 * NONE     | WAIT    |            |               |              |         |
 * WAIT     | WAIT    | HEAD       |               |              |         |
 * HEAD     |         |            | PUT           | INTERIM      |         |
 * INTERIM  |         |            |               |              | HEAD    |
 * PUT      |         |            |               |              | BODY    | DONE
 * BODY     |         |            |               |              | BODY    | DONE
 *
 * An idle connection that turns out to be dead before the first byte is replaced by a fresh one,
 * when nothing would be done twice by that.
 */

static void set_idle(struct exchange *x)
{
    x->up = UP_NONE;
    x->down = DOWN_NONE;
    x->deadline = EXCHANGE_NEVER;
    queue_init(&x->queue);
}

void exchange_init(struct exchange *x, struct exchange_shared *shared)
{
    x->shared = shared;
    set_idle(x);
}

/* No more of the visitor's body is wanted, or to come. */
static void leave_credit(struct exchange *x)
{
    credit_leave(&x->shared->credit, &x->share, x->queue.len);
}

void exchange_release(struct exchange *x)
{
    queue_clear(&x->shared->pool, &x->queue);
    leave_credit(x);
    x->up = UP_DONE;
    x->deadline = EXCHANGE_NEVER;
}

enum exchange_verdict exchange_fail(struct exchange *x, unsigned code, const char *text)
{
    exchange_release(x);
    x->code = code;
    x->text = text;
    return EXCHANGE_FAILED;
}

/* ---- the request: out of the tunnel ---- */

void exchange_request(struct exchange *x)
{
    struct exchange_shared *shared = x->shared;

    exchange_release(x);
    /* All but `head`, which is filled before it is read. */
    memset(x, 0, offsetof(struct exchange, head));
    exchange_init(x, shared);
    x->up = UP_NEW;
}

/* To a connection that is to be made: all of it, from the start. */
static enum exchange_verdict begin(struct exchange *x, bool fresh)
{
    x->up = UP_SENDS;
    x->down = DOWN_WAIT;
    x->readable = false;
    x->fresh = fresh;
    sender_again(&x->sender, (struct str){ x->head, x->head_len });
    return EXCHANGE_CONNECT;
}

static enum exchange_verdict refuse_request(struct exchange *x, int err)
{
    if (err == ERR_HTTP_SIZE)
        return exchange_fail(x, 431, err_text(err));
    return exchange_fail(x, 400, err_text(err));
}

static enum exchange_verdict longer(struct exchange *x)
{
    return exchange_fail(x, 400, "request body longer than its Content-Length");
}

static enum exchange_verdict start(struct exchange *x, const struct wire_msg *m, bool has_body,
                                   int64_t body_len)
{
    struct writer w;
    bool upgrade;
    int err;

    writer_init(&w, x->head, sizeof x->head);
    err = relay_request_write(&w, m, &x->shared->rules, has_body, body_len, &x->request);
    if (err < 0)
        return refuse_request(x, err);
    if (!writer_fits(&w))
        return exchange_fail(x, 431, "request head too large for the device");
    x->head_len = w.len;
    upgrade = x->request.body == HTTP_BODY_TUNNEL;
    /* RFC 9110 section 7.8: the other protocol begins after the 101. */
    sender_start(&x->sender, x->request.body, x->request.length,
                 (struct str){ x->head, x->head_len }, upgrade);
    if (has_body || upgrade)
        credit_join(&x->shared->credit, &x->share);
    if (sender_count(&x->sender, x->queue.len) < 0)
        return longer(x);
    /* What must not be sent twice does not go out on a connection that may be dying. */
    return begin(x, !x->request.repeatable);
}

enum exchange_verdict exchange_continue(struct exchange *x, const struct wire_msg *m)
{
    return x->up == UP_NEW ? start(x, m, true, -1) : EXCHANGE_GOES_ON;
}

enum exchange_verdict exchange_body(struct exchange *x, const struct wire_msg *m, size_t n)
{
    enum exchange_verdict verdict = EXCHANGE_GOES_ON;

    /* In plain mode the length may be known in a moment, which small servers need. */
    if (!x->shared->plain)
        verdict = exchange_continue(x, m);
    if (x->up == UP_SENDS && x->sender.body == HTTP_BODY_LENGTH && n > x->sender.left)
        return longer(x);
    return verdict;
}

bool exchange_is_direct(const struct exchange *x)
{
    return x->up == UP_SENDS && x->queue.len == 0 && !sender_is_untouched(&x->sender);
}

void exchange_sent(struct exchange *x, size_t n)
{
    sender_count(&x->sender, n);
}

size_t exchange_store(struct exchange *x, struct str body)
{
    size_t taken;

    if (x->up != UP_NEW && x->up != UP_SENDS)
        return body.n;
    taken = queue_push(&x->shared->pool, &x->queue, body.p, body.n);
    if (x->up == UP_SENDS)
        sender_count(&x->sender, taken);
    return taken;
}

enum exchange_verdict exchange_end(struct exchange *x, const struct wire_msg *m)
{
    enum exchange_verdict verdict = EXCHANGE_GOES_ON;

    if (x->up == UP_NEW)
        verdict = start(x, m, x->queue.len > 0, (int64_t)x->queue.len);
    if (x->up == UP_SENDS && sender_end(&x->sender) < 0)
        return exchange_fail(x, 400, "request body shorter than its Content-Length");
    leave_credit(x);
    return verdict;
}

uint64_t exchange_grant(struct exchange *x, uint64_t open, uint64_t room)
{
    if (x->shared->plain)
        return 0;
    return credit_grant(&x->shared->credit, &x->share, open + x->queue.len, room);
}

/* ---- the request: to the local server ---- */

void exchange_connected(struct exchange *x, bool reused, int64_t now, uint32_t limit_ms)
{
    x->may_repeat = reused && x->request.repeatable;
    x->deadline = now + limit_ms;
}

struct str exchange_peek(const struct exchange *x)
{
    return queue_peek(&x->shared->pool, &x->queue);
}

void exchange_pop(struct exchange *x, size_t n)
{
    queue_pop(&x->shared->pool, &x->queue, n);
}

void exchange_progress(struct exchange *x, int64_t now)
{
    x->deadline = now + x->shared->timeout_ms;
}

static bool is_untouched(const struct exchange *x)
{
    return x->up == UP_SENDS && sender_is_untouched(&x->sender);
}

/* What it has answered may still be there to be read: some refuse a body before it is sent. */
enum exchange_verdict exchange_cut(struct exchange *x)
{
    if (x->may_repeat)
        return begin(x, true);
    /* There is no danger in sending it elsewhere. */
    if (is_untouched(x))
        return EXCHANGE_ELSEWHERE;
    queue_clear(&x->shared->pool, &x->queue);
    leave_credit(x);
    x->keep_alive = false;
    x->up = UP_DONE;
    /* The other direction of an upgraded connection has ended before. */
    if (x->down == DOWN_DONE)
        return exchange_fail(x, 502, "the local server has closed the connection");
    return EXCHANGE_GOES_ON;
}

enum exchange_verdict exchange_flushed(struct exchange *x)
{
    if (x->up != UP_SENDS || x->sender.state != SENDER_DONE)
        return EXCHANGE_GOES_ON;
    x->up = UP_DONE;
    leave_credit(x);
    return x->request.body == HTTP_BODY_TUNNEL ? EXCHANGE_SHUT : EXCHANGE_GOES_ON;
}

/* ---- the response head ---- */

/* Decodes coded body bytes that stand in `head` behind those that are ready. */
static int decode_more(struct exchange *x, size_t n)
{
    size_t at = x->ready_at + x->ready_len;
    size_t data;
    int used = http_body_decode(&x->body, x->head + at, n, &data);

    if (used < 0)
        return used;
    x->ready_len += data;
    /* Bytes beyond the end: whatever they are, they are no answer to a later request. */
    if ((size_t)used < n)
        x->keep_alive = false;
    return 0;
}

static int take_interim(struct exchange *x)
{
    x->down = DOWN_INTERIM;
    return x->interims++ == HTTP_INTERIM_MAX ? ERR_TIMEOUT : 0;
}

static int take_head(struct exchange *x, struct http_head *h)
{
    struct http_framing f;
    struct str method = x->request.head ? STR("HEAD") : STR("GET");
    int err = http_response_framing(h, method, &f);

    if (err < 0)
        return err;
    if (h->status == 101 && x->request.body != HTTP_BODY_TUNNEL)
        return ERR_HTTP;
    err = relay_pack(h, x->head + (h->fields.p - x->head), h->status == 101, NULL, &x->fields);
    if (err < 0)
        return err;
    x->status = h->status;
    x->ready_at = h->len;
    x->ready_len = 0;
    if (http_is_interim(h->status))
        return take_interim(x);
    x->keep_alive = f.keep_alive;
    x->down = DOWN_PUT;
    http_body_init(&x->body, &f);
    if (h->status == 101)
        sender_let_go(&x->sender);
    return decode_more(x, x->head_len - h->len);
}

/* Drops an interim head; what follows it is the next one. */
static void next_head(struct exchange *x)
{
    x->head_len -= x->ready_at;
    memmove(x->head, x->head + x->ready_at, x->head_len);
    x->down = DOWN_HEAD;
}

static enum exchange_verdict refuse_head(struct exchange *x, int err)
{
    if (err == ERR_TIMEOUT)
        return exchange_fail(x, 504, EXCHANGE_NO_ANSWER);
    return exchange_fail(x, 502,
                         err == ERR_HTTP_SIZE ? "the local server's response head is too large"
                                              : "the local server's response is malformed");
}

static enum exchange_verdict parse_head(struct exchange *x, size_t from)
{
    struct http_head h;
    int n;

    while (x->down == DOWN_HEAD) {
        n = http_response_parse(x->head, x->head_len, from, &h);
        if (n == 0 && x->head_len == sizeof x->head)
            n = ERR_HTTP_SIZE;
        if (n == 0)
            break;
        if (n > 0)
            n = take_head(x, &h);
        if (n < 0)
            return refuse_head(x, n);
        /* A cloud that knows only plain messages knows no interim responses. */
        if (x->down == DOWN_INTERIM && x->shared->plain)
            next_head(x);
        from = 0;
    }
    return EXCHANGE_GOES_ON;
}

bool exchange_listens(const struct exchange *x)
{
    return x->up != UP_SENDS || x->sender.state != SENDER_HEAD;
}

static size_t gathered(const struct exchange *x)
{
    return x->down == DOWN_HEAD ? x->head_len : 0;
}

uint8_t *exchange_head_room(struct exchange *x, size_t *n)
{
    if (x->down != DOWN_WAIT && x->down != DOWN_HEAD)
        return NULL;
    *n = sizeof x->head - gathered(x);
    return x->head + gathered(x);
}

enum exchange_verdict exchange_head_read(struct exchange *x, int n, int64_t now)
{
    size_t from = gathered(x);

    if (n == 0)
        return EXCHANGE_GOES_ON;
    if (n < 0 && x->may_repeat)
        return begin(x, true);
    if (n < 0)
        return exchange_fail(x, 502, "the local server closed the connection without an answer");
    /* A head that drips is no progress. */
    if (from == 0)
        exchange_progress(x, now);
    x->may_repeat = false;
    x->down = DOWN_HEAD;
    x->head_len = from + (size_t)n;
    return parse_head(x, from);
}

/* ---- the response body ---- */

size_t exchange_want_body(const struct exchange *x, size_t max)
{
    return x->readable && !x->body.done && max > 0 ? http_body_want(&x->body, max) : 0;
}

/* The connection ended: 0 when the body may end so. */
static int source_ended(struct exchange *x, int err)
{
    x->keep_alive = false;
    return err == ERR_CLOSED ? http_body_eof(&x->body) : ERR_TRUNCATED;
}

int exchange_body_read(struct exchange *x, uint8_t *p, int n, size_t wanted, int64_t now)
{
    size_t data;
    int used;

    /* A short read took all there was; asking again would only cost a system call. */
    x->readable = n > 0 && (size_t)n == wanted;
    if (n == 0)
        return 0;
    if (n < 0)
        return source_ended(x, n);
    used = http_body_decode(&x->body, p, (size_t)n, &data);
    if (used < 0)
        return used;
    if (used < n)
        x->keep_alive = false;
    if (data > 0)
        exchange_progress(x, now);
    return (int)data;
}

static bool gathers(const struct exchange *x)
{
    return x->shared->plain && x->down == DOWN_PUT && !x->body.done &&
           x->ready_at + x->ready_len < sizeof x->head;
}

uint8_t *exchange_gather_room(struct exchange *x, size_t *n)
{
    size_t at = x->ready_at + x->ready_len;

    if (!x->readable || !gathers(x))
        return NULL;
    *n = sizeof x->head - at;
    return x->head + at;
}

void exchange_gathered(struct exchange *x, size_t n)
{
    x->ready_len += n;
}

/* ---- the response: into the tunnel ---- */

bool exchange_has_something(const struct exchange *x)
{
    if (x->down == DOWN_PUT)
        return !gathers(x);
    return x->down == DOWN_INTERIM ||
           (x->down == DOWN_BODY && (x->ready_len > 0 || x->readable || x->body.done));
}

bool exchange_is_last(const struct exchange *x)
{
    return x->down != DOWN_INTERIM && x->body.done && x->ready_len == 0;
}

/* The second copy of at most a buffer of each response: what came along with its head. */
size_t exchange_take_ready(struct exchange *x, uint8_t *p, size_t max)
{
    size_t n = x->ready_len < max ? x->ready_len : max;

    memcpy(p, x->head + x->ready_at, n);
    x->ready_at += n;
    x->ready_len -= n;
    return n;
}

/* The connection may serve another request, or its other direction. */
static enum exchange_verdict complete(struct exchange *x)
{
    x->down = DOWN_DONE;
    if (x->body.kind == HTTP_BODY_TUNNEL && x->up != UP_DONE)
        return EXCHANGE_GOES_ON;
    x->keep_alive = x->keep_alive && x->up == UP_DONE;
    exchange_release(x);
    return EXCHANGE_COMPLETE;
}

enum exchange_verdict exchange_put(struct exchange *x)
{
    if (x->down == DOWN_INTERIM) {
        next_head(x);
        return parse_head(x, 0);
    }
    x->down = DOWN_BODY;
    return exchange_is_last(x) ? complete(x) : EXCHANGE_GOES_ON;
}

/* ---- time ---- */

static bool wants_out(const struct exchange *x, bool more)
{
    if (x->up != UP_SENDS)
        return false;
    /* With a pool that others have used up, the record buffer is the queue. */
    if (x->sender.state == SENDER_BODY)
        return x->sender.lead.n > 0 || x->queue.len > 0 || more;
    return x->sender.state != SENDER_HELD;
}

static bool waits_for_head(const struct exchange *x)
{
    return x->down == DOWN_WAIT || x->down == DOWN_HEAD;
}

static bool wants_in(const struct exchange *x, bool may_put)
{
    if (waits_for_head(x))
        return exchange_listens(x);
    if (gathers(x))
        return true;
    return x->down == DOWN_BODY && !x->body.done && x->ready_len == 0 && !x->readable && may_put;
}

bool exchange_lingers(const struct exchange *x)
{
    return x->up == UP_SENDS && x->sender.state == SENDER_BODY && x->sender.ended &&
           x->down == DOWN_DONE && x->request.body == HTTP_BODY_TUNNEL;
}

/* Is it the local server that has to do something? If the visitor has to, time is his. */
static bool waits_for_local(const struct exchange *x, bool out, bool in)
{
    if (x->body.kind == HTTP_BODY_TUNNEL)
        return exchange_lingers(x);
    if (waits_for_head(x))
        return out || x->up == UP_DONE || x->request.body == HTTP_BODY_TUNNEL;
    return out || in;
}

unsigned exchange_want(struct exchange *x, bool may_put, bool more, int64_t now)
{
    bool out = wants_out(x, more), in = wants_in(x, may_put);

    if (!waits_for_local(x, out, in))
        x->deadline = EXCHANGE_NEVER;
    else if (x->deadline == EXCHANGE_NEVER)
        exchange_progress(x, now);
    return (out ? EXCHANGE_OUT : 0u) | (in ? EXCHANGE_IN : 0u);
}

enum exchange_verdict exchange_on_time(struct exchange *x)
{
    return is_untouched(x) ? EXCHANGE_ELSEWHERE : exchange_fail(x, 504, EXCHANGE_NO_ANSWER);
}
