/* foreign.c - words of other languages, and what cg writes instead.
 * Takes a word and where it stands; gives cg's form. Must not know what cg itself has: who asks has looked. */
#include "lang/foreign.h"

#include <string.h>

static const CgForeign rows[] = {
#define FOREIGN(where, word, instead, help) { CG_FOREIGN_##where, word, instead, help },
#include "../grammar/foreign.def"
#undef FOREIGN
};

const CgForeign *cg_foreign_at(size_t i) { return i < CG_LEN(rows) ? &rows[i] : NULL; }

const CgForeign *cg_foreign(CgForeignWhere where, const char *word)
{
    for (size_t i = 0; i < CG_LEN(rows); i++)
        if (rows[i].where == where && !strcmp(rows[i].word, word))
            return &rows[i];
    return NULL;
}

void cg_foreign_answer(CgDiag *d, const CgForeign *row)
{
    if (row->help[0])
        cg_diag_help(d, "%s", row->help);
    else
        cg_diag_help(d, "did you mean '%s'?", row->instead);
    if (row->instead[0])
        cg_diag_fix_word(d, row->word, row->instead);
}

bool cg_foreign_or_near(CgDiag *d, CgForeignWhere where, const CgSuggest *near)
{
    const CgForeign *row = cg_foreign(where, near->word);
    if (row && d)
        cg_foreign_answer(d, row);
    return row || cg_diag_meant(d, near);
}
