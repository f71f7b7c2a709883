/*
 * tls-probe PORT NAME NOW BUILT KNOWN CA|sha256:PIN: the client's TLS at any time, for tests: the
 * agent itself asks the clock. Connects to 127.0.0.1, tells the verdict, then how the connection
 * ended, or that it still stands after half a second.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/entropy.h"
#include "err.h"
#include "net/tls_client.h"
#include "net/transport.h"

#define HANDSHAKE_MS 10000
#define STAND_MS 500

static struct tls_client client;
static struct transport transport;
static struct trust trust;

static const char *text_of(int err)
{
    return err == ERR_TLS ? tls_error_text(transport.tls_err) : err_text(err);
}

/* Until the transport is ready (or, once it is, forever), has failed, or the time is over. */
static void pump_until(bool ready, int64_t deadline)
{
    size_t n;

    while (!transport.err && !(ready && transport_ready(&transport)) && clock_ms() < deadline) {
        unsigned want = transport_want(&transport);
        struct pollfd p = { .fd = transport.fd };

        if (want & NET_IN)
            p.events |= POLLIN;
        if (want & NET_OUT)
            p.events |= POLLOUT;
        poll(&p, 1, (int)(deadline - clock_ms()));
        transport_pump(&transport);
        while (!ready && transport_recv_buf(&transport, &n) != NULL)
            transport_recv_ack(&transport, n);
    }
}

static bool trust_in(const char *what)
{
    return strncmp(what, "sha256:", 7) == 0 ? trust_add_pin(&trust, str_of(what)) == 0
                                            : trust_add_file(&trust, what) > 0;
}

static int probe(void)
{
    pump_until(true, clock_ms() + HANDSHAKE_MS);
    if (!transport_ready(&transport)) {
        printf("refused: %s\n", transport.err ? text_of(transport.err) : err_text(ERR_TIMEOUT));
        return 1;
    }
    printf("accepted\n");
    fflush(stdout);
    pump_until(false, clock_ms() + STAND_MS);
    printf("%s\n", transport.err ? text_of(transport.err) : "it stands");
    return 0;
}

int main(int argc, char **argv)
{
    struct ip local = { { 127, 0, 0, 1 }, 4 };
    struct trust_clock clock;
    uint8_t seed[32];

    signal(SIGPIPE, SIG_IGN);
    if (argc != 7 || !trust_in(argv[6]) || entropy_get(seed, sizeof seed) <= 0)
        return 2;
    clock = (struct trust_clock){ atoll(argv[3]), atoll(argv[4]), atoll(argv[5]) };
    if (tls_client_start(&client, &trust, str_of(argv[2]), &clock, seed) < 0)
        return 2;
    transport_init_tls(&transport, sock_connect(&local, (uint16_t)atoi(argv[1])),
                       tls_engine(&client.client.eng));
    return probe();
}
