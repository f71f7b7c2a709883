#include "request_head.h"

#include <string.h>

#include "err.h"
#include "forward.h"
#include "gateway.h"
#include "response.h"

void request_head_refuse(struct conn *c, int err)
{
    c->visitor.visit.keep_alive = false;
    if (err == ERR_HTTP_SIZE)
        response_refuse(c, 431, STR("The request's head is too large."), 0);
    else if (err == ERR_HTTP_VERSION)
        response_refuse(c, 505, STR("Only HTTP/1.0 and HTTP/1.1 are spoken here."), 0);
    else if (err == ERR_HTTP_SMUGGLE)
        response_refuse(c, 400, STR("The length of the request's body is ambiguous."), 0);
    else
        response_refuse(c, 400, STR("The request is malformed."), 0);
}

struct str request_head_host(const struct http_head *head, const struct http_target *target)
{
    struct str host = target->authority;

    if (target->form != HTTP_TARGET_ABSOLUTE && !http_field_find(head->fields, "host", &host))
        host = (struct str){ 0 };
    return host;
}

/* The message: the head's fields packed in place, and ours behind them. text_form: it is JSON. */
static int pack(struct conn *c, struct http_head *head, const struct http_target *target,
                bool text_form)
{
    struct visit *v = &c->visitor.visit;
    uint8_t *fields = v->head + (head->fields.p - v->head);
    uint8_t added[FORWARD_MAX];
    struct forward forward = {
        .peer = c->peer,
        .secure = c->secure,
        .trusted = cidr_has(&c->gateway->config.trust, &c->peer),
        .replace_host = target->form == HTTP_TARGET_ABSOLUTE,
        .host = request_head_host(head, target),
        .minor = head->minor,
    };
    const char *drop[FORWARD_DROP_MAX];
    struct str path = target->path;
    struct wire_headers headers;
    struct writer w;
    size_t end;
    int err;

    /* Copied: packing overwrites what they are made of. */
    writer_init(&w, added, sizeof added);
    forward_fields(&w, &forward, head->fields);
    forward_drop(&forward, drop);
    err = relay_pack(head, fields, v->upgrade != VISIT_HTTP, drop, &headers);
    if (err < 0)
        return err;
    end = (size_t)(headers.packed.p - v->head) + headers.packed.n;
    if (!writer_fits(&w) || writer_stored(&w) > sizeof v->head - end)
        return ERR_HTTP_SIZE;
    memcpy(v->head + end, added, writer_stored(&w));
    headers.packed.n += writer_stored(&w);
    end += writer_stored(&w);
    writer_init(&w, v->head + end, sizeof v->head - end);
    if (text_form && !forward_path(&w, &path))
        return ERR_HTTP_SIZE;
    wire_http_request(&v->msg, (struct str){ 0 }, head->method, path, headers,
                      v->upgrade != VISIT_HTTP || !v->body.done);
    return 0;
}

/* RFC 9110 section 7.8. In plain mode a request is one message, which leaves no way for more. To
 * HTTP/2 nobody goes this way (RFC 9113 section 3.1): what a visitor sent in it would reach the
 * local server unseen, X-Forwarded-For and all. */
static bool wants_upgrade(const struct conn *c, const struct http_head *head,
                          const struct tunnel *t)
{
    struct str value;

    return head->minor == 1 && c->visitor.visit.body.kind == HTTP_BODY_NONE &&
           !t->session.link.plain &&
           http_field_lists(head->fields, "connection", "upgrade") &&
           http_field_find(head->fields, "upgrade", &value) &&
           !http_field_lists(head->fields, "upgrade", "h2c");
}

int request_head_pack(struct conn *c, struct http_head *head, const struct tunnel *t)
{
    struct visit *v = &c->visitor.visit;
    struct http_target target;
    struct http_head again;
    int err = head ? 0 : http_request_parse(v->head, v->head_len, 0, &again);

    head = head ? head : &again;
    if (err >= 0)
        err = http_target_split(head, &target);
    if (err < 0)
        return err;
    if (wants_upgrade(c, head, t))
        visit_ask_upgrade(v);
    return pack(c, head, &target, t->session.link.enc == WIRE_JSON);
}
