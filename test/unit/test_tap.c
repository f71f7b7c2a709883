/* The harness itself: what it counts, and that its guarded buffer ends where it says. */
#include <setjmp.h>
#include <signal.h>

#include "tap.h"

static sigjmp_buf escape;

static void on_fault(int number)
{
    (void)number;
    siglongjmp(escape, 1);
}

/* 1 when reading `at` faults. */
static int faults(const volatile unsigned char *at)
{
    struct sigaction action;
    struct sigaction old_segv;
    struct sigaction old_bus;
    volatile int faulted = 1;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_fault;
    sigaction(SIGSEGV, &action, &old_segv);
    sigaction(SIGBUS, &action, &old_bus);
    if (sigsetjmp(escape, 1) == 0) {
        (void)*at;
        faulted = 0;
    }
    sigaction(SIGSEGV, &old_segv, NULL);
    sigaction(SIGBUS, &old_bus, NULL);
    return faulted;
}

static void test_guard(size_t size)
{
    unsigned char *buffer = tap_guard_end(size);

    ok(!faults(buffer), "first of %zu bytes can be read", size);
    ok(!faults(buffer + size - 1), "last of %zu bytes can be read", size);
    ok(faults(buffer + size), "the byte after %zu cannot", size);
    tap_guard_free(buffer, size);
}

int main(void)
{
    static const unsigned char bytes[] = { 1, 2, 3 };

    ok(1, "ok takes a true value");
    is_int(-5, -5, "is_int takes negative numbers");
    is_str("abc", "abc", "is_str compares text");
    is_mem(bytes, sizeof bytes, "\1\2\3", 3, "is_mem compares bytes");
    test_guard(1);
    test_guard(5);
    test_guard(4096);
    test_guard(4097);
    return done_testing();
}
