#include "codec/wire.h"

static uint32_t has_str(enum wire_tag tag, struct str s)
{
    return s.n ? WIRE_HAS(tag) : 0;
}

static uint32_t has_uint(enum wire_tag tag, uint64_t value)
{
    return value ? WIRE_HAS(tag) : 0;
}

void wire_auth(struct wire_msg *m, struct str token, struct str agent, uint64_t window,
               uint64_t max_streams)
{
    *m = (struct wire_msg){
        .type = WIRE_AUTH,
        .has = WIRE_HAS(WIRE_TOKEN) | has_str(WIRE_AGENT, agent)
             | has_uint(WIRE_WINDOW_SIZE, window) | has_uint(WIRE_MAX_STREAMS, max_streams),
        .token = token, .agent = agent, .window = window, .max_streams = max_streams,
    };
}

void wire_auth_success(struct wire_msg *m, struct str session_id, struct str url, uint64_t window,
                       uint64_t server_time)
{
    *m = (struct wire_msg){
        .type = WIRE_AUTH_SUCCESS,
        .has = WIRE_HAS(WIRE_SESSION_ID) | has_str(WIRE_URL, url)
             | has_uint(WIRE_WINDOW_SIZE, window) | has_uint(WIRE_SERVER_TIME, server_time),
        .session_id = session_id, .url = url, .window = window, .server_time = server_time,
    };
}

void wire_auth_error(struct wire_msg *m, struct str error, uint64_t retry_after)
{
    *m = (struct wire_msg){
        .type = WIRE_AUTH_ERROR,
        .has = WIRE_HAS(WIRE_ERROR_TEXT) | has_uint(WIRE_RETRY_AFTER, retry_after),
        .error = error, .retry_after = retry_after,
    };
}

void wire_http_request(struct wire_msg *m, struct str id, struct str method, struct str url,
                       struct wire_headers headers, bool more)
{
    *m = (struct wire_msg){
        .type = WIRE_HTTP_REQUEST,
        .has = WIRE_HAS(WIRE_ID) | WIRE_HAS(WIRE_METHOD) | WIRE_HAS(WIRE_URL)
             | WIRE_HAS(WIRE_HEADER) | has_uint(WIRE_MORE, more),
        .id = id, .method = method, .url = url, .headers = headers, .more = more,
    };
}

void wire_http_response(struct wire_msg *m, struct str id, uint64_t status,
                        struct wire_headers headers, bool more)
{
    *m = (struct wire_msg){
        .type = WIRE_HTTP_RESPONSE,
        .has = WIRE_HAS(WIRE_ID) | WIRE_HAS(WIRE_STATUS) | WIRE_HAS(WIRE_HEADER)
             | has_uint(WIRE_MORE, more),
        .id = id, .status = status, .headers = headers, .more = more,
    };
}

void wire_http_body(struct wire_msg *m, struct str id, bool more)
{
    *m = (struct wire_msg){
        .type = WIRE_HTTP_BODY,
        .has = WIRE_HAS(WIRE_ID) | has_uint(WIRE_MORE, more),
        .id = id, .more = more,
    };
}

void wire_ping(struct wire_msg *m, uint64_t timestamp)
{
    *m = (struct wire_msg){
        .type = WIRE_PING, .has = WIRE_HAS(WIRE_TIMESTAMP), .timestamp = timestamp,
    };
}

void wire_pong(struct wire_msg *m, uint64_t timestamp)
{
    wire_ping(m, timestamp);
    m->type = WIRE_PONG;
}

void wire_error(struct wire_msg *m, struct str id, struct str error, uint64_t code)
{
    *m = (struct wire_msg){
        .type = WIRE_ERROR,
        .has = has_str(WIRE_ID, id) | WIRE_HAS(WIRE_ERROR_TEXT) | WIRE_HAS(WIRE_CODE),
        .id = id, .error = error, .code = code,
    };
}

void wire_window(struct wire_msg *m, struct str id, uint64_t credit)
{
    *m = (struct wire_msg){
        .type = WIRE_WINDOW,
        .has = WIRE_HAS(WIRE_ID) | WIRE_HAS(WIRE_CREDIT),
        .id = id, .credit = credit,
    };
}

void wire_goaway(struct wire_msg *m, uint64_t delay_ms, struct str url)
{
    *m = (struct wire_msg){
        .type = WIRE_GOAWAY,
        .has = WIRE_HAS(WIRE_DELAY_MS) | has_str(WIRE_URL, url),
        .delay_ms = delay_ms, .url = url,
    };
}

void wire_stats(struct wire_msg *m)
{
    uint32_t required;

    m->type = WIRE_STATS;
    m->has = wire_type_fields(WIRE_STATS, &required);
}
