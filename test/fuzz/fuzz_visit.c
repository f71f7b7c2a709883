/*
 * Input: the choices of test/visit_model.h, a byte each; those of a generator follow.
 * Properties: the model's.
 */
#include "must.h"

#include "../visit_model.h"

static const uint8_t *choice, *choices_end;
static uint64_t state;

static uint32_t below(uint32_t n)
{
    if (choice < choices_end)
        return *choice++ % n;
    /* An end to every connection. */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data_in, size_t size)
{
    const char *wrong;

    choice = data_in;
    choices_end = data_in + size;
    state = 1;
    wrong = run();
    if (wrong != NULL)
        fprintf(stderr, "%s\n", wrong);
    MUST(wrong == NULL);
    return 0;
}
