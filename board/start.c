/* The start of the agent, instead of musl's, which prepares threads: what every thread has of its
 * own, with room from mmap if need be, and what the kernel tells of the machine. 1.1 KB on x86-64,
 * 1.6 KB on mips. The agent has one thread, no constructors and no thread-local variables
 * (scripts/layers.sh looks for them); errno is a variable like others.
 * Source: musl 1.2.3, src/env/__libc_start_main.c and src/errno/__errno_location.c.
 */
#include <stdint.h>
#include <unistd.h>

/* Called by crt1.o. */
void __libc_start_main(int (*run)(int, char **, char **), int argc, char **argv,
                       void (*init)(void), void (*fini)(void), void (*loader)(void));
/* What errno.h means by errno in programs, and within the library. */
int *__errno_location(void);
int *___errno_location(void);

int *___errno_location(void)
{
    static int number;

    return &number;
}

int *__errno_location(void)
{
    return ___errno_location();
}

#ifdef __i386__
/* The library makes system calls through the fifth word of the thread: the address of the kernel's
 * fastest way, which it tells behind the environment, or of the way that always works. */
#define AT_SYSINFO 32

extern uintptr_t __sysinfo;
int __set_thread_area(void *thread);

static void prepare_calls(char **environment)
{
    static uintptr_t thread[5];
    const uintptr_t *told;

    while (*environment)
        environment++;
    thread[0] = (uintptr_t)thread;
    thread[4] = __sysinfo;
    for (told = (const uintptr_t *)(void *)(environment + 1); told[0]; told += 2) {
        if (told[0] == AT_SYSINFO)
            thread[4] = told[1];
    }
    __set_thread_area(thread);
}
#endif

void __libc_start_main(int (*run)(int, char **, char **), int argc, char **argv,
                       void (*init)(void), void (*fini)(void), void (*loader)(void))
{
    (void)init;
    (void)fini;
    (void)loader;
    environ = argv + argc + 1;
#ifdef __i386__
    prepare_calls(environ);
#endif
    _exit(run(argc, argv, environ));
}
