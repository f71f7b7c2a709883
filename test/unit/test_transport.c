/* Transports over socketpairs, TLS and in the clear: bytes both ways at once, ends good and bad. */
#include "net/transport.h"

#include "tls_pair.h"

#define TOTAL ((size_t)1 << 20)

static struct trust trust;
static struct tls_identity identity;
/* What a record adds to its bytes: depends on the cipher, and that on the machine. */
static size_t overhead;

static uint8_t pattern(size_t at, unsigned salt)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16) + salt);
}

/* One end of a transfer: sends and checks TOTAL bytes, in pieces of changing size. */
struct end {
    struct transport *t;
    unsigned salt;
    size_t sent, received;
    bool wrong;
};

static void end_send(struct end *e)
{
    size_t n, piece = 1 + (e->sent * 7 + e->salt) % 20000;
    uint8_t *p;

    while (e->sent < TOTAL && (p = transport_send_buf(e->t, &n)) != NULL && piece > 0) {
        n = n < piece ? n : piece;
        n = n < TOTAL - e->sent ? n : TOTAL - e->sent;
        for (size_t i = 0; i < n; i++)
            p[i] = pattern(e->sent + i, e->salt);
        transport_send_ack(e->t, n);
        e->sent += n;
        piece -= n;
    }
    transport_flush(e->t);
    transport_push(e->t);
}

static void end_receive(struct end *e, unsigned salt)
{
    size_t n;
    uint8_t *p;

    while ((p = transport_recv_buf(e->t, &n)) != NULL) {
        /* Sometimes only a part. */
        if (n > 3 && e->received % 3 == 0)
            n -= 3;
        for (size_t i = 0; i < n; i++)
            e->wrong = e->wrong || p[i] != pattern(e->received + i, salt);
        transport_recv_ack(e->t, n);
        e->received += n;
    }
}

static void test_both_ways(const char *what)
{
    struct end a = { .t = &pair.c, .salt = 1 }, b = { .t = &pair.s, .salt = 2 };

    for (int i = 0; i < 200000 && (a.received < TOTAL || b.received < TOTAL); i++) {
        if (transport_pump(&pair.c) || transport_pump(&pair.s))
            break;
        end_send(&a);
        end_send(&b);
        end_receive(&a, 2);
        end_receive(&b, 1);
    }
    is_int(a.received, TOTAL, "%s: 1 MiB to the client", what);
    is_int(b.received, TOTAL, "%s: 1 MiB to the server", what);
    ok(!a.wrong && !b.wrong, "%s: every byte as sent", what);
    ok(pair.c.heard >= TOTAL && pair.s.heard >= TOTAL, "%s: heard", what);
}

static void send_text(struct transport *t, const char *text)
{
    size_t n;
    uint8_t *p = transport_send_buf(t, &n);

    if (p && n >= strlen(text)) {
        memcpy(p, text, strlen(text));
        transport_send_ack(t, strlen(text));
    }
    transport_flush(t);
    transport_push(t);
}

/* What lies there, up to 255 bytes, as text. */
static const char *receive_text(struct transport *t)
{
    static char text[256];
    size_t n, len = 0;
    uint8_t *p;

    while ((p = transport_recv_buf(t, &n)) != NULL && len + n < sizeof text) {
        memcpy(text + len, p, n);
        len += n;
        transport_recv_ack(t, n);
    }
    text[len] = '\0';
    return text;
}

static void start_tls(void)
{
    pair_start(&trust, &identity, "tunnel.example", time(NULL));
    pair_run();
}

static void measure_overhead(void)
{
    start_tls();
    overhead = (size_t)pair.s.heard;
    send_text(&pair.c, "x");
    transport_pump(&pair.s);
    overhead = (size_t)pair.s.heard - overhead - 1;
    is_int(overhead == 21 || overhead == 29, 1, "ChaCha20 adds 21 bytes, AES-GCM 29");
    pair_end();
}

static void test_handshake(void)
{
    size_t n;

    ok(pair_start(&trust, &identity, "tunnel.example", time(NULL)), "started");
    ok(transport_want(&pair.c) & NET_OUT, "the client speaks first");
    is_int(transport_want(&pair.s), NET_IN, "the server listens");
    ok(!transport_ready(&pair.c) && !transport_send_buf(&pair.c, &n), "not ready yet");
    pair_run();
    ok(transport_ready(&pair.c) && transport_ready(&pair.s), "ready");
    is_int(pair.c.err, 0, "no error");
    is_int(transport_want(&pair.c), NET_IN, "the client waits for input only");
    is_int(transport_want(&pair.s), NET_IN, "the server too");
    ok(transport_send_buf(&pair.c, &n) != NULL, "room to send");
    is_int(n, TLS_RECORD_MAX, "a whole record of it");
    test_both_ways("TLS");
    pair_end();
}

/* Small records that come together are read together, and all of them can be taken without asking
 * the socket again. */
static void test_stash(void)
{
    uint64_t heard;

    start_tls();
    for (int i = 0; i < 5; i++)
        send_text(&pair.s, "record ");
    heard = pair.c.heard;
    transport_pump(&pair.c);
    is_int(pair.c.heard - heard, 5 * (overhead + 7), "five records with one pump");
    ok(pair.c.read_idle, "and the socket is known to be empty");
    is_int(transport_want(&pair.c), 0, "no wish for more while some lie here");
    {
        const char *got = receive_text(&pair.c);

        is_str(got, "record record record record record ", "all five taken");
    }
    is_int(transport_want(&pair.c), NET_IN, "then there is room again");
    pair_end();
}

static void test_gather(void)
{
    uint64_t before;
    size_t n;

    start_tls();
    before = pair.s.heard;
    memcpy(transport_send_buf(&pair.c, &n), "one ", 4);
    transport_send_ack(&pair.c, 4);
    ok(transport_unsent(&pair.c), "unsent");
    transport_push(&pair.c);
    pair_run();
    is_int(pair.s.heard, before, "nothing leaves before the flush");
    memcpy(transport_send_buf(&pair.c, &n), "two", 3);
    transport_send_ack(&pair.c, 3);
    transport_flush(&pair.c);
    transport_push(&pair.c);
    ok(!transport_unsent(&pair.c), "sent");
    transport_pump(&pair.s);
    is_int(pair.s.heard - before, overhead + 7, "one record");
    is_mem(receive_text(&pair.s), 7, "one two", 7, "with both");
    pair_end();
}

static void test_close(bool tls)
{
    const char *what = tls ? "TLS" : "clear";

    if (tls)
        start_tls();
    else
        pair_start_clear();
    send_text(&pair.c, "unread by the server");
    send_text(&pair.s, "unread by the client");
    transport_pump(&pair.c);
    send_text(&pair.s, "the last");
    transport_close(&pair.s);
    for (int i = 0; i < 10 && transport_unsent(&pair.s); i++)
        transport_push(&pair.s);
    ok(!transport_unsent(&pair.s), "%s: closed", what);
    ok(!transport_recv_buf(&pair.s, &(size_t){ 0 }), "%s: nothing is read any more", what);
    {
        const char *got = receive_text(&pair.c);

        ok(strncmp(got, "unread by the client", 20) == 0, "%s: sent before the close", what);
    }
    for (int i = 0; i < 10 && !pair.c.err; i++) {
        transport_pump(&pair.c);
        receive_text(&pair.c);
    }
    is_int(pair.c.err, ERR_CLOSED, "%s: a clean end", what);
    is_int(transport_want(&pair.c), 0, "%s: nothing to wait for", what);
    sock_close(&pair.c.fd);
    pair_run();
    is_int(pair.s.err, ERR_CLOSED, "%s: for both", what);
    pair_end();
}

static void test_truncated(void)
{
    start_tls();
    send_text(&pair.s, "last words");
    sock_close(&pair.s.fd);
    send_text(&pair.c, "to nobody");
    is_int(pair.c.err, 0, "what cannot be sent is no end yet");
    transport_pump(&pair.c);
    {
        const char *got = receive_text(&pair.c);

        is_str(got, "last words", "they are heard");
    }
    is_int(transport_pump(&pair.c), ERR_TRUNCATED, "an end without close_notify");
    is_int(transport_pump(&pair.c), ERR_TRUNCATED, "stays");
    ok(transport_send_buf(&pair.c, &(size_t){ 0 }) == NULL, "nothing can be sent");
    pair_end();
    is_int(pair.c.fd, -1, "descriptor closed");
}

static void test_clear_ends(void)
{
    pair_start_clear();
    ok(transport_ready(&pair.c), "ready at once");
    is_int(transport_want(&pair.c), NET_IN, "waits for input");
    test_both_ways("clear");
    send_text(&pair.c, "x");
    pair_run();
    is_int(transport_want(&pair.s), 0, "back-pressure");
    sock_close(&pair.c.fd);
    is_int(transport_pump(&pair.s), 0, "the end comes after what was received");
    {
        const char *got = receive_text(&pair.s);

        is_str(got, "x", "taken");
    }
    is_int(transport_pump(&pair.s), ERR_CLOSED, "the end");
    pair_end();
}

/* The peer has ended its direction: ours goes on, until it is closed, or the peer is gone. */
static void test_half_close(void)
{
    pair_start_clear();
    send_text(&pair.s, "before");
    sock_shutdown_write(pair.c.fd);
    is_int(transport_pump(&pair.s), ERR_CLOSED, "the peer's end");
    ok(transport_send_on(&pair.s), "goes on");
    is_int(transport_want(&pair.s), 0, "asks for no input that cannot come");
    is_int(transport_pump(&pair.s), 0, "and reads none");
    send_text(&pair.s, ", after");
    transport_pump(&pair.c);
    {
        const char *got = receive_text(&pair.c);

        is_str(got, "before, after", "all of it arrives");
    }
    transport_close(&pair.s);
    is_int(pair.s.err, ERR_CLOSED, "our end is the end");
    ok(!transport_send_on(&pair.s), "of both directions");
    is_int(transport_pump(&pair.c), ERR_CLOSED, "the peer sees it");
    pair_end();

    pair_start_clear();
    sock_shutdown_write(pair.c.fd);
    transport_pump(&pair.s);
    ok(transport_send_on(&pair.s), "goes on again");
    sock_close(&pair.c.fd);
    send_text(&pair.s, "x");
    is_int(pair.s.err, ERR_TRUNCATED, "until the peer is gone");
    ok(!transport_send_on(&pair.s), "which is no half close");
    pair_end();
}

/* One bit changed on the way. */
static void test_tampered(void)
{
    uint8_t record[64];
    int fd[2];
    ssize_t n;

    start_tls();
    pair_sockets(fd);
    send_text(&pair.s, "genuine");
    n = read(pair.c.fd, record, sizeof record);
    ok(n == (ssize_t)overhead + 7, "a record");
    record[20] ^= 1;
    ok(write(fd[0], record, (size_t)n) == n, "changed");
    sock_close(&pair.c.fd);
    pair.c.fd = fd[1];
    is_int(transport_pump(&pair.c), ERR_TLS, "refused");
    is_int(pair.c.tls_err, BR_ERR_BAD_MAC, "as not authentic");
    ok(strstr(tls_error_text(pair.c.tls_err), "changed on the way") != NULL, "and said so");
    sock_close(&fd[0]);
    pair_end();
}

/* Whatever goes wrong: one sentence, and what to do about it. */
static void test_words(void)
{
    int dumb = 0;

    for (int code = 1; code < BR_ERR_SEND_FATAL_ALERT + 256; code++) {
        const char *text = tls_error_text(code);
        size_t n = strlen(text);

        if ((!strpbrk(text, ":;") && !strstr(text, "needs")) || text[n - 1] == '.' || n > 140) {
            diag("%d: %s", code, text);
            dumb++;
        }
    }
    is_int(dumb, 0, "every code says what to do");
}

static void test_not_tls(void)
{
    int fd[2];

    start_tls();
    pair_start(&trust, &identity, "tunnel.example", time(NULL));
    pair_sockets(fd);
    sock_close(&pair.c.fd);
    pair.c.fd = fd[1];
    ok(write(fd[0], "HTTP/1.1 400 Bad Request\r\n\r\n", 28) == 28, "a server without TLS");
    is_int(transport_pump(&pair.c), ERR_TLS, "is noticed");
    ok(strstr(tls_error_text(pair.c.tls_err), "does not speak TLS") != NULL, "and said so");
    sock_close(&fd[0]);
    pair_end();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_clear_ends();
    test_half_close();
    test_close(false);
    if (!pair_begin() || !pair_ca("ca") || !pair_leaf("leaf", "-algorithm EC -pkeyopt "
                                                      "ec_paramgen_curve:P-256", "ca", "sha256")) {
        diag("no openssl here: TLS is not tested");
        return done_testing();
    }
    is_int(trust_add_file(&trust, pair_path("ca.pem")), 1, "an authority");
    is_int(tls_identity_load(&identity, pair_path("leaf.pem"), pair_path("leaf.key")), 0,
           "an identity (%s)", identity.problem ? identity.problem : "good");
    test_handshake();
    measure_overhead();
    test_stash();
    test_gather();
    test_close(true);
    test_truncated();
    test_tampered();
    test_not_tls();
    test_words();
    pair_finish();
    return done_testing();
}
