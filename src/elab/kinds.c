/* kinds.c - what kinds of values a parameter takes.
 * Takes the types that signatures and declarations write; gives their kinds, and words for them. Looks at no value. */
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"

static const struct {
    const char *name, *phrase, *phrases;
} words[] = {
    [CG_KIND_ANY] = { "any", "any value", "any values" },
    [CG_KIND_NONE] = { "none", "none", "none" },
    [CG_KIND_INT] = { "int", "an integer", "integers" },
    [CG_KIND_FLOAT] = { "float", "a number", "numbers" },
    [CG_KIND_BOOL] = { "bool", "true or false", "truth values" },
    [CG_KIND_STR] = { "str", "a string", "strings" },
    [CG_KIND_DTYPE] = { "dtype", "an element type", "element types" },
    [CG_KIND_DIM] = { "dim", "a size", "sizes" },
    [CG_KIND_AXIS] = { "axis", "an axis", "axes" },
    [CG_KIND_PATTERN] = { "pattern", "a pattern", "patterns" },
    [CG_KIND_LIST] = { "list", "a list", "lists" },
    [CG_KIND_RANGE] = { "range", "a range", "ranges" },
    [CG_KIND_RECORD] = { "record", "a record", "records" },
    [CG_KIND_TENSOR] = { "tensor", "a tensor", "tensors" },
    [CG_KIND_GRAPH] = { "graph", "a graph", "graphs" },
    [CG_KIND_MODEL] = { "model", "a model", "models" },
};

static bool kind_of(const CgTypeExpr *type, CgKind *out)
{
    *out = (CgKind){ .list = type->ndims == 0 };
    for (size_t i = 0; i < CG_LEN(words); i++)
        if (!strcmp(words[i].name, type->name)) {
            out->tag = (CgKindTag)i;
            return true;
        }
    out->tag = CG_KIND_CLASS;
    out->cls = cg_class_find(type->name);
    return out->cls;
}

bool cg_kinds_of(const CgTypeExpr *type, CgKinds *out)
{
    *out = (CgKinds){ 0 };
    if (!type)
        return false;
    bool several = type->kind == CG_TYPE_EITHER;
    for (int i = 0; i < (several ? type->nparams : 1); i++) {
        const CgTypeExpr *one = several ? type->params[i] : type;
        if (out->n == CG_MAX_KINDS || !kind_of(one, &out->at[out->n++]))
            return false;
        if (one->kind == CG_TYPE_CHOICE)
            out->choice = one;
    }
    return true;
}

bool cg_kinds_have(const CgKinds *k, CgKindTag tag, const CgClass *cls)
{
    for (int i = 0; i < k->n; i++)
        if (k->at[i].tag == tag && k->at[i].cls == cls && !k->at[i].list)
            return true;
    return false;
}

void cg_kinds_print(const CgKinds *k, CgStrbuf *out)
{
    for (int i = 0; i < k->n; i++) {
        const CgKind *one = &k->at[i];
        cg_strbuf_puts(out, i == 0 ? "" : i == k->n - 1 ? " or " : ", ");
        if (one->tag == CG_KIND_CLASS)
            cg_strbuf_printf(out, "%s%s", one->list ? "a list, each " : "", one->cls->article);
        else
            cg_strbuf_printf(out, "%s%s", one->list ? "a list of " : "",
                one->list ? words[one->tag].phrases : words[one->tag].phrase);
    }
}

bool cg_param_is_tensor(const CgParam *p) { return p->type && p->type->kind == CG_TYPE_TENSOR; }

int cg_graph_tensors(const CgStmt *graph)
{
    int n = 0;
    for (int i = 0; i < graph->nparams; i++)
        n += cg_param_is_tensor(&graph->params[i]);
    return n;
}
