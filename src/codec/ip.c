#include "codec/ip.h"

#include <string.h>

#include "codec/ascii.h"

#define GROUPS 8

/* Takes 1 to 3 decimal digits without leading zeroes, up to 255, off *rest. */
static bool take_octet(struct str *rest, uint8_t *octet)
{
    unsigned value = 0;
    size_t n = 0;

    while (n < rest->n && n < 3 && ascii_is_digit(rest->p[n]))
        value = value * 10 + rest->p[n++] - '0';
    if (n == 0 || value > 255 || (n > 1 && rest->p[0] == '0'))
        return false;
    *octet = (uint8_t)value;
    *rest = str_from(*rest, n);
    return true;
}

static bool take_char(struct str *rest, uint8_t c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

/* RFC 3986 section 3.2.2: IPv4address. Octal and short forms have more than one reading. */
static bool v4_parse(struct str text, uint8_t out[4])
{
    for (size_t i = 0; i < 4; i++) {
        if ((i > 0 && !take_char(&text, '.')) || !take_octet(&text, &out[i]))
            return false;
    }
    return text.n == 0;
}

/* Takes 1 to 4 hex digits off *rest. */
static bool take_group(struct str *rest, uint8_t out[2])
{
    unsigned value = 0;
    size_t n = 0;

    while (n < rest->n && n < 4 && ascii_hex_value(rest->p[n]) >= 0)
        value = value << 4 | (unsigned)ascii_hex_value(rest->p[n++]);
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    *rest = str_from(*rest, n);
    return n > 0;
}

static bool take_gap(struct str *rest)
{
    return rest->n >= 2 && rest->p[1] == ':' && take_char(rest, ':') && take_char(rest, ':');
}

/* RFC 4291 section 2.2: groups, "::" once for one zero group or more, the last 32 bits may be
 * dotted. `gap` is where "::" stood, in bytes; beyond the address when it did not. */
static bool v6_parse(struct str rest, uint8_t out[16])
{
    size_t len = 0;
    size_t gap = 17;

    while (rest.n > 0) {
        if (gap > 16 && take_gap(&rest)) {
            gap = len;
            if (rest.n == 0)
                break;
        } else if (len > 0 && !take_char(&rest, ':')) {
            return false;
        }
        if (len <= 12 && v4_parse(rest, out + len)) {
            len += 4;
            break;
        }
        if (len > 14 || !take_group(&rest, out + len))
            return false;
        len += 2;
    }
    if (gap > 16)
        return len == 16;
    memmove(out + 16 - (len - gap), out + gap, len - gap);
    memset(out + gap, 0, 16 - len);
    return len < 16;
}

bool ip_parse(struct str text, struct ip *ip)
{
    memset(ip, 0, sizeof *ip);
    if (v4_parse(text, ip->bytes))
        ip->len = 4;
    else if (v6_parse(text, ip->bytes))
        ip->len = 16;
    return ip->len > 0;
}

static void put_v4(struct writer *w, const uint8_t *bytes)
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            writer_u8(w, '.');
        writer_u64(w, bytes[i]);
    }
}

static unsigned group_at(const struct ip *ip, size_t i)
{
    return (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
}

static void put_group(struct writer *w, unsigned value)
{
    uint8_t hex[4];
    size_t zeroes = 0;

    ascii_to_hex((const uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2, hex);
    while (zeroes < 3 && hex[zeroes] == '0')
        zeroes++;
    writer_bytes(w, hex + zeroes, 4 - zeroes);
}

/* RFC 5952 section 4.2: the first of the longest runs of two zero groups or more. */
static size_t longest_gap(const struct ip *ip, size_t *len)
{
    size_t best = GROUPS;

    *len = 1;
    for (size_t i = 0; i < GROUPS; i++) {
        size_t run = 0;

        while (i + run < GROUPS && group_at(ip, i + run) == 0)
            run++;
        if (run > *len) {
            best = i;
            *len = run;
        }
    }
    return best;
}

const uint8_t ip_mapped[12] = { [10] = 0xff, [11] = 0xff };

static void put_v6(struct writer *w, const struct ip *ip)
{
    size_t gap_len;
    size_t gap = longest_gap(ip, &gap_len);
    size_t i = 0;

    /* RFC 5952 section 5: the known prefix of IPv4-mapped addresses. */
    if (memcmp(ip->bytes, ip_mapped, sizeof ip_mapped) == 0) {
        writer_text(w, "::ffff:");
        put_v4(w, ip->bytes + sizeof ip_mapped);
        return;
    }
    while (i < GROUPS) {
        if (i == gap) {
            writer_text(w, "::");
            i += gap_len;
            continue;
        }
        if (i > 0 && i != gap + gap_len)
            writer_u8(w, ':');
        put_group(w, group_at(ip, i++));
    }
}

size_t ip_format(const struct ip *ip, uint8_t out[IP_TEXT_MAX])
{
    struct writer w;

    writer_init(&w, out, IP_TEXT_MAX);
    if (ip->len == 4)
        put_v4(&w, ip->bytes);
    else if (ip->len == 16)
        put_v6(&w, ip);
    return writer_stored(&w);
}
