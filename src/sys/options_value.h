/*
 * Values of options as text: durations, numbers, decimals, flags, choices; and what to write
 * instead of a malformed one. Used by options.h, and by whoever reads the same forms elsewhere.
 */
#ifndef ADIT_OPTIONS_VALUE_H
#define ADIT_OPTIONS_VALUE_H

#include "sys/options.h"

/* The value of a text for any kind but OPTION_TEXT and OPTION_ACTION, in the units of
 * enum option_kind; of OPTION_LIST how many there can be, without a text. False, and *value stays,
 * when it is malformed or out of bounds. */
bool options_value_parse(const struct option *o, struct str s, uint32_t *value);
/* "a duration such as 250ms, 25s or 5m, from 1s to 1h". */
void options_value_expected(const struct option *o, struct writer *w);

#endif
