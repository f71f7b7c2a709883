#include "agent.h"

#include <string.h>

#include "err.h"

/* ---- credit ---- */

static uint64_t beyond_window(uint64_t n)
{
    return n > STREAM_WINDOW ? n - STREAM_WINDOW : 0;
}

/*
 * Tops the peer's credit up to the stream's share: the window that every stream has, and an equal
 * part of the spare room. `excess` is what the stream may hold of the spare room at the most; that
 * it is only lowered here, with what came in between counted as still there, errs on the safe side.
 */
void upload_grant(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    const struct stream *t = &a->stream[slot];
    uint64_t held = t->rx_credit + t->grant + x->queue.len;
    uint64_t others = a->spare_used - x->excess;
    uint64_t target;

    if (!x->uploading || !t->rx_open || a->session.link.plain)
        return;
    target = STREAM_WINDOW + POOL_SPARE / a->uploads;
    if (target > STREAM_WINDOW + POOL_SPARE - others)
        target = STREAM_WINDOW + POOL_SPARE - others;
    if (held >= target)
        return;
    x->excess = beyond_window(target);
    a->spare_used = others + x->excess;
    session_grant(&a->session, slot, target - held);
}

static void begin(struct agent *a, int slot)
{
    a->exchange[slot].uploading = true;
    a->uploads++;
    upload_grant(a, slot);
}

/* A stream whose visitor has nothing more to send needs its queue's room, but no more credit; its
 * excess is given back when the queue is empty. */
void upload_release(struct agent *a, struct exchange *x)
{
    if (x->uploading)
        a->uploads--;
    x->uploading = false;
    if (x->queue.len <= STREAM_WINDOW) {
        a->spare_used -= x->excess;
        x->excess = 0;
    }
}

/* ---- the request's way ---- */

void upload_start(struct agent *a, int slot, bool has_body, int64_t body_len)
{
    struct exchange *x = &a->exchange[slot];
    const struct relay_rules rules = {
        .host = { a->target.local_text, a->target.local_text_len },
        .host_replace = a->config.host_header != NULL,
        .streams = !a->session.link.plain,
    };
    struct writer w;
    int err;

    writer_init(&w, x->head, sizeof x->head);
    err = relay_request_write(&w, &a->session.link.in.msg, &rules, has_body, body_len,
                              &x->request);
    if (err < 0) {
        exchange_fail(a, slot, err == ERR_HTTP_SIZE ? 431 : 400, err_text(err));
        return;
    }
    if (!writer_fits(&w)) {
        exchange_fail(a, slot, 431, "request head too large for the device");
        return;
    }
    x->head_len = w.len;
    x->up_left = x->request.length;
    if (has_body || x->request.body == HTTP_BODY_TUNNEL)
        begin(a, slot);
    if (x->up_left < x->queue.len && x->request.body == HTTP_BODY_LENGTH) {
        exchange_fail(a, slot, 400, "request body longer than its Content-Length");
        return;
    }
    x->up_left -= x->request.body == HTTP_BODY_LENGTH ? x->queue.len : 0;
    /* What must not be sent twice does not go out on a connection that may be dying. */
    exchange_connect(a, slot, !x->request.repeatable);
    upload_write(a, slot);
}

static void begin_chunk(struct exchange *x, size_t n)
{
    size_t len;

    if (n > 0) {
        len = http_chunk_head((uint32_t)n, x->chunk_lead);
    } else {
        memcpy(x->chunk_lead, "0\r\n\r\n", 5);
        len = 5;
        x->chunk_ended = true;
    }
    x->chunk_left = n;
    x->lead = (struct str){ x->chunk_lead, len };
}

/* How many of n body bytes may follow `lead` at once? */
static size_t may_follow(struct exchange *x, size_t n)
{
    if (x->request.body == HTTP_BODY_CHUNKED) {
        if (x->up == UP_BODY && x->lead.n == 0 && x->chunk_left == 0 && n > 0)
            begin_chunk(x, n);
        return n < x->chunk_left ? n : (size_t)x->chunk_left;
    }
    /* RFC 9110 section 7.8: the other protocol begins after the 101. */
    if (x->request.body == HTTP_BODY_TUNNEL && (x->status != 101 || x->down < DOWN_PUT))
        return 0;
    return n;
}

static size_t skip(struct str *s, size_t n)
{
    size_t taken = n < s->n ? n : s->n;

    s->p += taken;
    s->n -= taken;
    return n - taken;
}

/* Writes what leads and then body bytes, as far as the local server takes them. Returns the body
 * bytes taken, or an error. */
static int write_out(struct agent *a, struct exchange *x, struct str data)
{
    size_t given = data.n;

    for (;;) {
        struct str now = { data.p, may_follow(x, data.n) };
        bool ends = x->chunk_left > 0 && now.n == x->chunk_left;
        struct str piece[3] = { x->lead, now, ends ? STR("\r\n") : (struct str){ 0 } };
        size_t all = piece[0].n + piece[1].n + piece[2].n;
        int n = all > 0 ? sock_writev(x->fd, piece, 3) : 0;
        size_t left;

        if (n < 0)
            return n;
        if (n == 0)
            return (int)(given - data.n);
        exchange_progress(a, x);
        left = skip(&now, skip(&x->lead, (size_t)n));
        skip(&data, piece[1].n - now.n);
        if (x->request.body == HTTP_BODY_CHUNKED)
            x->chunk_left -= piece[1].n - now.n;
        if (ends && x->chunk_left == 0) {
            /* What is left of the chunk's end goes out first, whatever comes next. */
            skip(&piece[2], left);
            x->lead = piece[2];
        }
        if (x->up == UP_HEAD && x->lead.n == 0)
            x->up = UP_BODY;
        if ((size_t)n < all)
            return (int)(given - data.n);
    }
}

/* The local server takes no more. What it has answered may still be there to be read: some refuse
 * a body before it is sent. */
static void refuse(struct agent *a, int slot, int err)
{
    struct exchange *x = &a->exchange[slot];

    if (x->reused && x->request.repeatable && !x->answering) {
        exchange_connect(a, slot, true);
        return;
    }
    /* Nothing has been sent: there is no danger in sending it elsewhere. */
    if (exchange_unwritten(x)) {
        exchange_unreached(a, slot, err);
        return;
    }
    queue_clear(&a->pool, &x->queue);
    upload_release(a, x);
    x->lead.n = 0;
    x->keep_alive = false;
    x->up = UP_DONE;
    if (x->down == DOWN_DONE)
        /* The other direction of an upgraded connection has ended before. */
        exchange_fail(a, slot, 502, "the local server has closed the connection");
}

/* All that the visitor sent is out: what ends the body? */
static void finish(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];

    if (x->request.body == HTTP_BODY_CHUNKED && !x->chunk_ended) {
        begin_chunk(x, 0);
        upload_write(a, slot);
        return;
    }
    if (x->request.body == HTTP_BODY_TUNNEL) {
        if (x->status != 101)
            return;
        sock_shutdown_write(x->fd);
    }
    x->up = UP_DONE;
    upload_release(a, x);
    if (x->down == DOWN_DONE)
        exchange_settle(a, slot);
}

void upload_write(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    int n;

    if (x->up != UP_HEAD && x->up != UP_BODY)
        return;
    do {
        n = write_out(a, x, queue_peek(&a->pool, &x->queue));
        if (n > 0) {
            queue_pop(&a->pool, &x->queue, (size_t)n);
            upload_grant(a, slot);
        }
    } while (n > 0 && x->queue.len > 0);
    if (n < 0)
        refuse(a, slot, n);
    else if (x->up == UP_BODY && x->up_ended && x->queue.len == 0 && x->lead.n == 0)
        finish(a, slot);
}

size_t upload_body(struct agent *a, int slot, struct str body)
{
    struct exchange *x = &a->exchange[slot];
    size_t taken = 0;
    int n;

    /* In plain mode the length may be known in a moment, which small servers need. */
    if (x->up == UP_NEW && a->session.link.plain) {
        taken = queue_push(&a->pool, &x->queue, body.p, body.n);
        if (taken < body.n)
            upload_start(a, slot, true, -1);
        return taken;
    }
    if (x->up == UP_NEW)
        upload_start(a, slot, true, -1);
    if (x->up == UP_NONE || x->up == UP_DONE)
        return body.n;
    if (x->request.body == HTTP_BODY_LENGTH && body.n > x->up_left) {
        exchange_fail(a, slot, 400, "request body longer than its Content-Length");
        return body.n;
    }
    /* Straight from the record buffer, unless older bytes wait, or perhaps another connection. */
    if (x->queue.len == 0 && !exchange_unwritten(x)) {
        n = write_out(a, x, body);
        if (n < 0) {
            refuse(a, slot, n);
            return body.n;
        }
        taken = (size_t)n;
    }
    /* The one copy: the local server is slower than the tunnel, and the record buffer is needed
     * for other streams. */
    taken += queue_push(&a->pool, &x->queue, body.p + taken, body.n - taken);
    if (x->request.body == HTTP_BODY_LENGTH)
        x->up_left -= taken;
    upload_grant(a, slot);
    return taken;
}

bool upload_wants(const struct agent *a, int slot)
{
    const struct exchange *x = &a->exchange[slot];

    if (x->up == UP_HEAD)
        return true;
    if (x->up != UP_BODY)
        return false;
    if (x->request.body == HTTP_BODY_TUNNEL && x->status != 101)
        return x->lead.n > 0;
    /* With a pool that others have used up, the record buffer is the queue. */
    return x->lead.n > 0 || x->queue.len > 0 || (a->held.n > 0 && a->held_slot == slot);
}
