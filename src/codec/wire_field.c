#include "wire.h"

#include <string.h>

#define T(type) WIRE_TYPE_BIT(WIRE_##type)
#define REQUEST T(HTTP_REQUEST)
#define RESPONSE T(HTTP_RESPONSE)
#define HTTP (REQUEST | RESPONSE | T(HTTP_BODY))
#define ROW(name, tag, kind, member, types, required)                                             \
    { name, WIRE_##tag, WIRE_KIND_##kind, offsetof(struct wire_msg, member), types, required }
#define COUNTER(member, tag) ROW(#member, tag, UINT, member, T(STATS), 0)

const struct wire_field wire_fields[WIRE_FIELDS + 1] = {
    ROW("id", ID, STR, id, HTTP | T(WINDOW), HTTP | T(WINDOW)),
    ROW("request_id", ID, STR, id, T(ERROR), 0),
    ROW("token", TOKEN, STR, token, T(AUTH), T(AUTH)),
    ROW("agent", AGENT, STR, agent, T(AUTH), 0),
    ROW("session_id", SESSION_ID, STR, session_id, T(AUTH_SUCCESS), 0),
    ROW("method", METHOD, STR, method, REQUEST, REQUEST),
    ROW("url", URL, STR, url, REQUEST | T(AUTH_SUCCESS) | T(GOAWAY), REQUEST),
    ROW("status", STATUS, UINT, status, RESPONSE, RESPONSE),
    ROW("error", ERROR_TEXT, STR, error, T(AUTH_ERROR) | T(ERROR) | REQUEST | RESPONSE,
        0),
    ROW("code", CODE, UINT, code, T(ERROR), 0),
    ROW("window", WINDOW_SIZE, UINT, window, T(AUTH) | T(AUTH_SUCCESS), 0),
    ROW("max_streams", MAX_STREAMS, UINT, max_streams, T(AUTH), 0),
    ROW("server_time", SERVER_TIME, UINT, server_time, T(AUTH_SUCCESS), 0),
    ROW("retry_after", RETRY_AFTER, UINT, retry_after, T(AUTH_ERROR), 0),
    ROW("timestamp", TIMESTAMP, UINT, timestamp, T(PING) | T(PONG), 0),
    ROW("credit", CREDIT, UINT, credit, T(WINDOW), T(WINDOW)),
    ROW("delay_ms", DELAY_MS, UINT, delay_ms, T(GOAWAY), 0),
    COUNTER(requests_processed, REQUESTS_PROCESSED),
    COUNTER(requests_failed, REQUESTS_FAILED),
    COUNTER(bytes_transferred, BYTES_TRANSFERRED),
    COUNTER(uptime_seconds, UPTIME_SECONDS),
    COUNTER(reconnects, RECONNECTS),
    COUNTER(streams_active, STREAMS_ACTIVE),
    COUNTER(rtt_ms, RTT_MS),
    ROW("headers", HEADER, HEADERS, headers, REQUEST | RESPONSE, 0),
    ROW("more", MORE, BOOL, more, HTTP, 0),
    ROW("body", BODY, BODY, body, HTTP, 0),
    { NULL, 0, 0, 0, 0, 0 },
};

static const char *const type_names[] = {
    [WIRE_AUTH] = "Auth",
    [WIRE_AUTH_SUCCESS] = "AuthSuccess",
    [WIRE_AUTH_ERROR] = "AuthError",
    [WIRE_HTTP_REQUEST] = "HttpRequest",
    [WIRE_HTTP_RESPONSE] = "HttpResponse",
    [WIRE_PING] = "Ping",
    [WIRE_PONG] = "Pong",
    [WIRE_ERROR] = "Error",
    [WIRE_STATS] = "Stats",
    [WIRE_HTTP_BODY] = "HttpBody",
    [WIRE_WINDOW] = "Window",
    [WIRE_GOAWAY] = "Goaway",
};
#define TYPE_NAMES (sizeof type_names / sizeof *type_names)

const struct wire_field *wire_field_by_tag(enum wire_type type, uint8_t tag)
{
    for (const struct wire_field *f = wire_fields; f->name; f++)
        if (f->tag == tag && (f->types & WIRE_TYPE_BIT(type)))
            return f;
    return NULL;
}

const struct wire_field *wire_field_by_name(enum wire_type type, struct str name)
{
    uint32_t types = type == WIRE_NONE ? UINT32_MAX : WIRE_TYPE_BIT(type);

    for (const struct wire_field *f = wire_fields; f->name; f++)
        if ((f->types & types) && str_eq(str_of(f->name), name))
            return f;
    return NULL;
}

const char *wire_type_name(enum wire_type type)
{
    return (size_t)type < TYPE_NAMES ? type_names[type] : NULL;
}

enum wire_type wire_type_by_name(struct str name)
{
    for (size_t i = 0; i < TYPE_NAMES; i++)
        if (type_names[i] && str_eq(str_of(type_names[i]), name))
            return (enum wire_type)i;
    return WIRE_NONE;
}

uint32_t wire_required(enum wire_type type)
{
    uint32_t required = 0;

    for (const struct wire_field *f = wire_fields; f->name; f++)
        if (f->required & WIRE_TYPE_BIT(type))
            required |= WIRE_HAS(f->tag);
    return required;
}

bool wire_type_is_plain(enum wire_type type)
{
    return type >= WIRE_AUTH && type <= WIRE_STATS;
}
