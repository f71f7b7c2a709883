#include "config.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "codec/ascii.h"
#include "codec/uri.h"
#include "core/session.h"
#include "err.h"
#include "sys/fmt.h"
#include "sys/log.h"
#include "version.h"

#define AT(field) offsetof(struct config, field)

static const char SYNOPSIS[] =
    "adit-gateway: the cloud end of adit tunnels, for agents (path /_adit) and\n"
    "visitors (NAME.DOMAIN) on one port\n"
    "\n"
    "  adit-gateway --listen 0.0.0.0:8443 --domain tunnel.example --tokens FILE \\\n"
    "               --cert CHAIN.pem --key KEY.pem\n"
    "  adit-gateway token NAME   makes a token, and its line for the tokens file\n"
    "\n"
    "SIGHUP reads the tokens file, certificates and key again; SIGUSR1 logs counters;\n"
    "SIGTERM ends when requests have, the second one at once.\n";

_Static_assert(SESSION_STREAMS_MAX == 64, "as --max-streams says");
static const struct option table[] = {
    OPTION("listen", OPTION_TEXT, AT(listen), "", "HOST:PORT", "0.0.0.0:8443",
           "for agents and visitors; port 0: any"),
    OPTION("listen-http", OPTION_TEXT, AT(listen_http), "", "HOST:PORT", "",
           "second address, plain HTTP, for visitors only"),
    OPTION("domain", OPTION_TEXT, AT(domain_text), "", "DOMAIN", "", "tunnels are NAME.DOMAIN"),
    OPTION("tokens", OPTION_TEXT, AT(tokens), "", "FILE", "",
           "lines of NAME SHA256HEX, see the token command"),
    OPTION("cert", OPTION_TEXT, AT(cert), "", "FILE", "", "certificate chain, PEM"),
    OPTION("key", OPTION_TEXT, AT(key), "", "FILE", "", "its private key, PEM"),
    OPTION("client-ca", OPTION_TEXT, AT(client_ca), "", "FILE", "",
           "agents need a certificate of these CAs, PEM"),
    OPTION("plain", OPTION_FLAG, AT(plain), "", "", "", "no TLS: behind a proxy that does it"),
    OPTION("public-port", OPTION_NUMBER, AT(public_port), "0|65535", "PORT", "0",
           "HTTPS port of visitors; 0: the one listened on"),
    OPTION("trust-proxy", OPTION_TEXT, AT(trust_proxy), "", "CIDR", "",
           "visitors from there may set X-Forwarded-*"),
    OPTION("max-tunnels", OPTION_NUMBER, AT(max_tunnels), "1|4096", "N", "64", "agents at once"),
    OPTION("max-requests", OPTION_NUMBER, AT(max_requests), "1|16384", "N", "256",
           "visitors' connections at once"),
    OPTION("max-per-address", OPTION_NUMBER, AT(max_per_address), "0|16384", "N", "0",
           "of these by address (IPv6: /64); 0: half of them"),
    OPTION("connect-rate", OPTION_NUMBER, AT(connect_rate), "0|100000", "N", "20",
           "new connections a second of one address; 0: any"),
    OPTION("request-rate", OPTION_NUMBER, AT(request_rate), "0|1000000", "N", "100",
           "requests a second of one address; 0: any"),
    OPTION("max-streams", OPTION_NUMBER, AT(max_streams), "1|64", "N", "64",
           "requests at once in a tunnel, if its agent can"),
    OPTION("max-names", OPTION_NUMBER, AT(max_names), "1|32767", "N", "4096",
           "lines in the tokens file"),
    OPTION("queue", OPTION_NUMBER, AT(queue), "0|16384", "N", "64",
           "requests that may wait for one tunnel"),
    OPTION("queue-timeout", OPTION_DURATION, AT(queue_timeout_ms), "1ms", "TIME", "10s",
           "how long, before 503"),
    OPTION("hold", OPTION_DURATION, AT(hold_ms), "", "TIME", "5s",
           "for a tunnel that was just lost; 0: not"),
    OPTION("drain", OPTION_DURATION, AT(drain_ms), "", "TIME", "30s",
           "for requests to end, on SIGTERM; 0: a second"),
    OPTION("header-timeout", OPTION_DURATION, AT(header_timeout_ms), "100ms", "TIME", "15s",
           "for a request's head to arrive"),
    OPTION("least-rate", OPTION_NUMBER, AT(least_rate), "0|1M", "BYTES", "250",
           "a second of a request's body, or 408; 0: any"),
    OPTION("request-timeout", OPTION_DURATION, AT(request_timeout_ms), "100ms", "TIME", "60s",
           "without any progress of a request"),
    OPTION("idle-timeout", OPTION_DURATION, AT(idle_timeout_ms), "100ms", "TIME", "75s",
           "between two requests of a connection"),
    OPTION("upgrade-timeout", OPTION_DURATION, AT(upgrade_timeout_ms), "", "TIME", "1h",
           "silence on an upgraded connection; 0: for ever"),
    OPTION("stream-window", OPTION_NUMBER, AT(stream_window), "4096|16M", "BYTES", "256k",
           "of a response that may wait for its visitor"),
    OPTION("buffer-memory", OPTION_NUMBER, AT(buffer_memory), "0|4095M", "BYTES", "64M",
           "more than that, of all streams, by the path"),
    OPTION("ping-interval", OPTION_DURATION, AT(ping_interval_ms), "100ms", "TIME", "25s",
           "between pings to a silent agent"),
    OPTION("ping-timeout", OPTION_DURATION, AT(ping_timeout_ms), "100ms", "TIME", "10s",
           "for an answer to them"),
    OPTION("log-level", OPTION_CHOICE, AT(log_level), "", LOG_LEVELS, "info",
           "debug tells of every request"),
    OPTION("user", OPTION_TEXT, AT(sandbox.user), "", "NAME|UID", "",
           "run as this user, who reads the files again"),
    SANDBOX_OPTIONS(AT(sandbox)),
    OPTION("version", OPTION_ACTION, 0, "", "", "", "prints the version"),
    OPTION("help", OPTION_ACTION, 0, "", "", "", "prints this"),
    { .text = NULL },
};

int config_read(struct config *c, int argc, char **argv, char **rest, int rest_max,
                int *rest_count)
{
    int result = options_parse(table, c, argc, argv, rest, rest_max, rest_count);

    if (result <= 0)
        return result;
    if (strcmp(table[result - 1].text, "version") == 0)
        fmt_text(STDOUT_FILENO, "adit-gateway " ADIT_VERSION "\n");
    else if (fmt_text(STDOUT_FILENO, SYNOPSIS))
        options_help(table, "Options (durations as 250ms, 25s, 5m), each also as ADIT_LOG_LEVEL:");
    return CONFIG_EXIT;
}

/* IPV4:PORT, [IPV6]:PORT, or :PORT for every address; unlike in a URL the port may be 0. */
static bool listen_parse(struct str text, struct ip *ip, uint16_t *port)
{
    size_t n = text.n;
    uint64_t number;
    struct str host = text;

    while (n > 0 && text.p[n - 1] != ':')
        n--;
    if (n == 0 || !ascii_u64((struct str){ text.p + n, text.n - n }, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    host.n = n - 1;
    if (host.n == 0)
        host = STR("0.0.0.0");
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){ host.p + 1, host.n - 2 };
    else if (memchr(host.p, ':', host.n))
        return false;
    return ip_parse(host, ip);
}

static int check_addresses(struct config *c)
{
    if (!listen_parse(str_of(c->listen), &c->listen_ip, &c->listen_port))
        return options_error("--listen: write an address and port such as 0.0.0.0:8443 or "
                             "[::]:8443");
    if (c->listen_http &&
        !listen_parse(str_of(c->listen_http), &c->listen_http_ip, &c->listen_http_port))
        return options_error("--listen-http: write an address and port such as 127.0.0.1:8080");
    if (c->trust_proxy && !cidr_parse(str_of(c->trust_proxy), &c->trust))
        return options_error("--trust-proxy: write a network such as 10.0.0.0/8 or 127.0.0.1");
    return 0;
}

static int check_domain(struct config *c)
{
    uint16_t port;

    if (!c->domain_text)
        return options_error("--domain is missing: write --domain tunnel.example");
    if (strchr(c->domain_text, ':') ||
        uri_authority_parse(str_of(c->domain_text), 80, &c->domain, &port) != 0)
        return options_error("--domain: write a host name such as tunnel.example");
    return 0;
}

int config_check(struct config *c)
{
    int err = check_domain(c);

    if (err == 0)
        err = check_addresses(c);
    if (err != 0)
        return err;
    if (!c->tokens)
        return options_error("--tokens is missing: write --tokens FILE (the token command makes "
                             "its lines)");
    if (c->plain && (c->cert || c->key))
        return options_error("--plain does no TLS: leave out --cert and --key, or --plain");
    if (c->plain && c->client_ca)
        return options_error("--client-ca needs TLS here; leave out --plain");
    if (!c->plain && (!c->cert || !c->key))
        return options_error("write --cert FILE --key FILE, or --plain behind a proxy that does "
                             "TLS");
    return 0;
}
