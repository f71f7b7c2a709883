/*
 * What a caller has promised, checked in test builds (ADIT_CHECKS, which the sanitized boards set):
 * a broken promise ends the program there. It matters most where memory of our own hides an overrun
 * from AddressSanitizer. Shipped programs have none of it.
 */
#ifndef ADIT_CHECK_H
#define ADIT_CHECK_H

#ifdef ADIT_CHECKS
#define CHECK(promise) ((promise) ? (void)0 : __builtin_trap())
#else
#define CHECK(promise) ((void)0)
#endif

#endif
