/*
 * What a visitor has not taken yet: the memory of his ring, and the window of his stream that it
 * has to hold (window.h). Address space for the largest is there from the start; pages come when
 * they are touched, and are given back when the window shrinks or the visit ends.
 */
#ifndef ADIT_GATEWAY_BUFFER_H
#define ADIT_GATEWAY_BUFFER_H

#include <stddef.h>

/* As large as any machine's pages: rings begin at such, and give back such. */
#define BUFFER_PAGE 65536
#define BUFFER_PAGES(n) (((n) + BUFFER_PAGE - 1) / BUFFER_PAGE * BUFFER_PAGE)

struct conn;

/* He has a stream. */
void buffer_open(struct conn *visitor);
/* n bytes of it were passed on to him: what the agent may send for them. */
size_t buffer_passed(struct conn *visitor, size_t n);
/* His stream has ended, and bytes of it may still be here; or some of those have left. */
void buffer_settle(struct conn *visitor);
/* His connection has ended. */
void buffer_drop(struct conn *visitor);

#endif
