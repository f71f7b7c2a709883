#include "sys/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"

/* Bits of the kernel's set. All of these are in its first word, on every architecture. */
#define BIT(number) (1ul << ((number) - 1))
#define TAKEN (BIT(SIGTERM) | BIT(SIGINT) | BIT(SIGHUP) | BIT(SIGUSR1) | BIT(SIGUSR2))
#define SET_LEN (_NSIG / 8)

/* The C library's functions for sets come with code for threads, of which there are none. */
static void block(unsigned long bits)
{
    const unsigned long set[SET_LEN / sizeof(long)] = { bits };

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, set, NULL, SET_LEN);
}

int signals_init(void)
{
    const unsigned long taken[SET_LEN / sizeof(long)] = { TAKEN };
    long fd = syscall(SYS_signalfd4, -1, taken, SET_LEN, SFD_NONBLOCK | SFD_CLOEXEC);

    block(fd < 0 ? BIT(SIGPIPE) : TAKEN | BIT(SIGPIPE));
    return fd < 0 ? ERR_SYS : (int)fd;
}

unsigned signals_take(int fd)
{
    struct signalfd_siginfo info;
    unsigned bits = 0;

    while (read(fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            bits |= SIGNALS_HUP;
        else if (info.ssi_signo == SIGUSR1)
            bits |= SIGNALS_USR1;
        else if (info.ssi_signo == SIGUSR2)
            bits |= SIGNALS_USR2;
        else
            bits |= SIGNALS_TERM;
    }
    return bits;
}
