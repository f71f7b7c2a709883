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

/*
 * Up to the stream's share: its window, and an equal part of the spare room. `excess` is only
 * lowered here: what came in between counts as still there, which errs on the safe side.
 */
uint64_t credit_grant(struct credit *c, struct credit_share *s, uint64_t held)
{
    uint64_t others = c->used - s->excess;
    uint64_t target = STREAM_WINDOW;

    if (!s->shares)
        return 0;
    target += POOL_SPARE / c->sharers < POOL_SPARE - others ? POOL_SPARE / c->sharers
                                                            : POOL_SPARE - others;
    if (held >= target)
        return 0;
    s->excess = target - STREAM_WINDOW;
    c->used = others + s->excess;
    return target - held;
}
