/*
 * One line per event on standard error: LEVEL and text, before it the time (UTC): the date too
 * (RFC 3339) in a file, the time of day on a terminal, nothing where a collector reads it and
 * stamps it itself. No stdio: pieces are gathered in one static line, which ends in "..." when it
 * was cut at LOG_LINE_MAX, and leave with one write().
 *
 * Nobody who reads slowly stops the program, and nobody outside fills a disk: a line that cannot be
 * written at once, or is beyond LOG_RATE a second, is left out, and the next line that goes out
 * says how many were.
 *
 *   log_form(LOG_INFO, "connected to %.*s:%u", LOG_STR(host), port);
 *   log_begin(LOG_INFO); log_text("connected to "); log_str(host); log_end();
 */
#ifndef ADIT_LOG_H
#define ADIT_LOG_H

#include "codec/buf.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
/* The words for them, of an OPTION_CHOICE. */
#define LOG_LEVELS "error|warn|info|debug"
/* Below PIPE_BUF (4096), of which POSIX promises that it is written whole or not at all. */
#define LOG_LINE_MAX 512
/* Lines a second, in the long run: 4 KB of text, which a router's memory and its flash bear. */
#define LOG_RATE 50
/* Before that holds, as many of debug; twice, three and four times as many of the more serious. */
#define LOG_BURST 250

/*
 * At the start, before a sandbox: the level (LOG_INFO until then), and how standard error is
 * written. A pipe or terminal is opened again for ourselves, so as not to wait for it. Where that
 * is not to be had (a socket, no /proc, another user's), it is asked for room before each line. Not
 * handled: in the latter case, others who write to the same pipe between question and line.
 */
void log_open(enum log_level level);
/* False, and the pieces up to log_end are dropped, when the level is not logged, or the line is
 * left out. */
bool log_begin(enum log_level level);
void log_text(const char *text);
/* Control characters, quotes, backslashes and bytes beyond ASCII as \xNN: what others sent cannot
 * forge lines. */
void log_str(struct str s);
void log_u64(uint64_t value);
void log_i64(int64_t value);
/* A duration as options have it: 250ms, 1.5s, 5m; 4m20s, too. */
void log_ms(uint32_t ms);
void log_end(void);
/* A whole line. */
void log_line(enum log_level level, const char *text);
/* The same with pieces in it, which the compiler checks as printf's: %s a text of our own, %u an
 * unsigned, and %.*s LOG_STR of what others sent, as by log_str. There are no others. */
__attribute__((format(printf, 2, 3)))
void log_form(enum log_level level, const char *form, ...);
#define LOG_STR(s) (int)(s).n, (const char *)(s).p

#endif
