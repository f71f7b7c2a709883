/* The small files of an agent: its token, its identity, the time that it knows. */
#include "agent.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "err.h"
#include "sys/built_in.h"
#include "tap.h"

#define YEAR_S 31622400
#define DAY_S 86400

static char dir[] = "/tmp/adit-test-XXXXXX";
static char path[64];
static struct agent agent;

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

/* ---- the token ---- */

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

/* ---- the identity ---- */

static int identity_of(const char *text)
{
    static uint8_t out[IDENTITY_MAX];
    char from[80];

    write_text(text);
    snprintf(from, sizeof from, "file:%s", path);
    return identity_read(from, out);
}

static void test_identity(void)
{
    uint8_t out[IDENTITY_MAX];
    char longest[IDENTITY_MAX + 2];

    is_int(identity_of("AA:bb-01\n"), 8, "a word, up to the line's end");
    is_int(identity_of("word\nmore"), 4, "the first line of several");
    is_int(identity_of("two words"), ERR_USAGE, "a space");
    is_int(identity_of("\"word\""), ERR_USAGE, "what a message would have to escape");
    is_int(identity_of("\n"), ERR_USAGE, "an empty line");
    is_int(identity_of(""), ERR_USAGE, "an empty file");
    memset(longest, 'x', sizeof longest);
    longest[IDENTITY_MAX] = '\0';
    is_int(identity_of(longest), IDENTITY_MAX, "the longest");
    longest[IDENTITY_MAX] = 'x';
    longest[IDENTITY_MAX + 1] = '\0';
    is_int(identity_of(longest), ERR_USAGE, "one byte more");
    unlink(path);
    is_int(identity_read("file:/nonexistent/file", out), ERR_USAGE, "no such file");
    is_int(identity_read("mac:no-such-interface", out), ERR_USAGE, "no such interface");
    is_int(identity_read("disk:x", out), ERR_USAGE, "no such kind");
}

/* ---- the time ---- */

/* What the agent takes for the earliest possible time, with this in its state file. */
static int64_t floor_of(const char *state)
{
    static const char *pin = "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    memset(&agent, 0, sizeof agent);
    agent.config.state = path;
    agent.config.pin[0] = pin;
    agent.target.uri.tls = true;
    if (state)
        write_text(state);
    else
        unlink(path);
    is_int(gateway_trust_init(&agent), 0, "whatever a state file holds, it is no error");
    return agent.floor;
}

static int64_t floor_of_number(int64_t value, const char *after)
{
    char text[64];

    snprintf(text, sizeof text, "%lld%s", (long long)value, after);
    return floor_of(text);
}

static void test_state_read(void)
{
    const int64_t latest = built_in_time + (int64_t)30 * YEAR_S;

    is_int(floor_of(NULL), built_in_time, "no file: the time of the build");
    is_int(agent.floor_kept, 0, "and one is due");
    is_int(floor_of_number(built_in_time + 7, "\n"), built_in_time + 7, "a time");
    is_int(agent.floor_kept, built_in_time + 7, "is known to stand in the file");
    is_int(floor_of_number(built_in_time + 7, ""), built_in_time + 7, "without a line's end");
    is_int(floor_of_number(built_in_time - 7, "\n"), built_in_time, "one before the build");
    is_int(floor_of_number(latest, "\n"), latest, "the last that can be");
    is_int(floor_of_number(latest + 1, "\n"), built_in_time, "one later");
    is_int(floor_of(""), built_in_time, "nothing");
    is_int(floor_of("\n"), built_in_time, "an empty line");
    is_int(floor_of_number(built_in_time + 7, "x\n"), built_in_time, "no number");
    is_int(floor_of("99999999999999999999999999"), built_in_time, "too long a number");
}

static int64_t in_file(void)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    return n > 0 && text[n - 1] == '\n' ? strtoll(text, NULL, 10) : 0;
}

/* What is known after the gateway has told `server_time` in a connection whose certificates were
 * judged as of `now` and last a hundred years more. */
static int64_t learnt(int64_t now, int64_t server_time)
{
    agent.uri.tls = agent.tls.check.accepted = true;
    agent.tls.check.now = now;
    agent.tls.check.until = now + (int64_t)100 * YEAR_S;
    gateway_trust_learn(&agent, server_time);
    return agent.floor;
}

static void test_state_learnt(void)
{
    const int64_t start = floor_of_number(built_in_time + 1000, "\n"), much = 20 * (int64_t)YEAR_S;

    is_int(learnt(start, start + DAY_S - 1), start + DAY_S - 1, "a later time is learnt");
    is_int(in_file(), start, "flash is spared for a day");
    is_int(learnt(start, start + DAY_S), start + DAY_S, "a day later");
    is_int(in_file(), start + DAY_S, "it is kept");
    is_int(learnt(start, start), start + DAY_S, "time does not go back");
    is_int(in_file(), start + DAY_S, "nor does the file");
    is_int(learnt(start, start + much), start + YEAR_S, "by a year at most");
    is_int(learnt(start, start + YEAR_S - 1), start + YEAR_S, "and then no further");
    is_int(learnt(start + much, built_in_time + 30 * (int64_t)YEAR_S + 1), start + YEAR_S,
           "a time that cannot be is not learnt");
    agent.config.state = NULL;
    is_int(learnt(start + YEAR_S, start + much), start + 2 * (int64_t)YEAR_S, "without a file");
    is_int(in_file(), start + YEAR_S, "nothing is written");
    unlink(path);
}

static void test_state_not_learnt(void)
{
    const int64_t start = floor_of(NULL);

    agent.tls.check.now = start;
    agent.tls.check.until = start + DAY_S;
    gateway_trust_learn(&agent, start + 1);
    is_int(agent.floor, start, "nothing is learnt in the clear");
    agent.uri.tls = true;
    gateway_trust_learn(&agent, start + 1);
    is_int(agent.floor, start, "nor of one whose certificate was not looked at");
    agent.tls.check.accepted = true;
    gateway_trust_learn(&agent, start + DAY_S + 1);
    is_int(agent.floor, start, "nor what is beyond the certificate");
    gateway_trust_learn(&agent, start + DAY_S);
    is_int(agent.floor, start + DAY_S, "its last second is not");
    unlink(path);
}

static void test_state_unwritable(void)
{
    const int64_t start = floor_of(NULL);

    agent.config.state = "/nonexistent/state";
    is_int(learnt(start, start + 2 * DAY_S), start + 2 * DAY_S, "it is known, if not kept");
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/file", dir);
    test_token();
    test_token_out_of_reach();
    test_token_in_argv();
    test_identity();
    test_state_read();
    test_state_learnt();
    test_state_not_learnt();
    test_state_unwritable();
    rmdir(dir);
    return done_testing();
}
