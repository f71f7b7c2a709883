/*
 * Non-blocking sockets. All of them are close-on-exec; a descriptor >= FD_SETSIZE is closed and
 * refused with ERR_FD, so that select() never sees one (the gateway's epoll has no such bound and
 * passes `any_fd`).
 * Errors: ERR_REFUSED, ERR_FD, ERR_SYS; sock_errno() of the last failure is in struct sock_error.
 */
#ifndef ADIT_SOCK_H
#define ADIT_SOCK_H

#include "uri.h"

/* What an owner of a descriptor waits for, and what it is told. */
enum { NET_IN = 1, NET_OUT = 2 };
/* No deadline. */
#define NET_NEVER INT64_MAX

/* Begins to connect; returns the descriptor (writable when the connect has ended; ask
 * sock_connected). TCP_NODELAY is set. */
int sock_connect(const struct ip *ip, uint16_t port);
/* The same for a unix socket. */
int sock_connect_unix(struct str path);
/* 0: connected; ERR_REFUSED (refused, unreachable, timed out); ERR_SYS. */
int sock_connected(int fd);
/* Listens on HOST:PORT (numeric; port 0: any); *port is the bound one. Returns the descriptor. */
int sock_listen(const struct ip *ip, uint16_t *port, int backlog, bool any_fd);
/* Accepts one; returns the descriptor, ERR_STATE when none waits; *peer is its address. */
int sock_accept(int fd, struct ip *peer, bool any_fd);
/* UDP socket connected to a server. */
int sock_udp(const struct ip *ip, uint16_t port);

/* read/write without EINTR and SIGPIPE. > 0 bytes; 0: would block; ERR_CLOSED (end of input, reset
 * or broken pipe), ERR_SYS. */
int sock_read(int fd, void *p, size_t n);
int sock_write(int fd, const void *p, size_t n);
int sock_writev2(int fd, struct str a, struct str b);
/* Half close. */
void sock_shutdown_write(int fd);
/* Close, and set *fd to -1; nothing for -1. */
void sock_close(int *fd);

#endif
