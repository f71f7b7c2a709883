/* Which device of a fleet this is: the first line of a file, if it is a word. */
#include "identity.h"

#include <fcntl.h>

#include "err.h"
#include "tap.h"

static char dir[] = "/tmp/adit-test-XXXXXX";
static char path[64];

static void write_text(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        exit(1);
    close(fd);
}

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

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/file", dir);
    test_identity();
    rmdir(dir);
    return done_testing();
}
