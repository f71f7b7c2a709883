/* TAP for unit tests, in one header: each check prints a line, done_testing() prints the plan.
 * A failed check tells both values on "#" lines, and the test goes on.
 * Output: TAP on standard output, why a check failed on standard error (prove shows it).
 * Formats are printf's, without floats: soft-float boards have none.
 */
#ifndef ADIT_TEST_TAP_H
#define ADIT_TEST_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TAP_UNUSED __attribute__((unused))
#define TAP_PRINTF(at) __attribute__((unused, format(printf, at, at + 1)))

static int tap_count;
static int tap_failed;

static void tap_line(int good, const char *file, int line, const char *format, va_list args)
{
    printf("%sok %d - ", good ? "" : "not ", ++tap_count);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
    if (!good) {
        tap_failed++;
        fprintf(stderr, "#   check %d failed at %s line %d\n", tap_count, file, line);
    }
}

TAP_PRINTF(4) static int tap_ok(int good, const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tap_line(good, file, line, format, args);
    va_end(args);
    return good;
}

TAP_PRINTF(5)
static int tap_is_int(int64_t got, int64_t expected, const char *file, int line,
                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tap_line(got == expected, file, line, format, args);
    va_end(args);
    if (got != expected)
        fprintf(stderr, "#   got %" PRId64 ", expected %" PRId64 "\n", got, expected);
    return got == expected;
}

/* Prints bytes with everything but plain ASCII as \xNN, at most 64 of them. */
static void tap_print_bytes(const char *what, const void *data, size_t len)
{
    const unsigned char *byte = data;

    fprintf(stderr, "#   %s %zu bytes: ", what, len);
    for (size_t i = 0; i < len && i < 64; i++) {
        if (byte[i] >= 0x20 && byte[i] < 0x7f && byte[i] != '\\')
            fputc(byte[i], stderr);
        else
            fprintf(stderr, "\\x%02x", byte[i]);
    }
    fprintf(stderr, "%s\n", len > 64 ? " ..." : "");
}

TAP_PRINTF(7)
static int tap_is_mem(const void *got, size_t got_len, const void *expected, size_t expected_len,
                      const char *file, int line, const char *format, ...)
{
    int good = got_len == expected_len && (got_len == 0 || memcmp(got, expected, got_len) == 0);
    size_t at = 0;
    va_list args;

    va_start(args, format);
    tap_line(good, file, line, format, args);
    va_end(args);
    if (good)
        return 1;
    while (at < got_len && at < expected_len &&
           ((const unsigned char *)got)[at] == ((const unsigned char *)expected)[at])
        at++;
    fprintf(stderr, "#   differs first at byte %zu\n", at);
    tap_print_bytes("got     ", got, got_len);
    tap_print_bytes("expected", expected, expected_len);
    return 0;
}

#define ok(good, ...) tap_ok(!!(good), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, expected, ...) \
    tap_is_int((int64_t)(got), (int64_t)(expected), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, expected, ...) is_mem(got, strlen(got), expected, strlen(expected), __VA_ARGS__)
#define is_mem(got, got_len, expected, expected_len, ...) \
    tap_is_mem(got, got_len, expected, expected_len, __FILE__, __LINE__, __VA_ARGS__)

/* A note for the reader of a failure. */
TAP_PRINTF(1) static void diag(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("# ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* The plan, and what main returns: 0 when every check passed and there was at least one. */
TAP_UNUSED static int done_testing(void)
{
    printf("1..%d\n", tap_count);
    fflush(stdout);
    return tap_failed > 0 || tap_count == 0;
}

/* A buffer of `size` bytes whose end touches an unreadable page, so that reading or writing one
 * byte past it ends the test. Filled with 0xa5. Unaligned at its start unless `size` is aligned.
 * Ownership: tap_guard_free with the same size. Errors: ends the program. */
TAP_UNUSED static unsigned char *tap_guard_end(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (size + page - 1) / page * page;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    unsigned char *base = mmap(NULL, room + page, PROT_READ | PROT_WRITE, flags, -1, 0);

    if (base == MAP_FAILED || mprotect(base + room, page, PROT_NONE) != 0) {
        printf("Bail out! no guarded memory\n");
        exit(1);
    }
    memset(base + room - size, 0xa5, size);
    return base + room - size;
}

TAP_UNUSED static void tap_guard_free(unsigned char *buffer, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (size + page - 1) / page * page;

    munmap(buffer + size - room, room + page);
}

#endif
