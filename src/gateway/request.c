#include "request.h"

#include <string.h>

#include "codec/uri.h"
#include "gateway.h"
#include "limit.h"
#include "request_head.h"
#include "response.h"
#include "sys/log.h"

/* Agents connect here, on any host; visitors never get a page of it. */
#define AGENT_PATH "/_adit"

/* ---- where it goes ---- */

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

/* The name that a host has, or NULL. */
static struct tunnel_name *name_of_host(const struct gateway *g, struct str authority)
{
    struct str host;
    uint16_t port;

    if (authority.n == 0 || uri_authority_parse(authority, 80, &host, &port) != 0)
        return NULL;
    return tunnel_names_find(g->names, label_of(g, host));
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

static void route(struct conn *c, struct http_head *head, const struct http_target *target)
{
    struct str host = request_head_host(head, target);
    struct tunnel_name *name;

    log_request(c, host, target->path);
    name = name_of_host(c->gateway, host);
    if (!name)
        response_refuse(c, 404, STR("There is no tunnel of this name."), 0);
    else if (name->tunnel)
        tunnel_request(name->tunnel, c, head);
    else
        tunnel_miss(name, c,
                    "The tunnel is not connected: its device is off or has no network.");
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
        request_head_refuse(c, err);
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
        request_head_refuse(c, len);
    else
        begin(c, &head);
    return true;
}
