/* Clocks. */
#ifndef ADIT_CLOCK_H
#define ADIT_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: all timers. */
int64_t clock_ms(void);
/* Unix seconds of CLOCK_REALTIME: certificate validation and timestamps only. */
int64_t clock_unix(void);

#endif
