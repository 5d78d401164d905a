/* tensor_value.c - tensors outside of graphs: what an expression on numbers, models and parameters gives, once.
 * Takes an expression as it is written; gives a graph of its own for it while the script is checked, and its numbers
 * when it runs. Trains nothing. */
#include <string.h>

#include "graph/pass.h"
#include "library/library.h"
#include "run/tensor.h"
#include "stage/watch.h"

static const CgFunction fn_value;

CgValue *cg_shown(CgElab *e, CgFrame *f, const CgExpr *x)
{
    CgGenerator *g = CG_NEW(e->arena, CgGenerator);
    cg_session_own_generator(e, g);
    g->model = cg_model_begin(e, "array", cg_precision_option(e));
    g->model->shown = true;
    CgValue *v = cg_eval(e, f, x);
    bool tensor = v->kind == CG_VALUE_TENSOR;
    if (tensor)
        cg_graph_output(g->model->graph, "array", v->tensor->ref);
    cg_annotations_check(e);
    cg_model_end(e);
    if (!tensor)
        return v;
    CgArguments a = { .function = &fn_value, .n = 1, .call = x->span };
    CgTextCall *call = CG_NEW(e->arena, CgTextCall);
    a.at[0] = cg_value_new(e, CG_VALUE_NONE, x->span);
    call->generator = g;
    CgValue *out = cg_function_later(e, &a, 0);
    out->stage = call;
    return out;
}

static CgValue *build_value(CgElab *e, CgFrame *f, const CgArguments *a)
{
    const CgArgs *given = &a->site->args;
    CgValue *v = given->n == 1 && !e->model ? cg_shown(e, f, given->at[0].value) : NULL;
    if (v && (cg_is_poison(v) || cg_value_class(v) == &cg_class_array))
        return v;
    if (e->model && e->model->shown)
        cg_elab_error(e, CG_E0503, a->call, "show and save make numbers of a tensor by themselves; leave value() out");
    else if (e->model)
        cg_elab_error(e, CG_E0503, a->call, "value gives numbers outside of graphs; here a tensor is what it is");
    else
        cg_elab_error(
            e, CG_E0305, a->call, "value takes one tensor%s%s", v ? ", not " : "", v ? cg_value_kind_name(v) : "");
    return cg_value_poison(e);
}

/* The elements one after the other, whatever the strides of the result are; the session owns them. */
static CgValue *packed(CgSession *x, const CgTensor *t)
{
    CgTensor *out = CG_NEW(x->elab->arena, CgTensor);
    void *to = cg_arena_alloc(x->elab->arena, (size_t)cg_tensor_count(t) * cg_dtype_size(t->dtype) + 1);
    cg_tensor_pack(t, to);
    *out = cg_tensor(t->dtype, to, t->rank, t->dim);
    return cg_value_held(x->elab, &cg_class_array, out);
}

static CgValue *run_value(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgModelGraph *m = ((const CgTextCall *)call->stage)->generator->model;
    CgGraph *graph = cg_pass_run_all(m->graph, NULL);
    CgMemory memory = { 0 };
    CgRunner r = { 0 };
    CgValue *out = NULL;
    (void)args;
    if (cg_model_force(x, m) && cg_memory_fill(x, m, NULL, 0, &memory)
        && cg_runner_new(x, graph, 1, (CgPlanOptions){ 0 }, call->span, &r)) {
        cg_runner_bind_params(&r, &memory);
        CgTensor t;
        if (cg_session_run(x, r.exec, call->span) && cg_watch_once(x, m, &memory, 0, call->span, "")) {
            t = cg_exec_output(r.exec, 0);
            out = packed(x, &t);
        }
    }
    cg_runner_free(&r);
    cg_memory_free(&memory);
    cg_graph_free(graph);
    return out;
}

static const CgFunction fn_value = { CG_FUNCTION_HERE, .name = "value", .sig = "(x: tensor) -> array",
    .traits = CG_PATTERN, .build = build_value, .run = run_value,
    .doc =
        "The numbers of a tensor outside of graphs, to be shown and saved: value(m(tensor([[7, 2]], i32))). show and "
        "save make it of a tensor by themselves." };

CG_FUNCTIONS(tensor_value, &fn_value)
