/*
 * What the gateway itself answers: small pages that say what is wrong.
 */
#ifndef ADIT_GATEWAY_PAGE_H
#define ADIT_GATEWAY_PAGE_H

#include "codec/buf.h"

struct page {
    unsigned status;
    struct str text;      /* one sentence; may come from an agent, and is escaped */
    unsigned retry_after; /* seconds; 0: no such field */
    bool websocket;       /* with 426: says what to upgrade to (RFC 9110 section 15.5.22) */
    bool head;            /* answers HEAD: no body */
    bool close;           /* the connection ends with it */
    unsigned minor;       /* the visitor's HTTP/1.minor */
    int64_t unix_now;     /* for Date (RFC 9110 section 6.6.1) */
};

/* A longer text is cut. */
#define PAGE_TEXT_MAX 300
/* Any page, head and body, fits. */
#define PAGE_MAX 2560

void page_write(struct writer *w, const struct page *p);

#endif
