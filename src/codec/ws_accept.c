#include "codec/ws.h"

#include <bearssl_hash.h>

#include "codec/base64.h"

void ws_key(const uint8_t random[16], uint8_t out[WS_KEY_LEN])
{
    base64_encode(random, 16, out);
}

void ws_accept(struct str key, uint8_t out[WS_ACCEPT_LEN])
{
    /* Section 1.3. */
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t digest[br_sha1_SIZE];
    br_sha1_context sha1;

    br_sha1_init(&sha1);
    br_sha1_update(&sha1, key.p, key.n);
    br_sha1_update(&sha1, guid, sizeof guid - 1);
    br_sha1_out(&sha1, digest);
    base64_encode(digest, sizeof digest, out);
}
