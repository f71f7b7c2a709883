/*
 * How many bytes a connection should have in the kernel that are not sent: what is put there cannot
 * be overtaken any more, not by a ping, nor by credit or another stream's answer. It follows the
 * path, about UNSENT_MS of what that carries: a fast one never runs dry between two turns of the
 * loop, and at 1 Mbit/s an answer waits for 3 KB, not for two seconds of bulk.
 *
 * Where the socket always had something unsent, what it took in a period is what the path carries;
 * where not, the path carries that at least, and the limit may only grow. It shrinks by half in a
 * period at most, so that a pause of a fast path (a lost packet that is waited for) costs little.
 */
#ifndef ADIT_UNSENT_H
#define ADIT_UNSENT_H

#include <stdbool.h>
#include <stdint.h>

#define UNSENT_MS 25
/* Between two looks: long enough that writes of many bytes and pauses of as many even out. */
#define UNSENT_PERIOD_MS 50
/* A period is longer than that, up to this, until so many limits' worth was sent. */
#define UNSENT_PERIOD_MAX_MS 200
#define UNSENT_PERIOD_LIMITS 4
/* More than one packet, less than two. */
#define UNSENT_MIN 2048
#define UNSENT_START 32768
#define UNSENT_MAX 262144

struct unsent {
    uint32_t limit; /* bytes: UNSENT_MIN to UNSENT_MAX */
    /* private */
    int64_t since; /* begin of the period */
    uint64_t sent; /* by then */
    bool at_ease;  /* in it, all was sent */
};

void unsent_init(struct unsent *u, int64_t now);
/* Once a turn. sent: bytes that the socket took, ever; busy: some of them are not sent.
 * True when the limit has changed. */
bool unsent_look(struct unsent *u, uint64_t sent, bool busy, int64_t now);

#endif
