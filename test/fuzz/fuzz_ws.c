/* A stream of frames: a head is judged the same at every cut, in its minimal form, and is written
 * back to the same bytes; the order of opcodes and close payloads keep their rules. The first byte
 * chooses who sends. */
#include "codec/ws.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "codec/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool property)
{
    if (!property)
        abort();
}

/* An answer once given, error or head, is the same for every longer input; before that it is 0. */
static int check_head(const uint8_t *in, size_t n, bool from_client, struct ws_head *head)
{
    int result = ws_head_parse(in, n, from_client, head);
    int before = 0;

    for (size_t cut = 0; cut < n && cut < WS_HEAD_MAX + 2; cut++) {
        struct ws_head other;
        int at_cut = ws_head_parse(in, cut, from_client, &other);

        expect(before == 0 || at_cut == before);
        expect(at_cut <= (int)cut);
        before = at_cut;
    }
    expect(before == 0 || result == before);
    expect(result <= WS_HEAD_MAX);
    return result;
}

static void check_written(const uint8_t *in, int n, const struct ws_head *head)
{
    uint8_t out[WS_HEAD_MAX];

    expect(ws_head_len(head->len, head->masked) == (size_t)n);
    expect(ws_head_write(head, out) == (size_t)n && memcmp(in, out, (size_t)n) == 0);
    expect(head->len <= INT64_MAX);
    expect(!ws_is_control(head->opcode) || (head->fin && head->len <= WS_CONTROL_MAX));
}

static void check_close(const uint8_t *p, size_t n)
{
    uint8_t out[WS_CONTROL_MAX];
    struct utf8 u = { 0 };
    struct str reason;
    uint16_t code;
    int result = ws_close_parse(p, n, &code, &reason);

    expect(result == 0 || result == ERR_WS_CLOSE || result == ERR_UTF8);
    if (result == 0) {
        expect(ws_close_write(code, reason, out) == n && memcmp(out, p, n) == 0);
        expect(utf8_feed(&u, reason.p, reason.n) && utf8_ends(&u));
    }
}

static void check_mask(const uint8_t *p, size_t n, const struct ws_head *head)
{
    static uint8_t buffer[512];
    size_t at = head->key[0] % 16;
    size_t split;

    if (n > sizeof buffer - at)
        n = sizeof buffer - at;
    split = n ? head->key[1] % n : 0;
    memcpy(buffer + at, p, n);
    ws_mask(buffer + at, split, head->key, head->len);
    ws_mask(buffer + at + split, n - split, head->key, head->len + split);
    for (size_t i = 0; i < n; i++)
        expect(buffer[at + i] == (p[i] ^ head->key[(head->len + i) % 4]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool from_client = size > 0 && (data[0] & 1) != 0;
    struct ws_order order = { 0 };
    struct ws_head head;
    size_t at = size ? 1 : 0;
    int n;

    while ((n = check_head(data + at, size - at, from_client, &head)) > 0) {
        bool open = order.open;
        size_t payload;

        check_written(data + at, n, &head);
        at += (size_t)n;
        payload = head.len < size - at ? (size_t)head.len : size - at;
        check_mask(data + at, payload, &head);
        if (head.opcode == WS_CLOSE)
            check_close(data + at, payload);
        at += payload;
        if (ws_order_feed(&order, &head) < 0) {
            expect(!ws_is_control(head.opcode) && open != (head.opcode == WS_CONTINUATION));
            break;
        }
        expect(order.open == (ws_is_control(head.opcode) ? open : !head.fin));
    }
    return 0;
}
