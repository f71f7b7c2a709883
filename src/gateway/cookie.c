#include "cookie.h"

#include "codec/ascii.h"

static bool is_name_char(uint8_t c)
{
    uint8_t lower = ascii_lower(c);

    return (lower >= 'a' && lower <= 'z') || ascii_is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* Blanks, quotes and dots around a name: some reader ignores each of them. */
static bool is_wrapping(uint8_t c)
{
    return c == '"' || c == '.' || c == ' ' || c == '\t';
}

static struct str unwrap(struct str s)
{
    while (s.n > 0 && is_wrapping(s.p[0]))
        s = str_from(s, 1);
    while (s.n > 0 && is_wrapping(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* A value that is no plain name may be made one by a browser (percent-encoding, other dots). */
static bool reaches_others(struct str name, struct str domain)
{
    struct str tail;

    name = unwrap(name);
    for (size_t i = 0; i < name.n; i++) {
        if (!is_name_char(name.p[i]))
            return true;
    }
    if (name.n == 0 || name.n > domain.n)
        return false;
    tail = (struct str){ domain.p + domain.n - name.n, name.n };
    return str_ieq(tail, name) && (name.n == domain.n || tail.p[-1] == '.');
}

static bool is_dropped(struct str attribute, struct str domain)
{
    struct str name = str_take_until(&attribute, '=');

    return str_ieq(str_trim(name), STR("domain")) && reaches_others(attribute, domain);
}

void cookie_write(struct writer *w, struct str value, struct str domain)
{
    /* Quotes mean nothing to browsers (RFC 6265 section 5.2), who find an attribute within them as
     * well. */
    writer_str(w, str_take_until(&value, ';'));
    while (value.n > 0) {
        struct str attribute = str_take_until(&value, ';');

        if (is_dropped(attribute, domain))
            continue;
        writer_u8(w, ';');
        writer_str(w, attribute);
    }
}
