/*
 * Input: the choices of test/exchange_model.h, as test/choices.h takes them.
 * Properties: the model's.
 */
#include "must.h"

#include "../exchange_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data_in, size_t size)
{
    static bool ready;
    const char *wrong;

    if (!ready)
        model_init();
    ready = true;
    choices_of_input(data_in, size);
    wrong = run();
    if (wrong != NULL)
        fprintf(stderr, "%s\n", wrong);
    MUST(wrong == NULL);
    return 0;
}
