/*
 * Giving up what a running program does not need: another user, another root, no new privileges,
 * a filter of system calls (seccomp), few descriptors, no core dumps.
 *
 * Call once, when everything that needs privileges is done. What was done is said in one log line.
 * A user or root that cannot be had is an error; a kernel without filters is only said.
 *
 * The filter kills the program at any system call that the running agent does not make
 * (SECCOMP_RET_KILL_PROCESS, which kernels before 4.14 read as killing the thread: the same here).
 * Its arguments are not looked at: files are opened by whom --user and --chroot allow.
 * Architectures: those of the boards; elsewhere there is no filter, which is said, too.
 */
#ifndef ADIT_SANDBOX_H
#define ADIT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/options.h"

struct sandbox {
    const char *user;      /* name or number, NULL: stay */
    const char *root;      /* for chroot, NULL: stay */
    bool no_new_privs;
    bool seccomp;          /* takes no_new_privs, or root */
    bool limits;           /* descriptors, no core dumps, not traceable by the same user */
    uint32_t descriptors;
    const uint16_t *more;  /* numbers of further system calls */
    size_t more_count;
};

/* Their rows in a program's table of options, but for `user`; at: where its struct sandbox is. */
#define SANDBOX_OPTIONS(at) \
    OPTION("chroot", OPTION_TEXT, (at) + offsetof(struct sandbox, root), "", "DIR", "", \
           "see only files in DIR once started"), \
    OPTION("no-new-privs", OPTION_FLAG, (at) + offsetof(struct sandbox, no_new_privs), "", "=no", \
           "yes", "off: may gain privileges"), \
    OPTION("seccomp", OPTION_FLAG, (at) + offsetof(struct sandbox, seccomp), "", "=no", "yes", \
           "off: system calls are not filtered"), \
    OPTION("limits", OPTION_FLAG, (at) + offsetof(struct sandbox, limits), "", "=no", "yes", \
           "off: core dumps, any number of descriptors")

/* The memory at `secret` is left out of core dumps. 0 or ERR_USAGE, said. */
int sandbox_enter(const struct sandbox *s, void *secret, size_t secret_len);

/* One instruction, as struct sock_filter of the kernel. */
struct sandbox_op {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};

#define SANDBOX_CALLS_MAX 96
#define SANDBOX_OPS_MAX (SANDBOX_CALLS_MAX + 8)

/* The filter's program; its length, 0: this architecture has none. */
size_t sandbox_filter(const struct sandbox *s, struct sandbox_op out[SANDBOX_OPS_MAX]);

#endif
