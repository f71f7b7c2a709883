/*
 * Every size and count, with its reason and its cost in bytes.
 *
 * PROFILE=tiny (ADIT_TINY) is for devices whose whole RAM is 16 MB: 4 streams, 4 KB records.
 */
#ifndef ADIT_LIMITS_H
#define ADIT_LIMITS_H

/* ---- protocol, the same in every profile ---- */

/* WIRE.md "Identity": ids are 1 to 64 bytes. */
#define ID_MAX 64
/* RFC 6455 section 5.5. */
#define WS_CONTROL_MAX 125
/* 2 bytes, 8 of length, 4 of mask: RFC 6455 section 5.2. */
#define WS_HEAD_MAX 14
/* Deeper JSON than any message needs, as one bit a level. */
#define JSON_DEPTH_MAX 512
/* Field names travel with a one-byte length in TLV form. */
#define HTTP_NAME_MAX 255
/* Fields of a head, as Apache and most servers take them. What compares each with each, as writing
 * them into one JSON object does, is bounded by this: a few milliseconds on a router. */
#define HTTP_FIELDS_MAX 100
/* A message has those of a head, and what clouds add on the way: X-Forwarded-For, Via and others.
 */
#define WIRE_HEADERS_MAX (HTTP_FIELDS_MAX + 16)
/* Methods longer than any registered one (UPDATEREDIRECTREF is 17). */
#define HTTP_METHOD_MAX 32
/* Interim responses to one request: who says "102 Processing" every minute has 100 minutes. */
#define HTTP_INTERIM_MAX 100
/* RFC 1035 section 2.3.4: 253 characters of text, and the terminator. */
#define HOST_MAX 254
/* Gateways that an agent may have: one, another elsewhere, and some. 60 bytes each. */
#define HOMES_MAX 4
/* A token is printable, and fits one Auth message of either form. */
#define TOKEN_MAX 512

/* ---- by profile ---- */

#ifdef ADIT_TINY
#define STREAMS_MAX 4
/* RFC 6066 maximum_fragment_length 4096: what TLS keeps is 325 bytes more per direction. */
#define TLS_RECORD_MAX 4096
/* One HTTP head, request or response; per stream. */
#define HTTP_HEAD_MAX 4096
/* Upload pool, 20 KB: 2 KB for each stream, 8 KB for those that upload more. */
#define POOL_BLOCK 512
#define POOL_BLOCKS 40
#define STREAM_WINDOW 2048
/* A client certificate of EC or RSA 2048, one above it, its key; below 3.6 KB. */
#define CLIENT_CERT_MAX 4096
/* A server's chain, up to the certificate that a known authority has signed: three of RSA 2048. */
#define TRUST_CHAIN_MAX 5120
#else
/* As many requests as a browser with two tabs sends at once. */
#define STREAMS_MAX 16
#define TLS_RECORD_MAX 16384
/* Request line and fields that nginx and Apache accept by default (8 KB), per stream. */
#define HTTP_HEAD_MAX 8192
/* Upload pool: 4 KB for each stream, and what is left for those that upload more. One upload
 * carries about as much a round trip. */
#ifdef ADIT_POOL_KB
/* A board with memory says how much (POOL_KB), 2 MB at most: at 100 ms 18 MB/s. */
#define POOL_BLOCK 4096
#define POOL_BLOCKS (ADIT_POOL_KB / 4)
#else
/* 160 KB, 64 KB of them to spare. */
#define POOL_BLOCK 1024
#define POOL_BLOCKS 160
#endif
#define STREAM_WINDOW 4096
/* A client certificate, two above it and its key, as DER: 7.5 KB when all are RSA 4096. */
#define CLIENT_CERT_MAX 8192
/* A server's chain, up to the certificate that a known authority has signed: four of RSA 4096, or
 * three of which one has a hundred names. */
#define TRUST_CHAIN_MAX 8192
#endif

/* What uploads may have on their way for the sockets of the local connections beyond the pool, as
 * far as those are sure to take it. Without it, 160 KB of pool carry 0.7 MB/s at 100 ms. */
#ifdef ADIT_TINY
#define LOCAL_ROOM 65536
#else
#define LOCAL_ROOM 393216
#endif

/* What of the pool is beyond the windows that every stream is promised: a queue of n bytes takes
 * n / POOL_BLOCK + 2 blocks at most. One upload alone may have all of it, several share it. */
#define POOL_SPARE ((POOL_BLOCKS - STREAMS_MAX * (STREAM_WINDOW / POOL_BLOCK + 2)) * POOL_BLOCK)

/* One incoming message without its body. A head in JSON form with its escapes decoded needs no
 * more than the HTTP head it becomes; the rest is id, method and the packing of the fields. */
#define WIRE_HEAD_MAX (HTTP_HEAD_MAX + 512)

/* The longest message that is not HttpRequest, HttpResponse or HttpBody as we write it:
 * Auth with a token of TOKEN_MAX bytes, each escaped as \u00XX in JSON form, is 3.2 KB. */
#define WIRE_CONTROL_MAX 3584

#endif
