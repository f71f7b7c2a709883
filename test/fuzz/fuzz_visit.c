/*
 * Input: the choices of test/visit_model.h, as test/choices.h takes them.
 * Properties: the model's.
 */
#include "must.h"

#include "../visit_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data_in, size_t size)
{
    const char *wrong;

    choices_of_input(data_in, size);
    wrong = run();
    if (wrong != NULL)
        fprintf(stderr, "%s\n", wrong);
    MUST(wrong == NULL);
    return 0;
}
