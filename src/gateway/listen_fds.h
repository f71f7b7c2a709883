/*
 * Sockets that a service manager hands over: sd_listen_fds(3). $LISTEN_FDS of them, from
 * descriptor 3 on, for the process $LISTEN_PID; their names are in $LISTEN_FDNAMES, separated by
 * colons.
 */
#ifndef ADIT_GATEWAY_LISTEN_FDS_H
#define ADIT_GATEWAY_LISTEN_FDS_H

#include <stdint.h>

#define LISTEN_FDS_FIRST 3

/* Descriptors; -1: not handed over. */
struct listen_fds {
    int https; /* in place of --listen */
    int http;  /* in place of --listen-http */
};

/*
 * By name, https and http, or where none of them is named so, in this order. The texts may be NULL.
 * *out is set in any case. 0, also when there are none or they are for another process; ERR_USAGE:
 * not understood, more than two, one of two named so, or both the same.
 */
int listen_fds_parse(const char *pid, const char *fds, const char *names, uint64_t own_pid,
                     struct listen_fds *out);

#endif
