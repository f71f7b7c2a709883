#include <errno.h>
#include <fcntl.h>

#include "err.h"
#include "sock_parts.h"

static uint16_t port_of(const union sock_address *a)
{
    return ntohs(a->any.sa_family == AF_INET ? a->in4.sin_port : a->in6.sin6_port);
}

/* A socket that is bound to the address; what bind says is in *bound. */
static int open_bound(const union sock_address *a, socklen_t len, bool any_fd, bool shared,
                      int *bound)
{
    int fd = sock_open(a->any.sa_family, SOCK_STREAM, any_fd);

    if (fd < 0)
        return fd;
    sock_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (shared)
        sock_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (a->any.sa_family == AF_INET6)
        sock_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    *bound = bind(fd, &a->any, len);
    return fd;
}

static int listen_on(const struct ip *ip, uint16_t *port, int backlog, bool any_fd, bool shared)
{
    union sock_address a;
    socklen_t len = sock_address_set(&a, ip, *port);
    int bound, fd = open_bound(&a, len, any_fd, shared, &bound);

    if (fd < 0)
        return fd;
    if (bound < 0 || listen(fd, backlog) < 0 || getsockname(fd, &a.any, &len) < 0)
        return sock_fail(fd, errno);
    *port = port_of(&a);
    return fd;
}

int sock_listen(const struct ip *ip, uint16_t *port, int backlog, bool any_fd)
{
    return listen_on(ip, port, backlog, any_fd, false);
}

/* Has somebody the address? Who shares nothing finds out. */
static bool is_taken(const struct ip *ip, uint16_t port)
{
    union sock_address a;
    socklen_t len = sock_address_set(&a, ip, port);
    int bound = 0, fd = open_bound(&a, len, true, false, &bound);
    bool taken = fd >= 0 && bound < 0 && errno == EADDRINUSE;

    sock_close(&fd);
    return taken;
}

int sock_listen_shared(const struct ip *ip, uint16_t *port, int backlog, bool *shared)
{
    *shared = is_taken(ip, *port);
    return listen_on(ip, port, backlog, true, true);
}

/* linux/bpf_common.h, as sandbox_filter.c has it */
#define BPF_RETURN 0x06

bool sock_give_way(int fd)
{
    /* Of those that share the address, in the order in which they came, the second one; where there
     * is none, the kernel ignores what the program says. */
    static const struct {
        uint16_t code;
        uint8_t jt, jf;
        uint32_t k;
    } second = { BPF_RETURN, 0, 0, 1 };
    const struct {
        unsigned short len;
        const void *op;
    } program = { 1, &second };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

static bool has_option(int fd, int option, int value)
{
    socklen_t len = sizeof(int);
    int got = -1;

    return getsockopt(fd, SOL_SOCKET, option, &got, &len) == 0 && got == value;
}

int sock_adopt_listener(int fd, struct ip *ip, uint16_t *port)
{
    union sock_address a;
    socklen_t len = sizeof a;

    if (!has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1) ||
        getsockname(fd, &a.any, &len) < 0)
        return ERR_FD;
    sock_address_get(&a, ip);
    if (ip->len == 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return ERR_FD;
    *port = port_of(&a);
    return 0;
}

