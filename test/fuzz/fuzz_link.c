/*
 * Input: a byte of role, encoding and form, two of how to cut, then bytes for a link: as they are,
 * or (form 1) as payload, framed and masked here, so that what lies behind the framing is reached.
 * Properties: in pieces as in one, nothing told after an error, nothing read beyond a piece (by the
 * sanitizer); see link_trace.h for the order of events.
 */
#include "link_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[4] = { 0x5a, 0x00, 0xff, 0x81 };

/* Of each frame: a byte of opcode and FIN, one of length, its payload. */
static size_t frame_all(uint8_t *out, const uint8_t *p, size_t n, bool masked)
{
    size_t at = 0;
    size_t len = 0;

    while (n - at >= 2) {
        struct ws_head head = { .opcode = p[at] & 15, .fin = (p[at] & 0x80) != 0,
                                .masked = masked, .len = p[at + 1] };

        at += 2;
        if (head.len > n - at)
            head.len = n - at;
        memcpy(head.key, key, sizeof key);
        len += ws_head_write(&head, out + len);
        memcpy(out + len, p + at, (size_t)head.len);
        if (masked)
            ws_mask(out + len, (size_t)head.len, key, 0);
        at += (size_t)head.len;
        len += (size_t)head.len;
    }
    return len;
}

static void compare(bool client, enum upgrade_protocol protocol, const uint8_t *p, size_t n,
                    uint8_t first, uint8_t step)
{
    struct trace whole;
    struct trace parts;

    trace_init(&whole, client, protocol);
    trace_init(&parts, client, protocol);
    trace_all(&whole, p, n, 0, n, 0);
    trace_all(&parts, p, n, first, step % 32 + 1u, step / 32);
    /* Which of two errors in one token is seen first depends on the cut. */
    TRACE_MUST((whole.err == 0) == (parts.err == 0));
    if (whole.err == 0) {
        TRACE_MUST(whole.len == parts.len && whole.heads == parts.heads);
        TRACE_MUST(whole.len == 0 || memcmp(whole.text, parts.text, whole.len) == 0);
        TRACE_MUST(whole.ends <= whole.heads && whole.heads <= whole.ends + 1);
    }
    trace_free(&whole);
    trace_free(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum upgrade_protocol protocols[] = { UPGRADE_TLV, UPGRADE_JSON, UPGRADE_PLAIN,
                                                       UPGRADE_TLV };
    bool client;
    enum upgrade_protocol protocol;
    uint8_t *framed;

    if (size < 3)
        return 0;
    client = data[0] & 1;
    protocol = protocols[data[0] >> 1 & 3];
    if ((data[0] & 8) == 0) {
        compare(client, protocol, data + 3, size - 3, data[1], data[2]);
        return 0;
    }
    framed = malloc(size * 8);
    TRACE_MUST(framed != NULL);
    compare(client, protocol, framed, frame_all(framed, data + 3, size - 3, !client), data[1],
            data[2]);
    free(framed);
    return 0;
}
