/* value.c - values: making, naming, printing.
 * Takes an elaboration's arena; gives values. Decides nothing. */
#include "elab/elab.h"
#include "elab/signature.h"

#include <math.h>
#include <string.h>

enum { COST = 64 }; /* bytes that a value is counted as, besides its elements */

CgValue *cg_value_new(CgElab *e, CgValueKind kind, CgSpan span)
{
    CgValue *v = CG_NEW(e->arena, CgValue);
    e->budget.bytes += COST;
    v->kind = kind;
    v->span = span;
    if (kind == CG_VALUE_TENSOR)
        v->tensor = CG_NEW(e->arena, CgTensorValue);
    return v;
}

CgValue *cg_value_unknown(CgElab *e, CgUnknown what, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_UNKNOWN, span);
    v->known = (uint8_t)what;
    return v;
}

CgValue *cg_value_poison(CgElab *e) { return cg_value_new(e, CG_VALUE_POISON, (CgSpan){ 0 }); }

CgValue *cg_value_int(CgElab *e, int64_t i, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_INT, span);
    v->i = i;
    return v;
}

CgValue *cg_value_float(CgElab *e, double d, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_FLOAT, span);
    v->f = d;
    return v;
}

CgValue *cg_value_bool(CgElab *e, bool b, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_BOOL, span);
    v->i = b;
    return v;
}

CgValue *cg_value_str(CgElab *e, const char *s, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_STR, span);
    v->s = cg_intern(s);
    return v;
}

CgValue *cg_value_dim(CgElab *e, const CgDim *d, CgSpan span)
{
    int64_t i;
    bool number = cg_dim_is_int(d, &i);
    CgValue *v = number ? cg_value_int(e, i, span) : cg_value_new(e, CG_VALUE_DIM, span);
    if (!number)
        v->dim = d;
    v->is_size = true;
    return v;
}

CgValue *cg_value_list(CgElab *e, int n, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_LIST, span);
    v->n = n;
    v->at = CG_NEWN(e->arena, CgValue *, n + 1);
    e->budget.bytes += (int64_t)sizeof *v->at * n;
    return v;
}

/* Every range is a list: for what looks at elements. */
CgValue *cg_value_laid_out(CgElab *e, CgValue *v)
{
    if (v->kind == CG_VALUE_RANGE) {
        bool good = cg_budget_take(e, (int64_t)v->n * COST, v->span);
        CgValue *out = good ? cg_value_list(e, v->n, v->span) : cg_value_poison(e);
        for (int i = 0; good && i < v->n; i++)
            out->at[i] = cg_value_int(e, v->i + i, v->span);
        return out;
    }
    CgValue *out = v;
    for (int i = 0; i < v->n && v->kind == CG_VALUE_LIST; i++) {
        CgValue *inner = cg_value_laid_out(e, v->at[i]);
        if (inner == v->at[i])
            continue;
        if (out == v) {
            out = cg_value_list(e, v->n, v->span);
            memcpy(out->at, v->at, sizeof *v->at * (size_t)v->n);
            out->open = v->open;
        }
        out->at[i] = inner;
    }
    return out;
}

CgValue *cg_value_record(CgElab *e, int n, CgSpan span)
{
    CgValue *v = cg_value_list(e, n, span);
    v->kind = CG_VALUE_RECORD;
    v->keys = CG_NEWN(e->arena, CgAtom, n + 1);
    return v;
}

CgValue *cg_value_object(CgElab *e, const CgClass *cls, const char *maker, int n, CgSpan span)
{
    CgValue *v = cg_value_record(e, n, span);
    v->kind = CG_VALUE_OBJECT;
    v->cls = cls;
    v->s = cg_intern(maker);
    return v;
}

CgValue *cg_value_held(CgElab *e, const CgClass *cls, void *held)
{
    CgValue *v = cg_value_object(e, cls, cls->name, 0, (CgSpan){ 0 });
    v->held = held;
    return v;
}

CgValue *cg_value_tensor(CgElab *e, CgRef ref, CgSpan span)
{
    CgValue *v = cg_value_new(e, CG_VALUE_TENSOR, span);
    v->tensor->ref = ref;
    for (int i = 0; i < CG_MAX_RANK; i++)
        v->tensor->origin[i] = span;
    return v;
}

const CgType *cg_value_type(CgElab *e, const CgValue *tensor)
{
    CG_ASSERT(tensor->kind == CG_VALUE_TENSOR && e->model, "a tensor has a type while its graph is being built");
    return cg_node_type(e->model->build.graph, tensor->tensor->ref);
}

const char *cg_value_kind_name(const CgValue *v)
{
    switch (v->kind) {
    case CG_VALUE_POISON: return "a mistake";
    case CG_VALUE_UNKNOWN: return "something unknown";
    case CG_VALUE_NONE: return "none";
    case CG_VALUE_INT: return "an integer";
    case CG_VALUE_DIM: return "a size";
    case CG_VALUE_FLOAT: return "a number";
    case CG_VALUE_BOOL: return "a truth value";
    case CG_VALUE_STR: return "a string";
    case CG_VALUE_RANGE:
    case CG_VALUE_LIST: return "a list";
    case CG_VALUE_RECORD: return "a record";
    case CG_VALUE_DTYPE: return "an element type";
    case CG_VALUE_DEF: return "a function";
    case CG_VALUE_GRAPH: return "a graph";
    case CG_VALUE_INSTANCE: return "a model";
    case CG_VALUE_TENSOR: return "a tensor";
    case CG_VALUE_OP: return "an op";
    case CG_VALUE_FUNCTION: return "a function";
    case CG_VALUE_OBJECT: return v->cls->article;
    case CG_VALUE_CALL: {
        const CgClass *cls = cg_value_class(v);
        return cls ? cls->article : "a value known only when the script runs";
    }
    case CG_VALUE_STAGE: return "a table of an evaluation";
    case CG_VALUE_COLUMN: return cg_value_class(v)->article;
    }
    return "a value";
}

const CgClass *cg_value_class(const CgValue *v)
{
    switch (v->kind) {
    case CG_VALUE_OBJECT: return v->cls;
    case CG_VALUE_COLUMN: return v->cls ? v->cls : &cg_class_column;
    case CG_VALUE_STAGE: return &cg_class_table;
    case CG_VALUE_INSTANCE: return &cg_class_model;
    case CG_VALUE_CALL: {
        const CgKinds *result = &cg_function_signature(v->function)->result;
        for (int i = 0; i < result->n; i++)
            if (result->at[i].tag == CG_KIND_CLASS)
                return result->at[i].cls;
        return NULL;
    }
    default: return NULL;
    }
}

CgValue *cg_record_find(const CgValue *v, CgAtom key)
{
    for (int i = 0; i < v->n; i++)
        if (v->keys[i] == key)
            return v->at[i];
    return NULL;
}

bool cg_value_number(const CgValue *v, double *out)
{
    if (v->kind == CG_VALUE_INT)
        *out = (double)v->i;
    else if (v->kind == CG_VALUE_FLOAT)
        *out = v->f;
    else
        return false;
    return true;
}

const CgDim *cg_value_as_dim(const CgValue *v)
{
    return v->kind == CG_VALUE_INT ? cg_dim_int(v->i) : v->kind == CG_VALUE_DIM ? v->dim : NULL;
}

static void print_list(const CgValue *v, const char *open, const char *close, CgStrbuf *out)
{
    cg_strbuf_puts(out, open);
    for (int i = 0; i < v->n; i++) {
        if (i)
            cg_strbuf_puts(out, ", ");
        if (v->keys && v->keys[i])
            cg_strbuf_printf(out, "%s: ", v->keys[i]);
        if (v->at[i])
            cg_value_print(v->at[i], out);
    }
    cg_strbuf_puts(out, close);
}

void cg_value_print(const CgValue *v, CgStrbuf *out)
{
    switch (v->kind) {
    case CG_VALUE_POISON:
    case CG_VALUE_UNKNOWN: cg_strbuf_puts(out, "<mistake>"); return;
    case CG_VALUE_NONE: cg_strbuf_puts(out, "none"); return;
    case CG_VALUE_INT: cg_strbuf_printf(out, "%lld", (long long)v->i); return;
    case CG_VALUE_DIM: cg_dim_print(v->dim, out); return;
    case CG_VALUE_FLOAT: {
        char text[40] = "nan"; /* its sign means nothing */
        for (int digits = 6; digits <= 17 && !isnan(v->f); digits++) {
            snprintf(text, sizeof text, "%.*g", digits, v->f);
            if (strtod(text, NULL) == v->f)
                break;
        }
        cg_strbuf_puts(out, text);
        return;
    }
    case CG_VALUE_BOOL: cg_strbuf_puts(out, v->i ? "true" : "false"); return;
    case CG_VALUE_STR: cg_strbuf_puts(out, v->s); return;
    case CG_VALUE_RANGE:
        for (int i = 0; i < v->n; i++)
            cg_strbuf_printf(out, "%s%lld", i ? ", " : "[", (long long)(v->i + i));
        cg_strbuf_puts(out, v->n ? "]" : "[]");
        return;
    case CG_VALUE_LIST: print_list(v, "[", "]", out); return;
    case CG_VALUE_RECORD: print_list(v, "{ ", " }", out); return;
    case CG_VALUE_OBJECT:
        cg_strbuf_puts(out, v->s);
        print_list(v, "(", ")", out);
        return;
    case CG_VALUE_DTYPE: cg_strbuf_puts(out, cg_dtype_name((CgDtype)v->i)); return;
    case CG_VALUE_DEF: cg_strbuf_printf(out, "def %s", v->stmt->names[0]); return;
    case CG_VALUE_GRAPH: cg_strbuf_printf(out, "graph %s", v->stmt->names[0]); return;
    case CG_VALUE_INSTANCE: cg_strbuf_printf(out, "%s(..)", v->instance->stmt->names[0]); return;
    case CG_VALUE_TENSOR: cg_strbuf_puts(out, "tensor"); return;
    case CG_VALUE_OP: cg_strbuf_printf(out, "op %s", v->op->name); return;
    case CG_VALUE_FUNCTION: cg_strbuf_printf(out, "function %s", v->function->name); return;
    case CG_VALUE_CALL:
        cg_strbuf_puts(out, v->function->name);
        print_list(v, "(", ")", out);
        return;
    case CG_VALUE_STAGE: cg_strbuf_puts(out, "stage"); return;
    case CG_VALUE_COLUMN: cg_strbuf_puts(out, v->s); return;
    }
}

const CgValue *cg_value_tensor_in(const CgValue *v)
{
    const CgValue *found = NULL;
    if (v->kind == CG_VALUE_TENSOR)
        return v;
    for (int i = 0; v->kind == CG_VALUE_INSTANCE && i < v->instance->stmt->nparams && !found; i++)
        found = v->instance->statics && v->instance->statics[i] ? cg_value_tensor_in(v->instance->statics[i]) : NULL;
    for (int i = 0; (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD) && i < v->n && !found; i++)
        found = cg_value_tensor_in(v->at[i]);
    return found;
}
