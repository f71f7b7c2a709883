#include "agent.h"

#include <string.h>

#include "err.h"

/* Less room than this in a record that holds other messages already is left empty: bulk is better
 * in full records. */
#define ROOM_MIN 1024

/* ---- the response head ---- */

/* The local server is gone without an answer. */
static void no_answer(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];

    if (x->reused && x->request.repeatable && !x->answering)
        exchange_connect(a, slot, true);
    else
        exchange_fail(a, slot, 502, "the local server closed the connection without an answer");
}

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
    x->interim = h->status < 200 && h->status != 101;
    if (x->interim && x->interims++ == HTTP_INTERIM_MAX)
        return ERR_TIMEOUT;
    x->keep_alive = f.keep_alive;
    x->ready_at = h->len;
    x->ready_len = 0;
    x->down = DOWN_PUT;
    http_body_init(&x->body, &f);
    return x->interim ? 0 : decode_more(x, x->head_len - h->len);
}

/* Drops an interim head; what follows it is the next one. */
static void next_head(struct exchange *x, size_t len)
{
    x->head_len -= len;
    memmove(x->head, x->head + len, x->head_len);
    x->down = DOWN_HEAD;
    x->interim = false;
}

static void refuse_head(struct agent *a, int slot, int err)
{
    if (err == ERR_TIMEOUT)
        exchange_fail(a, slot, 504, EXCHANGE_NO_ANSWER);
    else
        exchange_fail(a, slot, 502,
                      err == ERR_HTTP_SIZE ? "the local server's response head is too large"
                                           : "the local server's response is malformed");
}

static void parse_head(struct agent *a, int slot, size_t from)
{
    struct exchange *x = &a->exchange[slot];
    struct http_head h;
    int n;

    while (x->down == DOWN_HEAD) {
        n = http_response_parse(x->head, x->head_len, from, &h);
        if (n == 0 && x->head_len == sizeof x->head)
            n = ERR_HTTP_SIZE;
        if (n == 0)
            return;
        if (n > 0)
            n = take_head(x, &h);
        if (n < 0) {
            refuse_head(a, slot, n);
            return;
        }
        /* A cloud that knows only plain messages knows no interim responses. */
        if (x->interim && a->session.link.plain)
            next_head(x, x->ready_at);
        from = 0;
    }
    if (x->status == 101)
        upload_write(a, slot);
}

void download_read_head(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    size_t at = x->answering ? x->head_len : 0;
    int n = sock_read(x->fd, x->head + at, sizeof x->head - at);

    if (n == 0)
        return;
    if (n < 0) {
        no_answer(a, slot);
        return;
    }
    /* A head that drips is no progress. */
    if (at == 0)
        exchange_progress(a, x);
    local_answers(a);
    x->answering = true;
    x->head_len = at + (size_t)n;
    parse_head(a, slot, at);
}

/* ---- the body ---- */

/* The connection ended: 0 when the body may end so. */
static int source_ended(struct exchange *x, int err)
{
    x->keep_alive = false;
    x->readable = false;
    return err == ERR_CLOSED ? http_body_eof(&x->body) : ERR_TRUNCATED;
}

/* Reads body bytes to p, decoded in place: for the most part that is the record buffer, so that
 * they are copied by the kernel only. Returns how many; 0: none now, or the end (body.done). */
static int read_body(struct agent *a, struct exchange *x, uint8_t *p, size_t max)
{
    while (x->readable && !x->body.done && max > 0) {
        size_t want = http_body_want(&x->body, max);
        size_t data;
        int used;
        int n = sock_read(x->fd, p, want);

        /* A short read took all there was; asking again would only cost a system call. */
        x->readable = n > 0 && (size_t)n == want;
        if (n == 0)
            return 0;
        if (n < 0)
            return source_ended(x, n);
        used = http_body_decode(&x->body, p, (size_t)n, &data);
        if (used < 0)
            return used;
        if (used < n)
            x->keep_alive = false;
        if (data == 0)
            continue;
        exchange_progress(a, x);
        return (int)data;
    }
    return 0;
}

/* Plain mode: a response that fits the buffer goes out whole, so that it does not keep the
 * connection from others while it is slow. */
static bool gathers(const struct agent *a, const struct exchange *x)
{
    return a->session.link.plain && x->down == DOWN_PUT && !x->body.done &&
           x->ready_at + x->ready_len < sizeof x->head;
}

void download_gather(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];

    while (x->readable && gathers(a, x)) {
        size_t at = x->ready_at + x->ready_len;
        int n = read_body(a, x, x->head + at, sizeof x->head - at);

        if (n < 0) {
            exchange_fail(a, slot, 502, "the local server broke off its response");
            return;
        }
        x->ready_len += (size_t)n;
    }
}

bool download_wants(const struct agent *a, int slot)
{
    const struct exchange *x = &a->exchange[slot];

    if (gathers(a, x))
        return true;
    return x->down == DOWN_BODY && !x->body.done && x->ready_len == 0 && !x->readable &&
           a->stream[slot].tx_credit > 0 && session_may_put(&a->session, slot);
}

static int fill(struct agent *a, struct exchange *x, uint8_t *p, size_t max)
{
    size_t n = x->ready_len < max ? x->ready_len : max;

    if (x->ready_len == 0)
        return read_body(a, x, p, max);
    /* The second copy of at most a buffer of each response: what came along with its head. */
    memcpy(p, x->head + x->ready_at, n);
    x->ready_at += n;
    x->ready_len -= n;
    return (int)n;
}

/* The response is passed on; the connection may serve another request, or its other direction. */
static void complete(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];

    x->down = DOWN_DONE;
    if (x->body.kind != HTTP_BODY_TUNNEL || x->up == UP_DONE) {
        if (x->keep_alive && x->up == UP_DONE && x->fd >= 0) {
            origin_keep(&a->origin, x->fd, a->loop.now);
            x->fd = -1;
        }
        sock_close(&x->fd);
        queue_clear(&a->pool, &x->queue);
        upload_release(a, x);
        x->up = UP_DONE;
    }
    exchange_settle(a, slot);
}

static void make_head(const struct exchange *x, struct wire_msg *m, bool more)
{
    wire_http_response(m, (struct str){ 0 }, x->status, x->fields, more);
}

/* A head without body bytes: an interim one, one longer than a record, or the rest of one whose
 * stream was given up. */
static bool put_head(struct agent *a, int slot, uint8_t *p, size_t cap)
{
    struct exchange *x = &a->exchange[slot];
    bool more = !x->interim && !(x->body.done && x->ready_len == 0);
    bool doomed = a->stream[slot].doomed;
    struct wire_msg m;
    uint8_t key[4];
    bool done;
    size_t n;

    make_head(x, &m, more);
    n = session_head_put(&a->session, slot, &m, p, cap, &done, serve_key(a, key));
    serve_ack(a, n);
    if (!done)
        return n > 0;
    if (doomed) {
        /* Given up while it went out; only now is the buffer free. */
        exchange_settle(a, slot);
        return true;
    }
    if (x->interim) {
        next_head(x, x->ready_at);
        parse_head(a, slot, 0);
        return true;
    }
    x->down = DOWN_BODY;
    if (!more)
        complete(a, slot);
    return true;
}

static bool put_body(struct agent *a, int slot, uint8_t *p, size_t cap)
{
    struct exchange *x = &a->exchange[slot];
    bool first = x->down == DOWN_PUT;
    bool ended = x->body.done && x->ready_len == 0;
    struct link_body b;
    struct wire_msg m;
    uint8_t key[4];
    bool more;
    int n;

    if (first)
        make_head(x, &m, true);
    if (!session_body_begin(&a->session, slot, first ? &m : NULL, &b, p, cap, first || ended)) {
        if (a->stream[slot].tx_credit == 0 && !first && !ended)
            return false;
        /* No room. In an empty record that means: a head longer than a record. */
        a->blocked = a->record_len > 0;
        return !a->blocked && first && put_head(a, slot, p, cap);
    }
    n = fill(a, x, b.body, b.max);
    if (n < 0) {
        exchange_fail(a, slot, 502, "the local server broke off its response");
        return true;
    }
    more = !x->body.done || x->ready_len > 0;
    if (n == 0 && more && !first)
        return false;
    serve_ack(a, session_body_end(&a->session, slot, &b, (size_t)n, more, (struct str){ 0 },
                                  serve_key(a, key)));
    x->down = DOWN_BODY;
    if (!more)
        complete(a, slot);
    return true;
}

/* Is there anything to put, as far as can be told without trying? */
static bool has_something(const struct agent *a, int slot)
{
    const struct exchange *x = &a->exchange[slot];

    if (x->down == DOWN_PUT)
        return !gathers(a, x);
    return x->down == DOWN_BODY && (x->ready_len > 0 || x->readable || x->body.done);
}

bool download_put(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    uint8_t *p;
    size_t cap;

    if (!has_something(a, slot) || !session_may_put(&a->session, slot))
        return false;
    p = transport_send_buf(&a->transport, &cap);
    if (p == NULL || (a->record_len > 0 && cap < ROOM_MIN)) {
        a->blocked = true;
        return false;
    }
    if (x->interim || a->stream[slot].put_offset > 0)
        return put_head(a, slot, p, cap);
    return put_body(a, slot, p, cap);
}
