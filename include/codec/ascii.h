/*
 * Characters, decimal numbers and hex: no locale, no stdio.
 */
#ifndef ADIT_ASCII_H
#define ADIT_ASCII_H

#include "codec/buf.h"

uint8_t ascii_lower(uint8_t c);
uint8_t ascii_upper(uint8_t c);
bool ascii_is_digit(uint8_t c);
/* RFC 9110 section 5.6.2: a character of a token. */
bool ascii_is_tchar(uint8_t c);
/* Of the lowest four bits of value, in lower case. */
uint8_t ascii_hex_digit(uint32_t value);
/* -1 when c is no hex digit. */
int ascii_hex_value(uint8_t c);
/* The whole of s as a decimal number: false when empty, another character, or beyond max. */
bool ascii_u64(struct str s, uint64_t max, uint64_t *value);
/* Digits of value in out[20], not terminated; returns their count. */
size_t ascii_from_u64(uint64_t value, uint8_t out[20]);
/* Lower-case hex, 2 * n characters, not terminated. */
void ascii_to_hex(const uint8_t *in, size_t n, uint8_t *out);
/* 2 * n hex digits of either case into n bytes. */
bool ascii_from_hex(struct str s, uint8_t *out, size_t n);

/* UTC as RFC 3339 has it, "2026-11-23T23:45:01Z", not terminated; until the end of February 2100.
 */
#define ASCII_TIME_LEN 20
#define ASCII_TIME_DATE_LEN 11 /* with the T */
void ascii_time(int64_t unix_seconds, uint8_t out[ASCII_TIME_LEN]);

#endif
