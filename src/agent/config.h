/*
 * The agent's options: one table for the command line, the environment and --help.
 */
#ifndef ADIT_CONFIG_H
#define ADIT_CONFIG_H

#include "codec/uri.h"
#include "core/goaway.h"
#include "core/homes.h"
#include "identity.h"
#include "net/trust.h"
#include "sys/options.h"
#include "sys/sandbox.h"
#include "version.h"

#define CONFIG_PINS_MAX TRUST_PINS_MAX
/* The path of the state file; ".new" follows it while it is written. */
#define CONFIG_STATE_MAX 250

/* What Auth says that this is, and what follows it with --id-from. */
#define CONFIG_AGENT_NAME "adit/" ADIT_VERSION

enum config_protocol { CONFIG_AUTO, CONFIG_TLV, CONFIG_JSON, CONFIG_PLAIN };

struct config {
    const char *url[HOMES_MAX];
    const char *token_file;
    const char *token;
    const char *id_from;
    const char *local;
    const char *host_header;
    const char *ca;
    const char *pin[CONFIG_PINS_MAX];
    const char *server_name;
    const char *state;
#ifdef ADIT_MTLS
    const char *client_cert;
    const char *client_key;
#endif
    const char *goaway_host[GOAWAY_HOSTS_MAX];
    uint32_t protocol; /* enum config_protocol */
    uint32_t max_attempts;
    uint32_t base_delay_ms;
    uint32_t max_delay_ms;
    uint32_t factor_milli;
    uint32_t jitter_milli;
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t connect_timeout_ms;
    uint32_t request_timeout_ms;
    uint32_t stats_interval_ms;
    uint32_t return_after_ms;
    uint32_t drain_ms;
    uint32_t log_level;
    bool allow_plaintext;
    struct sandbox sandbox;
};

/* What is made of it. */
struct target {
    struct uri uri[HOMES_MAX]; /* where to dial, in order of preference */
    unsigned uri_count;
    bool any_tls;
    struct str local_host;     /* name or address of the local server; empty: a unix socket */
    uint16_t local_port;
    struct str local_path;     /* of the unix socket */
    uint8_t local_text[HOST_MAX + 8]; /* Host for requests that have none */
    size_t local_text_len;
    uint8_t token[TOKEN_MAX];
    size_t token_len;
    uint8_t new_token[TOKEN_MAX + 2]; /* while it is read: with the line's end */
    int token_fd;              /* of the file; 0: none */
    uint8_t agent[sizeof CONFIG_AGENT_NAME + IDENTITY_MAX]; /* name, version, identity */
    size_t agent_len;
};

/* Parses and checks. 0: go on; 1: all is said (--help, --version); ERR_USAGE: said what to write
 * instead. */
int config_parse(struct config *c, struct target *t, int argc, char **argv);

/* ---- token.c ---- */
/* The token, from wherever it is given. In argv and the environment it is overwritten. 0 or
 * ERR_USAGE, said: a file that others can read is refused, as one without a token. */
int token_init(const struct config *c, struct target *t, int argc, char **argv);
/* Of what open() returned: what is wrong with a file that nobody else may read; NULL: nothing. */
const char *token_file_problem(int fd);
/* Reads the token file again, or the file that was opened at the start, which is said. The same, in
 * the log, and the token is the old one after an error. */
int token_read(const struct config *c, struct target *t);

#endif
