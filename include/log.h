/*
 * One line per event on standard error (the init system's log): LEVEL and text; with a time stamp
 * (UTC) only if a terminal reads it. No stdio: pieces are gathered in one static line, which ends
 * in "..." when it was cut at LOG_LINE_MAX, and leave with one write().
 *
 *   log_form(LOG_INFO, "connected to %s:%u", &host, LOG_NUMBER(port));
 *   log_begin(LOG_INFO); log_text("connected to "); log_str(host); log_end();
 */
#ifndef ADIT_LOG_H
#define ADIT_LOG_H

#include "buf.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
#define LOG_LINE_MAX 512

/* LOG_INFO until said otherwise. */
void log_set_level(enum log_level level);
/* False, and the pieces up to log_end are dropped, when the level is not logged. */
bool log_begin(enum log_level level);
void log_text(const char *text);
/* Control characters, quotes, backslashes and bytes beyond ASCII as \xNN: what others sent cannot
 * forge lines. */
void log_str(struct str s);
void log_u64(uint64_t value);
void log_i64(int64_t value);
void log_end(void);
/* A whole line. */
void log_line(enum log_level level, const char *text);
/* The same with one or two pieces in it, as by the functions above: %t const char *, %s const struct
 * str *, %u LOG_NUMBER of an unsigned. */
void log_form(enum log_level level, const char *form, const void *first, const void *second);
#define LOG_NUMBER(n) ((const void *)(uintptr_t)(n))

#endif
