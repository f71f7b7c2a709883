#include "agent.h"

#include "err.h"

/* Less room than this in a record that holds other messages already is left empty: bulk is better
 * in full records. */
#define ROOM_MIN 1024

/* ---- from the local server ---- */

/* To p, decoded in place: for the most part that is the record buffer, so that body bytes are
 * copied by the kernel only. Returns how many; 0: none now, or the end. */
static int read_body(struct agent *a, int slot, uint8_t *p, size_t max)
{
    struct exchange *x = &a->exchange[slot];
    size_t want;

    while ((want = exchange_want_body(x, max)) > 0) {
        int n = sock_read(a->conn[slot].fd, p, want);

        n = exchange_body_read(x, p, n, want, a->loop.now);
        if (n != 0)
            return n;
    }
    return 0;
}

static void broke_off(struct agent *a, int slot)
{
    request_fail(a, slot, 502, "the local server broke off its response");
}

static void gather(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    uint8_t *p;
    size_t room;
    int n;

    while ((p = exchange_gather_room(x, &room)) != NULL) {
        n = read_body(a, slot, p, room);
        if (n < 0) {
            broke_off(a, slot);
            return;
        }
        exchange_gathered(x, (size_t)n);
    }
}

/* A head was read, or passed on and followed by the next. */
static void after_head(struct agent *a, int slot, enum exchange_verdict verdict)
{
    request_obey(a, slot, verdict);
    /* After a 101, what waited for it. */
    request_flush(a, slot);
}

void response_read(struct agent *a, int slot)
{
    struct exchange *x = &a->exchange[slot];
    size_t room;
    uint8_t *p = exchange_head_room(x, &room);
    int n;

    x->readable = true;
    if (p == NULL) {
        gather(a, slot);
        return;
    }
    n = sock_read(a->conn[slot].fd, p, room);
    if (n > 0)
        local_answers(a);
    after_head(a, slot, exchange_head_read(x, n, a->loop.now));
}

/* ---- into the record ---- */

static void make_head(const struct exchange *x, struct wire_msg *m, bool more)
{
    wire_http_response(m, (struct str){ 0 }, x->status, x->fields, more);
}

/* A head without body bytes: an interim one, one longer than a record, or the rest of one whose
 * stream was given up. */
static bool put_head(struct agent *a, int slot, uint8_t *p, size_t cap)
{
    struct exchange *x = &a->exchange[slot];
    bool doomed = a->stream[slot].state == STREAM_DOOMED;
    struct wire_msg m;
    uint8_t key[4];
    bool done;
    size_t n;

    make_head(x, &m, x->down != DOWN_INTERIM && !exchange_is_last(x));
    n = session_head_put(&a->session, slot, &m, p, cap, &done, record_key(a, key));
    record_ack(a, n);
    if (!done)
        return n > 0;
    if (doomed)
        /* Given up while it went out; only now is the buffer free. */
        request_settle(a, slot);
    else
        after_head(a, slot, exchange_put(x));
    return true;
}

static int fill(struct agent *a, int slot, const struct link_body *b)
{
    struct exchange *x = &a->exchange[slot];

    if (x->ready_len > 0)
        return (int)exchange_take_ready(x, b->body, b->max);
    return read_body(a, slot, b->body, b->max);
}

static bool put_body(struct agent *a, int slot, uint8_t *p, size_t cap)
{
    struct exchange *x = &a->exchange[slot];
    bool first = x->down == DOWN_PUT;
    bool ended = exchange_is_last(x);
    size_t most = a->bulk_max + (first ? x->fields.packed.n : 0);
    struct link_body b;
    struct wire_msg m;
    uint8_t key[4];
    int n;

    if (first)
        make_head(x, &m, true);
    if (cap > most)
        cap = most;
    if (!session_body_begin(&a->session, slot, first ? &m : NULL, &b, p, cap, first || ended)) {
        if (a->stream[slot].tx_credit == 0 && !first && !ended)
            return false;
        /* No room. In an empty record that means: a head longer than a record. */
        a->blocked = a->record_len > 0;
        return !a->blocked && first && put_head(a, slot, p, cap);
    }
    n = fill(a, slot, &b);
    if (n < 0) {
        broke_off(a, slot);
        return true;
    }
    ended = exchange_is_last(x);
    if (n == 0 && !ended && !first)
        return false;
    record_ack(a, session_body_end(&a->session, slot, &b, (size_t)n, !ended, (struct str){ 0 },
                                   record_key(a, key)));
    request_obey(a, slot, exchange_put(x));
    return true;
}

bool response_put(struct agent *a, int slot)
{
    uint8_t *p;
    size_t cap;

    if (a->bulk_max == 0 || !exchange_has_something(&a->exchange[slot]) ||
        !session_may_put(&a->session, slot))
        return false;
    p = record_room(a, &cap);
    if (p == NULL || (a->record_len > 0 && (cap < ROOM_MIN || a->record_len >= a->bulk_max))) {
        a->blocked = true;
        return false;
    }
    if (a->exchange[slot].down == DOWN_INTERIM || a->stream[slot].put_offset > 0)
        return put_head(a, slot, p, cap);
    return put_body(a, slot, p, cap);
}
