#include "options_value.h"

#include <string.h>

#include "ascii.h"

#define DURATION_KINDS 4

static const struct {
    const char *suffix;
    uint32_t ms;
} duration_kind[DURATION_KINDS] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };

static bool in_bounds(const struct option *o, uint64_t value)
{
    return value >= o->min && value <= (o->max ? o->max : UINT32_MAX);
}

static bool ends_with(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.n > n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static bool number_parse(struct str s, uint64_t *value)
{
    uint64_t factor = 1;

    if (ends_with(s, "k"))
        factor = 1024;
    else if (ends_with(s, "M"))
        factor = 1024 * 1024;
    if (factor > 1)
        s.n--;
    if (!ascii_u64(s, UINT32_MAX, value))
        return false;
    *value *= factor;
    return true;
}

static bool duration_parse(struct str s, uint64_t *ms)
{
    uint32_t factor = 1000;

    /* Backwards: "ms" ends in "s" too. */
    for (size_t i = DURATION_KINDS; i-- > 0;) {
        if (ends_with(s, duration_kind[i].suffix)) {
            factor = duration_kind[i].ms;
            s.n -= strlen(duration_kind[i].suffix);
            break;
        }
    }
    if (!ascii_u64(s, UINT32_MAX, ms))
        return false;
    *ms *= factor;
    return true;
}

static bool decimal_parse(struct str s, uint64_t *thousandths)
{
    const uint8_t *point = s.n ? memchr(s.p, '.', s.n) : NULL;
    struct str whole = s, part = { NULL, 0 };
    uint64_t fraction = 0;

    if (point) {
        whole.n = (size_t)(point - s.p);
        part = (struct str){ point + 1, s.n - whole.n - 1 };
        if (part.n > 3 || !ascii_u64(part, 999, &fraction))
            return false;
        for (size_t i = part.n; i < 3; i++)
            fraction *= 10;
    }
    if (!ascii_u64(whole, UINT32_MAX / 1000, thousandths))
        return false;
    *thousandths = *thousandths * 1000 + fraction;
    return true;
}

/* The index of a word in "one|two|three", or -1. */
static int word_index(const char *words, struct str s)
{
    for (int i = 0;; i++) {
        size_t n = strcspn(words, "|");

        if (n == s.n && memcmp(words, s.p, n) == 0)
            return i;
        if (words[n] == '\0')
            return -1;
        words += n + 1;
    }
}

static bool flag_parse(struct str s, uint64_t *value)
{
    int index = word_index("0|1|no|yes|false|true|off|on", s);

    *value = (uint64_t)(index & 1);
    return index >= 0;
}

bool options_value_parse(const struct option *o, struct str s, uint64_t *value)
{
    int index;

    switch (o->kind) {
    case OPTION_NUMBER:
        return number_parse(s, value) && in_bounds(o, *value);
    case OPTION_DURATION:
        return duration_parse(s, value) && in_bounds(o, *value);
    case OPTION_DECIMAL:
        return decimal_parse(s, value) && in_bounds(o, *value);
    case OPTION_FLAG:
        return flag_parse(s, value);
    case OPTION_CHOICE:
        index = word_index(o->choices, s);
        *value = (uint64_t)index;
        return index >= 0;
    default:
        return false;
    }
}

static void put_duration(struct writer *w, uint32_t ms)
{
    size_t i = 0;

    while (ms % duration_kind[i].ms != 0)
        i++;
    /* No time at all divides by hours as well. */
    if (ms == 0)
        i = 2;
    writer_u64(w, ms / duration_kind[i].ms);
    writer_text(w, duration_kind[i].suffix);
}

static void put_decimal(struct writer *w, uint32_t thousandths)
{
    uint32_t part = thousandths % 1000;

    writer_u64(w, thousandths / 1000);
    if (part == 0)
        return;
    writer_u8(w, '.');
    for (uint32_t unit = 100; part > 0; unit /= 10) {
        writer_u8(w, (uint8_t)('0' + part / unit));
        part %= unit;
    }
}

static void put_bound(struct writer *w, const struct option *o, uint32_t bound)
{
    if (o->kind == OPTION_DURATION)
        put_duration(w, bound);
    else if (o->kind == OPTION_DECIMAL)
        put_decimal(w, bound);
    else
        writer_u64(w, bound);
}

static void put_words(struct writer *w, const char *words)
{
    for (; *words; words++) {
        if (*words == '|')
            writer_text(w, " or ");
        else
            writer_u8(w, (uint8_t)*words);
    }
}

void options_value_expected(const struct option *o, struct writer *w)
{
    static const char *const form[] = {
        [OPTION_TEXT] = "a value",
        [OPTION_LIST] = "a value, not more often than --help says",
        [OPTION_FLAG] = "yes or no",
        [OPTION_NUMBER] = "a number such as 8 or 64k",
        [OPTION_DURATION] = "a duration such as 250ms, 25s or 5m",
        [OPTION_DECIMAL] = "a number such as 2 or 1.5",
    };

    if (o->kind == OPTION_CHOICE) {
        put_words(w, o->choices);
        return;
    }
    writer_text(w, form[o->kind]);
    if (o->kind < OPTION_NUMBER || (o->min == 0 && o->max == 0))
        return;
    writer_text(w, o->max ? ", from " : ", at least ");
    put_bound(w, o, o->min);
    if (o->max) {
        writer_text(w, " to ");
        put_bound(w, o, o->max);
    }
}
