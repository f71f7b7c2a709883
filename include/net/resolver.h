/*
 * Stub resolver: /etc/hosts, then the name servers of /etc/resolv.conf, over UDP, and over TCP when
 * an answer was truncated to nothing.
 * Source: RFC 1035 section 4.2 and 7.2, RFC 7766 section 5, resolv.conf(5) (nameserver, timeout,
 * attempts).
 *
 * Asks A and AAAA at once; tries each server in turn, every round with a longer wait; a fresh
 * random id and source port each time. A server that is not there or fails is left at once.
 * Never blocks (the two files are local). Once one family has addresses, the other has 250 ms.
 *
 *   IDLE --start--> ASKING --answers or last timeout--> DONE | FAILED
 *                   ASKING --truncated, empty--> CONNECTING --> ASKING (the same deadline)
 *
 * Not handled: search domains. A truncated answer with addresses is used as far as it goes.
 */
#ifndef ADIT_RESOLVER_H
#define ADIT_RESOLVER_H

#include "codec/dns.h"
#include "net/resolv_conf.h"
#include "net/sock.h"

struct resolver {
    /* read by the owner: wait for `want` on `fd` until `deadline` */
    int fd; /* -1: none */
    unsigned want;
    int64_t deadline;
    struct ip address[DNS_ADDRESSES_MAX * 2]; /* the families in turn, IPv4 first: a device's
                                                 half-made IPv6 is more common than none of IPv4 */
    unsigned count;
    int err; /* ERR_DNS_NAME: no such name, or no address; ERR_RESOLVE: nobody answered; ERR_DNS:
                not a name that can be asked for */
    /* set by tests before the start; else zero */
    const char *hosts_path;  /* NULL: /etc/hosts */
    const char *resolv_path; /* NULL: /etc/resolv.conf */
    uint16_t server_port;    /* 0: 53 */
    /* private */
    struct resolv_conf conf;
    unsigned tried;          /* questions sent, over all servers and rounds */
    uint32_t random;
    uint16_t id;             /* of the question for A; that for AAAA has its lowest bit flipped */
    bool got_a, got_aaaa, not_found;
    bool tcp;                /* NET_OUT: connecting */
    const struct ip *server; /* the one that is asked */
    size_t in_len;
    /* A datagram; or length and message, as far as they have come. */
    uint8_t in[2 + DNS_ANSWER_MAX];
    unsigned a_count, aaaa_count;
    uint8_t name[HOST_MAX];
    size_t name_len;
};

/* Starts as all zeroes. 1: done at once (an entry in hosts); 0: under way; < 0 failed, as `err`.
 * `random` is fresh for each use. */
int resolver_start(struct resolver *r, struct str name, uint32_t random, int64_t now);
/* The same results. */
int resolver_on_event(struct resolver *r, int64_t now);
int resolver_on_time(struct resolver *r, uint32_t random, int64_t now);
void resolver_stop(struct resolver *r);

#endif
