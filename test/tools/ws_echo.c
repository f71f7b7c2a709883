/*
 * ws-echo URL: a WebSocket client (RFC 6455, ws:// only) that echoes every data message, text as
 * text and binary as binary, until the server closes. Made for suites that judge clients.
 * Exit 0: after a clean closing handshake. 1: otherwise, with a line that says why.
 *
 * Memory is fixed: a message that fits MESSAGE_MAX is echoed whole and unfragmented, a longer one
 * in fragments as it comes. While an echo waits for room in the socket, input is read on.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "core/upgrade.h"
#include "codec/uri.h"
#include "codec/utf8.h"
#include "codec/ws.h"

enum {
    IN_MAX = 1 << 20,
    MESSAGE_MAX = 32 << 20,
    HANDSHAKE_MS = 15000,
    /* Section 7.1.1: the server closes TCP first, so that TIME_WAIT is there. */
    DRAIN_MS = 5000,
};

static struct echo {
    int fd;
    bool eof;
    bool closing; /* what still comes is of no interest */
    size_t from;
    size_t to;
    struct ws_order order;
    struct ws_head head;
    bool in_frame;
    uint64_t done; /* payload bytes of this frame */
    struct utf8 text;
    bool continued; /* a part of this message is already echoed */
    size_t message_len;
    uint8_t *in; /* IN_MAX bytes: from..to is not consumed yet */
    /* Payloads behind room for a head, so that both go out in one write. */
    uint8_t control[WS_HEAD_MAX + WS_CONTROL_MAX];
    uint8_t *message; /* MESSAGE_MAX behind the head */
} echo;

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "ws-echo: %s\n", why);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- socket ---- */

static bool wait_for(short events, int timeout_ms, short *ready)
{
    struct pollfd p = { .fd = echo.fd, .events = events };
    int n;

    do {
        n = poll(&p, 1, timeout_ms);
    } while (n < 0 && errno == EINTR);
    *ready = p.revents;
    return n > 0;
}

static void receive(void)
{
    ssize_t n;

    if (echo.closing || echo.from == echo.to)
        echo.from = echo.to = 0;
    if (echo.from > 0 && echo.to == IN_MAX) {
        memmove(echo.in, echo.in + echo.from, echo.to - echo.from);
        echo.to -= echo.from;
        echo.from = 0;
    }
    n = recv(echo.fd, echo.in + echo.to, IN_MAX - echo.to, MSG_DONTWAIT);
    if (n > 0)
        echo.to += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        echo.eof = true;
}

static void transmit(const uint8_t *p, size_t n)
{
    while (n > 0) {
        bool room = !echo.eof && (echo.closing || echo.to - echo.from < IN_MAX);
        short ready;
        ssize_t sent;

        wait_for((short)(POLLOUT | (room ? POLLIN : 0)), -1, &ready);
        if (room && (ready & POLLIN))
            receive();
        if (!(ready & (POLLOUT | POLLERR | POLLHUP)))
            continue;
        sent = send(echo.fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            die("the server stopped reading");
        p += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
}

static void drain(void)
{
    int64_t end = now_ms() + DRAIN_MS;
    int64_t left;
    short ready;

    echo.closing = true;
    while (!echo.eof && (left = end - now_ms()) > 0) {
        if (wait_for(POLLIN, (int)left, &ready))
            receive();
    }
    close(echo.fd);
}

/* ---- frames out ---- */

/* Input: payload_len bytes behind WS_HEAD_MAX of room. They are masked in place. */
static void send_frame(uint8_t *room, size_t payload_len, uint8_t opcode, bool fin)
{
    struct ws_head head = { .len = payload_len, .opcode = opcode, .fin = fin, .masked = true };
    size_t head_len = ws_head_len(payload_len, true);

    if (getrandom(head.key, sizeof head.key, 0) != sizeof head.key)
        die("no random bytes");
    ws_head_write(&head, room + WS_HEAD_MAX - head_len);
    ws_mask(room + WS_HEAD_MAX, payload_len, head.key, 0);
    transmit(room + WS_HEAD_MAX - head_len, head_len + payload_len);
}

static void send_close(uint16_t code, const char *reason)
{
    size_t n = ws_close_write(code, str_of(reason), echo.control + WS_HEAD_MAX);

    echo.closing = true;
    send_frame(echo.control, n, WS_CLOSE, true);
}

/* Section 7.1.7. */
static _Noreturn void fail(int err)
{
    send_close(err == ERR_UTF8 ? WS_CLOSE_TEXT : WS_CLOSE_PROTOCOL, err_text(err));
    drain();
    die(err_text(err));
}

static void send_part(bool fin)
{
    uint8_t opcode = echo.continued ? WS_CONTINUATION : echo.order.opcode;

    send_frame(echo.message, echo.message_len, opcode, fin);
    echo.message_len = 0;
    echo.continued = !fin;
}

/* ---- frames in ---- */

/* The next n bytes of input. They are found anew after each part sent, which may move them. */
static void take_data(size_t n)
{
    if (echo.order.opcode == WS_TEXT && !utf8_feed(&echo.text, echo.in + echo.from, n))
        fail(ERR_UTF8); /* section 8.1, at the first byte that shows it */
    while (n > 0) {
        size_t room = MESSAGE_MAX - echo.message_len;
        size_t part = n < room ? n : room;

        if (room == 0) {
            send_part(false);
            continue;
        }
        memcpy(echo.message + WS_HEAD_MAX + echo.message_len, echo.in + echo.from, part);
        echo.message_len += part;
        echo.from += part;
        n -= part;
    }
}

static void take_control(size_t n)
{
    memcpy(echo.control + WS_HEAD_MAX + echo.done, echo.in + echo.from, n);
    echo.from += n;
}

static _Noreturn void finish(void)
{
    struct str reason;
    uint16_t code;
    int err = ws_close_parse(echo.control + WS_HEAD_MAX, (size_t)echo.head.len, &code, &reason);

    if (err)
        fail(err);
    send_close(code, "");
    drain();
    exit(0);
}

static void end_frame(void)
{
    if (echo.head.opcode == WS_CLOSE)
        finish();
    if (echo.head.opcode == WS_PING)
        send_frame(echo.control, (size_t)echo.head.len, WS_PONG, true);
    if (ws_is_control(echo.head.opcode) || !echo.head.fin)
        return;
    if (echo.order.opcode == WS_TEXT && !utf8_ends(&echo.text))
        fail(ERR_UTF8);
    send_part(true);
}

/* False when more input is needed. */
static bool begin_frame(void)
{
    int n = ws_head_parse(echo.in + echo.from, echo.to - echo.from, false, &echo.head);

    if (n < 0)
        fail(n);
    if (n == 0)
        return false;
    echo.from += (size_t)n;
    n = ws_order_feed(&echo.order, &echo.head);
    if (n < 0)
        fail(n);
    if (echo.head.opcode == WS_TEXT)
        echo.text = (struct utf8){ 0 };
    echo.in_frame = true;
    echo.done = 0;
    return true;
}

static void take_payload(void)
{
    uint64_t left = echo.head.len - echo.done;
    size_t n = echo.to - echo.from;

    if (n > left)
        n = (size_t)left;
    if (ws_is_control(echo.head.opcode))
        take_control(n);
    else
        take_data(n);
    echo.done += n;
    if (echo.done == echo.head.len) {
        echo.in_frame = false;
        end_frame();
    }
}

static _Noreturn void run(void)
{
    for (;;) {
        short ready;

        while (echo.in_frame ? echo.from < echo.to : begin_frame())
            take_payload();
        if (echo.eof)
            die("the server ended the connection without a closing handshake");
        wait_for(POLLIN, -1, &ready);
        receive();
    }
}

/* ---- opening handshake, section 4 ---- */

static void dial(const struct uri *uri)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char host[HOST_MAX];
    char port[6] = "";
    struct writer w;

    memcpy(host, uri->host.p, uri->host.n);
    host[uri->host.n] = '\0';
    writer_init(&w, (uint8_t *)port, sizeof port - 1);
    writer_u64(&w, uri->port);
    if (getaddrinfo(host, port, &hints, &list) != 0)
        die("the host name does not exist");
    echo.fd = -1;
    for (struct addrinfo *a = list; a && echo.fd < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            echo.fd = fd;
        else if (fd >= 0)
            close(fd);
    }
    freeaddrinfo(list);
    if (echo.fd < 0)
        die("connection refused or host unreachable");
    setsockopt(echo.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

static void send_request(const struct uri *uri, const uint8_t key[WS_KEY_LEN])
{
    bool brackets = memchr(uri->host.p, ':', uri->host.n) != NULL;
    uint8_t host_port[HOST_MAX + 16];
    struct writer w;
    size_t n;

    writer_init(&w, host_port, sizeof host_port);
    writer_text(&w, brackets ? "[" : "");
    writer_str(&w, uri->host);
    writer_text(&w, brackets ? "]:" : ":");
    writer_u64(&w, uri->port);
    n = w.len;
    /* The message's room is free yet, and longer than any argument of a program. */
    writer_init(&w, echo.message, WS_HEAD_MAX + MESSAGE_MAX);
    upgrade_request_write(&w, uri->path, (struct str){ host_port, n }, key, 0);
    transmit(echo.message, w.len);
}

static void await_response(const uint8_t key[WS_KEY_LEN])
{
    struct http_head head;
    short ready;
    int n = 0;

    for (size_t seen = 0; n == 0; n = http_response_parse(echo.in, echo.to, seen, &head)) {
        if (echo.eof || echo.to == IN_MAX)
            die("the server did not answer the upgrade");
        if (!wait_for(POLLIN, HANDSHAKE_MS, &ready))
            die("timed out");
        seen = echo.to;
        receive();
    }
    if (n > 0) {
        echo.from = (size_t)n;
        n = upgrade_response_check(&head, key, 0);
    }
    if (n < 0)
        die(err_text(n));
}

int main(int argc, char **argv)
{
    uint8_t random[16];
    uint8_t key[WS_KEY_LEN];
    struct uri uri;

    if (argc != 2)
        die("usage: ws-echo ws://HOST[:PORT]/PATH");
    if (uri_parse(str_of(argv[1]), &uri) < 0)
        die(err_text(ERR_URI));
    if (uri.tls)
        die("only ws:// is spoken here");
    /* Not static: boards with short addresses (-mcmodel=tiny) want everything within a megabyte. */
    echo.in = malloc(IN_MAX);
    echo.message = malloc(WS_HEAD_MAX + MESSAGE_MAX);
    if (echo.in == NULL || echo.message == NULL)
        die("no memory");
    if (getrandom(random, sizeof random, 0) != sizeof random)
        die("no random bytes");
    ws_key(random, key);
    dial(&uri);
    send_request(&uri, key);
    await_response(key);
    run();
}
