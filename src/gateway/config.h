/*
 * The gateway's options: one table, one struct.
 */
#ifndef ADIT_GATEWAY_CONFIG_H
#define ADIT_GATEWAY_CONFIG_H

#include "cidr.h"
#include "sys/options.h"
#include "sys/sandbox.h"

struct config {
    /* as given */
    const char *listen, *listen_http, *domain_text, *tokens, *cert, *key, *client_ca,
        *trust_proxy;
    bool plain;
    uint32_t public_port;
    uint32_t max_tunnels, max_requests, max_streams, max_names, queue, stream_window, buffer_memory;
    uint32_t max_per_address, connect_rate, request_rate, least_rate;
    uint32_t header_timeout_ms, request_timeout_ms, idle_timeout_ms, queue_timeout_ms, hold_ms,
        drain_ms, upgrade_timeout_ms, ping_interval_ms, ping_timeout_ms;
    uint32_t log_level;
    struct sandbox sandbox;
    /* derived */
    struct str domain; /* without a dot at its end */
    struct ip listen_ip, listen_http_ip;
    uint16_t listen_port, listen_http_port;
    struct cidr trust; /* len 0: nobody */
};

enum { CONFIG_RUN, CONFIG_EXIT };

/*
 * Reads the command line. CONFIG_RUN; CONFIG_EXIT: --version or --help was served; ERR_USAGE, with
 * a line on standard error. `rest`: up to rest_max arguments that are no options.
 */
int config_read(struct config *c, int argc, char **argv, char **rest, int rest_max,
                int *rest_count);
/* Checks what the table cannot, and fills the derived part; 0 or ERR_USAGE. */
int config_check(struct config *c);

#endif
