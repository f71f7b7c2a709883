#include "der_value.h"

/* The definite length at the reader (X.690 section 8.1.3). */
static size_t length(struct reader *r)
{
    size_t first = reader_u8(r);

    if (first < 0x80)
        return first;
    /* 0x80 is the indefinite form, and no certificate has 2^24 bytes. */
    if (first == 0x80 || first > 0x83) {
        r->bad = true;
        return 0;
    }
    return (size_t)reader_be(r, first - 0x80);
}

struct str der_take_if(struct reader *r, uint8_t tag)
{
    if (r->bad || reader_left(r) == 0 || *r->p != tag)
        return (struct str){ NULL, 0 };
    reader_u8(r);
    return reader_str(r, length(r));
}

struct str der_take(struct reader *r, uint8_t tag)
{
    struct str contents = der_take_if(r, tag);

    if (!contents.p)
        r->bad = true;
    return contents;
}

struct reader der_inside(struct str contents)
{
    struct reader r;

    reader_init(&r, contents.p, contents.n);
    r.bad = !contents.p;
    return r;
}

void der_enter(struct reader *r, uint8_t tag)
{
    *r = der_inside(der_take(r, tag));
}

struct str der_take_whole(struct reader *r, uint8_t tag)
{
    const uint8_t *from = r->p;

    der_take(r, tag);
    return (struct str){ from, (size_t)(r->p - from) };
}
