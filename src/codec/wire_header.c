#include "codec/wire.h"

#include "codec/ascii.h"

bool wire_header_next(struct str *rest, struct str *name, struct str *value)
{
    struct reader r;

    reader_init(&r, rest->p, rest->n);
    size_t name_len = reader_u8(&r);
    size_t value_len = (size_t)reader_be(&r, 2);
    *name = reader_str(&r, name_len);
    *value = reader_str(&r, value_len);
    if (r.bad)
        return false;
    *rest = reader_str(&r, reader_left(&r));
    return true;
}

bool wire_header_pack(struct writer *w, struct str name, struct str value)
{
    if (name.n > UINT8_MAX || value.n > UINT16_MAX)
        return false;
    writer_u8(w, (uint8_t)name.n);
    writer_be(w, value.n, 2);
    /* JSON members cannot be compared case folded by everyone. */
    for (size_t i = 0; i < name.n; i++)
        writer_u8(w, ascii_lower(name.p[i]));
    writer_str(w, value);
    return true;
}
