#include "config.h"

#include <stddef.h>
#include <string.h>

#include "err.h"
#include "fmt.h"
#include "log.h"

#define AGENT_NAME "adit/" ADIT_VERSION
#define AT(field) offsetof(struct config, field)
#define HOUR_MS 3600000
/* sun_path with its terminator is 108 bytes. */
#define UNIX_PATH_MAX 107

enum { ACTION_VERSION, ACTION_HELP };

static const struct option table[] = {
    { "version", OPTION_ACTION, 0, 0, 0, NULL, NULL, "print the version and exit" },
    { "help", OPTION_ACTION, 0, 0, 0, NULL, NULL, "print this and exit" },
    { "url", OPTION_TEXT, AT(url), 0, 0, "URL", NULL, "gateway: wss://HOST[:PORT]/PATH" },
    { "token-file", OPTION_TEXT, AT(token_file), 0, 0, "FILE", NULL, "file with the token" },
    { "token", OPTION_TEXT, AT(token), 0, 0, "TOKEN", NULL, "the token; prefer --token-file" },
    { "id-from", OPTION_TEXT, AT(id_from), 0, 0, "mac:INTERFACE|file:PATH", NULL,
      "tells the gateway which device this is" },
    { "local", OPTION_TEXT, AT(local), 0, 0, "HOST:PORT|unix:/PATH", "127.0.0.1:80",
      "local HTTP server" },
    { "host-header", OPTION_TEXT, AT(host_header), 0, 0, "NAME", NULL,
      "send this Host to the local server, not the visitor's" },
    { "ca", OPTION_TEXT, AT(ca), 0, 0, "FILE", NULL, "trusted CAs (PEM); default: the system's" },
    { "pin", OPTION_LIST, AT(pin), 0, CONFIG_PINS_MAX, "sha256:BASE64", NULL,
      "hash of the gateway's key: enough alone, or beside --ca; up to 8 times" },
    { "server-name", OPTION_TEXT, AT(server_name), 0, 0, "NAME", NULL,
      "the gateway's name in its certificate, if not the URL's host" },
    { "state", OPTION_TEXT, AT(state), 0, 0, "FILE", NULL,
      "keeps the last time known, for machines without a clock" },
    { "protocol", OPTION_CHOICE, AT(protocol), 0, 0, "auto|tlv|json|plain", "auto",
      "encodings to offer" },
    { "max-attempts", OPTION_NUMBER, AT(max_attempts), 0, 0, "N", "0",
      "give up after N failed attempts in a row; 0: never" },
    { "base-delay", OPTION_DURATION, AT(base_delay_ms), 1, HOUR_MS, "TIME", "1s",
      "first delay before connecting again" },
    { "max-delay", OPTION_DURATION, AT(max_delay_ms), 1, 24 * HOUR_MS, "TIME", "5m",
      "longest delay" },
    { "backoff-multiplier", OPTION_DECIMAL, AT(factor_milli), 1000, 100000, "N", "2",
      "growth of the delay" },
    { "jitter", OPTION_DECIMAL, AT(jitter_milli), 0, 1000, "N", "0.25",
      "random part of the delay, 0 to 1" },
    { "ping-interval", OPTION_DURATION, AT(ping_interval_ms), 100, HOUR_MS, "TIME", "25s",
      "time between pings" },
    { "ping-timeout", OPTION_DURATION, AT(ping_timeout_ms), 100, HOUR_MS, "TIME", "10s",
      "silence after a ping that means the connection is dead" },
    { "connect-timeout", OPTION_DURATION, AT(connect_timeout_ms), 100, HOUR_MS, "TIME", "15s",
      "limit for dialling, TLS, upgrade and authentication together" },
    { "request-timeout", OPTION_DURATION, AT(request_timeout_ms), 100, 24 * HOUR_MS, "TIME", "60s",
      "limit for a local server that makes no progress" },
    { "stats-interval", OPTION_DURATION, AT(stats_interval_ms), 100, 24 * HOUR_MS, "TIME", "60s",
      "time between statistics" },
    { "log-level", OPTION_CHOICE, AT(log_level), 0, 0, "error|warn|info|debug", "info",
      "what to log" },
    { "allow-plaintext", OPTION_FLAG, AT(allow_plaintext), 0, 0, NULL, NULL,
      "accept ws://: token and traffic can be read by anyone on the way" },
    { "user", OPTION_TEXT, AT(sandbox.user), 0, 0, "NAME|UID", NULL,
      "run as this user once started" },
    { "chroot", OPTION_TEXT, AT(sandbox.root), 0, 0, "DIR", NULL,
      "see only files in DIR once started" },
    { "no-new-privs", OPTION_FLAG, AT(sandbox.no_new_privs), 0, 0, "=no", "yes",
      "off: may gain privileges" },
    { "seccomp", OPTION_FLAG, AT(sandbox.seccomp), 0, 0, "=no", "yes",
      "off: system calls are not filtered" },
    { "limits", OPTION_FLAG, AT(sandbox.limits), 0, 0, "=no", "yes",
      "off: core dumps, any number of descriptors" },
    { NULL, OPTION_FLAG, 0, 0, 0, NULL, NULL, NULL },
};

static int parse_url(const struct config *c, struct target *t)
{
    if (c->url == NULL)
        return options_error("--url is missing; write --url wss://HOST/PATH");
    if (uri_parse(str_of(c->url), &t->uri) < 0)
        return options_error("--url is not understood; write wss://HOST[:PORT]/PATH");
    if (!t->uri.tls && !c->allow_plaintext)
        return options_error("--url is not encrypted; write wss://, or add --allow-plaintext");
    return 0;
}

static int parse_local(const struct config *c, struct target *t)
{
    struct str local = str_of(c->local);
    struct str host = local;

    if (local.n > 5 && str_eq((struct str){ local.p, 5 }, STR("unix:"))) {
        t->local_path = (struct str){ local.p + 5, local.n - 5 };
        if (t->local_path.n == 0 || t->local_path.n > UNIX_PATH_MAX)
            return options_error("--local unix: needs a path of 1 to 107 characters");
        host = STR("localhost");
    } else if (uri_authority_parse(local, 80, &t->local_host, &t->local_port) < 0) {
        return options_error("--local is not understood; write HOST:PORT or unix:/PATH");
    }
    if (c->host_header != NULL)
        host = str_of(c->host_header);
    if (host.n == 0 || host.n > sizeof t->local_text)
        return options_error("--host-header is empty or too long");
    memcpy(t->local_text, host.p, host.n);
    t->local_text_len = host.n;
    return 0;
}

/* The name that Auth gives this agent. */
static int name_agent(const struct config *c, struct target *t)
{
    size_t n = sizeof AGENT_NAME - 1;
    int more;

    memcpy(t->agent, AGENT_NAME, n);
    t->agent_len = n;
    if (c->id_from == NULL)
        return 0;
    t->agent[n++] = ' ';
    more = identity_read(c->id_from, t->agent + n);
    if (more < 0)
        return more;
    t->agent_len = n + (size_t)more;
    return 0;
}

static int check(const struct config *c)
{
    if (c->token == NULL && c->token_file == NULL)
        return options_error("no token; write --token-file FILE");
    if (c->token != NULL && c->token_file != NULL)
        return options_error("--token and --token-file are both given; keep --token-file");
    if (c->server_name != NULL && (*c->server_name == '\0' || strlen(c->server_name) >= HOST_MAX))
        return options_error("--server-name is empty or too long; write a host name");
    if (c->state != NULL && strlen(c->state) > CONFIG_STATE_MAX)
        return options_error("--state is too long; write a path of up to 250 characters");
    if (c->max_delay_ms < c->base_delay_ms)
        return options_error("--max-delay is shorter than --base-delay; make it longer");
    return 0;
}

int config_parse(struct config *c, struct target *t, int argc, char **argv)
{
    int err = options_parse(table, c, argc, argv, NULL, 0, NULL);

    if (err == ACTION_VERSION + 1) {
        fmt_text(1, "adit " ADIT_VERSION "\n");
        return 1;
    }
    if (err == ACTION_HELP + 1) {
        options_help(table, "adit --url wss://HOST/PATH --token-file FILE [--local HOST:PORT]");
        return 1;
    }
    if (err == 0)
        err = parse_url(c, t);
    if (err == 0)
        err = parse_local(c, t);
    if (err == 0)
        err = name_agent(c, t);
    if (err == 0)
        err = check(c);
    if (err < 0)
        return err;
    log_set_level((enum log_level)c->log_level);
    return token_init(c, t, argc, argv);
}
