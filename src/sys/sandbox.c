#include "sys/sandbox.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/ascii.h"
#include "err.h"
#include "sys/log.h"
#include "sys/options.h"

/* The C library's setuid and its like bring code for threads, of which there are none. Where two
 * are known, the first takes 16-bit numbers. */
#ifdef SYS_setuid32
#define SETGROUPS SYS_setgroups32
#define SETGID SYS_setgid32
#define SETUID SYS_setuid32
#else
#define SETGROUPS SYS_setgroups
#define SETGID SYS_setgid
#define SETUID SYS_setuid
#endif

#define MODE_FILTER 2 /* linux/seccomp.h */
/* Of any architecture's pages: every other size divides it. */
#define PAGE_LARGEST ((uintptr_t)65536)
#define LINE_MAX_LEN 128
#define ID_LIMIT 0x7fffffff

/* ---- another user ---- */

struct account {
    struct str wanted;
    uint32_t uid, gid;
    bool found;
    size_t len; /* of the line at hand */
    uint8_t line[LINE_MAX_LEN];
};

/* Splits "NAME:x:UID:GID:" off; a longer line's end does not matter. */
static void look_at_line(struct account *a)
{
    struct str rest = { a->line, a->len };
    struct str field[4];
    uint64_t uid, gid;

    for (size_t i = 0; i < 4; i++)
        field[i] = str_take_until(&rest, ':');
    if ((str_eq(field[0], a->wanted) || str_eq(field[2], a->wanted)) && !a->found &&
        ascii_u64(field[2], ID_LIMIT, &uid) && ascii_u64(field[3], ID_LIMIT, &gid)) {
        a->found = true;
        a->uid = (uint32_t)uid;
        a->gid = (uint32_t)gid;
    }
}

static void search_accounts(struct account *a)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    uint8_t piece[256];
    ssize_t n;

    while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (piece[i] == '\n') {
                look_at_line(a);
                a->len = 0;
            } else if (a->len < sizeof a->line) {
                a->line[a->len++] = piece[i];
            }
        }
    }
    if (fd >= 0)
        close(fd);
}

/* A number that no account has is its own group, too. */
static bool find_account(struct account *a)
{
    uint64_t id;

    search_accounts(a);
    if (!a->found && ascii_u64(a->wanted, ID_LIMIT, &id)) {
        a->found = true;
        a->uid = a->gid = (uint32_t)id;
    }
    return a->found;
}

static bool become(const struct account *a)
{
    if (syscall(SETGROUPS, 0, NULL) < 0 || syscall(SETGID, a->gid) < 0 ||
        syscall(SETUID, a->uid) < 0)
        return false;
    /* There must be no way back. */
    return a->uid == 0 || syscall(SETUID, 0) < 0;
}

/* ---- the rest ---- */

static bool control(long what, long value, const void *p)
{
    return syscall(SYS_prctl, what, value, p, 0, 0) == 0;
}

static void set_limits(const struct sandbox *s)
{
    /* The 64-bit form, which every architecture has. */
    const uint64_t limit[2] = { s->descriptors, s->descriptors }, none[2] = { 0, 0 };

    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, NULL);
    syscall(SYS_prlimit64, 0, RLIMIT_CORE, none, NULL);
    /* A core that goes to a program through a pipe knows no limit, and another process of the same
     * user could read our memory. */
    control(PR_SET_DUMPABLE, 0, NULL);
}

static bool set_filter(const struct sandbox *s)
{
    struct sandbox_op op[SANDBOX_OPS_MAX];
    struct {
        unsigned short len;
        struct sandbox_op *op;
    } program = { (unsigned short)sandbox_filter(s, op), op };

    return program.len > 0 && control(PR_SET_SECCOMP, MODE_FILTER, &program);
}

static void keep_out_of_cores(void *p, size_t n)
{
    uintptr_t from = (uintptr_t)p & ~(PAGE_LARGEST - 1);
    uintptr_t to = ((uintptr_t)p + n + PAGE_LARGEST - 1) & ~(PAGE_LARGEST - 1);

    /* What else lies there is left out, too; what is not mapped there does not matter. */
    madvise((void *)from, to - from, MADV_DONTDUMP);
}

static void log_part(const char *text, bool on)
{
    log_text(on ? text : "");
}

int sandbox_enter(const struct sandbox *s, void *secret, size_t secret_len)
{
    struct account account = { .found = false };
    bool new_privs, filtered;
    uid_t uid;

    keep_out_of_cores(secret, secret_len);
    if (s->user) {
        account.wanted = str_of(s->user);
        if (!find_account(&account))
            return options_error(
                "--user is not known here; write a name of /etc/passwd or a number");
    }
    if (s->root && (chroot(s->root) < 0 || chdir("/") < 0))
        return options_error(
            "--chroot is not possible; start as root, with a directory that exists");
    if (s->user && !become(&account))
        return options_error("--user is not possible; start as root");
    if (s->limits)
        set_limits(s);
    new_privs = !s->no_new_privs || !control(PR_SET_NO_NEW_PRIVS, 1, NULL);
    uid = getuid();
    filtered = s->seccomp && set_filter(s);
    log_begin(LOG_INFO);
    log_text("sandbox: user ");
    log_u64(uid);
    log_part(", own root", s->root != NULL);
    log_part(", no new privileges", !new_privs);
    log_part(", no core dumps, few descriptors", s->limits);
    log_part(", system calls filtered", filtered);
    log_part(", no system call filter in this kernel", s->seccomp && !filtered);
    log_end();
    return 0;
}
