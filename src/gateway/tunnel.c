#include "tunnel.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"
#include "gateway.h"
#include "response.h"
#include "stream.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "tunnel_log.h"

/* From the upgrade to Auth. */
#define AUTH_TIME_MS 10000
/* For the close frame to leave. */
#define ENDING_TIME_MS 2000
#define UPGRADE_ROOM 512

/* ---- beginning ---- */

static void start(struct conn *c, struct tunnel *t, enum upgrade_protocol protocol)
{
    struct gateway *g = c->gateway;
    struct session_config config = {
        .window = g->config.stream_window,
        .max_streams = g->config.max_streams,
        .ping_interval_ms = g->config.ping_interval_ms,
        .ping_timeout_ms = g->config.ping_timeout_ms,
    };

    c->role = CONN_AGENT;
    c->tunnel = t;
    list_append(&g->unnamed_tunnels, &t->node);
    t->conn = c;
    t->name = NULL;
    t->label_len = 0;
    list_init(&t->ready);
    list_init(&t->wait);
    t->wait_count = 0;
    t->admitted_at = SIZE_MAX;
    t->heard = c->transport.heard;
    t->stalled = t->asks_again = t->ending = false;
    t->slow_until = NET_NEVER;
    t->slow_taken = 0;
    t->bulk_max = UNSENT_START / 2;
    memset(t->visitor, 0, g->config.max_streams * sizeof(struct conn *));
    session_init(&t->session, &session_gateway, protocol, &config, t->stream, &g->counters, g->now);
    conn_set_deadline(c, g->now + AUTH_TIME_MS);
    /* What the kernel has taken is out of our sight: it has the same time to get there. */
    sock_limit_unacked(c->transport.fd, g->config.ping_timeout_ms);
}

/* There is always one: those with a name are max_tunnels at most. */
static struct tunnel *take_tunnel(struct gateway *g)
{
    if (list_empty(&g->unused_tunnels)) {
        struct tunnel *oldest = LIST_OWNER(g->unnamed_tunnels.next, struct tunnel, node);

        if (!oldest->ending)
            tunnel_log_line(LOG_WARN, oldest,
                            "makes room for newer ones: it had not said its token");
        oldest->ending = true;
        tunnel_lost(oldest->conn, ERR_TIMEOUT);
    }
    return LIST_OWNER(list_take(&g->unused_tunnels), struct tunnel, node);
}

void tunnel_upgrade(struct conn *c, const struct http_head *head)
{
    struct gateway *g = c->gateway;
    struct str key, origin;
    int protocol = upgrade_request_check(head, UPGRADE_TLV | UPGRADE_JSON | UPGRADE_PLAIN, &key);
    uint8_t out[UPGRADE_ROOM];
    struct writer w;

    if (protocol < 0) {
        response_refuse(c, 426, STR("Agents connect here, with a WebSocket (RFC 6455)."), 0);
        return;
    }
    if (g->config.client_ca && !tls_server_knows_client(c->tls)) {
        log_line(LOG_WARN, "an agent without a client certificate was sent away (--client-ca)");
        response_refuse(c, 403, STR("Agents need a client certificate here."), 0);
        return;
    }
    /* RFC 6455 section 10.2: a page in somebody's browser is no agent. */
    if (http_field_find(head->fields, "origin", &origin)) {
        response_refuse(c, 403, STR("Browsers do not connect here."), 0);
        return;
    }
    writer_init(&w, out, sizeof out);
    upgrade_response_write(&w, key, (enum upgrade_protocol)protocol);
    if (conn_put(c, out, writer_stored(&w)) < writer_stored(&w)) {
        conn_close(c);
        return;
    }
    start(c, take_tunnel(g), (enum upgrade_protocol)protocol);
}

/* ---- the end ---- */

static void fail_stream(struct conn *visitor, const char *why)
{
    stream_release(visitor);
    if (visitor->role == CONN_DOOMED)
        conn_release(visitor);
    else if (visitor->role == CONN_VISITOR)
        response_break(visitor, 502, str_of(why));
}

/* Nothing of their requests was sent: they wait for the name's next tunnel, if it has a name. */
static void fail_waiting(struct tunnel *t, struct tunnel_name *name, const char *why)
{
    while (!list_empty(&t->wait)) {
        struct conn *visitor = LIST_OWNER(t->wait.next, struct conn, visitor.wait);

        stream_unqueue(t, visitor);
        visitor->tunnel = NULL;
        if (name)
            tunnel_miss(name, visitor, why);
        else
            response_refuse(visitor, 502, str_of(why), 0);
    }
}

static void fail_visitors(struct tunnel *t, struct tunnel_name *name, const char *why)
{
    for (size_t i = 0; i < t->session.config.max_streams; i++) {
        if (t->visitor[i])
            fail_stream(t->visitor[i], why);
    }
    fail_waiting(t, name, why);
}

/* The name that it had, or NULL. */
static struct tunnel_name *leave_name(struct tunnel *t)
{
    struct gateway *g = t->conn->gateway;
    struct tunnel_name *name = t->name;

    if (!name)
        return NULL;
    name->tunnel = NULL;
    name->missing_since = g->now;
    t->name = NULL;
    g->named_count--;
    conn_know(t->conn, false);
    list_append(&g->unnamed_tunnels, &t->node);
    return name;
}

static void give_back(struct tunnel *t)
{
    list_remove(&t->node);
    list_prepend(&t->conn->gateway->unused_tunnels, &t->node);
    t->conn->tunnel = NULL;
    t->conn = NULL;
}

void tunnel_finish(struct conn *c)
{
    give_back(c->tunnel);
    conn_finish(c);
}

void tunnel_lost(struct conn *c, int err)
{
    struct tunnel *t = c->tunnel;

    if (!t->ending)
        tunnel_log_line(LOG_INFO, t, err_text(err));
    fail_visitors(t, leave_name(t), "The connection to the device was lost.");
    conn_close(c);
    give_back(t);
}

void tunnel_end(struct tunnel *t, uint16_t code, const char *why)
{
    struct tunnel_name *name;

    session_close(&t->session, code);
    t->ending = true;
    name = leave_name(t);
    fail_visitors(t, code == WS_CLOSE_TOKEN ? NULL : name, why);
    conn_set_deadline(t->conn, t->conn->gateway->now + ENDING_TIME_MS);
    conn_mark(t->conn);
}

void tunnel_leave(struct tunnel *t, uint32_t delay_ms)
{
    session_goaway(&t->session, delay_ms);
    fail_waiting(t, t->name, "");
    conn_mark(t->conn);
}

/* ---- authentication ---- */

static void write_url(struct tunnel *t, struct str *url)
{
    const struct gateway *g = t->conn->gateway;
    struct writer w;

    writer_init(&w, t->url, sizeof t->url);
    writer_text(&w, g->url_tls ? "https://" : "http://");
    writer_str(&w, tunnel_label(t));
    writer_u8(&w, '.');
    writer_str(&w, g->config.domain);
    writer_str(&w, g->url_port);
    writer_u8(&w, '/');
    *url = (struct str){ t->url, writer_stored(&w) };
}

static void refuse(struct tunnel *t, const char *log, struct str error, unsigned retry_after)
{
    tunnel_log_line(LOG_WARN, t, log);
    session_refuse(&t->session, error, retry_after);
    t->ending = true;
    conn_set_deadline(t->conn, t->conn->gateway->now + ENDING_TIME_MS);
}

/* Whoever has the name, perhaps a connection that died unnoticed, makes room for its newer one. */
static bool take_name(struct tunnel *t, struct tunnel_name *name)
{
    struct gateway *g = t->conn->gateway;

    t->label_len = name->label_len;
    memcpy(t->label, name->label, name->label_len);
    if (name->tunnel) {
        tunnel_log_line(LOG_INFO, name->tunnel, "replaced by a newer connection");
        tunnel_end(name->tunnel, WS_CLOSE_REPLACED,
                   "The device has connected anew; please try again.");
    }
    if (g->named_count >= g->config.max_tunnels)
        return false;
    name->tunnel = t;
    t->name = name;
    g->named_count++;
    conn_know(t->conn, true);
    list_remove(&t->node);
    return true;
}

void tunnel_authenticate(struct tunnel *t, const struct wire_msg *m)
{
    struct gateway *g = t->conn->gateway;
    struct tunnel_name *name = tunnel_names_by_token(g->names, m->token);
    uint8_t random[sizeof t->session_id / 2];
    struct str url;

    if (!name) {
        refuse(t, "an agent's token was refused", STR("token refused"), 0);
        return;
    }
    if (g->drain.phase != DRAIN_OFF) {
        refuse(t, "sent away: the gateway is being restarted",
               STR("the gateway is being restarted"), 1);
        return;
    }
    if (!take_name(t, name)) {
        refuse(t, "sent away: all tunnels are in use (--max-tunnels)",
               STR("all tunnels of the gateway are in use"), RETRY_AFTER_S);
        return;
    }
    if (entropy_get(random, sizeof random) <= 0)
        memset(random, 0, sizeof random); /* a name for logs, no secret */
    ascii_to_hex(random, sizeof random, t->session_id);
    write_url(t, &url);
    session_accept(&t->session, (struct str){ t->session_id, sizeof t->session_id }, url,
                   (uint64_t)clock_unix());
    tunnel_log_opened(t, m->agent, url);
    tunnel_take_held(t);
}
