/* cmd_apply.c - cg apply SCRIPT.cg GRAPH --in NAME=DATA ... [--grad OUT --wrt x,w] --out DIR
 * Takes a graph or a model of a script and numbers for its tensors; gives its results and, with --grad, the derivatives
 * of one of them by inputs and parameters. The types of inputs are those of the data; nothing is cast. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"
#include "run/gemm/blas.h"
#include "run/tensor.h"
#include "tool/dump.h"
#include "tool/inputs.h"

enum { SHOWN = 1000 }; /* elements of a result that are still printed */

typedef struct Asked {
    const char *path, *graph, *out, *grad;
    CgStrings wrt;
    CgDump dump;
    int64_t seed;
    int threads;
    bool debug;
    CgInputArgs in;
} Asked;
typedef CG_VEC(CgRef) CgRefs;

/* ---- what is given ---- */

static bool in_signature(const CgInstance *inst, const char *name)
{
    for (int k = 0; k < inst->stmt->nparams; k++)
        if (cg_param_is_tensor(&inst->stmt->params[k]) && strcmp(inst->stmt->params[k].name, name) == 0)
            return true;
    return false;
}

/* Every tensor of the signature without a default has data. */
static bool inputs_are_given(CgSession *x, const CgInstance *inst, const Asked *asked)
{
    const char *graph = inst->stmt->names[0];
    for (int k = 0; k < inst->stmt->nparams; k++) {
        const CgParam *p = &inst->stmt->params[k];
        if (!cg_param_is_tensor(p) || p->init || cg_givens_find(&asked->in, p->name))
            continue;
        CgDiag *d = cg_diag(x->diags, CG_E0304, p->span, "'%s' needs '%s': --in %s=DATA", graph, p->name, p->name);
        for (int i = 0; i < asked->in.n; i++)
            if (!in_signature(inst, asked->in.at[i].name))
                cg_diag_note(d, asked->in.at[i].span, "'%s' is given, which is no input of it", asked->in.at[i].name);
    }
    return cg_diags_count(x->diags) == 0;
}

static bool read_given(CgSession *x, CgInputArg *g, CgDtype dtype)
{
    CgErr e = { 0 };
    return cg_input_arg_read(g, dtype, &e) || cg_session_err(x, g->span, &e);
}

/* The types of the inputs: those of the data; numbers written out are of the declared dtype. */
static bool read_inputs(CgSession *x, const CgInstance *inst, const Asked *asked, CgKnownTypes *out)
{
    *out = (CgKnownTypes){ CG_NEWN(x->elab->arena, CgKnownType, inst->stmt->nparams + 1), 0 };
    for (int i = 0; i < inst->stmt->nparams; i++) {
        const CgParam *p = &inst->stmt->params[i];
        CgInputArg *g = cg_givens_find(&asked->in, p->name);
        int dtype = 0;
        if (!g || !cg_param_is_tensor(p))
            continue;
        while (dtype < CG_NDTYPE && p->type->name && strcmp(cg_dtype_name((CgDtype)dtype), p->type->name) != 0)
            dtype++;
        if (!read_given(x, g, dtype < CG_NDTYPE ? (CgDtype)dtype : CG_F32))
            return false;
        const CgDim *dim[CG_MAX_RANK];
        for (int k = 0; k < g->tensor->rank; k++)
            dim[k] = cg_dim_int(g->tensor->dim[k]);
        out->at[out->n++] = (CgKnownType){ p->name, cg_type(g->tensor->dtype, g->tensor->rank, dim), g->span };
    }
    return true;
}

static bool wrong_type(CgSession *x, const CgInputArg *g, const CgType *want)
{
    CgStrbuf type = { 0 }, have = { 0 };
    cg_type_print(want, &type);
    for (int k = 0; k < g->tensor->rank; k++)
        cg_strbuf_printf(&have, "%s%lld", k ? ", " : "", (long long)g->tensor->dim[k]);
    cg_diag(x->diags, CG_E0401, g->span, "parameter '%s' is %s, the data is %s[%s]", g->name, cg_strbuf_str(&type),
        cg_dtype_name(g->tensor->dtype), cg_strbuf_str(&have));
    cg_strbuf_deinit(&type);
    cg_strbuf_deinit(&have);
    return false;
}

static bool has_type(const CgTensor *t, const CgType *want)
{
    bool same = t->rank == want->rank && t->dtype == want->dtype;
    for (int k = 0; same && k < want->rank; k++)
        same = cg_dim_int(t->dim[k]) == want->dim[k];
    return same;
}

/* Offers the names of all inputs and parameters. */
static void offer_leaves(const CgTarget *t, CgSuggest *near)
{
    const CgGraph *g = t->model->graph;
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_suggest_offer(near, cg_node_name(g, g->inputs.at[i]));
    for (size_t i = 0; i < t->model->params.len; i++)
        cg_suggest_offer(near, t->model->params.at[i].path);
}

/* What is given beside the inputs are parameters; they are known once the graph is there. */
static bool read_params(CgSession *x, const CgTarget *t, const CgInstance *inst, const Asked *asked)
{
    bool good = true;
    for (int i = 0; i < asked->in.n; i++) {
        CgInputArg *g = &asked->in.at[i];
        if (in_signature(inst, g->name))
            continue;
        const CgParamInfo *p = cg_model_param(t->model, cg_intern(g->name));
        if (!p) {
            CgSuggest near;
            cg_suggest_init(&near, g->name);
            offer_leaves(t, &near);
            cg_diag_meant(
                cg_diag(x->diags, CG_E0301, g->span, "'%s' has no input and no parameter '%s'", t->name, g->name),
                &near);
            good = false;
            continue;
        }
        const CgType *want = cg_node_type(t->model->graph, p->ref);
        g->is_param = true;
        good = read_given(x, g, want->dtype) && (has_type(g->tensor, want) || wrong_type(x, g, want)) && good;
    }
    return good;
}

/* ---- derivatives ---- */

/* The output of a name or number; -1 after a mistake. */
static int find_output(CgSession *x, const CgTarget *t, const char *name)
{
    const CgGraph *g = t->model->graph;
    char *end;
    CgSuggest near;
    cg_suggest_init(&near, name);
    for (size_t i = 0; i < t->noutputs; i++) {
        if (strcmp(g->outputs.at[i].name, name) == 0)
            return (int)i;
        cg_suggest_offer(&near, g->outputs.at[i].name);
    }
    long number = strtol(name, &end, 10);
    if (*name && !*end && number >= 0 && (size_t)number < t->noutputs)
        return (int)number;
    CgDiag *d = cg_diag(x->diags, CG_E0301, (CgSpan){ 0 }, "'%s' has no output '%s'", t->name, name);
    if (cg_diag_meant(d, &near))
        return -1;
    if (t->noutputs == 1)
        cg_diag_help(d, "its output is '%s'", g->outputs.at[0].name);
    else
        cg_diag_help(d, "its outputs are '%s' to '%s', or 0 to %zu", g->outputs.at[0].name,
            g->outputs.at[t->noutputs - 1].name, t->noutputs - 1);
    return -1;
}

/* Adds r unless it is there; an input and a parameter of one name cannot both be written. */
static bool add_once(CgSession *x, const CgGraph *g, CgRefs *to, CgRef r)
{
    for (size_t i = 0; i < to->len; i++)
        if (to->at[i] == r)
            return true;
        else if (cg_node_name(g, to->at[i]) == cg_node_name(g, r)) {
            cg_diag(
                x->diags, CG_E0306, (CgSpan){ 0 }, "an input and a parameter are both called '%s'", cg_node_name(g, r));
            return false;
        }
    cg_vec_push(to, r);
    return true;
}

static bool none_by(CgSession *x, const CgTarget *t, const char *pattern, CgRef integer, bool frozen)
{
    CgSuggest near;
    if (integer != CG_NONE) {
        CgStrbuf type = { 0 };
        cg_type_print(cg_node_type(t->model->graph, integer), &type);
        cg_diag(
            x->diags, CG_E0504, (CgSpan){ 0 }, "--wrt %s: there is no derivative by %s", pattern, cg_strbuf_str(&type));
        cg_strbuf_deinit(&type);
    } else if (frozen) {
        CgDiag *d = cg_diag(x->diags, CG_E0506, (CgSpan){ 0 }, "--wrt %s: that is frozen", pattern);
        cg_diag_help(d, "unfreeze(...) around the graph lets derivatives reach it");
    } else {
        cg_suggest_init(&near, pattern);
        offer_leaves(t, &near);
        cg_diag_meant(cg_diag(x->diags, CG_E0301, (CgSpan){ 0 },
                          "--wrt %s: '%s' has no input and no parameter like this", pattern, t->name),
            &near);
    }
    return false;
}

/* Adds all that a pattern of --wrt names. What is frozen or not made of real numbers is left out, unless that is all.
 */
static bool add_matching(CgSession *x, const CgTarget *t, const char *pattern, CgRefs *out)
{
    const CgModelGraph *m = t->model;
    CgRef integer = CG_NONE;
    bool any = false, frozen = false, good = true;
    for (size_t i = 0; good && i < m->graph->inputs.len; i++) {
        CgRef r = m->graph->inputs.at[i];
        if (!cg_path_matches(pattern, cg_node_name(m->graph, r)))
            continue;
        if (cg_dtype_is_float(cg_node_type(m->graph, r)->dtype))
            good = add_once(x, m->graph, out, r), any = true;
        else
            integer = r;
    }
    for (size_t i = 0; good && i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (!cg_path_matches(pattern, p->path))
            continue;
        if (p->frozen || p->auxiliary)
            frozen = true;
        else
            good = add_once(x, m->graph, out, p->ref), any = true;
    }
    if (!good)
        return false;
    return any || none_by(x, t, pattern, integer, frozen);
}

static bool differentiate(CgSession *x, CgTarget *t, const Asked *asked)
{
    int output = find_output(x, t, asked->grad);
    CgRefs by = { 0 };
    bool good = output >= 0;
    for (size_t i = 0; good && i < asked->wrt.len; i++)
        for (const char *at = asked->wrt.at[i]; good && *at;) {
            size_t len = strcspn(at, ",");
            good = add_matching(x, t, cg_arena_printf(x->elab->arena, "%.*s", (int)len, at), &by);
            at += len + (at[len] == ',');
        }
    if (good && !asked->wrt.len)
        good = add_matching(x, t, "*", &by);
    if (good) {
        const CgType *type = cg_node_type(t->model->graph, t->model->graph->outputs.at[output].ref);
        CgStrbuf text = { 0 };
        cg_type_print(type, &text);
        good = cg_dtype_is_float(type->dtype);
        if (!good)
            cg_diag(x->diags, CG_E0504, (CgSpan){ 0 }, "--grad %s: there is no derivative of %s", asked->grad,
                cg_strbuf_str(&text));
        else if (type->rank)
            fprintf(stderr, "cg apply: '%s' is %s; what is differentiated is its sum\n",
                t->model->graph->outputs.at[output].name, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
    good = good && cg_target_differentiate(x, t, (size_t)output, by.at, (int)by.len);
    cg_vec_free(&by);
    return good;
}

/* ---- results ---- */

static void print_result(const char *name, const CgTensor *t)
{
    int64_t n = cg_tensor_count(t), row = t->rank ? t->dim[t->rank - 1] : 1;
    printf("%s: %s", name, cg_dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++)
        printf("%s%lld%s", i ? ", " : "[", (long long)t->dim[i], i + 1 == t->rank ? "]" : "");
    if (n > SHOWN) {
        double least = INFINITY, most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < n; i++) {
            double v = cg_tensor_number(t, i);
            least = fmin(least, v), most = fmax(most, v), sum += v;
        }
        printf("  from %.6g to %.6g, mean %.6g\n", least, most, sum / (double)n);
        return;
    }
    putchar('\n');
    for (int64_t i = 0; i < n; i++) {
        if (cg_dtype_is_float(t->dtype))
            printf("%.6g", cg_tensor_number(t, i));
        else
            printf("%lld", (long long)cg_tensor_whole(t, i));
        putchar((i + 1) % row ? ' ' : '\n');
    }
}

/* A name as that of a file: what could lead out of the folder is written %2f, as in a URL, so that no two become one.
 */
static void print_escaped(const char *name, CgStrbuf *out)
{
    for (const char *at = name; *at; at++)
        if (*at == '/' || *at == '%' || (unsigned char)*at < ' ' || (at == name && *at == '.'))
            cg_strbuf_printf(out, "%%%02x", (unsigned)(unsigned char)*at);
        else
            cg_strbuf_putc(out, *at);
}

static bool write_npy(const char *folder, const CgNamed *at, int n, CgErr *e)
{
    if (!cg_io_mkdirs(folder, e))
        return false;
    bool good = true;
    for (int i = 0; good && i < n; i++) {
        CgStrbuf path = { 0 };
        cg_strbuf_printf(&path, "%s/", folder);
        print_escaped(at[i].name, &path);
        cg_strbuf_puts(&path, ".npy");
        good = cg_npy_write(cg_strbuf_str(&path), &at[i].tensor, e);
        cg_strbuf_deinit(&path);
    }
    return good;
}

static bool deliver(CgSession *x, const CgExec *exec, const CgGraph *g, const char *out)
{
    int n = (int)g->outputs.len;
    CgNamed *named = CG_NEWN(x->elab->arena, CgNamed, n + 1);
    CgErr e = { 0 };
    for (int i = 0; i < n; i++) {
        named[i].name = cg_arena_strdup(x->elab->arena, g->outputs.at[i].name);
        named[i].tensor = cg_exec_output(exec, i);
        if (!out)
            print_result(named[i].name, &named[i].tensor);
    }
    bool good = !out
        || (cg_tensor_format_find(out) ? cg_tensors_write(out, named, n, NULL, NULL, 0, &e)
                                       : write_npy(out, named, n, &e));
    return good || cg_session_err(x, (CgSpan){ 0 }, &e);
}

/* ---- the command ---- */

static void bind(const CgTarget *t, const CgGraph *g, CgExec *exec, const Asked *asked, const CgMemory *memory)
{
    for (size_t i = 0; i < g->inputs.len; i++)
        cg_exec_bind_input(exec, (int)i, cg_givens_find(&asked->in, cg_node_name(g, g->inputs.at[i]))->tensor->data);
    for (size_t i = 0; i < g->params.len; i++) {
        const char *path = cg_node_name(g, g->params.at[i]);
        const CgInputArg *given = cg_givens_find(&asked->in, path);
        uint64_t k = 0;
        cg_map_get(&t->model->by_path, cg_map_ptr(path), &k);
        cg_exec_bind_param(exec, (int)i, given && given->is_param ? given->tensor->data : memory->at[k]);
    }
    cg_exec_random(exec, (uint64_t)asked->seed, 0, 0);
}

/* What the bodies look at. */
static bool debug(CgSession *x, const CgTarget *t, const Asked *asked, const CgMemory *memory)
{
    CgWatch *w;
    bool good = cg_watch_new(x, t->model, 1, x->at, &w);
    if (good && w) {
        bind(t, w->graph, w->runner.exec, asked, memory);
        good = cg_watch_run(w, x->at, "");
    }
    cg_watch_free(w);
    return good;
}

static bool compute(CgSession *x, CgTarget *t, const Asked *asked)
{
    CgErr e = { 0 };
    CgMemory memory;
    if (asked->grad && !differentiate(x, t, asked))
        return false;
    if (asked->dump != CG_DUMP_NONE)
        return cg_dump_target(x, t, (CgBindings){ 0 }, false, asked->dump);
    if (!cg_model_force(x, t->model) || !cg_memory_fill(x, t->model, NULL, asked->seed, &memory))
        return false;
    CgGraph *g = cg_pass_run_all(t->model->graph, NULL);
    CgPlan *plan = cg_plan_build(g, (CgBindings){ NULL, 0 }, (CgPlanOptions){ .sources = x->sources }, &e);
    CgExec *exec = plan ? cg_exec_new(plan, x->pool, &e) : NULL;
    if (!exec) {
        cg_err_hint(&e, "sizes follow from the data of --in, or --dim NAME=N");
        cg_diag_err(x->diags, (CgSpan){ 0 }, &e);
    }
    bool good = exec != NULL;
    if (good) {
        cg_session_note_precision(x, g);
        bind(t, g, exec, asked, &memory);
        good = cg_session_run(x, exec, x->at) && debug(x, t, asked, &memory) && deliver(x, exec, g, asked->out);
    }
    cg_exec_free(exec);
    cg_plan_free(plan);
    cg_graph_free(g);
    cg_memory_free(&memory);
    return good;
}

static bool open_for(CgSession *x, const CgValue *v)
{
    CgErr e = { 0 };
    cg_blas_init();
    if (v->instance->weights && v->instance->weights->kind == CG_VALUE_STAGE) /* the store may have it */
        return cg_session_open(x, &e) || cg_session_err(x, (CgSpan){ 0 }, &e);
    x->pool = cg_pool_new(x->opts.threads);
    return true;
}

static int make(Asked *asked, const CgScriptArgs *args)
{
    CgSessionOpts opts = {
        .settings = args->settings, .nsettings = args->nsettings, .threads = asked->threads, .debug = asked->debug
    };
    CgSession *x = cg_experiment_new(asked->path, &opts);
    CgTarget target = { 0 };
    CgKnownTypes data;
    cg_input_args_locate(&asked->in, x->sources);
    bool text = asked->dump != CG_DUMP_NONE && asked->dump < CG_DUMP_GRAPH;
    if (text)
        cg_dump_script(x, args->sizes, asked->dump);
    CgValue *v = text || cg_diags_count(x->diags) ? NULL : cg_target_value(x, asked->graph, &target);
    if (v && v->kind != CG_VALUE_INSTANCE)
        cg_diag(x->diags, CG_E0305, target.unit->top.at[0]->exprs[0]->span, "a graph or a model is wanted, not %s",
            cg_value_kind_name(v));
    else if (v && inputs_are_given(x, v->instance, asked) && read_inputs(x, v->instance, asked, &data)
        && cg_target_apply(x, v, args->sizes, &data, &target) && read_params(x, &target, v->instance, asked)
        && (asked->dump != CG_DUMP_NONE || open_for(x, v)))
        compute(x, &target, asked);
    cg_watch_report(x);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_target_free(&target);
    cg_experiment_free(x);
    return code;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 }, in = { 0 };
    const char *seed = NULL, *threads = NULL, *dump = NULL;
    Asked asked = { 0 };
    const CgOption options[] = {
        { .name = "in",
            .arg = "NAME=DATA",
            .list = &in,
            .help = "[[1, 2.5], [3, 4]], x.npy, x.safetensors or x.safetensors:TENSOR; of an input or a parameter" },
        { .name = "grad",
            .arg = "OUT",
            .value = &asked.grad,
            .help = "adds grad.NAME: derivatives of the result OUT (its name or number), summed" },
        { .name = "wrt",
            .arg = "NAME,...",
            .list = &asked.wrt,
            .help = "by these inputs and parameters, patterns as in freeze; by all unless given" },
        { .name = "out",
            .arg = "DIR",
            .value = &asked.out,
            .letter = 'o',
            .help =
                "NAME.npy in this folder for each result, or one FILE.safetensors or FILE.npy; printed unless given" },
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        CG_DUMP_OPTION(&dump),
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size that no data tells" },
        CG_DEBUG_OPTION(&asked.debug),
        { .name = "seed", .arg = "N", .value = &seed, .help = "of parameters that are drawn, and of random ops" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
    };
    static const char synopsis[] =
        "SCRIPT.cg GRAPH --in NAME=DATA ... [--grad OUT --wrt NAME,...] [--out DIR]\n"
        "computes a graph on given numbers: GRAPH is an expression, 'dense(out = 3)' or 'models.web'";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc != 3)
        return cg_usage("apply", "a script and a graph are needed");
    if (asked.wrt.len && !asked.grad)
        return cg_usage("apply", "--wrt says what --grad OUT differentiates by");
    if (!cg_option_number("apply", "seed", seed, INT64_MIN, INT64_MAX, &asked.seed)
        || !cg_option_threads("apply", threads, &asked.threads)
        || !cg_dump_find("apply", dump, CG_DUMP_MEM, &asked.dump))
        return CG_EXIT_USAGE;
    asked.path = argv[1];
    asked.graph = argv[2];
    CgScriptArgs args;
    code = cg_script_args("apply", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = cg_givens_init("apply", &in, &asked.in);
    if (code == CG_EXIT_OK)
        code = make(&asked, &args);
    cg_givens_free(&asked.in);
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(apply, "computes a graph of a script on given numbers", command)
