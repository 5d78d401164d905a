/* edits.h - how two texts of a script differ, token by token.
 * Takes two texts; gives the stretches of each that the other has not, and a text with some of them exchanged. What is
 * written between tokens, comments and blanks, is no difference. Knows nothing of what a text means. */
#ifndef CG_EDITS_H
#define CG_EDITS_H
#include "base/strbuf.h"

/* Bytes from[0] .. to[0] of the first text stand where from[1] .. to[1] of the second do: whole tokens; either may be
 * none. */
typedef struct CgEdit {
    uint32_t from[2], to[2];
    bool name; /* one name for another */
} CgEdit;

typedef struct CgEdits {
    CgEdit *at; /* in order */
    size_t n;
} CgEdits;

CgEdits cg_edits_find(const char *a, const char *b);
void cg_edits_free(CgEdits *e);
/* The first text with edit i made where made[i] says so. */
void cg_edits_apply(const char *a, const char *b, const CgEdits *e, const bool *made, CgStrbuf *out);
#endif
