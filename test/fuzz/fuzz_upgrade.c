/*
 * Input: a byte of what is offered and accepted, then bytes that may be a response or a request.
 * Properties: only a response with the one right key is taken, and only what was offered; what one
 * end writes with fields from the input, the other end understands.
 */
#include "must.h"

#include "err.h"
#include "core/upgrade.h"

#define BITS (UPGRADE_TLV | UPGRADE_JSON | UPGRADE_PLAIN)

static const uint8_t *key = (const uint8_t *)"dGhlIHNhbXBsZSBub25jZQ==";

static void response(const uint8_t *in, size_t n, unsigned offer)
{
    struct http_head head;
    uint8_t accept[WS_ACCEPT_LEN];
    struct str found;
    int got;

    if (http_response_parse(in, n, 0, &head) <= 0)
        return;
    got = upgrade_response_check(&head, key, offer);
    MUST(got == ERR_UPGRADE || got == ERR_ACCEPT || got == UPGRADE_PLAIN ||
         ((got == UPGRADE_TLV || got == UPGRADE_JSON) && ((unsigned)got & offer) != 0));
    if (got < 0)
        return;
    ws_accept((struct str){ key, WS_KEY_LEN }, accept);
    MUST(head.status == 101 && http_field_find(head.fields, "sec-websocket-accept", &found));
    MUST(str_eq(found, (struct str){ accept, WS_ACCEPT_LEN }));
    MUST(!http_field_find(head.fields, "sec-websocket-extensions", &found));
}

/* A server's answer to whatever it took must satisfy a client that sent the same key. */
static void request(const uint8_t *in, size_t n, unsigned accept)
{
    struct http_head head;
    struct str got_key;
    uint8_t out[512];
    struct writer w;
    int got;

    if (http_request_parse(in, n, 0, &head) <= 0)
        return;
    got = upgrade_request_check(&head, accept, &got_key);
    MUST(got == ERR_UPGRADE || (got > 0 && ((unsigned)got & accept) != 0));
    if (got < 0)
        return;
    MUST(got_key.n == WS_KEY_LEN);
    writer_init(&w, out, sizeof out);
    upgrade_response_write(&w, got_key, (enum upgrade_protocol)got);
    MUST(writer_fits(&w) && http_response_parse(out, w.len, 0, &head) == (int)w.len);
    MUST(upgrade_response_check(&head, got_key.p, BITS) == got);
}

/* A path from the input, in a request of ours. */
static void written(struct str path, unsigned offer)
{
    uint8_t out[1024];
    struct http_head head;
    struct str got_key;
    struct writer w;
    int expected = offer & UPGRADE_TLV ? UPGRADE_TLV
                 : offer & UPGRADE_JSON ? UPGRADE_JSON : UPGRADE_PLAIN;

    if (!http_target_valid(path) || path.n > 512)
        return;
    writer_init(&w, out, sizeof out);
    upgrade_request_write(&w, path, STR("a.example"), key, offer);
    MUST(writer_fits(&w) && http_request_parse(out, w.len, 0, &head) == (int)w.len);
    MUST(str_eq(head.target, path));
    MUST(upgrade_request_check(&head, BITS, &got_key) == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned bits;

    if (size < 1)
        return 0;
    bits = data[0] & BITS;
    response(data + 1, size - 1, bits);
    request(data + 1, size - 1, bits);
    written((struct str){ data + 1, size - 1 }, bits);
    return 0;
}
