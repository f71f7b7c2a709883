#include "core/http_sender.h"

#include "err.h"

/*
 * state | lead is out      | let go | the end, all is out     | the end, chunked
 * HEAD  | HELD, else BODY  | HEAD   | -                       | -
 * HELD  | -                | BODY   | -                       | -
 * BODY  | BODY             | -      | DONE                    | LAST
 * LAST  | DONE             | -      | -                       | -
 */

void sender_start(struct http_sender *s, enum http_body_kind body, uint64_t length, struct str head,
                  bool held)
{
    s->body = body;
    s->held = held;
    s->ended = false;
    s->left = length;
    sender_again(s, head);
}

void sender_again(struct http_sender *s, struct str head)
{
    s->state = head.n > 0 ? SENDER_HEAD : SENDER_BODY;
    s->lead = head;
    s->head_len = head.n;
    s->chunk_left = 0;
}

void sender_let_go(struct http_sender *s)
{
    s->held = false;
    if (s->state == SENDER_HELD)
        s->state = SENDER_BODY;
}

bool sender_is_untouched(const struct http_sender *s)
{
    return s->state == SENDER_HEAD && s->lead.n == s->head_len;
}

int sender_count(struct http_sender *s, uint64_t n)
{
    if (s->body != HTTP_BODY_LENGTH)
        return 0;
    if (n > s->left)
        return ERR_HTTP;
    s->left -= n;
    return 0;
}

int sender_end(struct http_sender *s)
{
    s->ended = true;
    return s->body == HTTP_BODY_LENGTH && s->left > 0 ? ERR_TRUNCATED : 0;
}

/* All that came is out. */
static void finish(struct http_sender *s)
{
    if (s->body == HTTP_BODY_CHUNKED) {
        s->state = SENDER_LAST;
        s->lead = STR("0\r\n\r\n");
    } else {
        s->state = SENDER_DONE;
    }
}

/* How many of n body bytes may follow `lead` at once? */
static size_t may_follow(struct http_sender *s, size_t n)
{
    if (s->held || s->state > SENDER_BODY)
        return 0;
    if (s->body != HTTP_BODY_CHUNKED)
        return n;
    if (s->state == SENDER_BODY && s->lead.n == 0 && s->chunk_left == 0 && n > 0) {
        s->chunk_left = n;
        s->lead = (struct str){ s->chunk_head, http_chunk_head((uint32_t)n, s->chunk_head) };
    }
    return n < s->chunk_left ? n : (size_t)s->chunk_left;
}

size_t sender_gather(struct http_sender *s, struct str data, struct str piece[3])
{
    bool ends;

    if (s->state == SENDER_BODY && s->ended && data.n == 0 && s->lead.n == 0)
        finish(s);
    data.n = may_follow(s, data.n);
    ends = data.n > 0 && data.n == s->chunk_left;
    piece[0] = s->lead;
    piece[1] = data;
    piece[2] = ends ? STR("\r\n") : (struct str){ 0 };
    return piece[0].n + piece[1].n + piece[2].n;
}

/* Takes up to n bytes off the front; returns what is left of n. */
static size_t skip(struct str *s, size_t n)
{
    size_t taken = n < s->n ? n : s->n;

    if (taken > 0)
        s->p += taken;
    s->n -= taken;
    return n - taken;
}

void sender_wrote(struct http_sender *s, const struct str piece[3], size_t n, struct str *data)
{
    struct str end = piece[2];
    size_t taken;

    n = skip(&s->lead, n);
    taken = n < piece[1].n ? n : piece[1].n;
    skip(data, taken);
    if (s->body == HTTP_BODY_CHUNKED && taken > 0) {
        s->chunk_left -= taken;
        /* What is left of the chunk's end goes out first, whatever comes next. */
        if (s->chunk_left == 0) {
            skip(&end, n - taken);
            s->lead = end;
        }
    }
    if (s->lead.n > 0)
        return;
    if (s->state == SENDER_HEAD)
        s->state = s->held ? SENDER_HELD : SENDER_BODY;
    else if (s->state == SENDER_LAST)
        s->state = SENDER_DONE;
}
