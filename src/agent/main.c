#include "agent.h"

static struct agent agent;

int main(int argc, char **argv)
{
    int err = config_parse(&agent.config, &agent.target, argc, argv);

    if (err == 0)
        err = verify_init(&agent);
    if (err != 0)
        return err < 0 ? 2 : 0;
    agent_init(&agent);
    return agent_run(&agent);
}
