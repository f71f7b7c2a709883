#include "signals.h"

#include <string.h>

#define LOOK_INTERVAL_MS 100

/* One flag per signal, so that no handler has to read what another one writes. */
static volatile sig_atomic_t term_came, hup_came, usr1_came;

static void on_signal(int number)
{
    if (number == SIGHUP)
        hup_came = 1;
    else if (number == SIGUSR1)
        usr1_came = 1;
    else
        term_came = 1;
}

void signals_init(sigset_t *waiting)
{
    static const int caught[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
    struct sigaction action;
    sigset_t blocked;

    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    sigprocmask(SIG_SETMASK, NULL, waiting);
    action.sa_handler = on_signal;
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
        sigaction(caught[i], &action, NULL);
        sigaddset(&blocked, caught[i]);
        /* A parent may have left them blocked. */
        sigdelset(waiting, caught[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

void signals_look(const sigset_t *waiting, int64_t now)
{
    static int64_t next;
    sigset_t blocked;

    if (now < next)
        return;
    next = now + LOOK_INTERVAL_MS;
    /* What is pending is delivered before the first call returns. */
    sigprocmask(SIG_SETMASK, waiting, &blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

unsigned signals_take(void)
{
    unsigned bits = 0;

    /* Called outside of the wait, where the handlers are blocked. */
    if (term_came)
        bits |= SIGNALS_TERM;
    if (hup_came)
        bits |= SIGNALS_HUP;
    if (usr1_came)
        bits |= SIGNALS_USR1;
    term_came = hup_came = usr1_came = 0;
    return bits;
}
