/*
 * The two files of a stub resolver, read anew at each call: a router's name servers change with
 * its uplink. Neither has a limit on its size; of a line, 1,024 bytes are read.
 * Source: hosts(5), resolv.conf(5).
 */
#ifndef ADIT_RESOLV_CONF_H
#define ADIT_RESOLV_CONF_H

#include "codec/ip.h"

#define RESOLV_CONF_SERVERS_MAX 3

struct resolv_conf {
    struct ip server[RESOLV_CONF_SERVERS_MAX]; /* of fe80::1%eth0 with its zone, see sock.h */
    unsigned server_count; /* at least one: without any, it is 127.0.0.1 */
    uint32_t timeout_ms;   /* of the first round; options timeout:N (1 to 30 seconds) */
    unsigned attempts;     /* rounds; options attempts:N (1 to 5) */
};

/* Addresses of a name in a hosts file, at most `max`, in the file's order; 0 when there are none
 * or no file. "localhost" (RFC 6761 section 6.3) has both of its addresses, whatever the file
 * says: many list one, and servers listen on the other. */
unsigned hosts_lookup(const char *path, struct str name, struct ip *out, unsigned max);
/* A file that cannot be read is as an empty one. */
void resolv_conf_read(const char *path, struct resolv_conf *conf);

#endif
