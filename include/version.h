/*
 * Of both programs, and of the packages that are made of them: their files read this line.
 */
#ifndef ADIT_VERSION_H
#define ADIT_VERSION_H

#define ADIT_VERSION "0.1.0"

#endif
