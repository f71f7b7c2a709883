#include "log.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ascii.h"
#include "clock.h"
#include "fmt.h"

/* Room behind the text for "..." and the line's end. */
#define TEXT_MAX (LOG_LINE_MAX - 4)

static enum log_level level_max = LOG_INFO;
static bool active;
static bool cut;
static uint8_t line[LOG_LINE_MAX];
static size_t line_len;

void log_set_level(enum log_level level)
{
    level_max = level;
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
    /* Of the day; 86400 is 128 * 675, and a 32-bit machine divides 32 bits. */
    int64_t now = clock_unix();
    uint32_t second = (uint32_t)(now >> 7) % 675 * 128 + (uint32_t)(now & 127);
    const uint32_t part[3] = { second / 3600, second / 60 % 60, second % 60 };
    uint8_t text[9] = "00:00:00 ";

    for (size_t i = 0; i < 3; i++) {
        text[3 * i] = (uint8_t)('0' + part[i] / 10);
        text[3 * i + 1] = (uint8_t)('0' + part[i] % 10);
    }
    put(text, sizeof text);
}

/* As isatty, which is more code to say why not. */
static bool is_terminal(void)
{
    struct winsize size;

    return syscall(SYS_ioctl, STDERR_FILENO, TIOCGWINSZ, &size) == 0;
}

bool log_begin(enum log_level level)
{
    static const char *const word[] = { "error: ", "warning: ", "info: ", "debug: " };

    active = level <= level_max;
    cut = false;
    line_len = 0;
    if (!active)
        return false;
    if (is_terminal())
        put_time();
    log_text(word[level]);
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

void log_i64(int64_t value)
{
    if (value < 0)
        put("-", 1);
    log_u64(value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void log_end(void)
{
    if (!active)
        return;
    if (cut) {
        memcpy(line + line_len, "...", 3);
        line_len += 3;
    }
    line[line_len++] = '\n';
    /* A log that cannot be written has nobody to tell. */
    fmt_write(STDERR_FILENO, line, line_len);
    active = false;
}

void log_form(enum log_level level, const char *form, const void *first, const void *second)
{
    if (!log_begin(level))
        return;
    for (; *form; form++) {
        if (*form != '%') {
            put(form, 1);
            continue;
        }
        switch (*++form) {
        case 's':
            log_str(*(const struct str *)first);
            break;
        case 'u':
            log_u64((uintptr_t)first);
            break;
        default:
            log_text(first);
        }
        first = second;
    }
    log_end();
}

void log_line(enum log_level level, const char *text)
{
    log_form(level, "%t", text, NULL);
}
