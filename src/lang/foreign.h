/* foreign.h - words of other languages, and what cg writes instead.
 * Takes a word that nothing of cg is called, and where it stands; gives the row of grammar/foreign.def that answers it.
 */
#ifndef CG_FOREIGN_H
#define CG_FOREIGN_H
#include "base/diag.h"

typedef enum CgForeignWhere {
    CG_FOREIGN_NAME,   /* a value, or what is called */
    CG_FOREIGN_CALL,   /* what is called */
    CG_FOREIGN_MODULE, /* before a point */
    CG_FOREIGN_MEMBER, /* after a module of another language and a point */
    CG_FOREIGN_LIST,   /* after a list and a point; likewise the next seven */
    CG_FOREIGN_RECORD,
    CG_FOREIGN_TEXT,
    CG_FOREIGN_TENSOR,
    CG_FOREIGN_MODEL,
    CG_FOREIGN_TABLE, /* or a column, or groups */
    CG_FOREIGN_TOKENIZER,
    CG_FOREIGN_BATCH,    /* where it has a field of the name that stands instead */
    CG_FOREIGN_IMPORT,   /* a module that is imported: the first word of its path */
    CG_FOREIGN_ARGUMENT, /* the name of an argument */
    CG_FOREIGN_TRAIN,    /* a field of train */
    CG_FOREIGN_TYPE,
    CG_FOREIGN_STATEMENT, /* the first word of a statement */
    CG_FOREIGN_PREFIX,    /* before a value */
    CG_FOREIGN_PLOT,      /* a kind of figure: after plot. */
} CgForeignWhere;

typedef struct CgForeign {
    CgForeignWhere where;
    const char *word;
    const char *instead; /* what can stand in its place, or "" */
    const char *help;    /* cg's form, or "" */
} CgForeign;

/* The row of a word there, NULL if there is none. */
const CgForeign *cg_foreign(CgForeignWhere where, const char *word);
/* The rows in order, NULL past the last. */
const CgForeign *cg_foreign_at(size_t i);
/* Says a row's help on a message whose span is the word, with a fix where the word alone is changed. */
void cg_foreign_answer(CgDiag *d, const CgForeign *row);
/* "did you mean", where a name that fits is near, else what the word is in cg; false: neither. d may be NULL. */
bool cg_foreign_or_near(CgDiag *d, CgForeignWhere where, const CgSuggest *near);
#endif
