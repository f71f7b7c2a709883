#include "request.h"

#include <string.h>

#include "codec/uri.h"
#include "err.h"
#include "forward.h"
#include "gateway.h"
#include "limit.h"
#include "response.h"
#include "sys/log.h"

/* Agents connect here, on any host; visitors never get a page of it. */
#define AGENT_PATH "/_adit"


/* ---- heads ---- */

static void refuse_head(struct conn *c, int err)
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

/* The tunnel's label: what stands before .DOMAIN; empty when it is not one label there. */
static struct str label_of(const struct gateway *g, struct str host)
{
    struct str domain = g->config.domain, label = { NULL, 0 }, tail;

    if (host.n <= domain.n + 1 || host.p[host.n - domain.n - 1] != '.')
        return label;
    tail = (struct str){ host.p + host.n - domain.n, domain.n };
    if (str_ieq(tail, domain))
        label = (struct str){ host.p, host.n - domain.n - 1 };
    return label;
}

/* The connected tunnel of a host, or NULL after a page that says why there is none. */
static struct tunnel *tunnel_of_host(struct conn *c, struct str authority)
{
    struct tunnel_name *name = NULL;
    struct str host;
    uint16_t port;

    if (authority.n > 0 && uri_authority_parse(authority, 80, &host, &port) == 0)
        name = tunnel_names_find(c->gateway->names, label_of(c->gateway, host));
    if (!name)
        response_refuse(c, 404, STR("There is no tunnel of this name."), 0);
    else if (!name->tunnel)
        response_refuse(c, 502, STR("The tunnel is not connected: its device is off or has no "
                                   "network."), 0);
    return name ? name->tunnel : NULL;
}

/* The message: the head's fields packed in place, and ours behind them. text_form: it is JSON. */
static int compose(struct conn *c, struct http_head *head, const struct http_target *target,
                   struct str host, bool text_form)
{
    struct visit *v = &c->visitor.visit;
    uint8_t *fields = v->head + (head->fields.p - v->head);
    uint8_t added[FORWARD_MAX];
    struct forward forward = {
        .peer = c->peer,
        .secure = c->secure,
        .trusted = cidr_has(&c->gateway->config.trust, &c->peer),
        .replace_host = target->form == HTTP_TARGET_ABSOLUTE,
        .host = host,
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

static void log_request(const struct conn *c, struct str host, struct str path)
{
    uint8_t peer[IP_TEXT_MAX];

    if (!log_begin(LOG_DEBUG))
        return;
    log_str((struct str){ peer, ip_format(&c->peer, peer) });
    log_text(" ");
    log_str(c->visitor.visit.msg.method);
    log_text(" ");
    log_str(host);
    log_str(path);
    log_end();
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

static void route(struct conn *c, struct http_head *head, const struct http_target *target)
{
    struct str host = target->authority;
    struct tunnel *t;
    int err;

    if (target->form != HTTP_TARGET_ABSOLUTE && !http_field_find(head->fields, "host", &host))
        host = (struct str){ 0 };
    log_request(c, host, target->path);
    t = tunnel_of_host(c, host);
    if (!t)
        return;
    if (wants_upgrade(c, head, t))
        visit_ask_upgrade(&c->visitor.visit);
    err = compose(c, head, target, host, t->session.link.enc == WIRE_JSON);
    if (err < 0)
        refuse_head(c, err);
    else
        tunnel_request(t, c);
}

/* On a new connection he may ask again: those are limited too. */
static void refuse_many(struct conn *c)
{
    c->visitor.visit.keep_alive = false;
    response_refuse(c, 429, STR("Too many requests of your address; please try again soon."), 1);
}

static bool is_agent_path(struct str path)
{
    size_t n = sizeof AGENT_PATH - 1;

    return path.n >= n && memcmp(path.p, AGENT_PATH, n) == 0 && (path.n == n || path.p[n] == '?');
}

static void begin(struct conn *c, struct http_head *head)
{
    struct http_target target;
    int err = visit_begin(&c->visitor.visit, head);

    if (err == 0)
        err = http_target_split(head, &target);
    if (err < 0) {
        refuse_head(c, err);
        return;
    }
    c->gateway->requests++;
    if (!limit_request(c))
        refuse_many(c);
    else if (target.form == HTTP_TARGET_AUTHORITY)
        response_refuse(c, 501, STR("CONNECT is not served here."), 0);
    else if (!is_agent_path(target.path))
        route(c, head, &target);
    else if (c->agents)
        tunnel_upgrade(c, head);
    else
        response_refuse(c, 404, STR("Agents connect on the other port."), 0);
}

bool request_read(struct conn *c)
{
    struct visit *v = &c->visitor.visit;
    struct http_head head;
    size_t n, taken;
    const uint8_t *p = transport_recv_buf(&c->transport, &n);
    int len = visit_read(v, p, n, c->gateway->now, &taken, &head);

    transport_recv_ack(&c->transport, taken);
    if (len == 0) {
        conn_set_deadline(c, v->deadline);
        return true;
    }
    /* Complete: from here on it is not closed for others. */
    list_remove(&c->node);
    if (len < 0)
        refuse_head(c, len);
    else
        begin(c, &head);
    return true;
}
