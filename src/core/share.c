#include "core/share.h"

#define SHARE 3

bool share_may_take(size_t mine, size_t left)
{
    return left > 0 && (mine == 0 || (left > 1 && mine < SHARE * left));
}
