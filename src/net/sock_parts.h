/*
 * What the files of sock.h share: sock.c, and sock_listen.c for listening sockets.
 */
#ifndef ADIT_SOCK_PARTS_H
#define ADIT_SOCK_PARTS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "net/sock.h"

union sock_address {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_un path;
};

socklen_t sock_address_set(union sock_address *a, const struct ip *ip, uint16_t port);
/* len is 0 for another family than IP's. */
void sock_address_get(const union sock_address *a, struct ip *ip);
/* A new socket, or an error. */
int sock_open(int family, int type, bool any_fd);
bool sock_set_option(int fd, int level, int option, int value);
/* Closes it; the error for this errno, which stays. */
int sock_fail(int fd, int code);

#endif
