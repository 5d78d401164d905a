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

enum { SHOWN = 24 }; /* elements of a tensor that a message shows */

/* ---- building ---- */

static CgTest *building(CgElab *e) { return cg_session_of(e)->test; }

static bool comparable(const CgValue *v)
{
    double number;
    bool good = v->kind == CG_VALUE_TENSOR || v->kind == CG_VALUE_STR || v->kind == CG_VALUE_BOOL
        || v->kind == CG_VALUE_NONE || cg_value_number(v, &number);
    if (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD)
        good = true;
    for (int i = 0; good && i < v->n && (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD); i++)
        good = v->at[i]->kind != CG_VALUE_TENSOR && comparable(v->at[i]);
    return good;
}

static bool side(CgElab *e, CgFrame *f, const CgExpr *x, CgSide *out)
{
    CgTest *t = building(e);
    *out = (CgSide){ cg_value_laid_out(e, cg_eval(e, f, x)), -1, x->span };
    if (cg_is_poison(out->value))
        return false;
    if (!comparable(out->value)) {
        cg_elab_error(e, CG_E0313, x->span, "expect compares numbers, tensors, strings and lists of them, not %s",
            cg_value_kind_name(out->value));
        return false;
    }
    if (out->value->kind == CG_VALUE_TENSOR) {
        char name[32];
        out->output = (int)t->model->graph->outputs.len;
        snprintf(name, sizeof name, "expect.%d", out->output);
        cg_graph_output(t->model->graph, name, out->value->tensor->ref);
    }
    return true;
}

/* close(a, b, tolerance) of the library, so that both values can be shown. */
static bool is_close(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (x->kind != CG_EXPR_CALL || x->a->kind != CG_EXPR_NAME || strcmp(x->a->s, "close") != 0 || x->args.n < 2)
        return false;
    for (int i = 0; i < x->args.n; i++)
        if (x->args.at[i].name && (i < 2 || strcmp(x->args.at[i].name, "tolerance") != 0))
            return false;
    const CgValue *v = cg_env_find(e, f->env, x->a->s);
    const CgStmt *def = v && v->kind == CG_VALUE_DEF ? v->stmt : NULL;
    return x->args.n <= 3 && def && def->nparams == 3 && !strcmp(def->params[2].name, "tolerance");
}

/* A text is equal to texts only. */
static bool alike(CgElab *e, const CgSide *a, const CgSide *b)
{
    bool text[2] = { a->value->kind == CG_VALUE_STR, b->value->kind == CG_VALUE_STR };
    if (text[0] == text[1] || a->value->kind == CG_VALUE_NONE || b->value->kind == CG_VALUE_NONE)
        return true;
    cg_elab_error(e, CG_E0305, text[0] ? a->span : b->span, "a string is compared with %s",
        cg_value_kind_name(text[0] ? b->value : a->value));
    return false;
}

static bool compares(const CgExpr *x)
{
    return x->kind == CG_EXPR_BINARY
        && (!strcmp(x->op, "==") || !strcmp(x->op, "!=") || *x->op == '<' || *x->op == '>');
}

static void expect(CgElab *e, CgFrame *f, const CgStmt *s)
{
    const CgExpr *x = s->a;
    CgExpect it = { .span = x->span, .caret = x->op_span.file ? x->op_span : x->span, .tolerance = 1e-5 };
    bool good;
    if (compares(x)) {
        it.op = x->op;
        good = side(e, f, x->a, &it.left);
        good = side(e, f, x->b, &it.right) && good && alike(e, &it.left, &it.right);
    } else if (is_close(e, f, x)) {
        it.op = cg_intern("close");
        it.caret = x->a->span;
        good = side(e, f, x->args.at[0].value, &it.left);
        good = side(e, f, x->args.at[1].value, &it.right) && good && alike(e, &it.left, &it.right);
        CgValue *tolerance = x->args.n > 2 ? cg_eval(e, f, x->args.at[2].value) : NULL;
        if (tolerance && !cg_is_poison(tolerance) && !cg_value_number(tolerance, &it.tolerance)) {
            cg_elab_error(e, CG_E0312, x->args.at[2].value->span, "a tolerance is a number, not %s",
                cg_value_kind_name(tolerance));
            good = false;
        }
        good = good && !(tolerance && cg_is_poison(tolerance));
    } else {
        good = side(e, f, x, &it.left);
        if (good && it.left.value->kind != CG_VALUE_BOOL
            && (it.left.value->kind != CG_VALUE_TENSOR || cg_value_type(e, it.left.value)->dtype != CG_BOOL)) {
            cg_elab_error(e, CG_E0314, x->span, "expect takes a comparison or something true, not %s",
                cg_value_kind_name(it.left.value));
            good = false;
        }
    }
    if (good)
        cg_vec_push(&building(e)->expects, it);
    else
        building(e)->broken = true;
}

static CgValue *outside(CgElab *e, CgFrame *f, const CgExpr *x)
{
    (void)f;
    CgDiag *d = cg_elab_error(e, CG_E0503, x->span, "a test neither trains nor evaluates");
    cg_diag_help(d, "bind the model at top level and use it here");
    return cg_value_poison(e);
}

static CgTest *build(CgSession *x, const CgStmt *s)
{
    CgElab *e = x->elab;
    size_t before = cg_diags_count(x->diags);
    CgTest *t = x->test = cg_calloc(1, sizeof *t);
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
    t->broken = t->broken || cg_diags_count(x->diags) > before;
    if (!t->broken && !t->expects.len) {
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

void cg_test_free(CgTest *t)
{
    cg_model_free(t->model);
    cg_vec_free(&t->expects);
    free(t);
}

/* ---- comparing ---- */

/* Numbers with a shape: a tensor, a number, or a list of lists of numbers. All integers and floats are exact in it. */
typedef long double Number;
typedef struct Numbers {
    Number *at;
    int64_t n;
    int rank;
    int64_t dim[CG_MAX_RANK];
    bool integers;
    bool ok;
} Numbers;

static bool flatten(const CgValue *v, int depth, Numbers *out)
{
    double number;
    bool whole = v->kind == CG_VALUE_BOOL || v->kind == CG_VALUE_INT;
    if (whole || cg_value_number(v, &number)) {
        out->at = cg_realloc(out->at, sizeof *out->at * (size_t)(out->n + 1));
        out->at[out->n++] = whole ? (Number)v->i : (Number)number;
        out->integers &= v->kind != CG_VALUE_FLOAT;
        return depth == out->rank;
    }
    if (v->kind != CG_VALUE_LIST || depth >= out->rank || out->dim[depth] != v->n)
        return false;
    for (int i = 0; i < v->n; i++)
        if (!flatten(v->at[i], depth + 1, out))
            return false;
    return true;
}

static Numbers numbers_of_value(const CgValue *v)
{
    Numbers out = { .integers = true };
    for (const CgValue *at = v; at->kind == CG_VALUE_LIST && out.rank < CG_MAX_RANK; at = at->at[0]) {
        out.dim[out.rank++] = at->n;
        if (!at->n)
            break;
    }
    out.ok = flatten(v, 0, &out);
    return out;
}

static Numbers numbers_of_tensor(const CgTensor *t)
{
    Numbers out = { .n = cg_tensor_count(t), .rank = t->rank, .integers = !cg_dtype_is_float(t->dtype), .ok = true };
    memcpy(out.dim, t->dim, sizeof *t->dim * (size_t)t->rank);
    out.at = cg_calloc((size_t)out.n + 1, sizeof *out.at);
    for (int64_t i = 0; i < out.n; i++)
        out.at[i] = out.integers ? (Number)cg_tensor_whole(t, i) : (Number)cg_tensor_number(t, i);
    return out;
}

static bool holds(const CgExpect *x, Number a, Number b)
{
    if (!x->op)
        return a != 0;
    if (!strcmp(x->op, "close"))
        return fabsl(a - b) <= (Number)x->tolerance * fmaxl(1, fmaxl(fabsl(a), fabsl(b))) || a == b;
    if (*x->op == '=')
        return a == b;
    if (*x->op == '!')
        return a != b;
    bool equal = x->op[1] == '=' && a == b;
    return *x->op == '<' ? a < b || equal : a > b || equal;
}

static void print_one(const Numbers *v, int64_t at, CgStrbuf *out)
{
    if (v->integers)
        cg_strbuf_printf(out, "%lld", (long long)v->at[at]);
    else
        cg_number_print((double)v->at[at], out);
}

static void print_numbers(const Numbers *v, int depth, int64_t *at, CgStrbuf *out)
{
    if (depth == v->rank) {
        print_one(v, (*at)++, out);
        return;
    }
    cg_strbuf_putc(out, '[');
    for (int64_t i = 0; i < v->dim[depth]; i++) {
        cg_strbuf_puts(out, i ? ", " : "");
        print_numbers(v, depth + 1, at, out);
    }
    cg_strbuf_putc(out, ']');
}

/* All of a small one, the type and the place `where` of a large one. */
static void describe(const Numbers *v, int64_t where, CgStrbuf *out)
{
    int64_t at = 0, rest = where;
    if (v->n <= SHOWN) {
        print_numbers(v, 0, &at, out);
        return;
    }
    int64_t index[CG_MAX_RANK];
    for (int k = v->rank; k-- > 0; rest /= v->dim[k])
        index[k] = rest % v->dim[k];
    cg_strbuf_puts(out, "at ");
    for (int k = 0; k < v->rank; k++)
        cg_strbuf_printf(out, "%s%lld", k ? ", " : "[", (long long)index[k]);
    cg_strbuf_puts(out, "]: ");
    print_one(v, where, out);
}

static void label(CgDiag *d, const CgSide *s, const Numbers *v, int64_t where)
{
    CgStrbuf text = { 0 };
    if (v->ok)
        describe(v, v->n == 1 ? 0 : where, &text);
    else
        cg_value_print(s->value, &text);
    cg_diag_label(d, s->span, "%s", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}

static bool same_shape(const Numbers *a, const Numbers *b)
{
    if (!a->rank || !b->rank)
        return true; /* one number against all */
    bool same = a->rank == b->rank;
    for (int k = 0; same && k < a->rank; k++)
        same = a->dim[k] == b->dim[k];
    return same;
}

static void shape_text(const Numbers *v, CgStrbuf *out)
{
    for (int k = 0; k < v->rank; k++)
        cg_strbuf_printf(out, "%s%lld", k ? ", " : "[", (long long)v->dim[k]);
    cg_strbuf_puts(out, v->rank ? "]" : "[]");
}

/* Texts and whatever else has no numbers: as written. */
static bool same_text(const CgValue *a, const CgValue *b)
{
    CgStrbuf x = { 0 }, y = { 0 };
    cg_value_print(a, &x);
    cg_value_print(b, &y);
    bool same = a->kind == b->kind && !strcmp(cg_strbuf_str(&x), cg_strbuf_str(&y));
    cg_strbuf_deinit(&x);
    cg_strbuf_deinit(&y);
    return same;
}

static bool failed(CgSession *x, const CgExpect *it, const Numbers *a, const Numbers *b, int64_t where)
{
    CgDiag *d = cg_diag(x->diags, CG_E0603, it->caret, "this does not hold");
    label(d, &it->left, a, where);
    if (it->op)
        label(d, &it->right, b, where);
    if (it->op && !strcmp(it->op, "close"))
        cg_diag_help(d, "the tolerance is %g, relative for numbers above 1", it->tolerance);
    return false;
}

static bool compare(CgSession *x, const CgExpect *it, const Numbers *a, const Numbers *b)
{
    if (!a->ok || !b->ok) {
        if (it->op && !strcmp(it->op, "==") && same_text(it->left.value, it->right.value))
            return true;
        if (it->op && !strcmp(it->op, "!=") && !same_text(it->left.value, it->right.value))
            return true;
        return failed(x, it, a, b, 0);
    }
    if (!same_shape(a, b)) {
        CgStrbuf p = { 0 }, q = { 0 };
        shape_text(a, &p);
        shape_text(b, &q);
        CgDiag *d = cg_diag(
            x->diags, CG_E0603, it->caret, "the shapes differ: %s and %s", cg_strbuf_str(&p), cg_strbuf_str(&q));
        label(d, &it->left, a, 0);
        label(d, &it->right, b, 0);
        cg_strbuf_deinit(&p);
        cg_strbuf_deinit(&q);
        return false;
    }
    int64_t n = a->rank ? a->n : b->n;
    bool any = !it->op || *it->op != '!'; /* != is about the whole: one difference is enough */
    for (int64_t i = 0; i < n; i++)
        if (holds(it, a->at[a->rank ? i : 0], b->at[b->rank ? i : 0]) != any)
            return any ? failed(x, it, a, b, i) : true;
    return any || failed(x, it, a, b, 0);
}

/* ---- running ---- */

/* The store is opened only where a model may be in it. */
static bool ready(CgSession *x, const CgTest *t)
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

static bool check_all(CgSession *x, const CgTest *t, const CgExec *exec)
{
    bool good = true;
    for (size_t i = 0; i < t->expects.len; i++) {
        const CgExpect *it = &t->expects.at[i];
        const CgSide *sides[2] = { &it->left, it->op ? &it->right : &it->left };
        Numbers v[2];
        for (int k = 0; k < 2; k++)
            if (sides[k]->output >= 0) {
                CgTensor tensor = cg_exec_output(exec, sides[k]->output);
                v[k] = numbers_of_tensor(&tensor);
            } else {
                v[k] = numbers_of_value(sides[k]->value);
            }
        good = compare(x, it, &v[0], &v[1]) && good;
        free(v[0].at);
        free(v[1].at);
    }
    return good;
}

static bool run(CgSession *x, CgTest *t, const CgGraph *g, const CgMemory *memory)
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
    bool good = exec && cg_session_run(x, exec, t->stmt->span) && check_all(x, t, exec);
    cg_exec_free(exec);
    cg_plan_free(plan);
    return good;
}

bool cg_test_run(CgSession *x, CgTest *t)
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
