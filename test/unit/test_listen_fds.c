/* Which sockets a service manager hands over, by what it says in the environment. */
#include "tap.h"

#include "../../src/gateway/listen_fds.h"
#include "err.h"

static void test_parse(void)
{
    static const struct {
        const char *pid, *fds, *names;
        int result, https, http;
        const char *what;
    } cases[] = {
        { NULL, NULL, NULL, 0, -1, -1, "started by hand" },
        { "42", NULL, NULL, 0, -1, -1, "no number" },
        { NULL, "1", NULL, 0, -1, -1, "for nobody" },
        { "41", "1", NULL, 0, -1, -1, "for the process before" },
        { "41", "99", "x", 0, -1, -1, "whatever they are" },
        { "42", "0", "", 0, -1, -1, "none" },
        { "42", "1", NULL, 0, 3, -1, "one without a name" },
        { "42", "1", "", 0, 3, -1, "an empty one" },
        { "42", "1", "adit-gateway.socket", 0, 3, -1, "the name that systemd gives" },
        { "42", "2", "adit-gateway.socket:adit-gateway.socket", 0, 3, 4, "two of them" },
        { "42", "2", NULL, 0, 3, 4, "two without names" },
        { "42", "2", "https:http", 0, 3, 4, "two with names" },
        { "42", "2", "http:https", 0, 4, 3, "in the other order" },
        { "42", "1", "http", 0, -1, 3, "only the second" },
        { "42", "1", "https", 0, 3, -1, "only the first" },
        { "42", "1", "https:http", 0, 3, -1, "more names than sockets" },
        { "42", "2", "https", ERR_USAGE, 0, 0, "fewer" },
        { "42", "2", "https:other", ERR_USAGE, 0, 0, "one that nobody knows" },
        { "42", "2", ":http", ERR_USAGE, 0, 0, "or that has none" },
        { "42", "2", "http:http", ERR_USAGE, 0, 0, "both the same" },
        { "42", "2", "HTTPS:httpsx", 0, 3, 4, "names that are nearly ours" },
        { "42", "3", "https:http:x", ERR_USAGE, 0, 0, "too many" },
        { "42", "-1", NULL, ERR_USAGE, 0, 0, "a number below all" },
        { "42", "one", NULL, ERR_USAGE, 0, 0, "no number at all" },
        { "42", "", NULL, ERR_USAGE, 0, 0, "an empty one" },
        { "42", "99999999999999999999", NULL, ERR_USAGE, 0, 0, "one beyond all" },
        { "me", "1", NULL, ERR_USAGE, 0, 0, "a process that is none" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct listen_fds got = { -7, -7 };

        is_int(listen_fds_parse(cases[i].pid, cases[i].fds, cases[i].names, 42, &got),
               cases[i].result, "%s", cases[i].what);
        if (cases[i].result == 0)
            ok(got.https == cases[i].https && got.http == cases[i].http, "%d and %d", got.https,
               got.http);
    }
}

int main(void)
{
    test_parse();
    return done_testing();
}
