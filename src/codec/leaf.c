#include "leaf.h"

#include <string.h>

#include "ascii.h"

/* DER, X.690 section 8.1. */
#define UTC_TIME 0x17
#define GENERALIZED_TIME 0x18
#define SEQUENCE 0x30
#define VERSION 0xa0
#define LONG_FORM 0x80

enum phase { PHASE_TAG, PHASE_LENGTH, PHASE_LENGTH_MORE, PHASE_CONTENTS };

/* Two digits at `at`, or 100, which no field of a time can be. */
static uint32_t two_digits(const struct leaf *l, size_t at)
{
    uint8_t tens = (uint8_t)(l->date[at] - '0'), ones = (uint8_t)(l->date[at + 1] - '0');

    return tens > 9 || ones > 9 ? 100 : (uint32_t)tens * 10 + ones;
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March. */
static uint32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    if (month < 3) {
        year--;
        month += 12;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day -
           719469;
}

/* RFC 5280 sections 4.1.2.5.1 and 4.1.2.5.2: in Greenwich Mean Time, seconds included. */
static bool date_parse(const struct leaf *l, int64_t *seconds)
{
    bool utc = l->tag == UTC_TIME;
    size_t at = utc ? 2 : 4;
    uint32_t year = two_digits(l, at - 2);
    uint32_t field[5];

    if ((!utc && l->tag != GENERALIZED_TIME) || l->date_len != at + 11 || l->date[at + 10] != 'Z')
        return false;
    for (size_t i = 0; i < 5; i++) {
        static const uint8_t most[] = { 12, 31, 23, 59, 60 };

        field[i] = two_digits(l, at + 2 * i);
        if (field[i] > most[i])
            return false;
    }
    if (year > 99 || field[0] == 0 || field[1] == 0)
        return false;
    year += utc ? (year < 50 ? 2000 : 1900) : 100 * two_digits(l, 0);
    if (year > 9999)
        return false;
    /* Nothing is checked as of a time before 1970. */
    *seconds = year < 1970 ? 0 : (int64_t)days_of(year, field[0], field[1]) * 86400 +
               (int32_t)(field[2] * 3600 + field[3] * 60 + field[4]);
    return true;
}

static void on_end(struct leaf *l)
{
    bool good = true;

    if (l->step == LEAF_FROM)
        good = date_parse(l, &l->from);
    else if (l->step == LEAF_TO)
        good = date_parse(l, &l->to);
    if (l->tag != VERSION)
        l->step++;
    l->phase = PHASE_TAG;
    if (!good)
        l->step = LEAF_BAD;
}

static void on_length(struct leaf *l)
{
    bool enters = l->step == LEAF_CERTIFICATE || l->step == LEAF_TBS || l->step == LEAF_VALIDITY;

    l->date_len = 0;
    l->phase = PHASE_CONTENTS;
    if (enters && l->tag != SEQUENCE)
        l->step = LEAF_BAD;
    else if (enters || l->left == 0)
        on_end(l);
}

/* Lengths as BearSSL takes them, up to 2^24. */
static void on_first_length(struct leaf *l, uint8_t byte)
{
    l->left = byte;
    if (byte < LONG_FORM) {
        on_length(l);
        return;
    }
    l->left = 0;
    l->length_left = (uint8_t)(byte - LONG_FORM);
    l->phase = PHASE_LENGTH_MORE;
    if (l->length_left == 0 || l->length_left > 3)
        l->step = LEAF_BAD;
}

static void take(struct leaf *l, uint8_t byte)
{
    switch ((enum phase)l->phase) {
    case PHASE_TAG:
        l->tag = byte;
        l->phase = PHASE_LENGTH;
        if (byte == VERSION && l->step != LEAF_SERIAL)
            l->step = LEAF_BAD;
        break;
    case PHASE_LENGTH:
        on_first_length(l, byte);
        break;
    case PHASE_LENGTH_MORE:
        l->left = l->left << 8 | byte;
        if (--l->length_left == 0)
            on_length(l);
        break;
    case PHASE_CONTENTS:
        if (l->date_len < sizeof l->date)
            l->date[l->date_len++] = byte;
        else
            l->date_len = sizeof l->date + 1;
        if (--l->left == 0)
            on_end(l);
        break;
    }
}

struct str leaf_feed(struct leaf *l, const uint8_t *p, size_t n)
{
    struct str key = { p, 0 };

    for (size_t i = 0; i < n && l->step < LEAF_DONE; i++) {
        if (l->step == LEAF_KEY && key.n++ == 0)
            key.p = p + i;
        take(l, p[i]);
    }
    return key;
}
