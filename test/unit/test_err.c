#include "err.h"

#include "tap.h"

#include <string.h>

int main(void)
{
    for (int err = ERR_LAST; err <= 0; err++)
        ok(strcmp(err_text(err), "unknown error") != 0, "error %d has a text", err);
    for (int a = ERR_LAST; a <= 0; a++) {
        int same = 0;

        for (int b = ERR_LAST; b <= 0; b++)
            same += strcmp(err_text(a), err_text(b)) == 0;
        is_int(same, 1, "the text of %d is its own", a);
        ok(err_text(a)[strlen(err_text(a)) - 1] != '.', "no full stop in %d", a);
    }
    is_str(err_text(ERR_NONE), "no error", "the first");
    is_str(err_text(ERR_HTTP), "malformed HTTP", "one between");
    is_str(err_text(ERR_GOAWAY), "the server asked to connect again", "another");
    is_str(err_text(ERR_STALLED), "the peer takes nothing any more", "one near the end");
    ok(strlen(err_text(ERR_LAST)) > 13, "the last");
    is_str(err_text(1), "unknown error", "a positive number");
    is_str(err_text(ERR_LAST - 1), "unknown error", "beyond the list");
    is_str(err_text(INT32_MIN), "unknown error", "the smallest int");
    is_str(err_text(INT32_MAX), "unknown error", "the largest int");
    return done_testing();
}
