/* diag_list.h - what a list of mistakes holds; for diag.c and diag_text.c only.
 * Takes nothing; gives the structs. Everyone else goes through diag.h. */
#ifndef CG_DIAG_LIST_H
#define CG_DIAG_LIST_H
#include "base/arena.h"
#include "base/diag.h"

typedef enum CgDiagItemKind { CG_ITEM_LABEL, CG_ITEM_NOTE, CG_ITEM_HELP, CG_ITEM_FIX } CgDiagItemKind;

typedef struct CgDiagItem {
    struct CgDiagItem *next; /* in the order they were added */
    CgDiagItemKind kind;
    CgSpan span; /* file 0: words only */
    const char *text;
} CgDiagItem;

struct CgDiag {
    struct CgDiag *next; /* in the order they were found */
    CgDiags *list;
    size_t serial;
    CgCode code;
    CgSpan span;
    const char *message;
    CgDiagItem *items;
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
