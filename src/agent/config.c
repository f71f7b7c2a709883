#include "config.h"

#include <stddef.h>
#include <string.h>

#include "err.h"
#include "sys/fmt.h"
#include "sys/log.h"

#define SYNOPSIS \
    "adit gives a web server behind a router a public address, through a gateway:\n\n" \
    "  adit --url wss://tunnel.example/_adit --token-file /etc/adit/token\n\n" \
    "Each option is a variable of the environment, too: ADIT_TOKEN_FILE.\n"
#define AT(field) offsetof(struct config, field)
/* sun_path with its terminator is 108 bytes. */
#define UNIX_PATH_MAX 107

enum { ACTION_VERSION, ACTION_HELP };

_Static_assert(CONFIG_PINS_MAX == 8 && GOAWAY_HOSTS_MAX == 4 && HOMES_MAX == 4,
               "as the table says");
static const struct option table[] = {
    OPTION("version", OPTION_ACTION, 0, "", "", "", "print the version and exit"),
    OPTION("help", OPTION_ACTION, 0, "", "", "", "print this and exit"),
    OPTION("url", OPTION_LIST, AT(url), "4", "URL", "",
           "gateway: wss://HOST[:PORT]/PATH; up to 4 times"),
    OPTION("token-file", OPTION_TEXT, AT(token_file), "", "FILE", "", "file with the token"),
    OPTION("token", OPTION_TEXT, AT(token), "", "TOKEN", "", "the token; prefer --token-file"),
    OPTION("id-from", OPTION_TEXT, AT(id_from), "", "mac:INTERFACE|file:PATH", "",
           "tells the gateway which device this is"),
    OPTION("local", OPTION_TEXT, AT(local), "", "HOST:PORT|unix:/PATH", "127.0.0.1:80",
           "local HTTP server"),
    OPTION("host-header", OPTION_TEXT, AT(host_header), "", "NAME", "",
           "the Host that the local server gets"),
    OPTION("ca", OPTION_TEXT, AT(ca), "", "FILE", "", "trusted CAs (PEM); default: the system's"),
    OPTION("pin", OPTION_LIST, AT(pin), "8", "sha256:BASE64", "",
           "hash of the gateway's key; up to 8 times"),
    OPTION("server-name", OPTION_TEXT, AT(server_name), "", "NAME", "",
           "name in the certificate, if not the URL's host"),
    OPTION("state", OPTION_TEXT, AT(state), "", "FILE", "",
           "keeps the time, for machines without a clock"),
#ifdef ADIT_MTLS
    OPTION("client-cert", OPTION_TEXT, AT(client_cert), "", "FILE", "",
           "own certificate chain, PEM, if the gateway asks"),
    OPTION("client-key", OPTION_TEXT, AT(client_key), "", "FILE", "", "its key, PEM"),
#endif
    OPTION("goaway-host", OPTION_LIST, AT(goaway_host), "4", "NAME", "",
           "the gateway may send us there, too; up to 4 times"),
    OPTION("protocol", OPTION_CHOICE, AT(protocol), "", "auto|tlv|json|plain", "auto",
           "encodings to offer"),
    OPTION("max-attempts", OPTION_NUMBER, AT(max_attempts), "", "N", "0",
           "give up after N failures in a row; 0: never"),
    OPTION("base-delay", OPTION_DURATION, AT(base_delay_ms), "1ms|1h", "TIME", "1s",
           "first delay before connecting again"),
    OPTION("max-delay", OPTION_DURATION, AT(max_delay_ms), "1ms|24h", "TIME", "5m",
           "longest delay"),
    OPTION("backoff-multiplier", OPTION_DECIMAL, AT(factor_milli), "1|100", "N", "2",
           "growth of the delay"),
    OPTION("jitter", OPTION_DECIMAL, AT(jitter_milli), "0|1", "N", "0.25",
           "random part of the delay, 0 to 1"),
    OPTION("ping-interval", OPTION_DURATION, AT(ping_interval_ms), "100ms|1h", "TIME", "25s",
           "time between pings"),
    OPTION("ping-timeout", OPTION_DURATION, AT(ping_timeout_ms), "100ms|1h", "TIME", "10s",
           "silence after a ping that ends a connection"),
    OPTION("connect-timeout", OPTION_DURATION, AT(connect_timeout_ms), "100ms|1h", "TIME", "15s",
           "limit for all until the session is open"),
    OPTION("return-after", OPTION_DURATION, AT(return_after_ms), "0|24h", "TIME", "10m",
           "time until the first gateway is tried again"),
    OPTION("request-timeout", OPTION_DURATION, AT(request_timeout_ms), "100ms|24h", "TIME", "60s",
           "limit for a local server's silence"),
    OPTION("stats-interval", OPTION_DURATION, AT(stats_interval_ms), "100ms|24h", "TIME", "60s",
           "time between statistics"),
    OPTION("drain", OPTION_DURATION, AT(drain_ms), "0|1h", "TIME", "10s",
           "time for open requests after SIGTERM"),
    OPTION("log-level", OPTION_CHOICE, AT(log_level), "", LOG_LEVELS, "info",
           "what to log"),
    OPTION("allow-plaintext", OPTION_FLAG, AT(allow_plaintext), "", "", "",
           "accept ws://: anybody on the way reads along"),
    OPTION("user", OPTION_TEXT, AT(sandbox.user), "", "NAME|UID", "",
           "run as this user once started"),
    SANDBOX_OPTIONS(AT(sandbox)),
    { .text = NULL },
};

static int parse_urls(const struct config *c, struct target *t)
{
    for (; t->uri_count < HOMES_MAX && c->url[t->uri_count] != NULL; t->uri_count++) {
        struct uri *uri = &t->uri[t->uri_count];

        if (uri_parse(str_of(c->url[t->uri_count]), uri) < 0)
            return options_error("--url is not understood; write wss://HOST[:PORT]/PATH");
        if (!uri->tls && !c->allow_plaintext)
            return options_error("--url is not encrypted; write wss://, or add --allow-plaintext");
        t->any_tls |= uri->tls;
    }
    return t->uri_count > 0 ? 0 : options_error("--url is missing; write --url wss://HOST/PATH");
}

static int parse_local(const struct config *c, struct target *t)
{
    struct str local = str_of(c->local);
    struct str host = local;

    if (str_take(&local, STR("unix:"))) {
        t->local_path = local;
        if (local.n == 0 || t->local_path.n > UNIX_PATH_MAX)
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
    size_t n = sizeof CONFIG_AGENT_NAME - 1;
    int more;

    memcpy(t->agent, CONFIG_AGENT_NAME, n);
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
        options_help(table, SYNOPSIS);
        return 1;
    }
    if (err == 0)
        err = parse_urls(c, t);
    if (err == 0)
        err = parse_local(c, t);
    if (err == 0)
        err = name_agent(c, t);
    if (err == 0)
        err = check(c);
    if (err < 0)
        return err;
    log_open((enum log_level)c->log_level);
    return token_init(c, t, argc, argv);
}
