/* columns.c - the columns of a table, before there is a table.
 * Takes a value of the language; gives the names of the columns it will have, and which of them are texts. Runs
 * nothing.
 */
#include <string.h>

#include "elab/signature.h"
#include "stage/session.h"

CgSchema *cg_schema_new(CgElab *e) { return CG_NEW(e->arena, CgSchema); }

bool cg_schema_add(CgElab *e, CgSchema *s, CgAtom name, bool text)
{
    if (cg_schema_find(s, name))
        return false;
    if (s->n == s->cap) {
        CgColumnName *more = CG_NEWN(e->arena, CgColumnName, s->cap = s->cap ? 2 * s->cap : 8);
        if (s->n)
            memcpy(more, s->at, sizeof *more * (size_t)s->n);
        s->at = more;
    }
    s->at[s->n++] = (CgColumnName){ name, text };
    return true;
}

const CgColumnName *cg_schema_find(const CgSchema *s, CgAtom name)
{
    for (int i = 0; i < s->n; i++)
        if (s->at[i].name == name)
            return &s->at[i];
    return NULL;
}

static const CgSchema *of_table(CgElab *e, const CgTable *t)
{
    CgSchema *s = cg_schema_new(e);
    for (int i = 0; i < t->ncolumns; i++)
        cg_schema_add(e, s, cg_intern(t->column[i].name), t->column[i].kind == CG_TEXT);
    return s;
}

const CgSchema *cg_stage_columns(CgElab *e, CgValue *of)
{
    while (
        (of->kind == CG_VALUE_RECORD || of->kind == CG_VALUE_LIST) && of->n) /* of tables: the columns of the first */
        of = of->at[0];
    if (of->kind == CG_VALUE_CALL)
        return of->held;
    if (of->kind == CG_VALUE_OBJECT && of->cls == &cg_class_table && of->held)
        return of_table(e, of->held);
    if (of->kind != CG_VALUE_STAGE)
        return NULL;
    const CgStage *stage = of->stage;
    CgSchema *s = cg_schema_new(e);
    for (int i = 0; i < stage->ncolumns; i++)
        cg_schema_add(e, s, stage->columns[i].name, cg_column_is_text(stage->columns[i].value));
    return s;
}

CgDiag *cg_column_unknown(CgElab *e, CgSpan at, const CgSchema *columns, const char *table, const char *name)
{
    CgSuggest near;
    cg_suggest_init(&near, name);
    for (int i = 0; columns && i < columns->n; i++)
        cg_suggest_offer(&near, columns->at[i].name);
    CgDiag *d = cg_elab_error(e, CG_E0601, at, "the %s has no column '%s'", table, name);
    cg_diag_meant_or_all(d, &near, "its columns are");
    return d;
}

CgValue *cg_table_later(CgElab *e, const CgArguments *a, const CgSchema *columns)
{
    CgValue *v = cg_function_later(e, a, 0);
    v->held = (void *)(uintptr_t)columns;
    return v;
}

bool cg_column_is_text(const CgValue *v)
{
    bool text =
        v->kind == CG_VALUE_CALL && cg_kinds_have(&cg_function_signature(v->function)->result, CG_KIND_STR, NULL);
    return text || cg_value_class(v) == &cg_class_tokens;
}
