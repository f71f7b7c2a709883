/* The filter's program as the kernel would run it, and what a process in the sandbox can do. */
#include "sys/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "tap.h"

#define KILL 0x80000000u
#define ALLOW 0x7fff0000u

static const uint16_t more[] = { SYS_getppid };
static const struct sandbox plain = { .no_new_privs = true, .seccomp = true, .limits = true,
                                      .descriptors = 20 };
static struct sandbox_op op[SANDBOX_OPS_MAX];

/* A machine for the few instructions that a filter uses; 1 when it runs out of its program. */
static uint32_t run(size_t n, uint32_t architecture, uint32_t number)
{
    uint32_t a = 0;

    for (size_t at = 0; at < n; at++) {
        switch (op[at].code) {
        case 0x20:
            a = op[at].k == 0 ? number : op[at].k == 4 ? architecture : 0xdeadbeef;
            break;
        case 0x15:
            at += a == op[at].k ? op[at].jt : op[at].jf;
            break;
        case 0x35:
            at += a >= op[at].k ? op[at].jt : op[at].jf;
            break;
        case 0x06:
            return op[at].k;
        default:
            return 1;
        }
    }
    return 1;
}

static void test_program(void)
{
    static const uint32_t forbidden[] = {
        SYS_execve,
        SYS_ptrace,
        SYS_clone,
        SYS_kill,
        SYS_mremap,
        SYS_mprotect,
        SYS_unlinkat,
        SYS_mount,
        SYS_setuid,
        SYS_rt_sigaction,
        SYS_prctl,
        SYS_getppid,
        SYS_process_vm_readv,
        0xffff,
        SYS_read | 0x40000000u,
        0xffffffffu,
    };
    static const uint32_t allowed[] = {
        SYS_read, SYS_writev, SYS_close, SYS_openat, SYS_pselect6,
        SYS_getrandom, SYS_exit_group, SYS_restart_syscall,
    };
    struct sandbox s = plain;
    size_t n = sandbox_filter(&s, op);
    uint32_t arch;

    ok(n > 0 && n <= SANDBOX_OPS_MAX, "a program of %zu instructions", n);
    arch = op[1].k;
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        is_int(run(n, arch, forbidden[i]), KILL, "call %u kills", (unsigned)forbidden[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        is_int(run(n, arch, allowed[i]), ALLOW, "call %u is allowed", (unsigned)allowed[i]);
    is_int(run(n, arch ^ 0x40000000u, SYS_read), KILL, "another byte order kills");
    is_int(run(n, arch ^ 1, SYS_read), KILL, "another architecture kills");
    s.more = more;
    s.more_count = 1;
    n = sandbox_filter(&s, op);
    is_int(run(n, arch, SYS_getppid), ALLOW, "one more is allowed");
    is_int(run(n, arch, SYS_getuid), KILL, "but no other");
    s.more_count = SANDBOX_CALLS_MAX;
    is_int(sandbox_filter(&s, op), 0, "too many");
}

/* What `act` in a process of its own ends with: the wait status. */
static int in_child(const struct sandbox *s, void (*act)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        static char secret[16];
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDERR_FILENO);
        if (sandbox_enter(s, secret, sizeof secret) < 0)
            syscall(SYS_exit_group, 99);
        act();
        syscall(SYS_exit_group, 7);
    }
    waitpid(child, &status, 0);
    return status;
}

static void nothing(void)
{
}

static void forbidden(void)
{
    syscall(SYS_getppid);
}

static void crash(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void check(bool good)
{
    if (!good)
        syscall(SYS_exit_group, 1);
}

static void look_at_limits(void)
{
    struct rlimit files, core;

    check(getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur == 20 && files.rlim_max == 20);
    check(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    check(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void look_at_user(void)
{
    check(getuid() == 12345 && geteuid() == 12345 && getgid() == 12345 && getgroups(0, NULL) == 0);
    check(setuid(0) < 0 && setgid(0) < 0);
}

static void look_at_daemon(void)
{
    check(getuid() != 0 && getuid() != 12345);
}

static void look_at_root(void)
{
    check(access("/etc/passwd", F_OK) < 0);
}

static bool exited(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static void test_filter(void)
{
    struct sandbox s = plain;
    int status = in_child(&s, nothing);

    ok(exited(status, 7), "a program lives on in its sandbox");
    status = in_child(&s, forbidden);
    if (exited(status, 7)) {
        diag("system calls cannot be filtered here: what a filter does is not tested");
        return;
    }
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "a forbidden call kills it");
    ok(!WCOREDUMP(status), "and leaves no core");
    s.more = more;
    s.more_count = 1;
    ok(exited(in_child(&s, forbidden), 7), "unless it is allowed");
    s = plain;
    s.seccomp = false;
    ok(exited(in_child(&s, forbidden), 7), "or there is no filter");
    status = in_child(&s, crash);
    ok(WIFSIGNALED(status) && !WCOREDUMP(status), "a crash leaves no core");
}

static void test_user(void)
{
    struct sandbox s = { .limits = true, .descriptors = 20 };

    ok(exited(in_child(&s, look_at_limits), 7), "limits");
    s.user = "nobody-has-this-name";
    ok(exited(in_child(&s, nothing), 99), "an unknown user");
    s.user = "-1";
    ok(exited(in_child(&s, nothing), 99), "no number");
    if (geteuid() != 0) {
        s.user = "12345";
        ok(exited(in_child(&s, nothing), 99), "only root can be another user");
        return;
    }
    s.user = "12345";
    ok(exited(in_child(&s, look_at_user), 7), "a number");
    s.user = "daemon";
    ok(exited(in_child(&s, look_at_daemon), 7), "a name");
    s.root = "/nonexistent";
    ok(exited(in_child(&s, nothing), 99), "no such root");
    s.root = "/proc/self/fdinfo";
    ok(exited(in_child(&s, look_at_root), 7), "another root");
}

#ifdef __x86_64__ /* where it runs natively: an emulator has mappings of its own */
/* Is this byte left out of core dumps? As the kernel says. */
static bool left_out(const uint8_t *p)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    uintptr_t from, to;
    char line[512];
    bool here = false, found = false;

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            here = from <= (uintptr_t)p && (uintptr_t)p < to;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, " dd") != NULL;
    }
    if (f)
        fclose(f);
    return found;
}

static void test_secret(void)
{
    enum { BLOCK = 65536 }; /* the largest page: what is left out is made of these */
    static const struct sandbox nothing_else;
    uint8_t *p = mmap(NULL, 5 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *block = p + (BLOCK - (uintptr_t)p % BLOCK);

    /* It lies in the second block and in the third. */
    is_int(sandbox_enter(&nothing_else, block + 2 * BLOCK - 50, 100), 0, "a secret");
    ok(left_out(block + BLOCK) && left_out(block + 2 * BLOCK), "is left out of core dumps");
    ok(!left_out(block + BLOCK - 1) && !left_out(block + 3 * BLOCK), "what lies around is not");
    munmap(p, 5 * BLOCK);
}
#else
static void test_secret(void)
{
}
#endif

int main(void)
{
    test_program();
    test_filter();
    test_user();
    test_secret();
    return done_testing();
}
