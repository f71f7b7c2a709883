/*
 * Exchanges for a soak test: what each is made of follows from the seed of the run and its number,
 * so that both ends, and whoever looks at a failure, know every byte of it.
 */
#ifndef ADIT_TEST_SOAK_EXCHANGE_H
#define ADIT_TEST_SOAK_EXCHANGE_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/upgrade.h"
#include "codec/wire.h"

#define HEADER_MAX 3000

static uint64_t seed, state;
static enum upgrade_protocol protocol;

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mix(state) >> 33) % n;
}

static uint32_t trait(uint32_t n, uint32_t which, uint32_t range)
{
    return (uint32_t)(mix(seed * 1000003 + n * UINT64_C(16) + which) >> 33) % range;
}

static bool is_upgrade(uint32_t n)
{
    return protocol != UPGRADE_PLAIN && trait(n, 0, 8) == 0;
}

static uint32_t body_len(uint32_t n, bool request)
{
    uint32_t which = request ? 1 : 2;

    return trait(n, which, 3) == 0 ? 0 : 1 + trait(n, which + 2, trait(n, 5, 6) ? 2000 : 12000);
}

static uint8_t body_byte(uint32_t n, bool request, uint64_t at)
{
    return (uint8_t)(n * 31 + (request ? 17 : 5) + at * 7 + (at >> 8));
}

static void make_head(bool request, uint32_t n, bool interim, struct wire_msg *m)
{
    static uint8_t packed[HEADER_MAX + 64], value[HEADER_MAX];
    static char url[16];
    uint32_t len = trait(n, 6, 5) == 0 ? trait(n, 7, HEADER_MAX) : 5;
    struct writer w;

    memset(value, 'a' + (int)(n % 26), len);
    writer_init(&w, packed, sizeof packed);
    wire_header_pack(&w, STR("x"), (struct str){ value, len });
    snprintf(url, sizeof url, "/%" PRIu32, n);
    if (request)
        wire_http_request(m, (struct str){ 0 }, STR("POST"), str_of(url),
                          (struct wire_headers){ { packed, w.len } },
                          body_len(n, true) > 0 || is_upgrade(n));
    else
        wire_http_response(m, (struct str){ 0 }, interim ? 103 : is_upgrade(n) ? 101 : 200,
                           (struct wire_headers){ { packed, w.len } },
                           !interim && (body_len(n, false) > 0 || is_upgrade(n)));
}

static bool same_head(bool request, uint32_t n, bool interim, const struct wire_msg *m)
{
    struct wire_msg expected;

    make_head(request, n, interim, &expected);
    return str_eq(m->headers.packed, expected.headers.packed) && m->status == expected.status;
}

#endif
