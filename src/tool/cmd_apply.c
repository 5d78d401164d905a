/* cmd_apply.c - cg apply SCRIPT.cg GRAPH --in NAME=DATA ...
 * Takes a graph or a model of a script and numbers for its tensors; gives its results, and with --grad the derivatives
 * of their sum by every parameter. Sizes that the signature names follow from the data. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/tensorfile.h"
#include "graph/pass.h"
#include "run/blas.h"
#include "tool/script.h"

enum { SHOWN = 1000 };      /* elements of a result that are still printed */

/* One --in: a tensor, from a file or written out. */
typedef struct Given { char *name; const char *text; CgTensors file; const CgTensor *tensor; CgTensor written; } Given;

typedef struct Asked { const char *path, *graph, *out; bool grad; int64_t seed; int threads; Given *in; int nin; } Asked;

/* ---- numbers written out: [[1, 2.5], [3, 4]] ---- */

static bool shape_of(const json_t *j, CgTensor *t, CgErr *e)
{
    t->rank = 0;
    while (json_is_array(j)) {
        if (t->rank == CG_MAX_RANK || json_array_size(j) == 0)
            return cg_err(e, CG_ERR_INPUT, "a list of numbers is nested at most %d deep and not empty", CG_MAX_RANK);
        t->dim[t->rank++] = (int64_t)json_array_size(j);
        j = json_array_get(j, 0);
    }
    return true;
}

static bool fill_from(const json_t *j, CgTensor *t, int depth, int64_t *at, CgErr *e)
{
    if (depth < t->rank) {
        if (!json_is_array(j) || (int64_t)json_array_size(j) != t->dim[depth])
            return cg_err(e, CG_ERR_INPUT, "the lists inside a list must be equally long");
        for (size_t i = 0; i < json_array_size(j); i++)
            if (!fill_from(json_array_get(j, i), t, depth + 1, at, e))
                return false;
        return true;
    }
    if (!json_is_number(j) && !json_is_boolean(j))
        return cg_err(e, CG_ERR_INPUT, "only numbers, true and false are elements of a tensor");
    double v = json_is_boolean(j) ? json_is_true(j) : json_number_value(j);
    if (!cg_dtype_is_float(t->dtype) && v != floor(v))
        return cg_err(e, CG_ERR_INPUT, "%g is not an element of a %s tensor", v, cg_dtype_name(t->dtype));
    switch (t->dtype) {
    case CG_F32:  ((float *)t->data)[*at] = (float)v; break;
    case CG_F64:  ((double *)t->data)[*at] = v; break;
    case CG_I32:  ((int32_t *)t->data)[*at] = (int32_t)v; break;
    case CG_I64:  ((int64_t *)t->data)[*at] = (int64_t)v; break;
    case CG_BOOL: ((uint8_t *)t->data)[*at] = v != 0; break;
    case CG_NDTYPE: break;
    }
    (*at)++;
    return true;
}

static bool read_written(Given *g, CgDtype dtype, CgErr *e)
{
    json_error_t where;
    json_t *j = json_loads(g->text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    if (!j)
        return cg_err(e, CG_ERR_INPUT, "'%s' is neither a list of numbers nor a file", g->text);
    CgTensor *t = &g->written;
    t->dtype = dtype;
    int64_t at = 0;
    bool good = shape_of(j, t, e);
    if (good) {
        int64_t step = 1;
        for (int i = t->rank; i-- > 0; step *= t->dim[i])
            t->stride[i] = step;
        t->data = cg_calloc((size_t)cg_tensor_count(t) + 1, cg_dtype_size(dtype));
        good = fill_from(j, t, 0, &at, e);
    }
    json_decref(j);
    g->tensor = t;
    return good;
}

/* ---- numbers from files: x.npy, x.safetensors (the tensor of the input's name), x.safetensors:NAME ---- */

static bool read_file(Given *g, CgErr *e)
{
    const char *end = strstr(g->text, ".safetensors:");
    const char *name = end ? end + strlen(".safetensors:") : g->name;
    char *path = cg_strdup(g->text);
    if (end)
        path[name - g->text - 1] = 0;
    bool npy = strlen(path) > 4 && strcmp(path + strlen(path) - 4, ".npy") == 0;
    bool good = npy ? cg_npy_read(path, &g->file, e) : cg_safetensors_read(path, &g->file, e);
    if (good && npy)
        g->tensor = &g->file.at[0].tensor;
    else if (good && !(g->tensor = cg_tensors_find(&g->file, name)))
        good = cg_err(e, CG_ERR_INPUT, "'%s' holds no tensor '%s'", path, name);
    free(path);
    return good;
}

static bool read_given(Given *g, CgDtype dtype, CgErr *e)
{
    if (g->tensor)
        return true;
    return strchr("[-0123456789tf", *g->text) && !strchr(g->text, '/') && !strstr(g->text, ".npy")
                   && !strstr(g->text, ".safetensors")
               ? read_written(g, dtype, e) : read_file(g, e);
}

static Given *given_for(const Asked *asked, const char *name)
{
    for (int i = 0; i < asked->nin; i++)
        if (strcmp(asked->in[i].name, name) == 0)
            return &asked->in[i];
    return NULL;
}

/* ---- sizes ---- */

/* Every tensor of the signature has data, and all data has a tensor. */
static bool check_names(CgExperiment *x, const CgInstance *inst, const Asked *asked)
{
    const char *graph = inst->stmt->names[0];
    for (int i = 0; i < asked->nin; i++) {
        CgSuggest near;
        bool known = false;
        cg_suggest_init(&near, asked->in[i].name);
        for (int k = 0; k < inst->stmt->nparams; k++) {
            const CgParam *p = &inst->stmt->params[k];
            if (!cg_param_is_tensor(p))
                continue;
            known = known || strcmp(p->name, asked->in[i].name) == 0;
            cg_suggest_offer(&near, p->name);
        }
        if (known)
            continue;
        CgDiag *d = cg_diag(x->diags, CG_E0301, (CgSpan){0}, "'%s' has no tensor '%s'", graph, asked->in[i].name);
        if (cg_suggest_best(&near))
            cg_diag_help(d, "did you mean '%s'?", cg_suggest_best(&near));
    }
    for (int k = 0; k < inst->stmt->nparams; k++) {
        const CgParam *p = &inst->stmt->params[k];
        if (cg_param_is_tensor(p) && !p->init && !given_for(asked, p->name))
            cg_diag(x->diags, CG_E0304, p->span, "'%s' needs '%s': --in %s=DATA", graph, p->name, p->name);
    }
    return cg_diags_count(x->diags) == 0;
}

/* Sizes named in the signature, from the data: x: f32[B, D] and data of shape (3, 7) say B = 3, D = 7. */
static bool sizes_from_data(CgExperiment *x, const CgInstance *inst, const Asked *asked, CgBindings first, CgBindings *out)
{
    CgBinding *at = CG_NEWN(x->elab->arena, CgBinding, first.n + CG_MAX_RANK * inst->stmt->nparams + 1);
    *out = (CgBindings){ at, first.n };
    if (first.n)
        memcpy(at, first.at, sizeof *at * (size_t)first.n);
    for (int i = 0; i < inst->stmt->nparams; i++) {
        const CgParam *p = &inst->stmt->params[i];
        Given *g = given_for(asked, p->name);
        CgErr e = {0};
        int dtype = 0;
        if (!g || !cg_param_is_tensor(p))
            continue;
        while (dtype < CG_NDTYPE && p->type->name && strcmp(cg_dtype_name((CgDtype)dtype), p->type->name) != 0)
            dtype++;
        if (!read_given(g, dtype < CG_NDTYPE ? (CgDtype)dtype : CG_F32, &e)) {
            cg_diag_err(x->diags, p->span, &e);
            return false;
        }
        for (int k = 0; k < p->type->ndims && k < g->tensor->rank; k++)
            if (p->type->dims[k]->kind == CG_EXPR_NAME || p->type->dims[k]->kind == CG_EXPR_ROW)
                at[out->n++] = (CgBinding){ p->type->dims[k]->s, g->tensor->dim[k] };
    }
    return true;
}

static bool bind_inputs(CgExperiment *x, CgExec *exec, const CgPlan *plan, const CgGraph *g, const Asked *asked)
{
    for (size_t i = 0; i < g->inputs.len; i++) {
        const char *name = cg_node_name(g, g->inputs.at[i]);
        const Given *in = given_for(asked, name);
        CgTensor want = cg_plan_input(plan, (int)i);
        bool same = in->tensor->rank == want.rank && in->tensor->dtype == want.dtype;
        for (int k = 0; same && k < want.rank; k++)
            same = in->tensor->dim[k] == want.dim[k];
        if (!same) {
            CgStrbuf type = {0}, have = {0};
            cg_type_print(cg_node_type(g, g->inputs.at[i]), &type);
            for (int k = 0; k < in->tensor->rank; k++)
                cg_strbuf_printf(&have, "%s%lld", k ? ", " : "", (long long)in->tensor->dim[k]);
            cg_diag(x->diags, CG_E0401, (CgSpan){0}, "'%s' is %s, the data is %s[%s]", name, cg_strbuf_str(&type),
                    cg_dtype_name(in->tensor->dtype), cg_strbuf_str(&have));
            cg_strbuf_deinit(&type);
            cg_strbuf_deinit(&have);
            return false;
        }
        cg_exec_bind_input(exec, (int)i, in->tensor->data);
    }
    return true;
}

/* ---- results ---- */

static double element(const CgTensor *t, int64_t i)
{
    int64_t at = 0;
    for (int a = t->rank; a-- > 0; i /= t->dim[a])
        at += i % t->dim[a] * t->stride[a];
    switch (t->dtype) {
    case CG_F32: return (double)((const float *)t->data)[at];
    case CG_F64: return ((const double *)t->data)[at];
    case CG_I32: return ((const int32_t *)t->data)[at];
    case CG_I64: return (double)((const int64_t *)t->data)[at];
    case CG_BOOL: return ((const uint8_t *)t->data)[at];
    case CG_NDTYPE: break;
    }
    return NAN;
}

static void print_result(const char *name, const CgTensor *t)
{
    int64_t n = cg_tensor_count(t), row = t->rank ? t->dim[t->rank - 1] : 1;
    printf("%s: %s", name, cg_dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++)
        printf("%s%lld%s", i ? ", " : "[", (long long)t->dim[i], i + 1 == t->rank ? "]" : "");
    if (n > SHOWN) {
        double least = INFINITY, most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < n; i++) {
            double v = element(t, i);
            least = fmin(least, v), most = fmax(most, v), sum += v;
        }
        printf("  from %.6g to %.6g, mean %.6g\n", least, most, sum / (double)n);
        return;
    }
    putchar('\n');
    for (int64_t i = 0; i < n; i++)
        printf("%.6g%c", element(t, i), (i + 1) % row ? ' ' : '\n');
}

static bool deliver(CgExperiment *x, const CgExec *exec, const CgGraph *g, const char *path)
{
    CgNamed *named = CG_NEWN(x->elab->arena, CgNamed, g->outputs.len + 1);
    CgErr e = {0};
    for (size_t i = 0; i < g->outputs.len; i++) {
        named[i].name = cg_arena_strdup(x->elab->arena, g->outputs.at[i].name);
        named[i].tensor = cg_exec_output(exec, (int)i);
        if (!path)
            print_result(named[i].name, &named[i].tensor);
    }
    if (path && !cg_safetensors_write(path, named, (int)g->outputs.len, NULL, NULL, 0, &e))
        return cg_experiment_err(x, (CgSpan){0}, &e);
    return true;
}

/* ---- the command ---- */

static bool compute(CgExperiment *x, CgTarget *t, const Asked *asked)
{
    CgErr e = {0};
    CgMemory memory;
    if (asked->grad && !cg_target_differentiate(x, t))
        return false;
    if (!cg_memory_fill(x, t->model, NULL, asked->seed, &memory))
        return false;
    CgGraph *g = cg_pass_run_all(t->model->graph, NULL);
    CgPlan *plan = cg_plan_build(g, (CgBindings){ NULL, 0 }, (CgPlanOptions){ .sources = x->sources }, &e);
    CgExec *exec = plan ? cg_exec_new(plan, x->pool, &e) : NULL;
    if (!exec) {
        cg_err_hint(&e, "sizes follow from the data of --in, or --dim NAME=N");
        cg_diag_err(x->diags, (CgSpan){0}, &e);
    }
    bool good = exec && bind_inputs(x, exec, plan, g, asked);
    for (size_t i = 0; good && i < g->params.len; i++) {
        uint64_t k = 0;
        cg_map_get(&t->model->by_path, cg_map_ptr(cg_node_name(g, g->params.at[i])), &k);
        cg_exec_bind_param(exec, (int)i, memory.at[k]);
    }
    if (good) {
        cg_exec_random(exec, (uint64_t)asked->seed, 0);
        cg_exec_run(exec);
        good = deliver(x, exec, g, asked->out);
    }
    cg_exec_free(exec);
    cg_plan_free(plan);
    cg_graph_free(g);
    cg_memory_free(&memory);
    return good;
}

static bool open_for(CgExperiment *x, const CgValue *v)
{
    CgErr e = {0};
    cg_blas_init();
    if (v->instance->weights && v->instance->weights->kind == CG_VALUE_STAGE)   /* the store may have it */
        return cg_experiment_open(x, &e) || cg_experiment_err(x, (CgSpan){0}, &e);
    x->pool = cg_pool_new(x->opts.threads);
    return true;
}

static int make(const Asked *asked, const CgScriptArgs *args)
{
    CgExperimentOpts opts = { .settings = args->settings, .nsettings = args->nsettings, .threads = asked->threads };
    CgExperiment *x = cg_experiment_new(asked->path, &opts);
    CgTarget target = {0};
    CgBindings sizes;
    CgValue *v = cg_diags_count(x->diags) ? NULL : cg_target_value(x, asked->graph, &target);
    if (v && v->kind != CG_VALUE_INSTANCE)
        cg_diag(x->diags, CG_E0305, target.unit->top.at[0]->exprs[0]->span, "a graph or a model is wanted, not %s",
                cg_value_kind_name(v));
    else if (v && check_names(x, v->instance, asked) && sizes_from_data(x, v->instance, asked, args->sizes, &sizes)
             && cg_target_apply(x, v, sizes, &target) && open_for(x, v))
        compute(x, &target, asked);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_target_free(&target);
    cg_experiment_free(x);
    return code;
}

static int read_inputs(const CgStrings *in, Asked *asked)
{
    asked->in = cg_calloc(in->len + 1, sizeof *asked->in);
    for (size_t i = 0; i < in->len; i++)
        if (!cg_assignment(in->at[i], &asked->in[asked->nin].name, &asked->in[asked->nin].text))
            return cg_usage("apply", "--in takes NAME=DATA, not '%s'", in->at[i]);
        else
            asked->nin++;
    return CG_EXIT_OK;
}

int cg_cmd_apply(int argc, char **argv)
{
    CgStrings set = {0}, dims = {0}, in = {0};
    const char *seed = "0", *threads = "0";
    Asked asked = {0};
    const CgOption options[] = {
        { .name = "in", .arg = "NAME=DATA", .list = &in, .help = "[[1, 2.5], [3, 4]], x.npy, x.safetensors or x.safetensors:TENSOR" },
        { .name = "grad", .flag = &asked.grad, .help = "adds grad.PATH: derivatives of the summed result by each parameter" },
        { .name = "out", .arg = "FILE", .value = &asked.out, .letter = 'o', .help = "results as safetensors; printed unless given" },
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size that no data tells" },
        { .name = "seed", .arg = "N", .value = &seed, .help = "of parameters that are drawn, and of random ops" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
    };
    static const char synopsis[] = "SCRIPT.cg GRAPH --in NAME=DATA ...\n"
        "computes a graph on given numbers: GRAPH is an expression, 'dense(out = 3)' or 'models.web'";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc != 3)
        return cg_usage("apply", "a script and a graph are needed");
    asked.path = argv[1];
    asked.graph = argv[2];
    asked.seed = strtoll(seed, NULL, 10);
    asked.threads = atoi(threads);
    CgScriptArgs args;
    code = cg_script_args("apply", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = read_inputs(&in, &asked);
    if (code == CG_EXIT_OK)
        code = make(&asked, &args);
    for (int i = 0; i < asked.nin; i++) {
        free(asked.in[i].name);
        free(asked.in[i].written.data);
        cg_tensors_free(&asked.in[i].file);
    }
    free(asked.in);
    free(in.at);
    cg_script_args_free(&args);
    return code;
}
