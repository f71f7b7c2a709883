#include "listen_fds.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"

#define FDS_MAX 2

/* Takes the first name off the list; the rest of a list that has ended are empty. */
static struct str next_name(struct str *names)
{
    struct str name = { names->p, 0 };

    while (name.n < names->n && names->p[name.n] != ':')
        name.n++;
    names->n -= name.n;
    names->p += name.n;
    if (names->n > 0) {
        names->p++;
        names->n--;
    }
    return name;
}

/* How many of them have a name of ours; or, one twice, an error. */
static int take_named(struct listen_fds *out, struct str names, int count)
{
    int named = 0;

    for (int i = 0; i < count; i++) {
        struct str name = next_name(&names);
        int *place = str_eq(name, STR("https")) ? &out->https
                     : str_eq(name, STR("http")) ? &out->http
                                                 : NULL;

        if (!place)
            continue;
        if (*place >= 0)
            return ERR_USAGE;
        *place = LISTEN_FDS_FIRST + i;
        named++;
    }
    return named;
}

int listen_fds_parse(const char *pid, const char *fds, const char *names, uint64_t own_pid,
                     struct listen_fds *out)
{
    uint64_t number;
    int named;

    out->https = out->http = -1;
    if (!pid || !fds || (ascii_u64(str_of(pid), INT64_MAX, &number) && number != own_pid))
        return 0;
    if (!ascii_u64(str_of(pid), INT64_MAX, &number) || !ascii_u64(str_of(fds), FDS_MAX, &number))
        return ERR_USAGE;
    named = take_named(out, names ? str_of(names) : (struct str){ NULL, 0 }, (int)number);
    if (named < 0 || (named > 0 && named < (int)number))
        return ERR_USAGE;
    if (named == 0 && number > 0)
        out->https = LISTEN_FDS_FIRST;
    if (named == 0 && number > 1)
        out->http = LISTEN_FDS_FIRST + 1;
    return 0;
}
