#include "agent.h"

#include "err.h"
#include "fmt.h"
#include "log.h"

/* Where systems keep their CA bundle: Debian and OpenWrt, Fedora, BusyBox images, FreeBSD. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
};

static struct agent agent;

static int load_trust(struct agent *a)
{
    size_t i;

    if (!a->target.uri.tls)
        return 0;
    if (a->config.ca != NULL)
        return trust_add_file(&a->trust, a->config.ca) < 0
                   ? options_error("--ca has no usable CA certificate; write a PEM file") : 0;
    for (i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
        if (trust_add_file(&a->trust, bundles[i]) >= 0)
            return 0;
    }
    return options_error("this system has no CA bundle; write --ca FILE");
}

int main(int argc, char **argv)
{
    int err = config_parse(&agent.config, &agent.target, argc, argv);

    if (err == 0)
        err = load_trust(&agent);
    if (err != 0)
        return err < 0 ? 2 : 0;
    agent_init(&agent);
    return agent_run(&agent);
}
