/* columns.c - the columns of a table, before there is a table.
 * Takes a value of the language; gives the names of the columns it will have, and which of them are text. Runs nothing.
 */
#include <string.h>

#include "stage/session.h"

int cg_stage_columns(CgElab *e, CgValue *of, CgAtom *names, int max)
{
    (void)e;
    while (of->kind == CG_VALUE_RECORD && of->n) /* a record of tables: the columns of the first */
        of = of->at[0];
    if (of->kind != CG_VALUE_STAGE)
        return cg_table_call_columns(of, names, max);
    const CgStage *s = of->stage;
    int n = 0;
    for (; n < s->ncolumns && n < max; n++)
        names[n] = s->columns[n].name;
    return n;
}

bool cg_stage_column_is_text(const CgValue *of, CgAtom name)
{
    CgAtom first[1];
    if (of->kind != CG_VALUE_STAGE)
        return cg_table_call_columns(of, first, 1) && first[0] == name;
    const CgStage *s = of->stage;
    for (int i = 0; i < s->ncolumns; i++)
        if (s->columns[i].name == name)
            return cg_column_is_text(s->columns[i].value);
    return false;
}

bool cg_column_is_text(const CgValue *v) { return cg_value_class(v) == &cg_class_tokens; }
