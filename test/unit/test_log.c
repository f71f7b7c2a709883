/* Log lines: level, escapes, cutting; and the small file helpers they are written with. */
#include "log.h"

#include "capture.h"
#include "err.h"
#include "fmt.h"
#include "tap.h"

static struct capture captured;

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
    log_set_level(LOG_ERROR);
    log_line(LOG_WARN, "not this");
    log_line(LOG_ERROR, "but this");
    log_set_level(LOG_INFO);
    capture_end(&captured);
    is_str(captured.text,
           "info: connected to example.org in 18446744073709551615 or -9223372036854775808\n"
           "error: but this\n",
           "lines");
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
    is_int(fmt_read_file(path, out, 8), 8, "read it");
    is_mem(out, 8, "12345678", 8, "whole");
    is_int(fmt_read_file(path, out, 7), ERR_WIRE_SIZE, "longer than the buffer");
    close(fd);
    unlink(path);
    is_int(fmt_read_file(path, out, 8), ERR_FILE, "no such file");
    is_int(fmt_read_file("/", out, 8), ERR_FILE, "a directory");
    ok(!fmt_text(-1, "x"), "no descriptor");
}

int main(void)
{
    test_levels();
    test_escapes();
    test_cut();
    test_files();
    return done_testing();
}
