#include "sys/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/ascii.h"
#include "sys/clock.h"
#include "sys/fmt.h"

/* Room behind the text for "..." and the line's end. */
#define TEXT_MAX (LOG_LINE_MAX - 4)

#define SECOND_MS 1000
#define LINE_MS (SECOND_MS / LOG_RATE)

enum stamp { STAMP_NONE, STAMP_TIME, STAMP_DATE };

static enum log_level level_max = LOG_INFO;
static int log_fd = STDERR_FILENO;
static enum stamp stamp;
static int64_t paid_at; /* clock_ms: until then the lines so far fill the rate */
static uint32_t left_out;
static bool active;
static bool cut;
static uint8_t line[LOG_LINE_MAX];
static size_t line_len;

void log_open(enum log_level level)
{
    struct winsize size;
    int fd;

    level_max = level;
    paid_at = 0;
    log_fd = STDERR_FILENO;
    stamp = STAMP_DATE;
    if (lseek(log_fd, 0, SEEK_CUR) >= 0)
        return;
    /* As isatty, which is more code to say why not. */
    stamp = syscall(SYS_ioctl, log_fd, TIOCGWINSZ, &size) == 0 ? STAMP_TIME : STAMP_NONE;
    /* O_NONBLOCK on the inherited one would be everybody's who has it. */
    fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        log_fd = fd;
}

/* All of a piece or nothing of it: half an escape would read as another byte. */
static void put(const void *p, size_t n)
{
    if (!active || cut)
        return;
    if (n > TEXT_MAX - line_len) {
        cut = true;
        return;
    }
    memcpy(line + line_len, p, n);
    line_len += n;
}

static void put_time(void)
{
    uint8_t text[ASCII_TIME_LEN];

    ascii_time(clock_unix(), text);
    if (stamp == STAMP_DATE)
        put(text, sizeof text);
    else
        put(text + ASCII_TIME_DATE_LEN, 8);
    put(" ", 1);
}

static void begin(enum log_level level)
{
    static const char *const word[] = { "error: ", "warning: ", "info: ", "debug: " };

    active = true;
    cut = false;
    line_len = 0;
    if (stamp != STAMP_NONE)
        put_time();
    log_text(word[level]);
}

/* May a line of this level go out? One that may is paid for. */
static bool pay(enum log_level level)
{
    /* What each level may have run ahead, so that no flood of the others keeps an error out; a
     * second less once lines were left out, so that many follow each time that this is told. */
    int64_t most = (int64_t)(LOG_DEBUG + 1 - level) * LOG_BURST * LINE_MS;
    int64_t now = clock_ms();

    if (paid_at < now)
        paid_at = now;
    if (paid_at - now > most - (left_out > 0 ? SECOND_MS : 0))
        return false;
    paid_at += LINE_MS;
    return true;
}

/* Without waiting: a pipe or socket that says so has room for PIPE_BUF, which is more than a line.
 */
static bool write_line(void)
{
    struct timeval at_once = { 0, 0 };
    fd_set set;

    FD_ZERO(&set);
    FD_SET((unsigned)log_fd, &set);
    return select(log_fd + 1, NULL, &set, NULL, &at_once) > 0 &&
           write(log_fd, line, line_len) == (ssize_t)line_len;
}

static bool end(void)
{
    active = false;
    if (cut) {
        memcpy(line + line_len, "...", 3);
        line_len += 3;
    }
    line[line_len++] = '\n';
    return write_line();
}

/* What was left out is said before the next line. */
static bool tell_left_out(void)
{
    begin(LOG_WARN);
    log_u64(left_out);
    log_text(" log lines left out");
    return end();
}

bool log_begin(enum log_level level)
{
    active = false;
    if (level > level_max)
        return false;
    if (!pay(level) || (left_out > 0 && !tell_left_out())) {
        left_out++;
        return false;
    }
    left_out = 0;
    begin(level);
    return true;
}

void log_text(const char *text)
{
    /* In pieces of a byte, so that a long text is cut and not dropped. */
    while (*text)
        put(text++, 1);
}

static bool is_plain(uint8_t c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\';
}

void log_str(struct str s)
{
    uint8_t escape[4] = { '\\', 'x' };

    for (size_t i = 0; i < s.n; i++) {
        if (is_plain(s.p[i])) {
            put(s.p + i, 1);
        } else {
            ascii_to_hex(s.p + i, 1, escape + 2);
            put(escape, sizeof escape);
        }
    }
}

void log_u64(uint64_t value)
{
    uint8_t digits[20];

    put(digits, ascii_from_u64(value, digits));
}

void log_ms(uint32_t ms)
{
    uint32_t tenth = ms / 100 % 10, s = ms / 1000;

    if (s >= 60) {
        log_u64(s / 60);
        log_text("m");
        tenth = 0;
        s %= 60;
        if (s == 0)
            return;
    }
    log_u64(ms < 1000 ? ms : s);
    if (tenth > 0 && ms >= 1000) {
        log_text(".");
        log_u64(tenth);
    }
    log_text(ms < 1000 ? "ms" : "s");
}

void log_i64(int64_t value)
{
    if (value < 0)
        put("-", 1);
    log_u64(value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void log_end(void)
{
    if (active && !end())
        left_out++;
}

/* The piece that a form has behind its '%'; returns what follows. */
static const char *put_piece(const char *form, va_list *args)
{
    int n;

    switch (*form) {
    case 'u':
        log_u64(va_arg(*args, unsigned));
        return form + 1;
    case '.':
        n = va_arg(*args, int);
        log_str((struct str){ va_arg(*args, const uint8_t *), (size_t)n });
        return form + 3;
    default:
        log_text(va_arg(*args, const char *));
        return form + 1;
    }
}

void log_form(enum log_level level, const char *form, ...)
{
    va_list args;

    if (!log_begin(level))
        return;
    va_start(args, form);
    while (*form) {
        if (*form == '%')
            form = put_piece(form + 1, &args);
        else
            put(form++, 1);
    }
    va_end(args);
    log_end();
}

void log_line(enum log_level level, const char *text)
{
    log_form(level, "%s", text);
}
