/* The token: from its file, read again, and hidden where it is not from a file. */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "err.h"
#include "tap.h"

static char dir[] = "/tmp/adit-test-XXXXXX";
static char path[64];

static void write_file(const void *text, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    if (fd < 0 || write(fd, text, n) != (ssize_t)n || fchmod(fd, mode) < 0)
        exit(1);
    close(fd);
}

static void write_text(const char *text)
{
    write_file(text, strlen(text), 0600);
}

static int lowest_free(void)
{
    int fd = dup(STDOUT_FILENO);

    close(fd);
    return fd;
}

static const struct config with_token = { .token_file = path };

static void is_token(struct target *t, const char *expected, const char *what)
{
    is_mem(t->token, t->token_len, expected, strlen(expected), what);
}

static void test_token(void)
{
    struct target t = { .token_len = 0 };
    char longest[TOKEN_MAX + 3];
    int free_then;

    write_text("a-token");
    is_int(token_init(&with_token, &t, 0, NULL), 0, "a token");
    is_token(&t, "a-token", "as it stands in the file");
    free_then = lowest_free();
    write_text("~an!other\r\n");
    is_int(token_read(&with_token, &t), 0, "another, and a line's end");
    is_token(&t, "~an!other", "which is no part of it");
    is_int(token_read(&with_token, &t), 0, "the same again");
    is_int(lowest_free(), free_then, "the file that was read before is closed");

    write_text("\n");
    is_int(token_read(&with_token, &t), ERR_USAGE, "none");
    write_text("two words");
    is_int(token_read(&with_token, &t), ERR_USAGE, "a space");
    write_text("\x7f");
    is_int(token_read(&with_token, &t), ERR_USAGE, "a control character");
    write_file("0644", 4, 0640);
    is_int(token_read(&with_token, &t), ERR_USAGE, "a file that the group can read");
    memset(longest, 'x', sizeof longest);
    write_file(longest, TOKEN_MAX + 1, 0600);
    is_int(token_read(&with_token, &t), ERR_USAGE, "a byte more than a token has");
    write_file(longest, TOKEN_MAX + 3, 0600);
    is_int(token_read(&with_token, &t), ERR_USAGE, "a file longer than any");
    is_token(&t, "~an!other", "after all of these it is as it was");

    memcpy(longest + TOKEN_MAX, "\r\n", 2);
    write_file(longest, TOKEN_MAX + 2, 0600);
    is_int(token_read(&with_token, &t), 0, "the longest token");
    is_int(t.token_len, TOKEN_MAX, "is taken");
    close(t.token_fd);
}

/* After a chroot the name leads nowhere; the file that was opened does. */
static void test_token_out_of_reach(void)
{
    struct target t = { .token_len = 0 };
    char aside[80];

    snprintf(aside, sizeof aside, "%s.aside", path);
    write_text("first");
    is_int(token_init(&with_token, &t, 0, NULL), 0, "a token");
    write_text("second");
    rename(path, aside);
    is_int(token_read(&with_token, &t), 0, "a name that leads nowhere any more");
    is_token(&t, "second", "what was opened is read from its beginning");
    unlink(aside);
    is_int(token_read(&with_token, &t), ERR_USAGE, "a file that is gone");
    is_token(&t, "second", "leaves the token");
    close(t.token_fd);
    t = (struct target){ .token_len = 0 };
    is_int(token_init(&with_token, &t, 0, NULL), ERR_USAGE, "nor is there one at the start");
}

/* Overwritten wherever others may look. */
static void test_token_in_argv(void)
{
    static const struct config given = { .token = "in-argv" };
    char program[] = "adit", option[] = "--token", value[] = "in-argv", both[] = "--token=in-argv";
    char other[] = "--token-file=x", last[] = "--token";
    char *argv[] = { program, option, value, both, other, last };
    struct target t = { .token_len = 0 };

    is_int(token_init(&given, &t, 6, argv), 0, "a token of the command line");
    is_token(&t, "in-argv", "is taken");
    is_str(value, "xxxxxxx", "and hidden as a word of its own");
    is_str(both, "--token=xxxxxxx", "or behind the option");
    is_str(other, "--token-file=x", "which is this one only");
    is_int(token_read(&given, &t), 0, "there is nothing to be read again");
    is_token(&t, "in-argv", "so it stays");
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/file", dir);
    test_token();
    test_token_out_of_reach();
    test_token_in_argv();
    rmdir(dir);
    return done_testing();
}
