/* test_block.c - the test blocks of a script.
 * Takes their bodies; gives a graph for each, whose outputs are the tensors that its expectations compare, and runs it.
 * A test is a body like that of a graph: it may own parts and parameters. Numbers are compared exactly. */
#include "experiment/test_block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"
#include "graph/pass.h"
#include "run/gemm/blas.h"
#include "run/tensor.h"
#include "stage/watch.h"

/* ---- building ---- */

static void expect(CgElab *e, CgFrame *f, const CgStmt *s)
{
    cg_expects_add(e, f, s, &cg_session_of(e)->test->expects);
}

static CgValue *outside(CgElab *e, CgFrame *f, const CgExpr *x)
{
    (void)f;
    CgDiag *d = cg_elab_error(e, CG_E0503, x->span, "a test neither trains nor evaluates");
    cg_diag_help(d, "bind the model at top level and use it here");
    return cg_value_poison(e);
}

static CgTestBlock *build(CgSession *x, const CgStmt *s)
{
    CgElab *e = x->elab;
    size_t before = cg_diags_count(x->diags);
    CgTestBlock *t = x->test = cg_calloc(1, sizeof *t);
    t->stmt = s;
    t->model = cg_model_begin(e, s->names[0], cg_precision_option(e));
    CgInstance *root = CG_NEW(e->arena, CgInstance);
    *root = (CgInstance){ .stmt = s, .env = cg_elab_script(e), .path = cg_intern(""), .span = s->span };
    CgFrame f;
    cg_frame_begin(e, &f, NULL, root->env);
    f.is_body = true;
    f.instance = root;
    e->expect = expect;
    e->train = e->evaluate = outside;
    CgBudget budget = cg_budget_begin(e);
    cg_body_exec(e, &f, &s->body);
    cg_budget_end(e, budget);
    cg_annotations_check(e);
    e->train = cg_stage_train;
    e->evaluate = cg_stage_evaluate;
    e->expect = NULL;
    cg_frame_end(e, &f);
    cg_model_end(e);
    for (size_t i = 0; i < t->expects.tensors.len; i++)
        cg_graph_output(t->model->graph, cg_intern_printf("expect.%zu", i), t->expects.tensors.at[i]);
    t->broken = t->expects.broken || cg_diags_count(x->diags) > before;
    bool any = false;
    for (size_t i = 0; i < t->expects.at.len; i++)
        any |= !t->expects.at.at[i].shown;
    if (!t->broken && !any) {
        cg_diag_warn(x->diags, CG_E0608, s->name_spans ? s->name_spans[0] : s->span, "the test expects nothing");
    }
    x->test = NULL;
    return t;
}

void cg_tests_build(CgSession *x)
{
    const CgBlock *top = &cg_env_module(cg_elab_script(x->elab))->unit->top;
    for (int i = 0; i < top->n; i++)
        if (top->at[i]->kind == CG_STMT_TEST)
            cg_vec_push(&x->tests, build(x, top->at[i]));
}

void cg_test_free(CgTestBlock *t)
{
    cg_model_free(t->model);
    cg_expects_free(&t->expects);
    free(t);
}

/* ---- running ---- */

/* The store is opened only where a model may be in it. */
static bool ready(CgSession *x, const CgTestBlock *t)
{
    CgErr e = { 0 };
    for (size_t i = 0; i < t->model->params.len; i++) {
        const CgValue *w = t->model->params.at[i].weights;
        if (w && w->kind == CG_VALUE_STAGE)
            return cg_session_open(x, &e) || cg_session_err(x, t->stmt->span, &e);
    }
    cg_blas_init();
    if (!x->pool)
        x->pool = cg_pool_new(x->opts.threads);
    return true;
}

static bool run(CgSession *x, CgTestBlock *t, const CgGraph *g, const CgMemory *memory)
{
    CgErr e = { 0 };
    CgPlan *plan = cg_plan_build(g, (CgBindings){ 0 }, (CgPlanOptions){ .sources = x->sources }, &e);
    CgExec *exec = plan ? cg_exec_new(plan, x->pool, &e) : NULL;
    if (!exec)
        cg_session_err(x, t->stmt->span, &e);
    for (size_t i = 0; exec && i < g->params.len; i++) {
        uint64_t k = 0;
        cg_map_get(&t->model->by_path, cg_map_ptr(cg_node_name(g, g->params.at[i])), &k);
        cg_exec_bind_param(exec, (int)i, memory->at[k]);
    }
    if (exec)
        cg_exec_random(exec, (uint64_t)x->opts.seed, 0, 0);
    bool good = exec && cg_session_run(x, exec, t->stmt->span) && cg_expects_hold(x, &t->expects, exec, "")
        && cg_watch_once(x, t->model, memory, (uint64_t)x->opts.seed, t->stmt->span, "");
    cg_exec_free(exec);
    cg_plan_free(plan);
    return good;
}

bool cg_test_run(CgSession *x, CgTestBlock *t)
{
    CgMemory memory;
    x->at = t->stmt->span;
    if (t->broken || !ready(x, t) || !cg_model_force(x, t->model) || !cg_memory_fill(x, t->model, NULL, 0, &memory))
        return false;
    CgGraph *g = cg_pass_run_all(t->model->graph, NULL);
    bool good = run(x, t, g, &memory);
    cg_graph_free(g);
    cg_memory_free(&memory);
    return good;
}
