#include "tap.h"

#include "err.h"
#include "core/upgrade.h"

/* RFC 6455 section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define BOTH (UPGRADE_TLV | UPGRADE_JSON)
#define ANY (BOTH | UPGRADE_PLAIN)

static const uint8_t *key = (const uint8_t *)KEY;

static void request_text(void)
{
    static const char both[] = "GET /_adit?x HTTP/1.1\r\nHost: a.example:8443\r\n"
                               "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"
                               "Sec-WebSocket-Protocol: adit.tlv.v1, adit.json.v1\r\n\r\n";
    uint8_t out[512];
    struct writer w;

    writer_init(&w, out, sizeof out);
    upgrade_request_write(&w, STR("/_adit?x"), STR("a.example:8443"), key, BOTH);
    is_mem(out, writer_stored(&w), both, sizeof both - 1, "the request, byte for byte");
    writer_init(&w, out, 100);
    upgrade_request_write(&w, STR("/_adit?x"), STR("a.example:8443"), key, BOTH);
    ok(!writer_fits(&w) && w.len == sizeof both - 1, "tells what room it needs");
}

struct offer_case {
    unsigned offer;
    unsigned accept;
    int chosen;
};

/* Both ends against each other, for every offer and what the server accepts. */
static void both_ends(void)
{
    static const struct offer_case cases[] = {
        { BOTH, ANY, UPGRADE_TLV },
        { BOTH, UPGRADE_JSON, UPGRADE_JSON },
        { BOTH, UPGRADE_PLAIN, UPGRADE_PLAIN },
        { UPGRADE_TLV, ANY, UPGRADE_TLV },
        { UPGRADE_JSON, ANY, UPGRADE_JSON },
        { UPGRADE_TLV, UPGRADE_JSON, ERR_UPGRADE },
        { 0, ANY, UPGRADE_PLAIN },
        { UPGRADE_PLAIN, ANY, UPGRADE_PLAIN },
        { 0, BOTH, ERR_UPGRADE },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct offer_case *c = &cases[i];
        struct http_head head;
        struct str got_key;
        uint8_t out[512];
        struct writer w;
        int chosen;

        writer_init(&w, out, sizeof out);
        upgrade_request_write(&w, STR("/"), STR("a"), key, c->offer);
        ok(http_request_parse(out, w.len, 0, &head) > 0, "case %zu: a good request", i);
        chosen = upgrade_request_check(&head, c->accept, &got_key);
        is_int(chosen, c->chosen, "case %zu: offer %u to a server of %u", i, c->offer, c->accept);
        is_mem(got_key.p, got_key.n, KEY, WS_KEY_LEN, "case %zu: the key", i);
        if (chosen < 0)
            continue;
        writer_init(&w, out, sizeof out);
        upgrade_response_write(&w, STR(KEY), (enum upgrade_protocol)chosen);
        ok(http_response_parse(out, w.len, 0, &head) > 0, "case %zu: a good response", i);
        is_int(upgrade_response_check(&head, key, c->offer), chosen, "case %zu: taken", i);
    }
}

struct text_case {
    int expected;
    const char *text;
};

#define R101 "HTTP/1.1 101 x\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPTED "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: "

static void responses(void)
{
    static const struct text_case cases[] = {
        { UPGRADE_PLAIN, R101 UPGRADE CONNECTION ACCEPTED "\r\n" },
        { UPGRADE_PLAIN, R101 "upgrade: WebSocket\r\nCONNECTION: keep-alive, upgrade\r\n"
                         "sec-websocket-accept:" ACCEPT "\r\n\r\n" },
        { UPGRADE_TLV, R101 UPGRADE CONNECTION ACCEPTED PROTOCOL "adit.tlv.v1\r\n\r\n" },
        { UPGRADE_JSON, R101 UPGRADE CONNECTION ACCEPTED PROTOCOL "adit.json.v1\r\n\r\n" },
        { ERR_UPGRADE, R101 UPGRADE CONNECTION ACCEPTED PROTOCOL "ADIT.tlv.v1\r\n\r\n" },
        { ERR_UPGRADE, R101 UPGRADE CONNECTION ACCEPTED PROTOCOL "chat\r\n\r\n" },
        { ERR_UPGRADE, R101 UPGRADE CONNECTION ACCEPTED PROTOCOL "\r\n\r\n" },
        { ERR_UPGRADE, R101 UPGRADE CONNECTION ACCEPTED
                       PROTOCOL "adit.tlv.v1, adit.json.v1\r\n\r\n" },
        { ERR_UPGRADE, R101 UPGRADE CONNECTION ACCEPTED PROTOCOL "adit.tlv.v1\r\n"
                       PROTOCOL "adit.tlv.v1\r\n\r\n" },
        { ERR_UPGRADE, R101 UPGRADE CONNECTION ACCEPTED
                       "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" },
        { ERR_UPGRADE, "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION ACCEPTED "\r\n" },
        { ERR_UPGRADE, "HTTP/1.1 403 Forbidden\r\n\r\n" },
        { ERR_UPGRADE, "HTTP/1.0 101 x\r\n" UPGRADE CONNECTION ACCEPTED "\r\n" },
        { ERR_UPGRADE, R101 CONNECTION ACCEPTED "\r\n" },
        { ERR_UPGRADE, R101 "Upgrade: h2c\r\n" CONNECTION ACCEPTED "\r\n" },
        { ERR_UPGRADE, R101 UPGRADE ACCEPTED "\r\n" },
        { ERR_UPGRADE, R101 UPGRADE "Connection: close\r\n" ACCEPTED "\r\n" },
        { ERR_ACCEPT, R101 UPGRADE CONNECTION "\r\n" },
        { ERR_ACCEPT, R101 UPGRADE CONNECTION "Sec-WebSocket-Accept: \r\n\r\n" },
        { ERR_ACCEPT, R101 UPGRADE CONNECTION
                      "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" },
        { ERR_ACCEPT, R101 UPGRADE CONNECTION "Sec-WebSocket-Accept: " KEY "\r\n\r\n" },
        { ERR_ACCEPT, R101 UPGRADE CONNECTION ACCEPTED ACCEPTED "\r\n" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_head head;

        ok(http_response_parse((const uint8_t *)cases[i].text, strlen(cases[i].text), 0,
                               &head) > 0, "response %zu parses", i);
        is_int(upgrade_response_check(&head, key, BOTH), cases[i].expected, "response %zu", i);
    }
}

static void not_offered(void)
{
    static const char text[] = R101 UPGRADE CONNECTION ACCEPTED PROTOCOL "adit.tlv.v1\r\n\r\n";
    struct http_head head;

    http_response_parse((const uint8_t *)text, sizeof text - 1, 0, &head);
    is_int(upgrade_response_check(&head, key, UPGRADE_JSON), ERR_UPGRADE, "not what was offered");
    is_int(upgrade_response_check(&head, key, 0), ERR_UPGRADE, "nothing was offered");
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEYED "Sec-WebSocket-Key: " KEY "\r\n"

static void requests(void)
{
    static const struct text_case cases[] = {
        { UPGRADE_PLAIN, GET UPGRADE CONNECTION VERSION KEYED "\r\n" },
        { UPGRADE_PLAIN, GET "Upgrade: h2c, WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
                         VERSION KEYED "\r\n" },
        { UPGRADE_JSON, GET UPGRADE CONNECTION VERSION KEYED
                        PROTOCOL "adit.json.v1, adit.tlv.v1\r\n\r\n" },
        { UPGRADE_TLV, GET UPGRADE CONNECTION VERSION KEYED PROTOCOL "chat,adit.tlv.v1\r\n\r\n" },
        { UPGRADE_TLV, GET UPGRADE CONNECTION VERSION KEYED PROTOCOL "chat\r\n"
                       PROTOCOL "adit.tlv.v1\r\n" PROTOCOL "adit.json.v1\r\n\r\n" },
        { UPGRADE_PLAIN, GET UPGRADE CONNECTION VERSION KEYED PROTOCOL "chat\r\n\r\n" },
        { UPGRADE_PLAIN, GET UPGRADE CONNECTION VERSION KEYED
                         "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" },
        { ERR_UPGRADE, "POST / HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECTION VERSION KEYED "\r\n" },
        { ERR_UPGRADE, "GET / HTTP/1.0\r\nHost: a\r\n" UPGRADE CONNECTION VERSION KEYED "\r\n" },
        { ERR_UPGRADE, GET CONNECTION VERSION KEYED "\r\n" },
        { ERR_UPGRADE, GET UPGRADE VERSION KEYED "\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION KEYED "\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION "Sec-WebSocket-Version: 8\r\n" KEYED "\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION VERSION KEYED "\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION "\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION KEYED KEYED "\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION "Sec-WebSocket-Key:\r\n\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZS==\r\n\r\n" },
        { ERR_UPGRADE, GET UPGRADE CONNECTION VERSION
                       "Sec-WebSocket-Key: dGhl!HNhbXBsZSBub25jZQ==\r\n\r\n" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_head head;
        struct str got_key;

        ok(http_request_parse((const uint8_t *)cases[i].text, strlen(cases[i].text), 0,
                              &head) > 0, "request %zu parses", i);
        is_int(upgrade_request_check(&head, ANY, &got_key), cases[i].expected, "request %zu", i);
    }
}

int main(void)
{
    request_text();
    both_ends();
    responses();
    not_offered();
    requests();
    return done_testing();
}
