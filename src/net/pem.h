/*
 * The objects of a PEM file, one after the other, each decoded whole into the caller's room. The
 * file is read 512 bytes at a time.
 * Source: RFC 7468; text around the objects is skipped, END's label is not compared with BEGIN's.
 */
#ifndef ADIT_PEM_H
#define ADIT_PEM_H

#include "codec/buf.h"

struct pem_reader {
    /* For the object at hand. take() may move it on, behind what it keeps. */
    uint8_t *room;
    size_t cap;
    /* An object is complete: its label ("CERTIFICATE"; 23 characters of it), and itself, in the
     * room; {NULL, 0} when it is longer than that. False: seen enough. */
    bool (*take)(void *context, const char *label, struct str der);
    void *context;
};

/* Returns 0, or ERR_FILE: unreadable or malformed. */
int pem_walk(const char *path, struct pem_reader *r);
/* The same with a file that is open, from its start; it stays open. */
int pem_walk_fd(int fd, struct pem_reader *r);
/* Is it a certificate's label? */
bool pem_is_certificate(const char *label);

#endif
