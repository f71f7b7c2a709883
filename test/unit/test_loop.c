/* Both event loops over pipes: readiness, deadlines, signals; clocks and random bytes. */
#include "sys/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/entropy.h"
#include "tap.h"

static struct loop l;

static void test_ready(int in, int out)
{
    loop_begin(&l);
    loop_want(&l, in, LOOP_IN, INT64_MAX);
    loop_want(&l, out, LOOP_OUT, INT64_MAX);
    loop_want(&l, -1, LOOP_IN, INT64_MAX);
    loop_want(&l, FD_SETSIZE, LOOP_IN, INT64_MAX);
    loop_wait(&l);
    is_int(loop_ready(&l, in), 0, "nothing to read");
    is_int(loop_ready(&l, out), LOOP_OUT, "room to write");
    is_int(loop_ready(&l, -1), 0, "no descriptor is never ready");
    is_int(loop_ready(&l, FD_SETSIZE), 0, "one beyond the set neither");
    ok(write(out, "x", 1) == 1, "wrote");
    loop_begin(&l);
    loop_want(&l, in, LOOP_IN, INT64_MAX);
    loop_wait(&l);
    is_int(loop_ready(&l, in), LOOP_IN, "something to read");
    is_int(loop_ready(&l, out), 0, "what is not wanted is not ready");
    loop_begin(&l);
    loop_want(&l, in, LOOP_OUT, l.now);
    loop_wait(&l);
    is_int(loop_ready(&l, in), 0, "forgotten");
}

static void test_hang_up(void)
{
    int fd[2];

    ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0, "a pair of sockets");
    while (write(fd[0], "x", 1) == 1)
        ;
    close(fd[1]);
    loop_begin(&l);
    loop_want(&l, fd[0], LOOP_OUT, l.now + 5000);
    loop_wait(&l);
    is_int(loop_ready(&l, fd[0]), LOOP_OUT, "who waits to write learns that nobody reads");
    loop_begin(&l);
    loop_want(&l, fd[0], 0, l.now + 20);
    loop_wait(&l);
    is_int(loop_ready(&l, fd[0]), 0, "who wants nothing does not");
    close(fd[0]);
}

static void test_deadline(int in)
{
    int64_t begin = clock_ms();
    char byte;

    ok(read(in, &byte, 1) == 1, "drained");
    loop_begin(&l);
    loop_want(&l, in, LOOP_IN, INT64_MAX);
    loop_want(&l, -1, 0, l.now + 5000);
    loop_want(&l, -1, 0, l.now + 30);
    loop_wait(&l);
    ok(l.now >= begin + 30 && l.now < begin + 3000, "the nearest deadline ends the wait");
    is_int(loop_ready(&l, in), 0, "with nothing ready");
    loop_begin(&l);
    loop_want(&l, in, LOOP_IN, INT64_MIN);
    loop_wait(&l);
    ok(l.now < begin + 3000, "a deadline long past does not wait");
}

static void test_signals(int in, int out)
{
    int64_t begin;

    raise(SIGUSR1);
    is_int(loop_signals(&l), 0, "no handler runs outside of the wait");
    loop_begin(&l);
    loop_want(&l, in, LOOP_IN, l.now + 10000);
    begin = l.now;
    loop_wait(&l);
    ok(l.now < begin + 5000, "a signal ends the wait");
    is_int(loop_ready(&l, in), 0, "with nothing ready");
    is_int(loop_signals(&l), LOOP_SIG_USR1, "and is told");
    raise(SIGUSR1);
    begin = l.now;
    do {
        loop_begin(&l);
        loop_want(&l, out, LOOP_OUT, INT64_MAX);
        loop_wait(&l);
    } while (loop_signals(&l) == 0 && l.now < begin + 5000);
    ok(l.now < begin + 2000, "a loop that is never idle hears signals too");
    raise(SIGINT);
    raise(SIGHUP);
    for (int i = 0; i < 2; i++) {
        loop_begin(&l);
        loop_want(&l, in, LOOP_IN, l.now + 20);
        loop_wait(&l);
    }
    is_int(loop_signals(&l), LOOP_SIG_TERM | LOOP_SIG_HUP, "INT counts as TERM, HUP is kept too");
    is_int(loop_signals(&l), 0, "taken once");
    raise(SIGPIPE);
    ok(1, "SIGPIPE is ignored");
}

static void test_sources(void)
{
    static struct entropy stock;
    uint8_t a[32] = { 0 }, b[32] = { 0 }, seen[256] = { 0 };
    unsigned distinct = 0;

    is_int(entropy_get(a, sizeof a), 1, "random bytes");
    entropy_get(b, sizeof b);
    ok(memcmp(a, b, sizeof a) != 0, "differ each time");
    for (int i = 0; i < 1000; i++) {
        uint8_t mask[4];

        entropy_stock(&stock, mask, sizeof mask);
        seen[mask[0]] = 1;
    }
    for (int i = 0; i < 256; i++)
        distinct += seen[i];
    ok(distinct > 200, "a stock of them too (%u of 256 values)", distinct);
    entropy_stock(&stock, seen, 256);
    is_int(stock.left, 0, "256 at once empty the stock");
    ok(clock_unix() > 1600000000, "the clock is set");
}

int main(void)
{
    int fd[2];

    if (pipe(fd) < 0)
        return 1;
    loop_init(&l);
    test_ready(fd[0], fd[1]);
    test_deadline(fd[0]);
    test_hang_up();
    test_signals(fd[0], fd[1]);
    test_sources();
    return done_testing();
}
