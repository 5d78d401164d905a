/* diag_list.h - what a list of mistakes holds; for diag.c and diag_text.c only.
 * Takes nothing; gives the structs. Everyone else goes through diag.h. */
#ifndef CG_DIAG_LIST_H
#define CG_DIAG_LIST_H
#include "base/arena.h"
#include "base/diag.h"

typedef enum CgPartKind { CG_PART_LABEL, CG_PART_NOTE, CG_PART_HELP, CG_PART_FIX } CgPartKind;

typedef struct CgDiagPart {
    struct CgDiagPart *next; /* in the order they were added */
    CgPartKind kind;
    CgSpan span; /* file 0: words only */
    const char *text;
} CgDiagPart;

struct CgDiag {
    struct CgDiag *next; /* in the order they were found */
    CgDiags *list;
    size_t serial;
    CgCode code;
    CgSpan span;
    const char *message;
    CgDiagPart *parts;
    int exit; /* 1, 3 or 130; 0: a warning */
};

struct CgDiags {
    CgSources *sources; /* borrowed */
    CgArena *arena;
    CgDiag *first, *last;
    size_t count, warnings;
};

/* All of them by place, each once; the caller frees the list. */
const CgDiag **cg_diags_sorted(const CgDiags *d, size_t *n);
#endif
