#include "tunnel_log.h"

#include "conn.h"

struct str tunnel_label(const struct tunnel *t)
{
    return (struct str){ t->label, t->label_len };
}

static bool begin(enum log_level level, const struct tunnel *t)
{
    uint8_t peer[IP_TEXT_MAX];

    if (!log_begin(level))
        return false;
    log_text("tunnel ");
    if (t->label_len)
        log_str(tunnel_label(t));
    else
        log_text("without a name");
    log_text(" from ");
    log_str((struct str){ peer, ip_format(&t->conn->peer, peer) });
    log_text(": ");
    return true;
}

void tunnel_log_line(enum log_level level, const struct tunnel *t, const char *text)
{
    tunnel_log_str(level, t, text, (struct str){ NULL, 0 });
}

void tunnel_log_str(enum log_level level, const struct tunnel *t, const char *text, struct str s)
{
    if (!begin(level, t))
        return;
    log_text(text);
    log_str(s);
    log_end();
}

void tunnel_log_number(enum log_level level, const struct tunnel *t, const char *text, uint64_t n)
{
    if (!begin(level, t))
        return;
    log_text(text);
    log_u64(n);
    log_end();
}

void tunnel_log_opened(const struct tunnel *t, struct str agent, struct str url)
{
    const struct link *l = &t->session.link;

    if (!begin(LOG_INFO, t))
        return;
    log_text("open, agent ");
    log_str(agent.n ? agent : STR("without a name"));
    log_text(l->plain ? ", plain, " : l->enc == WIRE_JSON ? ", json, " : ", tlv, ");
    log_str(url);
    log_end();
}

void tunnel_log_stats(const struct tunnel *t, const struct wire_msg *m)
{
    if (!begin(LOG_DEBUG, t))
        return;
    log_text("the agent's requests ");
    log_u64(m->requests_processed);
    log_text(", failed ");
    log_u64(m->requests_failed);
    log_text(", bytes ");
    log_u64(m->bytes_transferred);
    log_text(", up ");
    log_u64(m->uptime_seconds);
    log_text(" s");
    log_end();
}
