#include "core/goaway.h"

/* The same name, or one that ends in "." and the other. */
static bool is_below(struct str name, struct str above)
{
    size_t more = name.n - above.n;

    return name.n >= above.n && (more == 0 || name.p[more - 1] == '.') &&
           str_ieq((struct str){ name.p + more, above.n }, above);
}

/* Without its first label; nothing of a name that has only one. */
static struct str parent_of(struct str name)
{
    str_take_until(&name, '.');
    return name;
}

static bool is_own_domain(struct str name)
{
    struct str top = parent_of(name);
    size_t second = name.n - top.n - 1;

    /* What is under a country is its own kind of "com" when it is that short. */
    return top.n > 0 && (top.n != 2 || second > 3);
}

bool goaway_may(const struct uri *own, const struct uri *next,
                const char *const hosts[GOAWAY_HOSTS_MAX])
{
    struct str parent = parent_of(own->host);

    if (own->tls && !next->tls)
        return false;
    for (size_t i = 0; i < GOAWAY_HOSTS_MAX && hosts[i] != NULL; i++) {
        if (is_below(next->host, str_of(hosts[i])))
            return true;
    }
    if (is_below(next->host, own->host))
        return true;
    return !own->literal && !next->literal && is_own_domain(parent) &&
           str_ieq(parent, parent_of(next->host));
}
