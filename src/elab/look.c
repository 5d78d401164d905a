/* look.c - what stands at a place of a script.
 * Takes each value as it is found; keeps those of the narrowest span around the place. */
#include "elab/look.h"

#include <string.h>

#include "elab/elab.h"

enum { MOST = 4 }; /* a graph may be applied at many sizes */

/* Tensors and sizes as types say them, numbers and texts as they are, all else by its kind. */
static void describe(CgElab *e, const CgValue *v, CgStrbuf *out)
{
    switch (v->kind) {
    case CG_VALUE_POISON:
    case CG_VALUE_UNKNOWN: return;
    case CG_VALUE_TENSOR: cg_type_print(cg_value_type(e, v), out); return;
    case CG_VALUE_DIM: cg_dim_print(v->dim, out); return;
    case CG_VALUE_NONE:
    case CG_VALUE_INT:
    case CG_VALUE_FLOAT:
    case CG_VALUE_BOOL:
    case CG_VALUE_STR: cg_value_print(v, out); return;
    case CG_VALUE_INSTANCE: cg_strbuf_printf(out, "a model: %s", v->instance->stmt->names[0]); return;
    case CG_VALUE_LIST:
        cg_strbuf_puts(out, v->open ? "a list" : "a list of ");
        if (!v->open)
            cg_strbuf_printf(out, "%d", v->n);
        if (v->n && (v->at[0]->kind == CG_VALUE_TENSOR || v->at[0]->kind == CG_VALUE_INSTANCE)) {
            cg_strbuf_puts(out, ", each ");
            describe(e, v->at[0], out);
        }
        return;
    case CG_VALUE_RECORD:
        cg_strbuf_puts(out, "a record of");
        for (int i = 0; i < v->n && i < 8; i++)
            cg_strbuf_printf(out, "%s %s", i ? "," : "", v->keys[i]);
        cg_strbuf_puts(out, v->n > 8 ? " .." : "");
        return;
    default: cg_strbuf_puts(out, cg_value_kind_name(v));
    }
}

void cg_look(CgElab *e, CgSpan span, const CgValue *v)
{
    CgLook *look = e->look;
    if (!look || span.file != look->file || look->offset < span.start || look->offset > span.end || !v)
        return;
    uint32_t width = span.end - span.start, least = look->span.end - look->span.start;
    if (look->span.file && width > least)
        return;
    CgStrbuf text = { 0 };
    describe(e, v, &text);
    if (text.len && (!look->span.file || width < least)) {
        look->span = span;
        look->n = 0;
        cg_strbuf_deinit(&look->text);
    }
    if (text.len && look->n < MOST && !strstr(cg_strbuf_str(&look->text), cg_strbuf_str(&text))) {
        cg_strbuf_printf(&look->text, "%s%s", look->n ? "\n" : "", cg_strbuf_str(&text));
        look->n++;
    }
    cg_strbuf_deinit(&text);
}
