#include "agent.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"
#include "sys/log.h"

/* Between looks whether the kernel has random bytes at early boot. */
#define ENTROPY_WAIT_MS 250

/* What a gateway may ask for with retry_after or Retry-After: a mistake of its must not last for
 * ever. */
#define RETRY_AFTER_MAX_S 86400

void connect_wait_seconds(struct agent *a, uint32_t seconds)
{
    if (seconds > RETRY_AFTER_MAX_S)
        seconds = RETRY_AFTER_MAX_S;
    homes_later(&a->homes, seconds * 1000, a->loop.now);
}

/* ---- TLS and upgrade ---- */

static int begin_tls(struct agent *a)
{
    int err;

    a->phase = PHASE_TLS;
    /* What the kernel has taken is out of our sight: it has the same time to get there. */
    sock_limit_unacked(a->dial.fd, a->config.ping_timeout_ms);
    if (!a->uri.tls) {
        transport_init_clear(&a->transport, dial_take(&a->dial), a->tls.in, a->tls.out,
                             TLS_RECORD_MAX);
        return 0;
    }
    err = gateway_trust_start(a);
    if (err == 0)
        transport_init_tls(&a->transport, dial_take(&a->dial), tls_engine(&a->tls.client.eng));
    return err;
}

static unsigned offer(const struct agent *a)
{
    switch (a->config.protocol) {
    case CONFIG_TLV:
        return UPGRADE_TLV;
    case CONFIG_JSON:
        return UPGRADE_JSON;
    case CONFIG_PLAIN:
        return 0;
    default:
        return UPGRADE_TLV | UPGRADE_JSON;
    }
}

/* The Host of the upgrade: as in the URL, with the port unless it is the scheme's. */
static struct str host_port(const struct agent *a, uint8_t *out, size_t cap)
{
    struct writer w;
    bool v6 = a->uri.literal && memchr(a->uri.host.p, ':', a->uri.host.n) != NULL;

    writer_init(&w, out, cap);
    writer_text(&w, v6 ? "[" : "");
    writer_str(&w, a->uri.host);
    writer_text(&w, v6 ? "]" : "");
    if (a->uri.port != (a->uri.tls ? 443 : 80)) {
        writer_u8(&w, ':');
        writer_u64(&w, a->uri.port);
    }
    return (struct str){ out, writer_stored(&w) };
}

static int begin_upgrade(struct agent *a)
{
    uint8_t random[16];
    uint8_t host[HOST_MAX + 8];
    struct writer w;
    size_t cap;
    uint8_t *p = transport_send_buf(&a->transport, &cap);

    if (a->uri.tls)
        gateway_trust_done(a);
    entropy_stock(&a->entropy, random, sizeof random);
    ws_key(random, a->upgrade_key);
    writer_init(&w, p, p ? cap : 0);
    upgrade_request_write(&w, a->uri.path, host_port(a, host, sizeof host), a->upgrade_key,
                          offer(a));
    /* A record has room for any URL that was parsed; the engine had nothing to give. */
    if (!writer_fits(&w))
        return ERR_TLS;
    transport_send_ack(&a->transport, w.len);
    transport_flush(&a->transport);
    a->phase = PHASE_UPGRADE;
    a->upgrade_len = 0;
    transport_push(&a->transport);
    return 0;
}

int connect_turn_tls(struct agent *a)
{
    int err = transport_pump(&a->transport);

    return err == 0 && transport_ready(&a->transport) ? begin_upgrade(a) : err;
}

/* ---- dialling ---- */

static int after_dial(struct agent *a, int state)
{
    if (state <= 0)
        return state;
    if (a->dial.resolver.stale && !a->uri.literal)
        log_line(LOG_WARN, "no name server answers: the gateway's address is one from before");
    state = begin_tls(a);
    /* Whoever dials speaks first. */
    return state == 0 ? connect_turn_tls(a) : state;
}

/* Where to: one of the configured gateways, or once where the last of them sent us. */
static void choose_uri(struct agent *a)
{
    struct str next = { a->next_url, a->next_url_len };

    a->next_url_len = 0;
    if (next.n > 0) {
        if (uri_parse(next, &a->uri) == 0 &&
            goaway_may(&a->target.uri[a->homes.at], &a->uri, a->config.goaway_host)) {
            homes_visit(&a->homes);
            return;
        }
        log_form(LOG_WARN, "the gateway sends us to %.*s, which --goaway-host does not allow",
                 LOG_STR(next));
    }
    a->uri = a->target.uri[homes_next(&a->homes, a->loop.now)];
}

int connect_start(struct agent *a)
{
    uint8_t byte;

    if (entropy_get(&byte, 1) == 0) {
        if (!a->told_entropy)
            log_line(LOG_WARN, "waiting for the kernel's random number generator");
        a->told_entropy = true;
        a->deadline = a->loop.now + ENTROPY_WAIT_MS;
        return 0;
    }
    choose_uri(a);
    log_form(LOG_INFO, "connecting to %.*s:%u", LOG_STR(a->uri.host), a->uri.port);
    a->phase = PHASE_DIAL;
    a->deadline = a->loop.now + a->config.connect_timeout_ms;
    a->dial.until = a->deadline;
    a->dial.round = a->homes.visiting ? 0 : a->homes.home[a->homes.at].failures;
    local_look_up(a);
    return after_dial(a, dial_start(&a->dial, a->uri.host, a->uri.port, entropy_u32(&a->entropy),
                                    a->loop.now));
}

int connect_turn_dial(struct agent *a)
{
    int state = 0;

    if (loop_ready(&a->loop, a->dial.fd))
        state = dial_on_event(&a->dial, entropy_u32(&a->entropy), a->loop.now);
    else if (a->loop.now >= a->dial.deadline)
        state = dial_on_time(&a->dial, entropy_u32(&a->entropy), a->loop.now);
    return after_dial(a, state);
}

/* ---- the answer to the upgrade ---- */

static void begin_session(struct agent *a, enum upgrade_protocol protocol)
{
    static const char *const names[] = { [UPGRADE_TLV] = "tlv", [UPGRADE_JSON] = "json",
                                         [UPGRADE_PLAIN] = "plain" };

    a->phase = PHASE_SESSION;
    tunnel_start(a, protocol);
    log_form(LOG_INFO, "connected, protocol %s", names[protocol]);
}

static void log_refusal(const struct agent *a, unsigned status)
{
    const char *hint = "";

    if (status == 404)
        hint = "; is the path /_adit?";
    else if (status / 100 == 4)
        hint = gateway_trust_hint(a);
    log_form(LOG_WARN, "the gateway answers the upgrade with status %u%s", status, hint);
}

/* RFC 6585 section 4, RFC 9110 section 10.2.3: in seconds; a date needs a clock. */
static void obey_retry_after(struct agent *a, const struct http_head *head)
{
    struct str value;
    uint64_t seconds;

    if ((head->status == 429 || head->status == 503) &&
        http_field_find(head->fields, "Retry-After", &value) &&
        ascii_u64(value, UINT32_MAX, &seconds))
        connect_wait_seconds(a, (uint32_t)seconds);
}

/* Gathers the answer's head in a buffer that no request needs yet. Returns a protocol, 0: more to
 * come, or an error. What follows the head stays in the transport. */
static int take_upgrade(struct agent *a)
{
    uint8_t *buffer = a->exchange[0].head;
    size_t cap = sizeof a->exchange[0].head;
    size_t old = a->upgrade_len;
    struct http_head head;
    size_t n;
    uint8_t *p = transport_recv_buf(&a->transport, &n);
    int len;

    if (p == NULL)
        return a->transport.err;
    n = n < cap - old ? n : cap - old;
    memcpy(buffer + old, p, n);
    len = http_response_parse(buffer, old + n, old, &head);
    if (len < 0)
        return ERR_UPGRADE;
    if (len == 0) {
        a->upgrade_len = old + n;
        transport_recv_ack(&a->transport, n);
        return a->upgrade_len == cap ? ERR_HTTP_SIZE : 0;
    }
    transport_recv_ack(&a->transport, (size_t)len - old);
    a->upgrade_len = 0;
    /* RFC 9110 section 15.2: any number of interim responses, within the connect timeout. */
    if (http_is_interim(head.status))
        return 0;
    len = upgrade_response_check(&head, a->upgrade_key, offer(a));
    if (len == ERR_UPGRADE) {
        log_refusal(a, head.status);
        obey_retry_after(a, &head);
    }
    return len;
}

int connect_turn_upgrade(struct agent *a)
{
    size_t n;
    int got;

    transport_pump(&a->transport);
    /* All there is: what lies in the transport already makes no descriptor ready. */
    do
        got = take_upgrade(a);
    while (got == 0 && transport_recv_buf(&a->transport, &n) != NULL);
    if (got > 0)
        begin_session(a, (enum upgrade_protocol)got);
    return got < 0 ? got : 0;
}
