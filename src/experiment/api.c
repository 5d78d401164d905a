/* api.c - cg.h: scripts in other programs.
 * Takes scripts, expressions and arrays; gives what they mean. Each call is a new list of mistakes, unless the script
 * itself has some. Must not print. */
#include <cg/cg.h>

#include <stdlib.h>
#include <string.h>

#include "experiment/computation.h"
#include "experiment/experiment.h"
#include "library/library.h"
#include "run/tensor.h"

struct CgScript {
    CgSession *x;
    bool good;
    CgArena *arena; /* what was borrowed and is kept; what is given */
    CgStrbuf message;
    CG_VEC(CgUnit *) units; /* of expressions: values may be defined in them */
    CgListener nobody;
};

/* ---- the script ---- */

CgScript *cg_script_open(const char *path, const CgScriptOptions *options)
{
    CgScriptOptions o = options ? *options : (CgScriptOptions){ 0 };
    CgScript *s = cg_calloc(1, sizeof *s);
    s->arena = cg_arena_new();
    path = cg_arena_strdup(s->arena, path);
    CgOpenText text = { .path = path, .text = o.text, .len = o.text ? strlen(o.text) : 0 };
    CgSetting *settings = CG_NEWN(s->arena, CgSetting, o.nset + 1);
    for (int i = 0; i < o.nset; i++) {
        size_t n = strcspn(o.set[i], "=");
        settings[i].name = cg_arena_strndup(s->arena, o.set[i], n);
        settings[i].text = cg_arena_strdup(s->arena, o.set[i] + n + (o.set[i][n] == '='));
    }
    CgSessionOpts opts = { .settings = settings,
        .nsettings = o.nset,
        .threads = o.threads,
        .store = o.store ? cg_arena_strdup(s->arena, o.store) : NULL,
        .seed = o.seed,
        .listener = o.listener ? o.listener : &s->nobody,
        .texts = &text,
        .ntexts = o.text != NULL };
    s->x = cg_experiment_new(path, &opts);
    s->x->opts.texts = NULL;
    s->x->opts.ntexts = 0;
    s->good = !cg_diags_count(s->x->diags);
    return s;
}

void cg_script_close(CgScript *s)
{
    if (!s)
        return;
    cg_experiment_free(s->x);
    for (size_t i = 0; i < s->units.len; i++)
        cg_unit_free(s->units.at[i]);
    cg_vec_free(&s->units);
    cg_strbuf_deinit(&s->message);
    cg_arena_free(s->arena);
    free(s);
}

bool cg_script_good(const CgScript *s) { return s->good; }

size_t cg_script_diagnostics(CgScript *s, const CgDiagnostic **out)
{
    const CgDiagnostic *ignored;
    return cg_diags_data(s->x->diags, out ? out : &ignored);
}

const char *cg_script_message(CgScript *s)
{
    cg_strbuf_deinit(&s->message);
    cg_diags_text(s->x->diags, &s->message, false);
    return cg_strbuf_str(&s->message);
}

size_t cg_script_graphs(CgScript *s, const CgGraphInfo **out)
{
    const CgUnit *unit = s->x->program ? s->x->program->at[s->x->program->n - 1].unit : NULL;
    int all = unit ? unit->top.n : 0;
    CgGraphInfo *info = CG_NEWN(s->arena, CgGraphInfo, all + 1);
    size_t n = 0;
    for (int i = 0; i < all; i++) {
        const CgStmt *graph = unit->top.at[i];
        if (graph->kind != CG_STMT_GRAPH)
            continue;
        const CgSource *source = cg_sources_get(s->x->sources, unit->file);
        CgSpan head = cg_stmt_head(graph, source);
        info[n++] = (CgGraphInfo){ .name = graph->names[0],
            .signature = cg_arena_strndup(s->arena, source->text + head.start, head.end - head.start),
            .doc = graph->doc ? graph->doc : "" };
    }
    *out = info;
    return n;
}

/* ---- values ---- */

/* A call begins: what was wrong in the one before is forgotten. False where the script cannot be asked. */
static bool begin(CgScript *s)
{
    if (s->good)
        cg_diags_clear(s->x->diags);
    return s->good;
}

/* How it ended: nothing fails without a word, and what failed once is not tried again. */
static bool end(CgScript *s, bool good)
{
    if (!good && !cg_diags_count(s->x->diags))
        cg_diag(s->x->diags, CG_E0901, (CgSpan){ 0 }, "this failed before: the script has to be opened again");
    return good && !cg_diags_count(s->x->diags);
}

/* What an expression gives, with all that running can find out; NULL after a mistake. */
static CgValue *find(CgScript *s, const char *text)
{
    CgSession *x = s->x;
    CgElab *e = x->elab;
    CgErr err = { 0 };
    if (!begin(s) || (!cg_session_open(x, &err) && !cg_session_err(x, (CgSpan){ 0 }, &err)))
        return NULL;
    CgUnit *unit = NULL;
    const CgExpr *expr = cg_graph_arg_parse(x, text, &unit);
    cg_vec_push(&s->units, unit);
    if (!expr)
        return NULL;
    CgFrame f;
    CgBudget budget = cg_budget_begin(e);
    cg_frame_begin(e, &f, NULL, cg_elab_script(e));
    CgValue *v = cg_shown(e, &f, expr);
    v = cg_is_poison(v) || cg_diags_count(x->diags) ? NULL : cg_force(x, v);
    cg_frame_end(e, &f);
    cg_budget_end(e, budget);
    return end(s, v && !cg_is_poison(v)) ? v : NULL;
}

static void *another(CgScript *s, const char *text, const CgValue *v, const char *wanted)
{
    cg_diag(s->x->diags, CG_E0305, (CgSpan){ 0 }, "'%s' is %s, not %s", text, cg_value_kind_name(v), wanted);
    return NULL;
}

/* By the way of the command line; what is shown goes to `out`. */
static bool build(CgScript *s, const char *value, bool quiet, FILE *out)
{
    if (!begin(s))
        return false;
    return end(s, cg_experiment_build(s->x, &(CgBuildOpts){ .only = value, .quiet = quiet }, out) == 0);
}

bool cg_script_make(CgScript *s, const char *value)
{
    return value ? find(s, value) != NULL : build(s, NULL, true, stdout);
}

bool cg_script_run(CgScript *s, FILE *out) { return begin(s) && end(s, cg_experiment_run(s->x, out) == 0); }

bool cg_script_number(CgScript *s, const char *value, double *out)
{
    const CgValue *v = find(s, value);
    if (v && v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_estimate) {
        *out = ((const CgEstimate *)v->held)->value;
        return true;
    }
    if (v && v->kind == CG_VALUE_BOOL) {
        *out = (double)v->i;
        return true;
    }
    return v && (cg_value_number(v, out) || another(s, value, v, "a number"));
}

const char *cg_script_text(CgScript *s, const char *value)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    bool good = out && build(s, value, false, out);
    if (out)
        fclose(out);
    const char *kept = good ? cg_arena_strndup(s->arena, text, n) : NULL;
    free(text);
    return kept;
}

const CgTable *cg_script_table(CgScript *s, const char *value)
{
    const CgValue *v = find(s, value);
    if (v && v->kind == CG_VALUE_STAGE && ((const CgStage *)v->stage)->table)
        return ((const CgStage *)v->stage)->table;
    if (v && v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_table)
        return v->held;
    return v ? another(s, value, v, "a table") : NULL;
}

size_t cg_script_tensors(CgScript *s, const char *value, const CgNamed **out)
{
    CgValue *v = find(s, value);
    const CgInstance *model = v && v->kind == CG_VALUE_INSTANCE ? v->instance : NULL;
    const CgTensors *all = model ? cg_model_tensors(s->x, model) : NULL;
    bool one = v && v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_array;
    if (!all && !one) {
        if (v)
            another(s, value, v, "a tensor or a model that has weights");
        return 0;
    }
    CgNamed *at = CG_NEWN(s->arena, CgNamed, all ? all->n : 1);
    size_t n = 0;
    for (int i = 0; all && i < all->n; i++) {
        const char *path = cg_path_within(model->submodule_path, all->at[i].name);
        if (path)
            at[n++] = (CgNamed){ cg_arena_strdup(s->arena, path), all->at[i].tensor };
    }
    if (one)
        at[n++] = (CgNamed){ cg_arena_strdup(s->arena, value), *(const CgTensor *)v->held };
    *out = at;
    return n;
}

/* ---- graphs on arrays ---- */

/* A computation and what its caller sees of it. */
typedef struct Compute {
    CgComputation c; /* first: the caller has a pointer to it */
    CgScript *s;
    CgTensorGiven *given;
    CgTensor *tensor; /* (ngiven) */
    CgNamed *result;
    void **packed; /* (nresults): of those that do not lie row major */
} Compute;

static bool no_tensor(CgScript *s, const char *format, const char *name)
{
    CgErr e = { 0 };
    cg_err(&e, CG_ERR_INPUT, format, name);
    return cg_session_err(s->x, (CgSpan){ 0 }, &e);
}

static bool take_given(Compute *k, const CgNamed *given, int n)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++)
            if (!strcmp(given[i].name, given[j].name))
                return no_tensor(k->s, "'%s' is given twice", given[i].name);
        if (given[i].tensor.rank < 0 || given[i].tensor.rank > CG_MAX_RANK || given[i].tensor.dtype >= CG_NDTYPE)
            return no_tensor(k->s, "'%s' has no type that a tensor of a script has", given[i].name);
        k->tensor[i] = given[i].tensor;
        k->given[i] = (CgTensorGiven){ .name = cg_intern(given[i].name), .tensor = &k->tensor[i] };
    }
    return true;
}

CgComputation *cg_compute_open(
    CgScript *s, const char *graph, const CgNamed *given, int n, const CgComputeOptions *options)
{
    CgComputeOptions o = options ? *options : (CgComputeOptions){ 0 };
    if (!begin(s))
        return NULL;
    Compute *k = cg_calloc(1, sizeof *k);
    k->s = s;
    k->given = cg_calloc((size_t)n + 1, sizeof *k->given);
    k->tensor = cg_calloc((size_t)n + 1, sizeof *k->tensor);
    CgComputationOpts how = { .grad = o.grad, .wrt = &o.wrt, .nwrt = o.wrt != NULL, .seed = o.seed };
    CgBudget budget = cg_budget_begin(s->x->elab);
    bool good = take_given(k, given, n) && cg_computation_open(&k->c, s->x, graph, k->given, n, &how)
        && cg_computation_plan(&k->c);
    cg_budget_end(s->x->elab, budget);
    k->c.opts.wrt = NULL;
    if (!end(s, good)) {
        cg_compute_close(&k->c);
        return NULL;
    }
    size_t results = k->c.graph->outputs.len;
    k->result = cg_calloc(results + 1, sizeof *k->result);
    k->packed = cg_calloc(results + 1, sizeof *k->packed);
    for (size_t i = 0; i < results; i++)
        k->result[i].name = cg_strdup(k->c.graph->outputs.at[i].name);
    return &k->c;
}

static bool same_type(const CgTensor *a, const CgTensor *b)
{
    bool same = a->dtype == b->dtype && a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++)
        same = a->dim[i] == b->dim[i] && (a->dim[i] < 2 || a->stride[i] == b->stride[i]);
    return same;
}

static bool renew_given(Compute *k, const CgNamed *given, int n)
{
    for (int i = 0; i < k->c.ngiven; i++) {
        CgTensor *t = &k->tensor[i];
        const CgTensor *now = NULL;
        for (int j = 0; j < n; j++)
            if (!strcmp(given[j].name, k->given[i].name))
                now = &given[j].tensor;
        if (!now || (!now->data && cg_tensor_count(t)))
            return no_tensor(k->s, "there is no data for '%s'", k->given[i].name);
        if (!same_type(now, t))
            return no_tensor(k->s, "'%s' has another type than what the computation was opened with", k->given[i].name);
        if ((uintptr_t)now->data % cg_dtype_size(t->dtype))
            return no_tensor(k->s, "the data of '%s' are not aligned as its elements", k->given[i].name);
        t->data = now->data;
    }
    return n == k->c.ngiven
        || no_tensor(k->s, "more is given than the computation of '%s' was opened with", k->c.target.name);
}

static bool row_major(const CgTensor *t)
{
    int64_t step = 1;
    bool yes = true;
    for (int k = t->rank; k-- > 0; step *= t->dim[k])
        yes = yes && (t->dim[k] < 2 || t->stride[k] == step);
    return yes;
}

bool cg_compute(CgComputation *c, const CgNamed *given, int n)
{
    Compute *k = (Compute *)c;
    if (!begin(k->s) || !end(k->s, renew_given(k, given, n) && cg_computation_run(c)))
        return false;
    for (size_t i = 0; i < c->graph->outputs.len; i++) {
        CgTensor t = cg_exec_output(c->exec, (int)i);
        if (!row_major(&t)) {
            if (!k->packed[i])
                k->packed[i] = cg_malloc((size_t)cg_tensor_count(&t) * cg_dtype_size(t.dtype));
            cg_tensor_pack(&t, k->packed[i]);
            t = cg_tensor(t.dtype, k->packed[i], t.rank, t.dim);
        }
        k->result[i].tensor = t;
    }
    return true;
}

size_t cg_compute_results(CgComputation *c, const CgNamed **out)
{
    *out = ((Compute *)c)->result;
    return c->graph->outputs.len;
}

void cg_compute_close(CgComputation *c)
{
    Compute *k = (Compute *)c;
    if (!c)
        return;
    for (size_t i = 0; k->result && i < c->graph->outputs.len; i++) {
        free(k->result[i].name);
        free(k->packed[i]);
    }
    cg_computation_close(c);
    free(k->result);
    free(k->packed);
    free(k->given);
    free(k->tensor);
    free(k);
}
