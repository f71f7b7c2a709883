#include "core/credit.h"

#include "limits.h"

void credit_join(struct credit *c, struct credit_share *s)
{
    s->shares = true;
    c->sharers++;
}

void credit_leave(struct credit *c, struct credit_share *s, uint64_t held)
{
    if (s->shares)
        c->sharers--;
    s->shares = false;
    if (held <= STREAM_WINDOW) {
        c->used -= s->excess;
        s->excess = 0;
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * Up to the stream's share: its window, and an equal part of the spare room. `excess` is only
 * lowered here: what came in between counts as still there, which errs on the safe side.
 */
uint64_t credit_grant(struct credit *c, struct credit_share *s, uint64_t held, uint64_t room)
{
    uint64_t others = c->used - s->excess;
    uint64_t excess, target;

    if (!s->shares)
        return 0;
    excess = least(POOL_SPARE / c->sharers, POOL_SPARE - others);
    target = STREAM_WINDOW + excess + least(room, LOCAL_ROOM / c->sharers);
    if (held >= target || target - held < target / CREDIT_STEPS)
        return 0;
    s->excess = excess;
    c->used = others + excess;
    return target - held;
}
