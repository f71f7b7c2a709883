/* Visitors' connections in every order, cut at every place, seeded: see test/visit_model.h. */
#include "tap.h"

#include "../visit_model.h"

#define RUNS 30000

static unsigned answered, finished, cut, shut, second;

static const char *run_seed(uint64_t seed)
{
    const char *wrong;

    choices_of_seed(seed);
    wrong = run();
    answered += r.asked[0].how == ANSWERED_BY_DEVICE && r.asked[0].whole;
    finished += r.ending == ENDING_FINISH;
    cut += r.ending == ENDING_CUT;
    shut += r.half;
    second += r.current > 0;
    return wrong;
}

int main(void)
{
    const char *wrong = NULL;
    uint64_t seed = 0;

    while (wrong == NULL && seed < RUNS)
        wrong = run_seed(++seed);
    if (!ok(wrong == NULL, "%d connections end as they should", RUNS))
        diag("seed %" PRIu64 ": %s", seed, wrong);
    ok(answered > RUNS / 3 && finished > RUNS / 3 && second > RUNS / 4,
       "%u answered by the device, %u finished, %u with a second request", answered, finished,
       second);
    ok(cut > RUNS / 200 && shut > RUNS / 500, "%u cut, %u shut first at our end", cut, shut);
    return done_testing();
}
