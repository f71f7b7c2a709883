/*
 * IP addresses, and as text.
 * Source: RFC 4291 section 2.2 and RFC 5952 (IPv6 text).
 */
#ifndef ADIT_IP_H
#define ADIT_IP_H

#include "codec/buf.h"

/* An address: 4 bytes (IPv4) or 16 (IPv6). */
struct ip {
    uint8_t bytes[16];
    uint8_t len; /* 4 or 16; 0: none */
};

/* ::ffff:0:0/96, before an IPv4 address (RFC 4291 section 2.5.5.2). */
extern const uint8_t ip_mapped[12];

/* Dotted quad of four decimals without leading zeroes, or any RFC 4291 form; no zone. */
bool ip_parse(struct str text, struct ip *ip);
/* RFC 5952 form into out[IP_TEXT_MAX], not terminated; returns its length, 0 for none. */
#define IP_TEXT_MAX 45
size_t ip_format(const struct ip *ip, uint8_t out[IP_TEXT_MAX]);

#endif
