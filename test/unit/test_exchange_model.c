/* Exchanges in every order, cut at every place, seeded: see test/exchange_model.h. */
#include "tap.h"

#include "../exchange_model.h"

#define RUNS 40000

static unsigned completed, failed, repeated;

static const char *run_seed(uint64_t seed)
{
    const char *wrong;

    choices_of_seed(seed);
    wrong = run();
    completed += r.complete;
    failed += r.failed > 0;
    repeated += r.connections > 1;
    return wrong;
}

int main(void)
{
    const char *wrong = NULL;
    uint64_t seed = 0;

    model_init();
    while (wrong == NULL && seed < RUNS)
        wrong = run_seed(++seed);
    if (!ok(wrong == NULL, "%d exchanges end as they should", RUNS))
        diag("seed %" PRIu64 ": %s", seed, wrong);
    ok(completed > RUNS / 4 && failed > RUNS / 8 && repeated > RUNS / 50,
       "%u complete, %u failed, %u on more than one connection", completed, failed, repeated);
    return done_testing();
}
