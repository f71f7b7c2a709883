#include "codec/ws.h"

#include "codec/utf8.h"
#include "err.h"

/*
 * Section 7.4.1 and the IANA registry it founds: 1012 to 1014 came later. 1004 to 1006 and 1015
 * are never sent; section 7.4.2: 3000 and up belong to libraries and applications.
 */
static bool may_be_sent(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

int ws_close_parse(const uint8_t *p, size_t n, uint16_t *code, struct str *reason)
{
    struct utf8 text = { 0 };
    struct reader r;

    *code = WS_CLOSE_NONE;
    *reason = (struct str){ NULL, 0 };
    if (n == 0)
        return 0;
    reader_init(&r, p, n);
    *code = (uint16_t)reader_be(&r, 2);
    if (r.bad || !may_be_sent(*code))
        return ERR_WS_CLOSE;
    *reason = reader_str(&r, reader_left(&r));
    if (!utf8_feed(&text, reason->p, reason->n) || !utf8_ends(&text))
        return ERR_UTF8; /* section 5.5.1 */
    return 0;
}

size_t ws_close_write(uint16_t code, struct str reason, uint8_t *out)
{
    struct writer w;

    writer_init(&w, out, WS_CONTROL_MAX);
    if (code == WS_CLOSE_NONE)
        return 0;
    if (reason.n > WS_CONTROL_MAX - 2) {
        reason.n = WS_CONTROL_MAX - 2;
        while (reason.n > 0 && (reason.p[reason.n] & 0xc0) == 0x80)
            reason.n--; /* a continuation byte would follow the cut */
    }
    writer_be(&w, code, 2);
    writer_str(&w, reason);
    return w.len;
}
