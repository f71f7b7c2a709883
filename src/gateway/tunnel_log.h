/*
 * What the log says about a tunnel. Never a token.
 */
#ifndef ADIT_GATEWAY_TUNNEL_LOG_H
#define ADIT_GATEWAY_TUNNEL_LOG_H

#include "sys/log.h"
#include "tunnel.h"

struct str tunnel_label(const struct tunnel *t);
void tunnel_log_line(enum log_level level, const struct tunnel *t, const char *text);
void tunnel_log_str(enum log_level level, const struct tunnel *t, const char *text, struct str s);
void tunnel_log_number(enum log_level level, const struct tunnel *t, const char *text, uint64_t n);
void tunnel_log_opened(const struct tunnel *t, struct str agent, struct str url);
void tunnel_log_stats(const struct tunnel *t, const struct wire_msg *m);

#endif
