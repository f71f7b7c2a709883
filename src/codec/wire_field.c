#include "codec/wire.h"

#include <string.h>

#define T(type) WIRE_TYPE_BIT(WIRE_##type)
#define REQUEST T(HTTP_REQUEST)
#define RESPONSE T(HTTP_RESPONSE)
#define HTTP (REQUEST | RESPONSE | T(HTTP_BODY))

/* JSON member, bit (the tag, but for request_id), kind, offset, types, those that must have it. */
#define FIELDS(ROW)                                                                               \
    ROW("id", ID, STR, id, HTTP | T(WINDOW), HTTP | T(WINDOW))                                    \
    ROW("request_id", REQUEST_ID, STR, id, T(ERROR), 0)                                           \
    ROW("token", TOKEN, STR, token, T(AUTH), T(AUTH))                                             \
    ROW("agent", AGENT, STR, agent, T(AUTH), 0)                                                   \
    ROW("session_id", SESSION_ID, STR, session_id, T(AUTH_SUCCESS), 0)                            \
    ROW("method", METHOD, STR, method, REQUEST, REQUEST)                                          \
    ROW("url", URL, STR, url, REQUEST | T(AUTH_SUCCESS) | T(GOAWAY), REQUEST)                     \
    ROW("status", STATUS, UINT, status, RESPONSE, RESPONSE)                                       \
    ROW("error", ERROR_TEXT, STR, error, T(AUTH_ERROR) | T(ERROR) | REQUEST | RESPONSE, 0)        \
    ROW("code", CODE, UINT, code, T(ERROR), 0)                                                    \
    ROW("window", WINDOW_SIZE, UINT, window, T(AUTH) | T(AUTH_SUCCESS), 0)                        \
    ROW("max_streams", MAX_STREAMS, UINT, max_streams, T(AUTH), 0)                                \
    ROW("server_time", SERVER_TIME, UINT, server_time, T(AUTH_SUCCESS), 0)                        \
    ROW("retry_after", RETRY_AFTER, UINT, retry_after, T(AUTH_ERROR), 0)                          \
    ROW("timestamp", TIMESTAMP, UINT, timestamp, T(PING) | T(PONG), 0)                            \
    ROW("credit", CREDIT, UINT, credit, T(WINDOW), T(WINDOW))                                     \
    ROW("delay_ms", DELAY_MS, UINT, delay_ms, T(GOAWAY), 0)                                       \
    ROW("requests_processed", REQUESTS_PROCESSED, UINT, requests_processed, T(STATS), 0)          \
    ROW("requests_failed", REQUESTS_FAILED, UINT, requests_failed, T(STATS), 0)                   \
    ROW("bytes_transferred", BYTES_TRANSFERRED, UINT, bytes_transferred, T(STATS), 0)             \
    ROW("uptime_seconds", UPTIME_SECONDS, UINT, uptime_seconds, T(STATS), 0)                      \
    ROW("reconnects", RECONNECTS, UINT, reconnects, T(STATS), 0)                                  \
    ROW("streams_active", STREAMS_ACTIVE, UINT, streams_active, T(STATS), 0)                      \
    ROW("rtt_ms", RTT_MS, UINT, rtt_ms, T(STATS), 0)                                              \
    ROW("headers", HEADER, HEADERS, headers, REQUEST | RESPONSE, 0)                               \
    ROW("more", MORE, BOOL, more, HTTP, 0)                                                        \
    ROW("body", BODY, BODY, body, HTTP, 0)

_Static_assert(offsetof(struct wire_msg, id) % WIRE_STEP == 0 &&
               offsetof(struct wire_msg, more) % WIRE_STEP == 0, "fields are in steps");
#define FIELD(name, tag, kind, member, types, required)                                           \
    { WIRE_##tag == WIRE_REQUEST_ID ? WIRE_ID : WIRE_##tag, WIRE_KIND_##kind,                     \
      offsetof(struct wire_msg, member) / WIRE_STEP, WIRE_##tag, types, required },
#define NAME(name, tag, kind, member, types, required) name "\0"

const struct wire_field wire_fields[WIRE_FIELDS] = { FIELDS(FIELD) };
const char wire_names[] = FIELDS(NAME);

/* By type; those that no type has are empty. */
static const char type_names[] =
    "\0Auth\0AuthSuccess\0AuthError\0HttpRequest\0HttpResponse\0Ping\0Pong\0Error\0Stats\0"
    "\0\0\0\0\0\0HttpBody\0Window\0Goaway";
#define TYPE_NAMES (WIRE_GOAWAY + 1)

const struct wire_field *wire_field_by_tag(enum wire_type type, uint8_t tag)
{
    for (const struct wire_field *f = wire_fields; f < WIRE_FIELDS_END; f++)
        if (f->tag == tag && (f->types & WIRE_TYPE_BIT(type)))
            return f;
    return NULL;
}

const struct wire_field *wire_field_by_name(enum wire_type type, struct str name)
{
    const struct wire_field *f = wire_fields + texts_find(wire_names, WIRE_FIELDS, name, str_eq);

    if (f == WIRE_FIELDS_END || (type != WIRE_NONE && !(f->types & WIRE_TYPE_BIT(type))))
        return NULL;
    return f;
}

const char *wire_type_name(enum wire_type type)
{
    const char *name = (size_t)type < TYPE_NAMES ? texts_at(type_names, type) : "";

    return *name ? name : NULL;
}

enum wire_type wire_type_by_name(struct str name)
{
    unsigned at = texts_find(type_names, TYPE_NAMES, name, str_eq);

    return at < TYPE_NAMES ? (enum wire_type)at : WIRE_NONE;
}

uint32_t wire_type_fields(enum wire_type type, uint32_t *required)
{
    uint32_t fields = 0;

    *required = 0;
    for (const struct wire_field *f = wire_fields; f < WIRE_FIELDS_END; f++) {
        fields |= (f->types >> type & 1) << f->bit;
        *required |= (f->required >> type & 1) << f->bit;
    }
    return fields;
}

bool wire_type_is_plain(enum wire_type type)
{
    return type >= WIRE_AUTH && type <= WIRE_STATS;
}
