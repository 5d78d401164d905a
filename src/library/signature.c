/* signature.c - what tables say below a column that is computed of a tensor.
 * Takes a tensor of the graph being built and a text; gives the same tensor, which is known by that text from then on:
 * a score that is written in the language signs as those in table/metric_*.c do. Computes nothing. */
#include "library/library.h"

static CgValue *build_signature(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgModelGraph *m = e->model;
    (void)f;
    if (a->at[0]->kind == CG_VALUE_TENSOR && m && m->build.graph == m->graph)
        cg_map_put(&m->signatures, a->at[0]->tensor->ref, cg_map_ptr(a->at[1]->s));
    return a->at[0];
}

static const CgFunction fn_signature = { CG_FUNCTION_HERE, .name = "signature",
    .sig = "(x: tensor, text: str) -> tensor", .build = build_signature,
    .doc = "x, of which tables say this text below every column that is computed of it, as of a metric: "
           "signature(mean(each, axis = 1), \"margin|level:row|cg:1\")." };

CG_FUNCTIONS(signature, &fn_signature)
