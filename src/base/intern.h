/* intern.h - one copy of each string.
 * Takes strings; gives pointers that are equal exactly when the strings are. Process wide, append only, thread safe. */
#ifndef CG_INTERN_H
#define CG_INTERN_H
#include "base/base.h"

typedef const char *CgAtom;
CgAtom cg_intern(const char *s);
CgAtom cg_intern_n(const char *s, size_t n);
CgAtom cg_intern_printf(const char *format, ...) CG_PRINTF(1, 2); /* of any length */
#endif
