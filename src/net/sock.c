#include "net/sock.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"
#include "codec/ascii.h"
#include "err.h"
#include "sock_parts.h"

/* linux/sockios.h, the same everywhere */
#ifndef SIOCOUTQNSD
#define SIOCOUTQNSD 0x894b
#endif

static uint64_t moved;
static int unknown; /* the last errno that is none of ours */

/* errno of a connect, a read or a write as an error. */
static int from_errno(int code)
{
    switch (code) {
    case ECONNREFUSED:
    case EACCES:
    case ENOENT:
    case ECONNRESET:
        return ERR_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EPERM: /* a firewall's answer to a connect */
    case ETIMEDOUT:
        return ERR_UNREACHABLE;
    case EMFILE:
    case ENFILE:
        return ERR_FD;
    default:
        unknown = code;
        return ERR_SYS;
    }
}

int sock_errno(void)
{
    return unknown;
}

static bool would_block(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK;
}

/* RFC 4291 section 2.5.6: 54 bits of these are zero. Four bytes of them carry the interface's
 * number in struct ip, in the machine's order. */
#define ZONE_AT 4

static bool is_link_local(const struct ip *ip)
{
    return ip->len == 16 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

socklen_t sock_address_set(union sock_address *a, const struct ip *ip, uint16_t port)
{
    memset(a, 0, sizeof *a);
    if (ip->len == 4) {
        a->in4.sin_family = AF_INET;
        a->in4.sin_port = htons(port);
        memcpy(&a->in4.sin_addr, ip->bytes, 4);
        return sizeof a->in4;
    }
    a->in6.sin6_family = AF_INET6;
    a->in6.sin6_port = htons(port);
    memcpy(&a->in6.sin6_addr, ip->bytes, 16);
    if (is_link_local(ip)) {
        memcpy(&a->in6.sin6_scope_id, ip->bytes + ZONE_AT, 4);
        memset((uint8_t *)&a->in6.sin6_addr + ZONE_AT, 0, 4);
    }
    return sizeof a->in6;
}

/* RFC 4291 section 2.5.5.2: ::ffff:a.b.c.d is how an IPv6 socket tells of an IPv4 peer. */
void sock_address_get(const union sock_address *a, struct ip *ip)
{
    const uint8_t *six = (const uint8_t *)&a->in6.sin6_addr;

    memset(ip, 0, sizeof *ip);
    if (a->any.sa_family == AF_INET) {
        ip->len = 4;
        memcpy(ip->bytes, &a->in4.sin_addr, 4);
    } else if (a->any.sa_family == AF_INET6) {
        bool is_mapped = memcmp(six, ip_mapped, sizeof ip_mapped) == 0;

        ip->len = is_mapped ? 4 : 16;
        memcpy(ip->bytes, is_mapped ? six + 12 : six, ip->len);
    }
}

int sock_fail(int fd, int code)
{
    close(fd);
    errno = code;
    return from_errno(code);
}

static int check_fd(int fd, bool any_fd)
{
    if (fd < 0)
        return from_errno(errno);
    if (!any_fd && fd >= FD_SETSIZE)
        return sock_fail(fd, EMFILE);
    return fd;
}

int sock_open(int family, int type, bool any_fd)
{
    return check_fd(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), any_fd);
}

bool sock_set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* Small messages wait for nothing: whoever writes gathers what belongs together. */
static void set_nodelay(int fd)
{
    sock_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

bool sock_set_zone(struct ip *ip, struct str zone)
{
    struct ifreq request;
    uint64_t number;
    uint32_t index;
    int fd;

    if (!is_link_local(ip))
        return false;
    if (ascii_u64(zone, UINT32_MAX, &number)) {
        index = (uint32_t)number;
    } else {
        memset(&request, 0, sizeof request);
        if (zone.n >= sizeof request.ifr_name)
            return false;
        memcpy(request.ifr_name, zone.p, zone.n);
        fd = sock_open(AF_INET6, SOCK_DGRAM, false);
        /* As if_nametoindex, whose ioctl is more code. */
        if (fd < 0 || syscall(SYS_ioctl, fd, SIOCGIFINDEX, &request) < 0)
            request.ifr_ifindex = 0;
        sock_close(&fd);
        index = (uint32_t)request.ifr_ifindex;
    }
    memcpy(ip->bytes + ZONE_AT, &index, 4);
    return index > 0;
}

static int connect_to(int type, const union sock_address *a, socklen_t len)
{
    int fd = sock_open(a->any.sa_family, type, false);

    if (fd < 0)
        return fd;
    moved++;
    if (type == SOCK_STREAM && a->any.sa_family != AF_UNIX)
        set_nodelay(fd);
    if (connect(fd, &a->any, len) < 0 && errno != EINPROGRESS)
        return sock_fail(fd, would_block(errno) ? ECONNREFUSED : errno);
    return fd;
}

int sock_connect(const struct ip *ip, uint16_t port)
{
    union sock_address a;
    socklen_t len = sock_address_set(&a, ip, port);

    return connect_to(SOCK_STREAM, &a, len);
}

int sock_udp(const struct ip *ip, uint16_t port)
{
    union sock_address a;
    socklen_t len = sock_address_set(&a, ip, port);

    return connect_to(SOCK_DGRAM, &a, len);
}

static int connect_unix(int type, struct str path)
{
    union sock_address a;

    memset(&a, 0, sizeof a);
    a.path.sun_family = AF_UNIX;
    if (path.n == 0 || path.n >= sizeof a.path.sun_path) {
        return from_errno(ENAMETOOLONG);
    }
    memcpy(a.path.sun_path, path.p, path.n);
    if (type == SOCK_DGRAM && *path.p == '@')
        a.path.sun_path[0] = '\0';
    return connect_to(type, &a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n));
}

int sock_connect_unix(struct str path)
{
    return connect_unix(SOCK_STREAM, path);
}

int sock_unix_datagram(struct str path)
{
    return connect_unix(SOCK_DGRAM, path);
}

int sock_connected(int fd)
{
    /* Gives what SO_ERROR gives, but as errno, which user-mode emulators translate. */
    if (write(fd, "", 0) >= 0 || would_block(errno))
        return 0;
    return from_errno(errno);
}

int sock_accept(int fd, struct ip *peer, bool any_fd)
{
    union sock_address a;
    int got;

    do {
        socklen_t len = sizeof a;

        memset(&a, 0, sizeof a);
        got = accept4(fd, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (got < 0 && errno == ECONNABORTED);
    if (got < 0 && would_block(errno))
        return ERR_STATE;
    got = check_fd(got, any_fd);
    if (got < 0)
        return got;
    set_nodelay(got);
    if (peer)
        sock_address_get(&a, peer);
    return got;
}

uint64_t sock_moved(void)
{
    return moved;
}

/* `broken`: what it is when the connection has gone. */
static int result(ssize_t n, int broken)
{
    int code = errno;

    if (n >= 0) {
        moved += (size_t)n;
        return (int)n;
    }
    if (would_block(code))
        return 0;
    if (code == ECONNREFUSED)
        return ERR_REFUSED;
    return from_errno(code) != ERR_SYS || code == EPIPE ? broken : ERR_SYS;
}

static int read_result(ssize_t got)
{
    return got == 0 ? ERR_CLOSED : result(got, ERR_TRUNCATED);
}

int sock_read(int fd, void *p, size_t n)
{
    /* Nothing asked for looks like the end. */
    CHECK(n > 0);
    return read_result(read(fd, p, n));
}

int sock_readv2(int fd, void *a, size_t a_len, void *b, size_t b_len)
{
    struct iovec piece[2] = { { a, a_len }, { b, b_len } };

    return read_result(readv(fd, piece, 2));
}

int sock_write(int fd, const void *p, size_t n)
{
    return result(write(fd, p, n), ERR_CLOSED);
}

int sock_writev(int fd, const struct str *piece, size_t count)
{
    struct iovec part[SOCK_PIECES_MAX];
    int parts = 0;

    CHECK(count <= SOCK_PIECES_MAX);
    for (; count > 0; piece++, count--) {
        if (piece->n == 0)
            continue;
        part[parts].iov_base = (void *)(uintptr_t)piece->p;
        part[parts++].iov_len = piece->n;
    }
    return result(writev(fd, part, parts), ERR_CLOSED);
}

unsigned sock_unacked(int fd)
{
    int n;

    /* The name that tty and socket share: SIOCOUTQ. */
    return syscall(SYS_ioctl, fd, TIOCOUTQ, &n) == 0 ? (unsigned)n : 0;
}

size_t sock_room(int fd)
{
    socklen_t len = sizeof(int);
    unsigned held = sock_unacked(fd);
    int size = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) < 0 || (unsigned)size / 2 < held)
        return 0;
    return (unsigned)size / 2 - held;
}

unsigned sock_unsent(int fd)
{
    int n;

    return syscall(SYS_ioctl, fd, SIOCOUTQNSD, &n) == 0 ? (unsigned)n : 0;
}

void sock_limit_unacked(int fd, uint32_t ms)
{
    sock_set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)ms);
}

bool sock_limit_unsent(int fd, uint32_t bytes)
{
    return sock_set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes);
}

void sock_shutdown_write(int fd)
{
    shutdown(fd, SHUT_WR);
}

void sock_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
