/*
 * Input: a byte of piece length and method, then bytes that may be a response.
 * Properties: in pieces as in one; an accepted head holds no byte that another reader could take
 * for a line's end; its parts written anew are the same response; what has no body has none.
 */
#include "http_head_must.h"

static void framing_holds(const struct http_head *head, struct str method)
{
    struct http_framing f;
    int err = http_response_framing(head, method, &f);
    bool is_head = str_eq(method, STR("HEAD"));

    MUST(err == 0 || err == ERR_HTTP_SMUGGLE);
    if (err < 0)
        return;
    MUST(head->status != 101 || f.kind == HTTP_BODY_TUNNEL);
    if (head->status == 204 || head->status == 304 || (is_head && head->status != 101))
        MUST(f.kind == HTTP_BODY_NONE || f.kind == HTTP_BODY_TUNNEL);
    MUST(!f.keep_alive || (f.kind != HTTP_BODY_CLOSE && f.kind != HTTP_BODY_TUNNEL));
    MUST(f.length == 0 || f.kind == HTTP_BODY_LENGTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head head;
    int got;

    if (size < 1)
        return 0;
    head_holds(http_response_parse, data + 1, size - 1, (size_t)(data[0] & 63) + 1, &head, &got);
    if (got <= 0)
        return 0;
    MUST(head.status >= 100 && head.status <= 599 && http_value_valid(head.reason));
    head_round_trip(http_response_parse, &head);
    framing_holds(&head, data[0] < 64 ? STR("GET") : data[0] < 128 ? STR("HEAD") : STR("CONNECT"));
    return 0;
}
