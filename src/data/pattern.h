/* pattern.h - regular expressions of files.
 * Takes an expression in Perl's syntax, or characters that stand for themselves; gives where it matches in a text.
 * Must not take a time that grows faster than the text, nor loop for ever on a bad expression. */
#ifndef CG_PATTERN_H
#define CG_PATTERN_H
#include "base/err.h"

typedef struct CgPattern CgPattern;
/* `literal`: characters that stand for themselves. NULL after a mistake, which says where. */
CG_NODISCARD CgPattern *cg_pattern_new(const char *expression, bool literal, const char *path, CgErr *e);
void cg_pattern_free(CgPattern *p); /* NULL is fine */
/* A text to be searched from its beginning to its end; what is no UTF-8 matches nothing. */
typedef struct CgSearch {
    CgPattern *pattern;
    const char *text;
    size_t len, at;
    bool utf8;
} CgSearch;
CgSearch cg_pattern_search(CgPattern *p, const char *text, size_t len);
/* The next match; false: there is none, or only after more work than is allowed. */
bool cg_search_next(CgSearch *s, size_t *from, size_t *to);
#endif
