/*
 * The gateway's certificate and key, and what is wrong with them that others would find out: a name
 * that is not in it, a time that it is not for, a usage that is not a server's. Such a certificate
 * is used all the same, since who pins its key connects, and said at the start and at each reload.
 */
#ifndef ADIT_CERTIFICATE_H
#define ADIT_CERTIFICATE_H

#include "config.h"
#include "net/tls_server.h"

/* Loads both files. 0, or ERR_FILE after having said why: as tls_identity_load, or everybody may
 * read the key. */
int certificate_load(const struct config *c, struct tls_identity *identity);

#endif
