#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "sys/file.h"
#include "sys/log.h"

/* What others than the owner may do. */
#define MODE_OTHERS 077

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

static const char no_word[] = "is not one word of up to 512 printable characters";

/* A token is one word of printable ASCII. What is wrong with this one, or NULL. */
static const char *take(struct target *t, const uint8_t *p, size_t n)
{
    bool good = true;

    while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
        n--;
    if (n == 0)
        return "is empty";
    for (size_t i = 0; i < n; i++)
        good = good && p[i] > ' ' && p[i] <= '~';
    if (!good || n > TOKEN_MAX)
        return no_word;
    memmove(t->token, p, n);
    t->token_len = n;
    return NULL;
}

/* ---- from a file ---- */

const char *token_file_problem(int fd)
{
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return file_why();
    /* read() says what a directory is. */
    return (status.st_mode & MODE_OTHERS) && !S_ISDIR(status.st_mode)
               ? "can be read by others; run chmod 600 on it" : NULL;
}

/* At the start as other options' mistakes; later a line of the log, which waits for nobody. */
static int complain(const struct target *t, const char *path, const char *why)
{
    if (t->token_len == 0)
        return options_file_error("--token-file", path, why);
    log_form(LOG_ERROR, "--token-file %s: %s; the token stays as it is", path, why);
    return ERR_USAGE;
}

/* The name leads nowhere any more (chroot, another user). What was opened at the start may have
 * been written anew; if it has been replaced it has not. */
static int reopen(struct target *t, const char *path)
{
    const char *why = file_why();
    struct stat status;

    if (t->token_fd <= 0 || fstat(t->token_fd, &status) < 0 || status.st_nlink == 0)
        return complain(t, path, why);
    log_form(LOG_WARN, "--token-file %s: %s; reading the file that was opened at the start", path,
             why);
    lseek(t->token_fd, 0, SEEK_SET);
    return 0;
}

static int open_file(struct target *t, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return reopen(t, path);
    if (t->token_fd > 0)
        close(t->token_fd);
    t->token_fd = fd;
    return 0;
}

static int read_file(struct target *t, const char *path)
{
    const char *problem;
    int n = open_file(t, path);

    if (n < 0)
        return n;
    problem = token_file_problem(t->token_fd);
    n = problem ? 0 : file_read_fd(t->token_fd, t->new_token, sizeof t->new_token);
    if (n == ERR_FILE)
        problem = file_why();
    else if (problem == NULL)
        problem = n < 0 ? no_word : take(t, t->new_token, (size_t)n);
    return problem ? complain(t, path, problem) : 0;
}

int token_init(const struct config *c, struct target *t, int argc, char **argv)
{
    const char *problem;

    if (c->token == NULL)
        return read_file(t, c->token_file);
    problem = take(t, (const uint8_t *)c->token, strlen(c->token));
    hide(argc, argv);
    return problem ? options_error("--token is empty, or not one word of printable characters") : 0;
}

int token_read(const struct config *c, struct target *t)
{
    return c->token == NULL ? read_file(t, c->token_file) : 0;
}
