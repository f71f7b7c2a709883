/*
 * Non-blocking sockets. All of them are close-on-exec; a descriptor >= FD_SETSIZE is closed and
 * refused with ERR_FD, so that select() never sees one (the gateway's epoll has no such bound and
 * passes `any_fd`).
 * Errors: ERR_REFUSED, ERR_UNREACHABLE, ERR_FD, ERR_SYS, whose errno sock_errno keeps.
 */
#ifndef ADIT_SOCK_H
#define ADIT_SOCK_H

#include "codec/ip.h"

/* What an owner of a descriptor waits for, and what it is told. */
enum { NET_IN = 1, NET_OUT = 2 };
/* No deadline. */
#define NET_NEVER INT64_MAX

/* Which interface a link-local address is on (RFC 4007 section 11): the zone behind its "%", a
 * number, which is not looked up, or a name. The address carries it in bytes that are zero on the
 * wire. False when no interface has that name, or the address has no zones. */
bool sock_set_zone(struct ip *ip, struct str zone);

/* Begins to connect; returns the descriptor (writable when the connect has ended; ask
 * sock_connected). TCP_NODELAY is set. */
int sock_connect(const struct ip *ip, uint16_t port);
/* The same for a unix socket, whose path has 1 to 107 bytes (else ERR_SYS). Connected at once or
 * refused (a full backlog is ERR_REFUSED too). */
int sock_connect_unix(struct str path);
/* A datagram socket connected to that of such a path; "@NAME" is one without a file. */
int sock_unix_datagram(struct str path);
/* 0: connected, or still under way when the descriptor is not writable yet; ERR_REFUSED;
 * ERR_UNREACHABLE (timed out, too); ERR_SYS. */
int sock_connected(int fd);
/* Listens on an address (port 0: any); *port is the bound one. "::" takes IPv4 too. Returns the
 * descriptor. */
int sock_listen(const struct ip *ip, uint16_t *port, int backlog, bool any_fd);
/* The same on an address that another process of this user may have, and others may have later
 * (SO_REUSEPORT): the kernel shares connections out among them. *shared: one has it now. Any
 * descriptor. */
int sock_listen_shared(const struct ip *ip, uint16_t *port, int backlog, bool *shared);
/* From now on connections go to the one that has shared the address later, if there is any; this
 * socket gets those that have begun to come. False: not possible here. */
bool sock_give_way(int fd);
/* A listening TCP socket that came from elsewhere: 0, and its address; ERR_FD: it is no such. */
int sock_adopt_listener(int fd, struct ip *ip, uint16_t *port);
/* Accepts one; returns the descriptor, ERR_STATE when none waits; *peer (may be NULL) is its
 * address, IPv4 as 4 bytes also on an IPv6 socket. TCP_NODELAY is set. */
int sock_accept(int fd, struct ip *peer, bool any_fd);
/* UDP socket connected to a server. */
int sock_udp(const struct ip *ip, uint16_t port);

/* read/write of n bytes, 1 to INT_MAX; SIGPIPE is the program's to keep away (signals.h). > 0
 * bytes; 0: would block.
 * ERR_CLOSED: read: end of input; write: the peer takes no more (reset, broken pipe).
 * ERR_TRUNCATED: read: the connection broke (reset, timed out), what was read may be half of
 * something. ERR_REFUSED: UDP, nobody listens. ERR_SYS. */
int sock_read(int fd, void *p, size_t n);
int sock_write(int fd, const void *p, size_t n);
/* The same over two pieces, in this order. */
int sock_readv2(int fd, void *a, size_t a_len, void *b, size_t b_len);
/* Up to SOCK_PIECES_MAX pieces in one call. */
#define SOCK_PIECES_MAX 3
int sock_writev(int fd, const struct str *piece, size_t count);
/* errno of the last call that failed with ERR_SYS. */
int sock_errno(void);
/* Grows with every byte that any socket gave or took, and with every connection that is begun: the
 * measure of whether the program gets on. */
uint64_t sock_moved(void);
/* Bytes written that the peer's kernel has not acknowledged; 0 where that cannot be told. */
unsigned sock_unacked(int fd);
/* Bytes that a connected socket is sure to take, though its peer takes none: half of its buffer,
 * because the kernel counts what it keeps beside them, less what is in it. */
size_t sock_room(int fd);
/* TCP: the connection breaks when written bytes stay unacknowledged for so long. */
void sock_limit_unacked(int fd, uint32_t ms);
/* TCP: the socket takes no more while it has so many bytes that are not sent. What is on its way
 * and not acknowledged does not count. False where the kernel knows no such limit. */
bool sock_limit_unsent(int fd, uint32_t bytes);
/* TCP: bytes that it has and has not sent; 0 where that cannot be told. */
unsigned sock_unsent(int fd);
/* Half close. */
void sock_shutdown_write(int fd);
/* Close, and set *fd to -1; nothing for -1. */
void sock_close(int *fd);

#endif
