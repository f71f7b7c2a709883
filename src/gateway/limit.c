#include "limit.h"

#include "gateway.h"
#include "sys/log.h"

/* One line of the log for each address that is turned away, within this time. */
#define TOLD_MS 60000

void limit_tell(struct gateway *g, struct peer *from, const struct ip *ip, const char *text)
{
    uint8_t out[IP_TEXT_MAX];

    g->turned_away++;
    if (g->now < from->told_at || !log_begin(LOG_WARN))
        return;
    from->told_at = g->now + TOLD_MS;
    log_str((struct str){ out, ip_format(ip, out) });
    log_text(text);
    log_end();
}

bool limit_request(struct conn *c)
{
    struct gateway *g = c->gateway;

    if (!c->from || rate_take(&c->from->requests, g->now, g->config.request_rate))
        return true;
    limit_tell(g, c->from, &c->peer,
               " is answered 429: too many requests of this address (--request-rate)");
    return false;
}
