#include "options_value.h"

#include <string.h>

#include "codec/ascii.h"

static const struct {
    char suffix[3];
    uint8_t kind;
    uint32_t factor;
} units[] = {
    { "ms", OPTION_DURATION, 1 },     { "s", OPTION_DURATION, 1000 },
    { "m", OPTION_DURATION, 60000 },  { "h", OPTION_DURATION, 3600000 },
    { "k", OPTION_NUMBER, 1024 },     { "M", OPTION_NUMBER, 1024 * 1024 },
};

const char *option_part(const struct option *o, enum option_part part)
{
    const char *p = o->text;

    for (unsigned i = 0; i < part; i++)
        p += strlen(p) + 1;
    return p;
}

/* Takes a word off "one|two|three"; behind the last, *words is NULL. */
static struct str next_word(const char **words)
{
    struct str word = { (const uint8_t *)*words, 0 };

    while (word.p[word.n] != '|' && word.p[word.n] != '\0')
        word.n++;
    *words = word.p[word.n] ? *words + word.n + 1 : NULL;
    return word;
}

static bool scaled_parse(enum option_kind kind, struct str s, uint32_t *value)
{
    uint32_t factor = kind == OPTION_DURATION ? 1000 : 1;
    uint64_t number;

    /* In this order: "ms" ends in "s" too. */
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i].suffix);

        if (units[i].kind == kind && s.n > n && memcmp(s.p + s.n - n, units[i].suffix, n) == 0) {
            factor = units[i].factor;
            s.n -= n;
            break;
        }
    }
    if (!ascii_u64(s, UINT32_MAX / factor, &number))
        return false;
    *value = (uint32_t)number * factor;
    return true;
}

static bool decimal_parse(struct str s, uint32_t *thousandths)
{
    struct str part = s;
    struct str before = str_take_until(&part, '.');
    uint64_t whole, fraction = 0;

    if (before.n < s.n && (part.n > 3 || !ascii_u64(part, 999, &fraction)))
        return false;
    if (!ascii_u64(before, UINT32_MAX / 1000 - 1, &whole))
        return false;
    for (; part.n < 3; part.n++)
        fraction *= 10;
    *thousandths = (uint32_t)whole * 1000 + (uint32_t)fraction;
    return true;
}

static bool number_parse(enum option_kind kind, struct str s, uint32_t *value)
{
    return kind == OPTION_DECIMAL ? decimal_parse(s, value) : scaled_parse(kind, s, value);
}

static bool bounded_parse(const struct option *o, struct str s, uint32_t *value)
{
    const char *bounds = option_part(o, OPTION_BOUNDS);
    uint32_t least = 0, most = UINT32_MAX, number;

    number_parse(o->kind, next_word(&bounds), &least);
    if (bounds)
        number_parse(o->kind, str_of(bounds), &most);
    if (!number_parse(o->kind, s, &number) || number < least || number > most)
        return false;
    *value = number;
    return true;
}

/* The index of a word is the value; that of a flag its lowest bit. */
static bool word_parse(const char *words, struct str s, uint32_t mask, uint32_t *value)
{
    for (uint32_t i = 0; words; i++) {
        if (str_eq(next_word(&words), s)) {
            *value = i & mask;
            return true;
        }
    }
    return false;
}

bool options_value_parse(const struct option *o, struct str s, uint32_t *value)
{
    switch (o->kind) {
    case OPTION_FLAG:
        return word_parse("0|1|no|yes|false|true|off|on", s, 1, value);
    case OPTION_CHOICE:
        return word_parse(option_part(o, OPTION_ARGUMENT), s, UINT32_MAX, value);
    case OPTION_LIST:
        return number_parse(OPTION_NUMBER, str_of(option_part(o, OPTION_BOUNDS)), value);
    default:
        return bounded_parse(o, s, value);
    }
}

static void put_words(struct writer *w, const char *words, const char *between)
{
    writer_str(w, next_word(&words));
    while (words) {
        writer_text(w, between);
        writer_str(w, next_word(&words));
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
    const char *bounds = option_part(o, OPTION_BOUNDS);

    if (o->kind == OPTION_CHOICE) {
        put_words(w, option_part(o, OPTION_ARGUMENT), " or ");
        return;
    }
    writer_text(w, form[o->kind]);
    if (o->kind == OPTION_LIST || *bounds == '\0')
        return;
    writer_text(w, memchr(bounds, '|', strlen(bounds)) ? ", from " : ", at least ");
    put_words(w, bounds, " to ");
}
