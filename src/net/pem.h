/*
 * The objects of a PEM file, one after the other, decoded as they are read (512 bytes at a time).
 * Source: RFC 7468; text around the objects is skipped.
 */
#ifndef ADIT_PEM_H
#define ADIT_PEM_H

#include <stdbool.h>
#include <stddef.h>

/* The label of an object is in `name` ("CERTIFICATE") from begin to end. */
struct pem_visitor {
    void (*begin)(void *context, const char *name);
    void (*data)(void *context, const void *der, size_t n);
    bool (*end)(void *context); /* false: seen enough */
};

/* Returns the number of objects that were begun, or ERR_FILE (unreadable or malformed). */
int pem_walk(const char *path, const struct pem_visitor *visitor, void *context);
/* The same with a file that is open, from its start; it stays open. */
int pem_walk_fd(int fd, const struct pem_visitor *visitor, void *context);
/* Is it a certificate's label? */
bool pem_is_certificate(const char *name);

#endif
