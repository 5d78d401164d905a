/* text.h - a stretch of bytes that belongs to somebody else, and what names of files end in.
 * Takes nothing; gives CgText. Must not say anything about what the bytes mean. */
#ifndef CG_DATA_TEXT_H
#define CG_DATA_TEXT_H
#include <string.h>

#include <cg/reader.h>

#include "base/base.h"

/* Whether a name of n bytes ends so and begins with something else. */
static inline bool cg_text_ends(const char *name, size_t n, const char *ending)
{
    size_t k = strlen(ending);
    return n > k && memcmp(name + n - k, ending, k) == 0;
}

/* A plain number that is the whole text, blanks around it left out: 12, -0.5, 1e-3, nan. Locales do not matter. */
CG_NODISCARD bool cg_text_number(CgText t, double *out);
/* Whether such a number lost no digit when it became x: integers are to be exact, numbers with a point or an exponent
 * are the nearest there is. */
CG_NODISCARD bool cg_text_is_exact(CgText t, double x);
/* Whether such a number became infinite, as 1e400 does, and was not written as "inf". */
CG_NODISCARD bool cg_text_is_beyond(CgText t, double x);
#endif
