#include "core/upgrade.h"

#include <string.h>

#include "codec/base64.h"
#include "err.h"

static void put_field(struct writer *w, const char *name, struct str value)
{
    writer_text(w, name);
    writer_text(w, ": ");
    writer_str(w, value);
    writer_text(w, "\r\n");
}

static struct str protocol_name(enum upgrade_protocol protocol)
{
    return protocol == UPGRADE_TLV ? STR(UPGRADE_TLV_NAME) : STR(UPGRADE_JSON_NAME);
}

/* RFC 6455 section 4.1. The binary form first: the server takes the first that it knows. */
void upgrade_request_write(struct writer *w, struct str path, struct str host_port,
                           const uint8_t key[WS_KEY_LEN], unsigned offer)
{
    writer_text(w, "GET ");
    writer_str(w, path);
    writer_text(w, " HTTP/1.1\r\n");
    put_field(w, "Host", host_port);
    writer_text(w, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
    put_field(w, "Sec-WebSocket-Key", (struct str){ key, WS_KEY_LEN });
    if ((offer & UPGRADE_TLV) && (offer & UPGRADE_JSON))
        put_field(w, "Sec-WebSocket-Protocol", STR(UPGRADE_TLV_NAME ", " UPGRADE_JSON_NAME));
    else if (offer & (UPGRADE_TLV | UPGRADE_JSON))
        put_field(w, "Sec-WebSocket-Protocol",
                  protocol_name(offer & UPGRADE_TLV ? UPGRADE_TLV : UPGRADE_JSON));
    writer_text(w, "\r\n");
}

/* The protocol of that name among the bits of `set`, else 0. Names are case-sensitive. */
static int protocol_find(struct str name, unsigned set)
{
    if ((set & UPGRADE_TLV) && str_eq(name, STR(UPGRADE_TLV_NAME)))
        return UPGRADE_TLV;
    if ((set & UPGRADE_JSON) && str_eq(name, STR(UPGRADE_JSON_NAME)))
        return UPGRADE_JSON;
    return 0;
}

/* RFC 6455 section 4.1, the client's step 6. */
static int protocol_chosen(struct str fields, unsigned offer)
{
    struct str name;
    unsigned count = http_field_count(fields, "Sec-WebSocket-Protocol", &name);
    int protocol;

    if (count == 0)
        return UPGRADE_PLAIN;
    protocol = count == 1 ? protocol_find(name, offer) : 0;
    return protocol > 0 ? protocol : ERR_UPGRADE;
}

static bool is_websocket(const struct http_head *head)
{
    return head->minor == 1 && http_field_lists(head->fields, "Upgrade", "websocket") &&
           http_field_lists(head->fields, "Connection", "upgrade");
}

int upgrade_response_check(const struct http_head *head, const uint8_t key[WS_KEY_LEN],
                           unsigned offer)
{
    uint8_t accept[WS_ACCEPT_LEN];
    struct str found;

    if (head->status != 101 || !is_websocket(head) ||
        http_field_count(head->fields, "Sec-WebSocket-Extensions", &found) > 0)
        return ERR_UPGRADE;
    ws_accept((struct str){ key, WS_KEY_LEN }, accept);
    if (http_field_count(head->fields, "Sec-WebSocket-Accept", &found) != 1 ||
        !str_eq(found, (struct str){ accept, WS_ACCEPT_LEN }))
        return ERR_ACCEPT;
    return protocol_chosen(head->fields, offer);
}

/* RFC 6455 section 4.2.1: 16 bytes in base64. */
static bool key_valid(struct str key)
{
    struct base64 decoder = { 0 };
    uint8_t bytes[WS_KEY_LEN];

    return key.n == WS_KEY_LEN && base64_decode(&decoder, key.p, key.n, bytes) == 16 &&
           base64_ends(&decoder);
}

/* The first protocol that the client lists, in any of its fields, and we accept. */
static int protocol_choose(struct str fields, unsigned accept)
{
    struct str name;
    struct str value;
    struct str member;

    while (http_field_next(&fields, &name, &value)) {
        if (!str_ieq(name, STR("Sec-WebSocket-Protocol")))
            continue;
        while (http_list_next(&value, &member)) {
            if (protocol_find(member, accept) > 0)
                return protocol_find(member, accept);
        }
    }
    return accept & UPGRADE_PLAIN ? UPGRADE_PLAIN : ERR_UPGRADE;
}

int upgrade_request_check(const struct http_head *head, unsigned accept, struct str *key)
{
    struct str version;

    if (!str_eq(head->method, STR("GET")) || !is_websocket(head) ||
        http_field_count(head->fields, "Sec-WebSocket-Version", &version) != 1 ||
        !str_eq(version, STR("13")) ||
        http_field_count(head->fields, "Sec-WebSocket-Key", key) != 1 || !key_valid(*key))
        return ERR_UPGRADE;
    return protocol_choose(head->fields, accept);
}

void upgrade_response_write(struct writer *w, struct str key, enum upgrade_protocol protocol)
{
    uint8_t accept[WS_ACCEPT_LEN];

    ws_accept(key, accept);
    writer_text(w, "HTTP/1.1 101 Switching Protocols\r\n"
                   "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    put_field(w, "Sec-WebSocket-Accept", (struct str){ accept, WS_ACCEPT_LEN });
    if (protocol != UPGRADE_PLAIN)
        put_field(w, "Sec-WebSocket-Protocol", protocol_name(protocol));
    writer_text(w, "\r\n");
}
