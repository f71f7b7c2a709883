/*
 * What path.c has to know of a packet: TCP in IPv4 or IPv6, and resets.
 * Source: RFC 791, RFC 8200 section 3, RFC 9293 sections 3.1 and 3.5.2, RFC 1071.
 * Not handled: extension headers of IPv6, fragments.
 */
#ifndef ADIT_PATH_PACKET_H
#define ADIT_PATH_PACKET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TCP_NUMBER 6
#define TCP_HEAD 20
#define RESET_MAX 60 /* an IPv6 head and one of TCP */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct tcp_view {
    const uint8_t *ip, *tcp;
    uint32_t ip_len; /* of the IP head */
    uint32_t data_len;
    uint8_t flags;
};

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static inline bool tcp_look(const uint8_t *p, uint32_t len, struct tcp_view *v)
{
    uint32_t offset;

    if (len >= 20 && p[0] >> 4 == 4 && p[9] == TCP_NUMBER)
        v->ip_len = 4u * (p[0] & 15);
    else if (len >= 40 && p[0] >> 4 == 6 && p[6] == TCP_NUMBER)
        v->ip_len = 40;
    else
        return false;
    if (len < v->ip_len + TCP_HEAD)
        return false;
    v->ip = p;
    v->tcp = p + v->ip_len;
    v->flags = v->tcp[13];
    offset = v->ip_len + 4u * (v->tcp[12] >> 4);
    v->data_len = len > offset ? len - offset : 0;
    return true;
}

static inline uint32_t add16(uint32_t sum, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 2)
        sum += (uint32_t)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0u);
    return sum;
}

static inline void put_checksum(uint8_t *p, uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    p[0] = (uint8_t)(~sum >> 8);
    p[1] = (uint8_t)~sum;
}

/* The head of IP, to the sender or on to the receiver; where its addresses are, and how long both
 * together. */
static inline uint8_t *bare_ip(const struct tcp_view *v, bool back, uint8_t *out, uint32_t *both)
{
    bool four = v->ip[0] >> 4 == 4;
    uint32_t n = four ? 4 : 16, at = four ? 12 : 8;

    memset(out, 0, RESET_MAX);
    if (four) {
        out[0] = 0x45;
        out[3] = 20 + TCP_HEAD;
        out[8] = 64;
        out[9] = TCP_NUMBER;
    } else {
        out[0] = 0x60;
        out[5] = TCP_HEAD;
        out[6] = TCP_NUMBER;
        out[7] = 64;
    }
    memcpy(out + at, v->ip + at + (back ? n : 0), n);
    memcpy(out + at + n, v->ip + at + (back ? 0 : n), n);
    if (four)
        put_checksum(out + 10, add16(0, out, 20));
    *both = 2 * n;
    return out + at;
}

static inline uint32_t bare_tcp(const struct tcp_view *v, bool back, uint32_t seq, uint32_t ack,
                                uint8_t flags, uint8_t out[RESET_MAX])
{
    uint32_t ip_len = v->ip[0] >> 4 == 4 ? 20 : 40, both;
    uint8_t *address = bare_ip(v, back, out, &both), *tcp = out + ip_len;

    memcpy(tcp, v->tcp + (back ? 2 : 0), 2);
    memcpy(tcp + 2, v->tcp + (back ? 0 : 2), 2);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    tcp[12] = TCP_HEAD / 4 << 4;
    tcp[13] = flags;
    put_checksum(tcp + 16, add16(add16(TCP_NUMBER + TCP_HEAD, address, both), tcp, TCP_HEAD));
    return ip_len + TCP_HEAD;
}

/* RFC 9293 section 3.5.2: what a host says that knows no such connection; not to a reset. Its
 * length. */
static inline uint32_t tcp_refuse(const struct tcp_view *v, uint8_t out[RESET_MAX])
{
    uint32_t taken = v->data_len + !!(v->flags & TCP_SYN) + !!(v->flags & TCP_FIN);

    if (v->flags & TCP_ACK)
        return bare_tcp(v, true, get32(v->tcp + 8), 0, TCP_RST, out);
    return bare_tcp(v, true, 0, get32(v->tcp + 4) + taken, TCP_RST | TCP_ACK, out);
}

/* What the receiver gets instead of the packet. */
static inline uint32_t tcp_break(const struct tcp_view *v, uint8_t out[RESET_MAX])
{
    return bare_tcp(v, false, get32(v->tcp + 4), 0, TCP_RST, out);
}

#endif
