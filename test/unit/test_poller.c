/* The gateway's event loop over pipes. */
#include "sys/poller.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "tap.h"

static struct poller p;
static struct poller_event event[POLLER_BATCH];

static void test_events(int in, int out)
{
    unsigned have_in = 0, have_out = 0;
    int a, b;

    is_int(poller_set(&p, in, &a, POLLER_IN, &have_in), 0, "added");
    is_int(poller_set(&p, out, &b, POLLER_OUT, &have_out), 0, "added another");
    is_int(poller_wait(&p, INT64_MAX, event), 1, "one is ready");
    ok(event[0].owner == &b && event[0].ready == POLLER_OUT, "to write");
    ok(write(out, "x", 1) == 1, "wrote");
    is_int(poller_set(&p, out, &b, 0, &have_out), 0, "wants nothing");
    is_int(poller_wait(&p, INT64_MAX, event), 1, "one is ready");
    ok(event[0].owner == &a && event[0].ready == POLLER_IN, "to read");
    is_int(poller_set(&p, out, &b, POLLER_OUT, &have_out), 0, "wants again");
    is_int(poller_wait(&p, INT64_MAX, event), 2, "both are ready");
    poller_remove(&p, in, &have_in);
    is_int(have_in, 0, "removed");
    close(in);
    is_int(poller_wait(&p, INT64_MAX, event), 1, "a broken pipe");
    is_int(event[0].ready, POLLER_IN | POLLER_OUT | POLLER_END | POLLER_BROKEN,
           "is ready for everything");
    is_int(poller_set(&p, out, &b, 0, &have_out), 0, "nobody cares");
    is_int(poller_wait(&p, clock_ms() + 10, event), 0, "so it is not told");
    ok(poller_set(&p, 1000, &a, POLLER_IN, &have_in) < 0 && have_in == 0, "a bad descriptor");
}

/* What lies unread hides no end, neither from who wants it nor from who wants nothing else. */
static void test_ends(void)
{
    unsigned have = 0;
    int fd[2], a;

    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0, "a pair of sockets");
    is_int(poller_set(&p, fd[0], &a, POLLER_END, &have), 0, "only the end is wanted");
    ok(write(fd[1], "x", 1) == 1, "the peer writes");
    is_int(poller_wait(&p, clock_ms() + 10, event), 0, "which is not told");
    shutdown(fd[1], SHUT_WR);
    is_int(poller_wait(&p, INT64_MAX, event), 1, "its end");
    is_int(event[0].ready, POLLER_END, "is");
    is_int(poller_set(&p, fd[0], &a, POLLER_BROKEN, &have), 0, "not wanted again");
    is_int(poller_wait(&p, clock_ms() + 10, event), 0, "it is not told again");
    close(fd[1]);
    is_int(poller_wait(&p, INT64_MAX, event), 1, "the peer goes");
    ok(event[0].ready & POLLER_BROKEN, "which is told in any case");
    poller_remove(&p, fd[0], &have);
    close(fd[0]);
}

static void test_time_and_signals(void)
{
    int64_t begin = clock_ms();

    is_int(poller_wait(&p, begin + 30, event), 0, "nothing came");
    ok(clock_ms() >= begin + 30, "until the deadline");
    raise(SIGTERM);
    is_int(poller_signals(&p), 0, "blocked outside of the wait");
    is_int(poller_wait(&p, begin + 5000, event), 0, "a signal");
    ok(clock_ms() < begin + 4000, "ends the wait");
    is_int(poller_signals(&p), SIGNALS_TERM, "and is told");
}

int main(void)
{
    int fd[2];

    if (pipe(fd) < 0 || poller_init(&p) < 0)
        return 1;
    test_events(fd[0], fd[1]);
    test_ends();
    test_time_and_signals();
    return done_testing();
}
