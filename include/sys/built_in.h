/*
 * What the build puts into the program. scripts/built_in.sh writes the C file.
 */
#ifndef ADIT_BUILT_IN_H
#define ADIT_BUILT_IN_H

#include "codec/buf.h"

/* Certificate authorities (make CA=FILE), as DER. */
extern const struct str built_in_ca[];
extern const size_t built_in_ca_count;
/* Unix seconds before which nobody can run this program: SOURCE_DATE_EPOCH, or the last commit. */
extern const int64_t built_in_time;

#endif
