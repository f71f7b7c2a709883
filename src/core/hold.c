#include "core/hold.h"

#include "core/share.h"

enum hold_verdict hold_may(const struct hold *h, int64_t now, int64_t missing_since, size_t held,
                           size_t mine, bool limited)
{
    if (now - missing_since >= (int64_t)h->ms)
        return HOLD_GONE;
    if (held >= h->places || (limited && !share_may_take(mine, h->places - held)))
        return HOLD_FULL;
    return HOLD_WAITS;
}
