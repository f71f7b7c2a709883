/*
 * Random bytes from the kernel (getrandom, or /dev/urandom where the kernel has no getrandom),
 * through a stock for the many small ones.
 */
#ifndef ADIT_ENTROPY_H
#define ADIT_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 1: filled; 0: the kernel is not seeded yet (early boot): ask again later; < 0 ERR_SYS.
 * n is at most 256: the kernel gives that much in one piece. Keys and seeds come from here.
 * /dev/urandom does not tell whether it is seeded: there, early boot is not noticed. */
int entropy_get(void *out, size_t n);

/* A stock of random bytes, refilled 256 at a time: frame masks (RFC 6455 section 5.3 wants them
 * unpredictable) at one system call per 64 frames. Starts as all zeroes. */
struct entropy {
    uint8_t stock[256];
    size_t left;
};
/* n is at most 256. Waits for the kernel's seed if nobody asked entropy_get before; ends the
 * program when the kernel has no random bytes at all. */
void entropy_stock(struct entropy *e, void *out, size_t n);
uint32_t entropy_u32(struct entropy *e);

#endif
