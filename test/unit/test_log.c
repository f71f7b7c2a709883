/* Log lines: level, escapes, cutting, time, how many, readers that do not read; and the small file
 * helpers. */
#include "sys/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "capture.h"
#include "sys/clock.h"
#include "err.h"
#include "sys/file.h"
#include "sys/fmt.h"
#include "tap.h"

static struct capture captured;

/* As where a collector stamps the lines. */
static void open_bare(enum log_level level)
{
    int saved = dup(STDERR_FILENO), fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0 || dup2(fd[0], STDERR_FILENO) < 0)
        abort();
    log_open(level);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fd[0]);
    close(fd[1]);
}

static void test_levels(void)
{
    capture_begin(&captured, STDERR_FILENO);
    ok(log_begin(LOG_INFO), "info is logged");
    log_text("connected to ");
    log_str(STR("example.org"));
    log_text(" in ");
    log_u64(UINT64_MAX);
    log_text(" or ");
    log_i64(INT64_MIN);
    log_end();
    ok(!log_begin(LOG_DEBUG), "debug is not");
    log_text("dropped");
    log_end();
    log_text("outside of a line");
    open_bare(LOG_ERROR);
    log_line(LOG_WARN, "not this");
    log_line(LOG_ERROR, "but this");
    open_bare(LOG_INFO);
    capture_end(&captured);
    is_str(captured.text,
           "info: connected to example.org in 18446744073709551615 or -9223372036854775808\n"
           "error: but this\n",
           "lines");
}

static void test_durations(void)
{
    static const struct {
        uint32_t ms;
        const char *line;
    } cases[] = {
        { 0, "0ms" },        { 1, "1ms" },          { 999, "999ms" },     { 1000, "1s" },
        { 1099, "1s" },      { 1500, "1.5s" },      { 59999, "59.9s" },   { 60000, "1m" },
        { 60999, "1m" },     { 61500, "1m1s" },     { 300000, "5m" },     { 86400000, "1440m" },
        { UINT32_MAX, "71582m47s" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[32];

        snprintf(line, sizeof line, "error: in %s\n", cases[i].line);
        capture_begin(&captured, STDERR_FILENO);
        log_begin(LOG_ERROR);
        log_text("in ");
        log_ms(cases[i].ms);
        log_end();
        capture_end(&captured);
        is_str(captured.text, line, "%u ms", (unsigned)cases[i].ms);
    }
}

static void test_form(void)
{
    capture_begin(&captured, STDERR_FILENO);
    log_form(LOG_WARN, "%s, %u and %.*s.", "%s", 4294967295u, LOG_STR(STR("a\n%u")));
    capture_end(&captured);
    is_str(captured.text, "warning: %s, 4294967295 and a\\x0a%u.\n", "texts, numbers, strangers");
}

static void test_escapes(void)
{
    capture_begin(&captured, STDERR_FILENO);
    log_begin(LOG_WARN);
    log_str(STR("a\nerror: b\"'\\\x7f\x80\xff\x1b[0m\0"));
    log_end();
    capture_end(&captured);
    is_str(captured.text,
           "warning: a\\x0aerror: b\\x22\\x27\\x5c\\x7f\\x80\\xff\\x1b[0m\\x00\n", "escaped");
}

/* Whatever the length, a line is at most LOG_LINE_MAX bytes, ends, and no escape is halved. */
static void test_cut(void)
{
    static uint8_t text[LOG_LINE_MAX + 8];
    bool good = true;

    memset(text, 'x', sizeof text);
    for (size_t n = LOG_LINE_MAX - 30; n < sizeof text; n++) {
        size_t len;

        capture_begin(&captured, STDERR_FILENO);
        log_begin(LOG_INFO);
        log_str((struct str){ text, n });
        log_str(STR("\n"));
        log_end();
        capture_end(&captured);
        len = captured.len;
        good = good && len <= LOG_LINE_MAX && captured.text[len - 1] == '\n' &&
               (memcmp(captured.text + len - 5, "\\x0a\n", 5) == 0 ||
                memcmp(captured.text + len - 5, "x...\n", 5) == 0);
    }
    ok(good, "cut lines");
}

static void test_files(void)
{
    char path[] = "/tmp/adit-test-XXXXXX";
    int fd = mkstemp(path);
    uint8_t out[8];

    ok(fd >= 0 && fmt_text(fd, "12345678"), "wrote a file");
    is_int(file_read(path, out, 8), 8, "read it");
    is_mem(out, 8, "12345678", 8, "whole");
    is_int(file_read(path, out, 7), ERR_LIMIT, "longer than the buffer");
    close(fd);
    unlink(path);
    is_int(file_read(path, out, 8), ERR_FILE, "no such file");
    is_int(file_read("/", out, 8), ERR_FILE, "a directory");
    ok(!fmt_text(-1, "x"), "no descriptor");
}

/* ---- the time before a line ---- */

static void test_date(void)
{
    char before[32], after[32];
    time_t now = time(NULL);

    strftime(before, sizeof before, "%Y-%m-%dT%H:%M:%SZ info: x\n", gmtime(&now));
    capture_begin(&captured, STDERR_FILENO);
    log_open(LOG_INFO);
    log_line(LOG_INFO, "x");
    capture_end(&captured);
    now = time(NULL);
    strftime(after, sizeof after, "%Y-%m-%dT%H:%M:%SZ info: x\n", gmtime(&now));
    ok(strcmp(before, captured.text) <= 0 && strcmp(captured.text, after) <= 0, "in a file: %s",
       captured.text);
}

/* ---- as many as come ---- */

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

static void flood(enum log_level level, const char *text, size_t n)
{
    while (n-- > 0)
        log_line(level, text);
}

/* What a flood of one level leaves to the others, and that every line left out is counted. */
static void test_rate(void)
{
    const size_t flooded = 20000;
    int64_t began = clock_ms();
    size_t most, out, told;

    capture_begin(&captured, STDERR_FILENO);
    open_bare(LOG_DEBUG);
    flood(LOG_DEBUG, "x", flooded);
    log_line(LOG_INFO, "y");
    flood(LOG_INFO, "y", LOG_BURST / 2);
    log_line(LOG_ERROR, "z");
    capture_end(&captured);
    most = LOG_BURST + 1 + (size_t)((clock_ms() - began) * LOG_RATE / 1000);
    out = count(captured.text, "debug: x");
    ok(out >= LOG_BURST / 2 && out <= most, "%zu of %zu lines went out, no more than %zu", out,
       flooded, most);
    is_int(count(captured.text, "info: y"), LOG_BURST / 2 + 1,
           "the more serious ones are not among");
    ok(strstr(captured.text, "error: z") != NULL, "those left out");
    told = 0;
    for (const char *at = captured.text; (at = strstr(at, "warning: ")) != NULL; at++)
        told += (size_t)strtoul(at + 9, NULL, 10);
    is_int(out + told, flooded, "and each of those is counted");
}

/* ---- a reader that does not read ---- */

/* Logs to `in`, of which `out` is read only afterwards, far more than fits in between. */
static void stall(int in, int out, const char *what)
{
    static char text[1 << 20];
    int saved = dup(STDERR_FILENO), flags = fcntl(in, F_GETFL);
    size_t len = 0;
    ssize_t n;
    char padding[401];
    struct pollfd some = { .fd = out, .events = POLLIN };

    memset(padding, '-', sizeof padding - 1);
    padding[sizeof padding - 1] = '\0';
    dup2(in, STDERR_FILENO);
    log_open(LOG_INFO);
    flood(LOG_ERROR, padding, 700);
    is_int(fcntl(in, F_GETFL), flags, "%s: its flags are as they were", what);
    fcntl(out, F_SETFL, O_NONBLOCK);
    while (poll(&some, 1, 0) > 0 && (n = read(out, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    log_line(LOG_ERROR, "here again");
    while (poll(&some, 1, 100) > 0 && (n = read(out, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(in);
    close(out);
    ok(count(text, "error: ---") < 700, "%s: not all lines fit", what);
    ok(strstr(text, " log lines left out") != NULL, "%s: which is said", what);
    ok(strstr(text, "error: here again") != NULL, "%s: in front of the next line", what);
}

static void test_stalled_readers(void)
{
    int fd[2];
    const int small = 65536;

    if (pipe(fd) == 0)
        stall(fd[1], fd[0], "pipe");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0) {
        setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        stall(fd[0], fd[1], "socket");
    }
    fd[0] = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd[0] >= 0 && grantpt(fd[0]) == 0 && unlockpt(fd[0]) == 0) {
        fd[1] = open(ptsname(fd[0]), O_RDWR | O_NOCTTY);
        stall(fd[1], fd[0], "terminal");
    }
}

int main(void)
{
    alarm(120);
    test_levels();
    test_durations();
    test_form();
    test_escapes();
    test_cut();
    test_files();
    test_date();
    test_stalled_readers();
    test_rate();
    return done_testing();
}
