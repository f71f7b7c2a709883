#include "cookie.h"

#include <string.h>

#include "codec/ascii.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Takes these off both ends. */
static struct str strip(struct str s, bool (*off)(uint8_t))
{
    while (s.n > 0 && off(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && off(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Takes the bytes before the first `end` off *rest, and `end`: quotes mean nothing to browsers
 * (RFC 6265 section 5.2), who find an attribute within them as well. */
static struct str take_until(struct str *rest, uint8_t end)
{
    const uint8_t *at = rest->n > 0 ? memchr(rest->p, end, rest->n) : NULL;
    struct str taken = *rest;

    if (at == NULL) {
        *rest = (struct str){ rest->p + rest->n, 0 };
        return taken;
    }
    taken.n = (size_t)(at - rest->p);
    *rest = (struct str){ at + 1, rest->n - taken.n - 1 };
    return taken;
}

static bool is_name_char(uint8_t c)
{
    uint8_t lower = ascii_lower(c);

    return (lower >= 'a' && lower <= 'z') || ascii_is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* Quotes, and the dots around a name: some reader ignores each of them. */
static bool is_wrapping(uint8_t c)
{
    return c == '"' || c == '.' || is_blank(c);
}

/* A value that is no plain name may be made one by a browser (percent-encoding, other dots). */
static bool reaches_others(struct str name, struct str domain)
{
    struct str tail;

    name = strip(name, is_wrapping);
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
    struct str name = take_until(&attribute, '=');

    return str_ieq(strip(name, is_blank), STR("domain")) && reaches_others(attribute, domain);
}

void cookie_write(struct writer *w, struct str value, struct str domain)
{
    writer_str(w, take_until(&value, ';'));
    while (value.n > 0) {
        struct str attribute = take_until(&value, ';');

        if (is_dropped(attribute, domain))
            continue;
        writer_u8(w, ';');
        writer_str(w, attribute);
    }
}
