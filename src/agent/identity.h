/*
 * The device's identity, for --id-from: which of a fleet this is. No secret, and no proof: it goes
 * to the gateway's log behind the agent's name and version (WIRE.md, field `agent`).
 */
#ifndef ADIT_IDENTITY_H
#define ADIT_IDENTITY_H

#include "codec/buf.h"

#define IDENTITY_MAX 64

/* `from` is "mac:INTERFACE" or "file:PATH", of which the first line counts, or what comes before a
 * zero byte (a property of the device tree). Returns its length, or ERR_USAGE, said. */
int identity_read(const char *from, uint8_t out[IDENTITY_MAX]);

#endif
