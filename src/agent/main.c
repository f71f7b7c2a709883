#include "agent.h"

/* Each stream's, an idle one for each, and the agent's own; some may be inherited. */
#define DESCRIPTORS (2 * STREAMS_MAX + 32)

static struct agent agent;

int main(int argc, char **argv)
{
    int err = config_parse(&agent.config, &agent.target, argc, argv);

    if (err == 0)
        err = gateway_trust_init(&agent);
    if (err != 0)
        return err < 0 ? 2 : 0;
    agent_init(&agent);
    notify_start(&agent.notify, agent.loop.now);
    agent.config.sandbox.descriptors = DESCRIPTORS;
    if (sandbox_enter(&agent.config.sandbox, &agent, sizeof agent) < 0)
        return 2;
    return agent_run(&agent);
}
