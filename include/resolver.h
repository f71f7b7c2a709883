/*
 * Stub resolver: /etc/hosts, then the name servers of /etc/resolv.conf, over UDP.
 * Source: RFC 1035 section 4.2.1 and 7.2, resolv.conf(5) (nameserver, timeout, attempts).
 *
 * Reads both files anew for every question: a router's name servers change with its uplink.
 * Asks A and AAAA at once; tries each server in turn, every round with a longer wait; a fresh
 * random id and source port each time. Never blocks.
 *
 *   IDLE --start--> ASKING --answers or last timeout--> DONE | FAILED
 */
#ifndef ADIT_RESOLVER_H
#define ADIT_RESOLVER_H

#include "dns.h"
#include "sock.h"

#define RESOLVER_SERVERS_MAX 3

struct resolver {
    /* read by the owner */
    int fd;
    unsigned want;
    int64_t deadline;
    struct ip address[DNS_ADDRESSES_MAX * 2]; /* IPv4 first, unless only IPv6 came */
    unsigned count;
    int err;
    /* private */
    const char *hosts_path;   /* NULL: /etc/hosts; tests set both */
    const char *resolv_path;  /* NULL: /etc/resolv.conf */
    uint16_t server_port;     /* 0: 53 */
    uint8_t state;
    uint8_t server_count;
    uint8_t attempt;
    bool got_a, got_aaaa, not_found;
    uint16_t id;
    struct ip server[RESOLVER_SERVERS_MAX];
    uint8_t name[HOST_MAX];
    size_t name_len;
};

/* 1: done at once (an entry in hosts); 0: under way; < 0 error. `random` is fresh for each use. */
int resolver_start(struct resolver *r, struct str name, uint32_t random, int64_t now);
int resolver_on_event(struct resolver *r, int64_t now);
int resolver_on_time(struct resolver *r, uint32_t random, int64_t now);
void resolver_stop(struct resolver *r);

#endif
