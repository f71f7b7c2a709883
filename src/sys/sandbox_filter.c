#include "sys/sandbox.h"

#include <sys/syscall.h>

/* What the kernel calls the architecture, linux/audit.h: ELF's number, its width and byte order. */
#define WIDE 0x80000000u
#define LITTLE 0x40000000u
#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE (62 | WIDE | LITTLE)
/* Numbers from here on are of the x32 ABI, which shares the architecture's number. */
#define NUMBERS_END 0x40000000u
#elif defined(__i386__)
#define ARCHITECTURE (3 | LITTLE)
#elif defined(__mips__) && _MIPS_SIM == _ABIO32 && defined(__MIPSEB__)
#define ARCHITECTURE 8u
#elif defined(__mips__) && _MIPS_SIM == _ABIO32
#define ARCHITECTURE (8 | LITTLE)
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define ARCHITECTURE (183 | WIDE | LITTLE)
#elif defined(__arm__) && !defined(__ARMEB__)
#define ARCHITECTURE (40 | LITTLE)
#elif defined(__powerpc__) && !defined(__powerpc64__)
#define ARCHITECTURE 20u
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE (243 | WIDE | LITTLE)
#else
#define ARCHITECTURE 0u
#endif

/* linux/bpf_common.h, linux/seccomp.h */
#define BPF_LOAD_WORD 0x20
#define BPF_JUMP_EQUAL 0x15
#define BPF_JUMP_AT_LEAST 0x35
#define BPF_RETURN 0x06
#define AT_NUMBER 0
#define AT_ARCHITECTURE 4
#define KILL_PROCESS 0x80000000u
#define ALLOW 0x7fff0000u

/* The C library takes the newest form that the kernel knows, so that each call has several. */
static const uint16_t calls[] = {
    /* bytes and descriptors */
    SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_close, SYS_ioctl,
#ifdef SYS_fcntl64
    SYS_fcntl64,
#endif
    SYS_fcntl,
    /* sockets */
#ifdef SYS_socketcall
    SYS_socketcall,
#endif
#ifdef SYS_socket
    SYS_socket, SYS_connect, SYS_setsockopt, SYS_getsockopt, SYS_shutdown,
#endif
    /* waiting, time */
#ifdef SYS_select
    SYS_select,
#endif
#ifdef SYS__newselect
    SYS__newselect,
#endif
#ifdef SYS_pselect6_time64
    SYS_pselect6_time64,
#endif
    SYS_pselect6, SYS_restart_syscall,
#ifdef SYS_clock_gettime
    SYS_clock_gettime,
#endif
#ifdef SYS_clock_gettime32
    SYS_clock_gettime32,
#endif
#ifdef SYS_clock_gettime64
    SYS_clock_gettime64,
#endif
    SYS_getrandom,
    /* files: resolv.conf, CA bundle, token, state */
#ifdef SYS_open
    SYS_open,
#endif
#ifdef SYS__llseek
    SYS__llseek,
#endif
#ifdef SYS_lseek
    SYS_lseek,
#endif
#ifdef SYS_fstat
    SYS_fstat,
#endif
#ifdef SYS_fstat64
    SYS_fstat64,
#endif
#ifdef SYS_fstatat64
    SYS_fstatat64,
#endif
#ifdef SYS_newfstatat
    SYS_newfstatat,
#endif
#ifdef SYS_statx
    SYS_statx,
#endif
#ifdef SYS_rename
    SYS_rename,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_renameat2
    SYS_renameat2,
#endif
    SYS_openat, SYS_fsync,
    /* the end */
    SYS_exit, SYS_exit_group,
};

static void put(struct sandbox_op *op, uint16_t code, uint32_t k, size_t if_true, size_t if_false)
{
    *op = (struct sandbox_op){ code, (uint8_t)if_true, (uint8_t)if_false, k };
}

size_t sandbox_filter(const struct sandbox *s, struct sandbox_op out[SANDBOX_OPS_MAX])
{
    const size_t own = sizeof calls / sizeof calls[0], count = own + s->more_count;
    struct sandbox_op *op = out;

    _Static_assert(sizeof calls / sizeof calls[0] <= SANDBOX_CALLS_MAX - 16, "room for others");
    if (ARCHITECTURE == 0 || count > SANDBOX_CALLS_MAX)
        return 0;
    put(op++, BPF_LOAD_WORD, AT_ARCHITECTURE, 0, 0);
    put(op++, BPF_JUMP_EQUAL, ARCHITECTURE, 1, 0);
    put(op++, BPF_RETURN, KILL_PROCESS, 0, 0);
    put(op++, BPF_LOAD_WORD, AT_NUMBER, 0, 0);
#ifdef NUMBERS_END
    put(op++, BPF_JUMP_AT_LEAST, NUMBERS_END, count, 0);
#endif
    for (size_t i = 0; i < count; i++)
        put(op++, BPF_JUMP_EQUAL, i < own ? calls[i] : s->more[i - own], count - i, 0);
    put(op++, BPF_RETURN, KILL_PROCESS, 0, 0);
    put(op++, BPF_RETURN, ALLOW, 0, 0);
    return (size_t)(op - out);
}
