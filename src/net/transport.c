#include "net/transport.h"

#include <bearssl.h>
#include <string.h>

#include "check.h"
#include "err.h"

/* What one of the kernel's packets has at most before it is cut into the network's: the kernel
 * looks at its limit of unsent bytes when it begins one. Below that we look ourselves. */
#define PACKET_MAX 65536
/* Between looks at a socket that cannot hold too much yet: each is a system call. */
#define PACE_MS 5

static br_ssl_engine_context *engine(const struct transport *t)
{
    return (br_ssl_engine_context *)(void *)t->engine;
}

static void init(struct transport *t, int fd)
{
    memset(t, 0, offsetof(struct transport, stash));
    t->fd = fd;
}

void transport_init_clear(struct transport *t, int fd, uint8_t *in, uint8_t *out, size_t cap)
{
    init(t, fd);
    t->in = in;
    t->out = out;
    t->cap = cap;
    t->state = TRANSPORT_OPEN;
}

void transport_init_tls(struct transport *t, int fd, struct tls_engine *tls)
{
    init(t, fd);
    t->engine = tls;
}

/*
 * What cannot be written is no end yet: the peer's last words may still lie in the socket, and
 * say why it went. The end comes when there is nothing more to read.
 */
static void write_failed(struct transport *t, int result)
{
    if (result == ERR_SYS)
        t->err = ERR_SYS;
    else if (t->peer == PEER_LISTENS)
        t->err = ERR_TRUNCATED;
    t->peer = PEER_DEAF;
}

/* How a read ended the transport. After our own close, any end is a good one. */
static void read_failed(struct transport *t, int result)
{
    if (t->state == TRANSPORT_CLOSING)
        t->err = ERR_CLOSED;
    else if (result == ERR_SYS || (result == ERR_CLOSED && !t->engine))
        t->err = result;
    else
        t->err = ERR_TRUNCATED;
}

/* ---- TLS ---- */

static bool takes_records(const struct transport *t)
{
    size_t n;

    return br_ssl_engine_recvrec_buf(engine(t), &n) != NULL;
}

static bool has_records(const struct transport *t)
{
    size_t n;

    return br_ssl_engine_sendrec_buf(engine(t), &n) != NULL;
}

static bool has_app_data(const struct transport *t)
{
    size_t n;

    return br_ssl_engine_recvapp_buf(engine(t), &n) != NULL;
}

/* After every step of the engine: is it ready, is it at its end? */
static void look_at_engine(struct transport *t)
{
    unsigned state = br_ssl_engine_current_state(engine(t));

    if (t->state == TRANSPORT_HANDSHAKE && (state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)))
        t->state = TRANSPORT_OPEN;
    if (state != BR_SSL_CLOSED || t->err)
        return;
    t->tls_err = br_ssl_engine_last_error(engine(t));
    t->err = t->tls_err ? ERR_TLS : ERR_CLOSED;
}

static void send_records(struct transport *t)
{
    unsigned char *p;
    size_t n;

    t->write_blocked = false;
    while (t->peer != PEER_DEAF && (p = br_ssl_engine_sendrec_buf(engine(t), &n)) != NULL) {
        int took = sock_write(t->fd, p, n);

        if (took < 0) {
            write_failed(t, took);
            return;
        }
        t->sent += (size_t)took;
        if (took > 0)
            br_ssl_engine_sendrec_ack(engine(t), (size_t)took);
        if ((size_t)took < n) {
            t->write_blocked = true;
            return;
        }
    }
}

/* Copy from the stash what the engine wants next; false when there is none, or it wants none. */
static bool feed_stash(struct transport *t)
{
    size_t n;
    unsigned char *p = br_ssl_engine_recvrec_buf(engine(t), &n);

    if (!p || t->stash_len == 0)
        return false;
    if (n > t->stash_len)
        n = t->stash_len;
    memcpy(p, t->stash + t->stash_at, n);
    t->stash_at += n;
    t->stash_len -= n;
    br_ssl_engine_recvrec_ack(engine(t), n);
    return true;
}

/* One read into the engine's buffer and the (empty) stash behind it. */
static void read_records(struct transport *t)
{
    size_t n;
    unsigned char *p = br_ssl_engine_recvrec_buf(engine(t), &n);
    int result = sock_readv2(t->fd, p, n, t->stash, sizeof t->stash);
    size_t got = (size_t)result;

    if (result < 0) {
        read_failed(t, result);
        return;
    }
    t->heard += got;
    /* Less than asked for: asking again would only be told that there is nothing. */
    t->read_idle = got < n + sizeof t->stash;
    if (got > n) {
        t->stash_at = 0;
        t->stash_len = got - n;
        got = n;
    }
    if (got > 0)
        br_ssl_engine_recvrec_ack(engine(t), got);
}

static void pump_tls(struct transport *t)
{
    for (;;) {
        send_records(t);
        look_at_engine(t);
        if (t->err)
            return;
        if (feed_stash(t))
            continue;
        if (t->read_idle || !takes_records(t))
            break;
        read_records(t);
        if (t->err)
            return;
    }
    if (t->peer != PEER_DEAF || has_app_data(t))
        return;
    /* The engine wants no more records: the peer has said close_notify, only our answer to it
     * could not be sent. */
    t->err = takes_records(t) ? ERR_TRUNCATED : ERR_CLOSED;
}

/* ---- in the clear ---- */

static void send_clear(struct transport *t)
{
    t->write_blocked = false;
    while (t->flushing && t->peer != PEER_DEAF) {
        int took = sock_write(t->fd, t->out + t->out_at, t->out_len);

        if (took < 0) {
            write_failed(t, took);
            return;
        }
        t->sent += (size_t)took;
        t->out_at += (size_t)took;
        t->out_len -= (size_t)took;
        if (t->out_len > 0) {
            t->write_blocked = true;
            return;
        }
        t->out_at = 0;
        t->flushing = false;
    }
    if (t->state != TRANSPORT_CLOSING || t->peer == PEER_DEAF)
        return;
    sock_shutdown_write(t->fd);
    if (t->peer == PEER_LISTENS)
        t->err = ERR_CLOSED;
}

static void pump_clear(struct transport *t)
{
    int got;

    send_clear(t);
    if (t->err || t->in_len > 0 || t->peer == PEER_LISTENS)
        return;
    got = sock_read(t->fd, t->in, t->cap);
    if (got < 0) {
        read_failed(t, got);
        return;
    }
    t->heard += (size_t)got;
    t->read_idle = (size_t)got < t->cap;
    t->in_at = 0;
    t->in_len = t->state == TRANSPORT_CLOSING ? 0 : (size_t)got;
    if (t->peer == PEER_DEAF && got == 0)
        t->err = ERR_TRUNCATED;
}

/* ---- both ---- */

unsigned transport_want(const struct transport *t)
{
    bool in, out;

    if (t->err)
        return 0;
    in = t->engine ? takes_records(t) : t->in_len == 0 && t->peer != PEER_LISTENS;
    out = t->choked || (t->engine ? has_records(t) : t->flushing);
    return (in ? NET_IN : 0u) | (out && t->peer != PEER_DEAF ? NET_OUT : 0u);
}

int transport_pump(struct transport *t)
{
    if (t->err)
        return t->err;
    t->read_idle = false;
    if (t->engine)
        pump_tls(t);
    else
        pump_clear(t);
    return t->err;
}

int transport_push(struct transport *t)
{
    if (t->err)
        return t->err;
    if (t->engine) {
        send_records(t);
        look_at_engine(t);
    } else {
        send_clear(t);
    }
    return t->err;
}

bool transport_ready(const struct transport *t)
{
    return t->state != TRANSPORT_HANDSHAKE;
}

uint8_t *transport_recv_buf(struct transport *t, size_t *n)
{
    unsigned char *p;

    if (!t->engine) {
        *n = t->in_len;
        return t->in_len ? t->in + t->in_at : NULL;
    }
    while ((p = br_ssl_engine_recvapp_buf(engine(t), n)) == NULL && feed_stash(t))
        look_at_engine(t);
    return p;
}

void transport_recv_ack(struct transport *t, size_t n)
{
    if (t->engine) {
        if (n > 0)
            br_ssl_engine_recvapp_ack(engine(t), n);
        return;
    }
    CHECK(n <= t->in_len);
    t->in_at += n;
    t->in_len -= n;
}

uint8_t *transport_send_buf(struct transport *t, size_t *n)
{
    *n = 0;
    if (t->err || t->state == TRANSPORT_CLOSING)
        return NULL;
    if (t->engine)
        return br_ssl_engine_sendapp_buf(engine(t), n);
    if (t->flushing)
        return NULL;
    *n = t->cap - t->out_len;
    return t->out + t->out_len;
}

void transport_send_ack(struct transport *t, size_t n)
{
    if (n == 0)
        return;
    if (t->engine) {
        br_ssl_engine_sendapp_ack(engine(t), n);
        t->gathered = !has_records(t);
        return;
    }
    CHECK(n <= t->cap - t->out_len);
    t->out_len += n;
    t->flushing = t->out_len == t->cap;
}

void transport_flush(struct transport *t)
{
    if (!t->engine) {
        t->flushing = t->out_len > 0;
        return;
    }
    br_ssl_engine_flush(engine(t), 0);
    t->gathered = false;
}

bool transport_unsent(const struct transport *t)
{
    return t->engine ? t->gathered || has_records(t) : t->out_len > 0;
}

static void limit_unsent(struct transport *t, int64_t now)
{
    unsigned held = sock_unsent(t->fd);

    bool changed = t->unsent.limit == 0;

    if (changed)
        unsent_init(&t->unsent, now);
    else
        changed = unsent_look(&t->unsent, t->sent, held > 0 || t->write_blocked, now);
    /* Without the kernel's help nobody would tell when there may be more. */
    if (changed && !sock_limit_unsent(t->fd, t->unsent.limit))
        t->unsent.limit = UNSENT_MAX;
    t->choked = t->unsent.limit < PACKET_MAX && held >= t->unsent.limit;
    t->paced_at = now;
    t->paced_held = held;
    t->paced_sent = t->sent;
}

uint32_t transport_pace(struct transport *t, int64_t now)
{
    uint64_t most = t->paced_held + (t->sent - t->paced_sent);

    if (t->choked || most >= t->unsent.limit || now - t->paced_at >= PACE_MS)
        limit_unsent(t, now);
    return t->choked ? 0 : t->unsent.limit / 2;
}

bool transport_waits(const struct transport *t)
{
    return t->choked || transport_unsent(t);
}

uint64_t transport_taken(const struct transport *t)
{
    return t->sent - sock_unacked(t->fd);
}

void transport_close(struct transport *t)
{
    size_t n;

    if (t->err || t->state == TRANSPORT_CLOSING)
        return;
    transport_flush(t);
    t->state = TRANSPORT_CLOSING;
    t->in_len = 0;
    if (t->engine) {
        /* The engine reads nothing more, not even the peer's close_notify, as long as a record
         * lies there; and it does not drop what it has handed out. */
        if (br_ssl_engine_recvapp_buf(engine(t), &n) != NULL)
            br_ssl_engine_recvapp_ack(engine(t), n);
        br_ssl_engine_close(engine(t));
    }
    transport_push(t);
}

bool transport_send_on(struct transport *t)
{
    if (t->engine || t->err != ERR_CLOSED || t->state == TRANSPORT_CLOSING)
        return false;
    t->err = 0;
    t->peer = PEER_LISTENS;
    return true;
}

void transport_end(struct transport *t)
{
    sock_close(&t->fd);
    init(t, -1);
    t->err = ERR_CLOSED;
}
