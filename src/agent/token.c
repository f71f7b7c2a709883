#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "fmt.h"
#include "log.h"

/* What others than the owner may do. */
#define MODE_OTHERS 077
#define MESSAGE_MAX 400

/* ---- from the command line and the environment ---- */

static void overwrite(char *text)
{
    memset(text, 'x', strlen(text));
}

/* `ps` shows argv to everyone, and /proc the environment to the same user. */
static void hide(int argc, char **argv)
{
    char *variable = options_variable("token");

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--token") == 0 && i + 1 < argc)
            overwrite(argv[i + 1]);
        else if (strncmp(argv[i], "--token=", 8) == 0)
            overwrite(argv[i] + 8);
    }
    if (variable != NULL)
        overwrite(variable);
    log_line(LOG_WARN, "--token can be seen by other users of this machine; use --token-file");
}

/* A token is one word of printable ASCII. */
static int take(struct target *t, const uint8_t *p, size_t n)
{
    bool good;

    while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
        n--;
    good = n > 0 && n <= TOKEN_MAX;
    for (size_t i = 0; i < n; i++)
        good = good && p[i] > ' ' && p[i] <= '~';
    if (!good)
        return options_error("the token is not one word of up to 512 printable characters");
    memmove(t->token, p, n);
    t->token_len = n;
    return 0;
}

/* ---- from a file ---- */

/* musl's fstat translates what only newer kernels tell, in 0.5 to 1.3 KB. The mode is at the same
 * place in the kernel's own form. */
static int status_of(int fd, struct stat *status)
{
#ifdef __GLIBC__
    return fstat(fd, status);
#elif defined(SYS_fstat64)
    return (int)syscall(SYS_fstat64, fd, status);
#else
    return (int)syscall(SYS_fstat, fd, status);
#endif
}

int token_check_file(int fd, const char *option, const char *path)
{
    uint8_t text[MESSAGE_MAX];
    struct writer w;
    struct stat status;
    bool known = fd >= 0 && status_of(fd, &status) == 0;

    if (known && !(status.st_mode & MODE_OTHERS))
        return 0;
    writer_init(&w, text, sizeof text - 1);
    writer_text(&w, option);
    writer_text(&w, known ? " can be read by others; run: chmod 600 " : " cannot be read");
    writer_text(&w, known ? path : "");
    text[writer_stored(&w)] = '\0';
    return options_error((const char *)text);
}

/* By its name; where that leads nowhere any more (chroot, another user), what was opened at the
 * start. */
static int open_file(struct target *t, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return t->token_fd > 0 && lseek(t->token_fd, 0, SEEK_SET) == 0 ? t->token_fd : -1;
    if (t->token_fd > 0)
        close(t->token_fd);
    t->token_fd = fd;
    return fd;
}

static int read_file(struct target *t, const char *path)
{
    int fd = open_file(t, path);
    int n = token_check_file(fd, "--token-file", path);

    if (n < 0)
        return n;
    n = fmt_read_fd(fd, t->new_token, sizeof t->new_token);
    if (n == ERR_FILE)
        return options_error("--token-file cannot be read");
    return take(t, t->new_token, n < 0 ? 0 : (size_t)n);
}

int token_init(const struct config *c, struct target *t, int argc, char **argv)
{
    int err;

    if (c->token == NULL)
        return read_file(t, c->token_file);
    err = take(t, (const uint8_t *)c->token, strlen(c->token));
    hide(argc, argv);
    return err;
}

int token_read(const struct config *c, struct target *t)
{
    return c->token == NULL ? read_file(t, c->token_file) : 0;
}
