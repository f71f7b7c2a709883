#include <time.h>

#include "tap.h"

#include "../../src/gateway/date.h"

static void is(int64_t unix_now, const char *expected)
{
    uint8_t out[DATE_LEN];
    struct writer w;

    writer_init(&w, out, sizeof out);
    date_write(&w, unix_now);
    is_int((int64_t)w.len, DATE_LEN, "%lld: as long as all", (long long)unix_now);
    is_mem(out, sizeof out, expected, strlen(expected), "%s", expected);
}

int main(void)
{
    int wrong = 0;

    is(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110 section 5.6.7 */
    is(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    is(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    is(951868799, "Tue, 29 Feb 2000 23:59:59 GMT");
    is(4107542400, "Mon, 01 Mar 2100 00:00:00 GMT");
    is(1767225599, "Wed, 31 Dec 2025 23:59:59 GMT");
    is(253402300799, "Fri, 31 Dec 9999 23:59:59 GMT");
    /* Every few hours of four centuries, as the C library says. */
    for (time_t at = 0; at < (time_t)146097 * 86400; at += 12347) {
        uint8_t out[DATE_LEN];
        char text[DATE_LEN + 1];
        struct writer w;

        writer_init(&w, out, sizeof out);
        date_write(&w, at);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&at));
        wrong += memcmp(text, out, DATE_LEN) != 0;
    }
    is_int(wrong, 0, "four centuries");
    return done_testing();
}
