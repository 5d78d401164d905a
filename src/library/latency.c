/* latency.c - how long a model takes, as a table.
 * Takes a model and the shape of what it is given; gives the times of a pass over random numbers, and of a token it
 * writes. Times are of this machine and moment: they are measured anew by each run of a script and are in no key. */
#include <stdlib.h>
#include <string.h>

#include "library/library.h"
#include "stage/bench.h"
#include "table/stats.h"

enum { MODEL, SHAPE, WRITE, WARMUP, RUNS };

/* The call carries it; first what makes the model's training known to all who look for what a call needs. */
typedef struct Latency {
    CgTextCall pass;
    CgGenerator *written; /* NULL: no token is written */
} Latency;

static const char *const columns[] = { "what", "median_ms", "q25_ms", "q75_ms", "runs", "a_second", "flops", "bytes" };

static bool number(CgElab *e, const CgArguments *a, int i, int64_t least, int64_t most)
{
    if (a->at[i]->i >= least && a->at[i]->i <= most)
        return true;
    cg_elab_error(e, CG_E0316, a->span[i], "'%s' of latency is a number from %lld to %lld, not %lld",
        cg_function_signature(a->function)->stmt->params[i].name, (long long)least, (long long)most,
        (long long)a->at[i]->i);
    return false;
}

/* An input of the graph that tensor parameter p takes; NULL after a mistake. */
static CgValue *input(CgElab *e, const CgArguments *a, const CgParam *p, const CgValue *shape)
{
    const CgDim *dim[CG_MAX_RANK];
    CgDtype dtype = CG_F32;
    const char *name = p->type->below ? "i32" : p->type->name;
    bool good =
        shape->kind == CG_VALUE_LIST && shape->n <= CG_MAX_RANK && name && cg_dtype_parse(name, strlen(name), &dtype);
    for (int i = 0; good && i < shape->n; i++) {
        good = shape->at[i]->kind == CG_VALUE_INT && shape->at[i]->i >= 1;
        dim[i] = good ? cg_dim_int(shape->at[i]->i) : NULL;
        good = good && dim[i];
    }
    if (good)
        return cg_value_tensor(
            e, cg_graph_input(&e->model->build, p->name, cg_type(dtype, shape->n, dim)), a->span[SHAPE]);
    cg_elab_error(e, CG_E0316, a->span[SHAPE], "'shape' of %s is that of '%s': up to %d sizes above 0",
        a->function->name, p->name, CG_MAX_RANK);
    return NULL;
}

/* What the model is applied to. */
typedef struct Inputs {
    CgValue *at[CG_MAX_ARGS];
    CgAtom names[CG_MAX_ARGS];
    CgSpan spans[CG_MAX_ARGS];
    int n;
} Inputs;

/* The shape said of a tensor: the one that is said, or that of its name in a record; NULL: none. */
static const CgValue *shape_of(const CgArguments *a, const CgParam *p)
{
    const CgValue *shape = a->at[SHAPE];
    return shape->kind == CG_VALUE_RECORD ? cg_record_find(shape, p->name) : shape;
}

static bool known(const CgStmt *graph, CgAtom name)
{
    for (int i = 0; i < graph->nparams; i++)
        if (graph->params[i].name == name && cg_param_is_tensor(&graph->params[i]))
            return true;
    return false;
}

/* Every tensor that the model needs, and those with a default that a shape is said of. */
static bool inputs_of(CgElab *e, const CgArguments *a, const CgStmt *graph, Inputs *in)
{
    const CgValue *shape = a->at[SHAPE];
    bool several = shape->kind == CG_VALUE_RECORD;
    for (int i = 0; several && i < shape->n; i++)
        if (!known(graph, shape->keys[i])) {
            cg_elab_error(e, CG_E0316, a->span[SHAPE], "'%s' takes no tensor '%s'", graph->names[0], shape->keys[i]);
            return false;
        }
    for (int i = 0; i < graph->nparams; i++) {
        const CgParam *p = &graph->params[i];
        const CgValue *own = cg_param_is_tensor(p) && (several || !p->init) ? shape_of(a, p) : NULL;
        if (!own && (!cg_param_is_tensor(p) || p->init))
            continue;
        if (!own || (!several && in->n)) {
            CgDiag *d =
                cg_elab_error(e, CG_E0316, a->span[SHAPE], "'%s' takes %d tensors, and 'shape' is not that of '%s'",
                    graph->names[0], cg_graph_tensors(graph), p->name);
            cg_diag_help(d, "a record has a shape for each: shape = { %s: [..], .. }", p->name);
            return false;
        }
        CgValue *v = input(e, a, p, own);
        if (!v)
            return false;
        in->at[in->n] = v;
        in->names[in->n] = p->name;
        in->spans[in->n++] = a->span[SHAPE];
    }
    return true;
}

bool cg_pass_build(CgElab *e, CgFrame *f, const CgArguments *a, CgTextCall *out)
{
    const CgStmt *graph = a->at[MODEL]->instance->stmt;
    CgGenerator *g = out->generator = CG_NEW(e->arena, CgGenerator);
    Inputs in = { .n = 0 };
    cg_session_own_generator(e, g);
    g->model = cg_model_begin(e, a->function->name, cg_precision_option(e));
    CgValue *root = cg_instance_root(e, a->at[MODEL], false), *result = NULL;
    if (inputs_of(e, a, graph, &in))
        result = cg_apply(e, f, root, in.at, in.names, in.spans, in.n, a->call);
    bool good = result && !cg_is_poison(result);
    cg_annotations_check(e);
    for (int i = 0; good && i < (result->kind == CG_VALUE_LIST ? result->n : 1); i++) {
        CgValue *v = result->kind == CG_VALUE_LIST ? result->at[i] : result;
        good = v->kind == CG_VALUE_TENSOR;
        if (good)
            cg_graph_output(g->model->graph, cg_intern_printf("out.%d", i), v->tensor->ref);
    }
    cg_model_end(e);
    return good;
}

static CgValue *build_latency(CgElab *e, CgFrame *f, const CgArguments *a)
{
    if (!number(e, a, WRITE, 0, CG_TEXT_MOST - 1) || !number(e, a, WARMUP, 0, 100000) || !number(e, a, RUNS, 1, 100000))
        return cg_value_poison(e);
    Latency *l = CG_NEW(e->arena, Latency);
    if (!cg_pass_build(e, f, a, &l->pass))
        return cg_value_poison(e);
    const CgBelow unknown[2] = { 0 }; /* whatever tokens the model takes */
    if (a->at[WRITE]->i && !(l->written = cg_generator_build(e, f, a->at[MODEL], NULL, 0, unknown, CG_F32, a->call)))
        return cg_value_poison(e);
    CgSchema *schema = cg_schema_new(e);
    for (size_t i = 0; i < CG_LEN(columns); i++)
        cg_schema_add(e, schema, cg_intern(columns[i]), i == 0);
    CgValue *v = cg_table_later(e, a, schema);
    v->stage = l;
    return v;
}

/* A row of times in milliseconds. `units`: of what a run has so many. */
static void add_row(CgTable *t, const char *what, const double *ms, int runs, double units, double flops, size_t bytes)
{
    size_t row = cg_table_row(t), n = (size_t)runs;
    double median = cg_stats_quantile(ms, n, 0.5);
    cg_table_set(t, row, 0, cg_text(what));
    cg_table_set(t, row, 1, cg_number(median));
    cg_table_set(t, row, 2, cg_number(cg_stats_quantile(ms, n, 0.25)));
    cg_table_set(t, row, 3, cg_number(cg_stats_quantile(ms, n, 0.75)));
    cg_table_set(t, row, 4, cg_whole(runs));
    cg_table_set(t, row, 5, cg_number(1e3 * units / median));
    cg_table_set(t, row, 6, flops > 0 ? cg_number(flops) : CG_MISSING);
    cg_table_set(t, row, 7, cg_whole((int64_t)bytes));
}

/* Milliseconds a token of texts of `count` tokens that follow one. */
static bool time_writing(CgSession *x, CgGenerator *g, int64_t count, int warmup, int runs, CgTable *out)
{
    CgMemory memory;
    if (!cg_model_force(x, g->model) || !cg_memory_fill(x, g->model, NULL, 0, &memory))
        return false;
    const CgWriting how = { .how = { .top_p = 1, .repetition = 1 }, .beams = 1, .past_end = true };
    CgWriter *w = cg_writer_new(x, g, &memory, 1, count + 1, false);
    double *ms = cg_calloc((size_t)runs, sizeof *ms);
    size_t bytes = 0;
    bool good = w != NULL;
    for (int i = 0; i < memory.n; i++)
        bytes += memory.bytes[i];
    for (int i = 0; good && i < warmup + runs; i++) {
        const int32_t first = 0;
        CgTextRow text = { .prompt = &first, .given = 1, .most = count };
        double start = cg_now();
        good = cg_writer_run(w, &how, NULL, &text);
        if (i >= warmup)
            ms[i - warmup] = 1e3 * (cg_now() - start) / (double)(text.n - text.given);
        cg_text_row_deinit(&text);
    }
    if (good)
        add_row(out, "token", ms, runs, 1, 0, bytes);
    free(ms);
    cg_writer_free(w);
    cg_memory_free(&memory);
    return good;
}

static CgValue *run_latency(CgSession *x, const CgValue *call, CgValue **args)
{
    const Latency *l = call->stage;
    CgBenchOpts opts = { .steps = (int)args[RUNS]->i, .warmup = (int)args[WARMUP]->i };
    CgBench b;
    CgTable *t = cg_table_new();
    for (size_t i = 0; i < CG_LEN(columns); i++)
        cg_table_add(t, columns[i], i == 0 ? CG_TEXT : i == 4 || i == 7 ? CG_INT : CG_NUMBER);
    bool good = cg_bench_graph(x, "latency", l->pass.generator->model, (CgBindings){ 0 }, &opts, &b);
    if (good)
        add_row(t, "pass", b.ms, b.steps, 1, b.flops, b.parameters);
    cg_bench_deinit(&b);
    good = good && (!l->written || time_writing(x, l->written, args[WRITE]->i, opts.warmup, opts.steps, t));
    if (good)
        return cg_session_own(x, &cg_class_table, t);
    cg_table_free(t);
    return NULL;
}

static const CgFunction fn_latency = { CG_FUNCTION_HERE, .name = "latency",
    .sig = "(model: model, shape: int[] | record, write: int = 0, warmup: int = 3, runs: int = 20) -> table",
    .build = build_latency, .run = run_latency,
    .doc =
        "The time of a pass of a model over a tensor of this shape, and with `write` of a token in a text of so many: "
        "median and quartiles of `runs` after `warmup`, in milliseconds, how many a second, useful flops, and the "
        "bytes of the parameters: latency(lm, shape = [1, 128], write = 100). A model of several tensors has a shape "
        "for "
        "each: shape = { x: [8, 16], mask: [8] }." };

CG_FUNCTIONS(latency, &fn_latency)
