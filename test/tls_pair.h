/* A client and a server transport on a socketpair, with certificates that openssl makes. */
#ifndef ADIT_TEST_TLS_PAIR_H
#define ADIT_TEST_TLS_PAIR_H

#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "err.h"
#include "tap.h"
#include "net/tls_client.h"
#include "net/tls_server.h"
#include "net/transport.h"

static char pair_dir[] = "/tmp/adit-test-XXXXXX";

TAP_PRINTF(1) static bool pair_shell(const char *format, ...)
{
    char command[2048];
    int n = snprintf(command, sizeof command, "cd %s && exec 2>/dev/null; ", pair_dir);
    va_list args;

    va_start(args, format);
    vsnprintf(command + n, sizeof command - (size_t)n, format, args);
    va_end(args);
    return system(command) == 0;
}

/* A path in the directory of the certificates. It lasts: what is loaded may keep it. */
static const char *pair_path(const char *name)
{
    static char text[8192];
    static size_t used;
    char *at = text + used;

    used += (size_t)snprintf(at, sizeof text - used, "%s/%s", pair_dir, name) + 1;
    if (used > sizeof text)
        abort();
    return at;
}

/* NAME.key and a self-signed authority NAME.pem. */
static bool pair_ca(const char *name)
{
    return pair_shell("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout %s.key "
                      "-out %s.pem -subj '/O=adit test/CN=%s'", name, name, name);
}

/* NAME.key by `keygen` (openssl genpkey's options), NAME.pem for tunnel.example, signed by CA. */
static bool pair_leaf(const char *name, const char *keygen, const char *ca, const char *digest)
{
    return pair_shell("openssl genpkey %s -out %s.key && "
                      "printf 'subjectAltName=DNS:tunnel.example,DNS:*.tunnel.example\n' "
                      ">%s.ext && "
                      "openssl req -new -key %s.key -subj /CN=leaf -out %s.csr && "
                      "openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial "
                      "-days 20 -%s -extfile %s.ext -out %s.pem",
                      keygen, name, name, name, name, name, ca, ca, digest, name, name);
}

struct pair {
    struct tls_client client;
    struct tls_server server;
    struct transport c, s;
    uint8_t clear[4][4096];
};

static struct pair pair;
static struct tls_shared pair_shared;
/* How far the server's clock is ahead. */
static int64_t pair_server_ahead;
/* The client's, beside the time it is given: when it was made, and the time it knows. */
static int64_t pair_built, pair_known;
/* Which server the client takes the other end for. */
static unsigned pair_peer = 1;

/* Small socket buffers, so that writes block. */
static void pair_sockets(int fd[2])
{
    int size = 4096;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
        exit(1);
    for (int i = 0; i < 2; i++)
        setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

TAP_UNUSED static bool pair_start(const struct trust *trust, const struct tls_identity *id,
                                  const char *name, int64_t unix_now)
{
    const struct trust_clock clock = { unix_now, pair_built, pair_known };
    static uint8_t seed[32];
    int fd[2];

    seed[0]++;
    pair_sockets(fd);
    pair.client.peer = pair_peer;
    transport_init_tls(&pair.c, fd[0], tls_engine(&pair.client.client.eng));
    transport_init_tls(&pair.s, fd[1], tls_engine(&pair.server.server.eng));
    return tls_client_start(&pair.client, trust, str_of(name), &clock, seed) == 0 &&
           tls_server_start(&pair.server, id, &pair_shared, time(NULL) + pair_server_ahead,
                            seed) == 0;
}

TAP_UNUSED static void pair_start_clear(void)
{
    int fd[2];

    pair_sockets(fd);
    transport_init_clear(&pair.c, fd[0], pair.clear[0], pair.clear[1], sizeof pair.clear[0]);
    transport_init_clear(&pair.s, fd[1], pair.clear[2], pair.clear[3], sizeof pair.clear[0]);
}

/* Pumps both until neither has anything to do. */
TAP_UNUSED static void pair_run(void)
{
    for (int i = 0; i < 200; i++) {
        transport_pump(&pair.c);
        transport_pump(&pair.s);
    }
}

TAP_UNUSED static void pair_end(void)
{
    transport_end(&pair.c);
    transport_end(&pair.s);
}

/* True when openssl is here and the directory could be made. */
TAP_UNUSED static bool pair_begin(void)
{
    tls_shared_forget(&pair_shared);
    return mkdtemp(pair_dir) && pair_shell("openssl version >/dev/null");
}

TAP_UNUSED static void pair_finish(void)
{
    pair_shell("rm -rf %s", pair_dir);
}

#endif
