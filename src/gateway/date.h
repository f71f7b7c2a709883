/*
 * The time as HTTP writes it: IMF-fixdate, RFC 9110 section 5.6.7.
 */
#ifndef ADIT_GATEWAY_DATE_H
#define ADIT_GATEWAY_DATE_H

#include "codec/buf.h"

#define DATE_LEN 29

/* "Sun, 06 Nov 1994 08:49:37 GMT". unix_now: seconds, not before 1970. */
void date_write(struct writer *w, int64_t unix_now);

#endif
