#include "listen.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "accept.h"
#include "err.h"
#include "gateway.h"
#include "listen_fds.h"
#include "sys/log.h"

#define BACKLOG 1024

static void log_address(const struct ip *ip, uint16_t port)
{
    uint8_t text[IP_TEXT_MAX];

    log_text(ip->len == 16 ? "[" : "");
    log_str((struct str){ text, ip_format(ip, text) });
    log_text(ip->len == 16 ? "]:" : ":");
    log_u64(port);
}

static const char *listen_advice(int code)
{
    switch (code) {
    case EADDRINUSE:
        return ": another program has the port (ss -ltnp tells which)";
    case EACCES:
        return ": ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return ": this machine does not have the address";
    default:
        return ": the kernel gives no socket";
    }
}

static void log_listening(const char *what, const char *how, const struct ip *ip, uint16_t port)
{
    log_begin(LOG_INFO);
    log_text(what);
    log_text(": listening on ");
    log_address(ip, port);
    log_text(how);
    log_end();
}

static int listen_on(struct listener *l, const struct ip *ip, uint16_t *port, const char *what)
{
    bool shared;
    int fd = sock_listen_shared(ip, port, BACKLOG, &shared);
    int code = errno;

    l->fd = fd;
    if (fd >= 0) {
        log_listening(what, shared ? ", beside another gateway, which is to end" : "", ip, *port);
        return 0;
    }
    log_begin(LOG_ERROR);
    log_text(what);
    log_text(": cannot listen on ");
    log_address(ip, *port);
    log_text(listen_advice(code));
    log_end();
    return fd;
}

static int adopt(struct listener *l, int fd, uint16_t *port, const char *what)
{
    struct ip ip;
    int err = sock_adopt_listener(fd, &ip, port);

    l->fd = fd;
    l->adopted = true;
    if (err == 0)
        log_listening(what, ", a socket of the service manager", &ip, *port);
    else
        log_line(LOG_ERROR, "what the service manager hands over ($LISTEN_FDS) is no listening "
                            "TCP socket: write ListenStream=PORT");
    return err;
}

static int open_listener(struct listener *l, int fd, const struct ip *ip, uint16_t *port,
                         const char *what)
{
    return fd >= 0 ? adopt(l, fd, port, what) : listen_on(l, ip, port, what);
}

int listen_start(struct gateway *g)
{
    struct config *c = &g->config;
    struct listen_fds given;
    int err = listen_fds_parse(getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                               getenv("LISTEN_FDNAMES"), (uint64_t)getpid(), &given);

    if (err < 0) {
        log_line(LOG_ERROR, "the service manager hands over other sockets than one or two "
                            "($LISTEN_FDS), with FileDescriptorName=https and http");
        return err;
    }
    g->listener[0] = (struct listener){ .fd = -1, .tls = !c->plain, .agents = true };
    g->listener[1] = (struct listener){ .fd = -1 };
    err = open_listener(&g->listener[0], given.https, &c->listen_ip, &c->listen_port,
                        c->plain ? "plain HTTP" : "TLS");
    if (err == 0 && (c->listen_http || given.http >= 0))
        err = open_listener(&g->listener[1], given.http, &c->listen_http_ip, &c->listen_http_port,
                            "plain HTTP for visitors");
    return err;
}

/* ---- the end ---- */

static void close_listener(struct gateway *g, struct listener *l)
{
    /* Whoever waits in a socket of our own would be reset; in one that others have as well, they
     * take him. */
    for (int i = 0; !l->adopted && i < BACKLOG && accept_waiting(g, l); i++)
        ;
    poller_remove(&g->poller, l->fd, &l->polled);
    sock_close(&l->fd);
}

void listen_give_way(struct gateway *g)
{
    for (size_t i = 0; i < 2; i++) {
        struct listener *l = &g->listener[i];

        if (l->fd >= 0 && (l->adopted || !sock_give_way(l->fd)))
            close_listener(g, l);
    }
}

void listen_stop(struct gateway *g)
{
    for (size_t i = 0; i < 2; i++) {
        if (g->listener[i].fd >= 0)
            close_listener(g, &g->listener[i]);
    }
}
