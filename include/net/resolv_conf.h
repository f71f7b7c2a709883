/*
 * The two files of a stub resolver, read anew at each call: a router's name servers change with
 * its uplink. Neither has a limit on its size; of a line, 1,024 bytes are read.
 * Source: hosts(5), resolv.conf(5).
 */
#ifndef ADIT_RESOLV_CONF_H
#define ADIT_RESOLV_CONF_H

#include "codec/dns.h"

#define RESOLV_CONF_SERVERS_MAX 3
#define RESOLV_CONF_SUFFIXES_MAX 3
/* A line with more, as resolvers have had the limit for long, counts as empty. */
#define RESOLV_CONF_SUFFIX_TEXT 256

struct resolv_conf {
    struct ip server[RESOLV_CONF_SERVERS_MAX]; /* of fe80::1%eth0 with its zone, see sock.h */
    unsigned server_count; /* at least one: without any, it is 127.0.0.1 */
    unsigned timeout_s;    /* of the first round; options timeout:N (1 to 30) */
    unsigned attempts;     /* rounds; options attempts:N (1 to 5) */
    unsigned ndots;        /* names with fewer dots have suffixes; options ndots:N */
    bool rotate;           /* begin with any server; options rotate */
    unsigned suffix_count; /* of the last line with search or domain */
    struct str suffix[RESOLV_CONF_SUFFIXES_MAX]; /* in text */
    uint8_t text[RESOLV_CONF_SUFFIX_TEXT];
};

/* Addresses of a name in a hosts file, at most `max`, in the file's order; 0 when there are none
 * or no file. "localhost" (RFC 6761 section 6.3) has both of its addresses, whatever the file
 * says: many list one, and servers listen on the other. */
unsigned hosts_lookup(const char *path, struct str name, struct ip *out, unsigned max);
/* A file that cannot be read is as an empty one. *conf points into itself: it cannot be copied. */
void resolv_conf_read(const char *path, struct resolv_conf *conf);
/* The next name to ask for, of one that is not empty: with each suffix, if it has fewer dots than
 * ndots and none at its end, and at last as it is. *next begins with 0. False: that was all. */
bool resolv_conf_name(const struct resolv_conf *conf, struct str name, uint8_t *next,
                      struct dns_name *out);

#endif
