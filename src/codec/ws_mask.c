#include "codec/ws.h"

#include <string.h>

/* The compiler makes vector instructions of these where there are any. */
struct block {
    uint64_t word[4];
};

static void mask_bytes(uint8_t *p, size_t n, const uint8_t *turned)
{
    for (size_t i = 0; i < n; i++)
        p[i] ^= turned[i & 3];
}

/* Memory order, so the same on either byte order. */
static void turn(uint8_t turned[8], const uint8_t key[4], uint64_t offset)
{
    for (size_t i = 0; i < 8; i++)
        turned[i] = key[(offset + i) & 3];
}

void ws_mask(uint8_t *p, size_t n, const uint8_t key[4], uint64_t offset)
{
    /* Up to a word boundary first: an unaligned word costs two loads and two stores on MIPS. */
    size_t head = (size_t)(0 - (uintptr_t)p) % sizeof(uint64_t);
    uint8_t turned[8];
    struct block block;
    uint64_t word;

    if (head > n)
        head = n;
    turn(turned, key, offset);
    mask_bytes(p, head, turned);
    turn(turned, key, offset + head);
    memcpy(&word, turned, sizeof word);
    for (p += head, n -= head; n >= sizeof block; p += sizeof block, n -= sizeof block) {
        uint8_t *aligned = __builtin_assume_aligned(p, sizeof word);

        memcpy(&block, aligned, sizeof block);
        for (size_t i = 0; i < 4; i++)
            block.word[i] ^= word;
        memcpy(aligned, &block, sizeof block);
    }
    mask_bytes(p, n, turned);
}
