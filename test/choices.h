/*
 * What a model does next, one choice after another: those of an input, a byte each, and after its
 * end, so that every connection comes to one, those of a generator.
 */
#ifndef ADIT_TEST_CHOICES_H
#define ADIT_TEST_CHOICES_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

static struct {
    const uint8_t *next, *end;
    uint64_t state;
} choices;

static void choices_of_input(const uint8_t *p, size_t n)
{
    choices.next = p;
    choices.end = p + n;
    choices.state = 1;
}

static inline void choices_of_seed(uint64_t seed)
{
    choices_of_input(NULL, 0);
    choices.state += seed * UINT64_C(0x9e3779b97f4a7c15);
}

/* 0 to n - 1. */
static uint32_t below(uint32_t n)
{
    if (choices.next < choices.end)
        return *choices.next++ % n;
    choices.state ^= choices.state << 13;
    choices.state ^= choices.state >> 7;
    choices.state ^= choices.state << 17;
    return (uint32_t)(choices.state >> 32) % n;
}

static inline bool sometimes(uint32_t one_of)
{
    return below(one_of) == 0;
}

#endif
