/*
 * Input: a byte of piece length, then bytes that may be a request.
 * Properties: in pieces as in one; an accepted head holds no byte that another reader could take
 * for a line's end; its parts written anew are the same request; framing is what the fields say.
 */
#include "http_head_must.h"

/* Counts a field the slow way, by looking for its name at every line's start. */
static size_t count(struct str fields, const char *name)
{
    size_t n = strlen(name);
    size_t found = 0;

    for (size_t i = 0; i + n < fields.n; i++) {
        struct str here = { fields.p + i, n };

        if ((i == 0 || fields.p[i - 1] == '\n') && fields.p[i + n] == ':')
            found += str_ieq(here, str_of(name));
    }
    return found;
}

static void framing_holds(const struct http_head *head)
{
    struct http_framing f;
    int err = http_request_framing(head, &f);
    size_t lengths = count(head->fields, "content-length");
    size_t codings = count(head->fields, "transfer-encoding");
    size_t hosts = count(head->fields, "host");

    MUST(err == 0 || err == ERR_HTTP || err == ERR_HTTP_SMUGGLE);
    if (err < 0)
        return;
    MUST(lengths + codings <= 1 && hosts <= 1 && (hosts == 1 || head->minor == 0));
    MUST((f.kind == HTTP_BODY_LENGTH) == (lengths == 1));
    MUST((f.kind == HTTP_BODY_CHUNKED) == (codings == 1));
    MUST((f.kind == HTTP_BODY_NONE) == (lengths + codings == 0));
    MUST(f.length <= INT64_MAX && (f.kind == HTTP_BODY_LENGTH || f.length == 0));
    MUST(!f.keep_alive || !http_field_lists(head->fields, "connection", "close"));
}

static void target_holds(const struct http_head *head)
{
    struct http_target t;

    if (http_target_split(head, &t) < 0)
        return;
    MUST(t.form != HTTP_TARGET_ORIGIN || str_eq(t.path, head->target));
    MUST(t.form == HTTP_TARGET_AUTHORITY || t.form == HTTP_TARGET_ASTERISK || t.path.p[0] == '/');
    MUST((t.authority.n > 0) ==
         (t.form == HTTP_TARGET_AUTHORITY || t.form == HTTP_TARGET_ABSOLUTE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head head;
    int got;

    if (size < 1)
        return 0;
    head_holds(http_request_parse, data + 1, size - 1, (size_t)data[0] + 1, &head, &got);
    if (got <= 0)
        return 0;
    MUST(http_method_valid(head.method) && http_target_valid(head.target));
    head_round_trip(http_request_parse, &head);
    framing_holds(&head);
    target_holds(&head);
    return 0;
}
