/* graph_arg.c - one graph of a script, named on the command line.
 * Takes an expression; gives the graph it stands for, with an input for each tensor of its signature. Must not run
 * anything: sizes that nobody gave stay symbols. */
#include "experiment/graph_arg.h"

#include <stdlib.h>
#include <string.h>

#include "graph/grad.h"

const CgExpr *cg_graph_arg_parse(CgSession *x, const char *text, CgUnit **unit)
{
    CgStrbuf script = { 0 };
    /* as the value of a binding, so that mistakes in it are shown like any other */
    cg_strbuf_printf(&script, "it = %s\n", text);
    uint32_t file = cg_sources_add(x->sources, "argument", cg_strbuf_str(&script), script.len);
    cg_strbuf_deinit(&script);
    *unit = cg_unit_parse(x->sources, file, x->diags);
    const CgBlock *top = &(*unit)->top;
    if (cg_diags_count(x->diags))
        return NULL;
    if (top->n == 1 && top->at[0]->kind == CG_STMT_BIND && top->at[0]->nexprs == 1)
        return top->at[0]->exprs[0];
    cg_diag(x->diags, CG_E0101, (*unit)->top.span, "one expression is wanted: a graph, a model or a training");
    return NULL;
}

CgValue *cg_target_value(CgSession *x, const char *text, CgTarget *out)
{
    const CgExpr *expr = cg_graph_arg_parse(x, text, &out->unit);
    if (!expr)
        return NULL;
    CgFrame f;
    cg_frame_begin(x->elab, &f, NULL, cg_elab_script(x->elab));
    CgValue *v = cg_eval(x->elab, &f, expr);
    if (v->kind == CG_VALUE_GRAPH) /* rmsnorm for rmsnorm() */
        v = cg_call(x->elab, &f, v, NULL, NULL, NULL, 0, expr);
    cg_frame_end(x->elab, &f);
    return cg_is_poison(v) ? NULL : v;
}

/* ---- inputs ---- */

static const CgDim *size_of(const CgInstance *inst, CgAtom name, CgBindings sizes)
{
    for (int i = 0; i < inst->stmt->nparams; i++) {
        const CgValue *v = inst->statics[i];
        if (inst->stmt->params[i].name == name && v && v->kind == CG_VALUE_INT)
            return cg_dim_int(v->i);
    }
    for (int i = 0; i < sizes.n; i++)
        if (sizes.at[i].symbol == name)
            return cg_dim_int(sizes.at[i].value);
    return cg_dim_symbol(name);
}

/* A size of a signature; NULL for one that cannot be made from names and numbers. A row of axes counts as one. */
static const CgDim *declared_size(const CgInstance *inst, const CgExpr *x, CgBindings sizes)
{
    if (x->kind == CG_EXPR_INT)
        return cg_dim_int(x->i);
    if (x->kind == CG_EXPR_NAME || x->kind == CG_EXPR_ROW)
        return size_of(inst, x->s, sizes);
    if (x->kind != CG_EXPR_BINARY)
        return NULL;
    const CgDim *a = declared_size(inst, x->a, sizes), *b = declared_size(inst, x->b, sizes);
    return cg_dim_combine(*x->op, a, b);
}

static bool declared_type(const CgInstance *inst, const CgTypeExpr *declared, CgBindings sizes, CgType *out)
{
    const CgDim *dim[CG_MAX_RANK];
    int dtype = 0, rank = 0;
    while (dtype < CG_NDTYPE && (!declared->name || strcmp(cg_dtype_name((CgDtype)dtype), declared->name) != 0))
        dtype++;
    if (dtype == CG_NDTYPE || declared->ndims > CG_MAX_RANK)
        return false;
    for (; rank < declared->ndims; rank++)
        if (!(dim[rank] = declared_size(inst, declared->dims[rank], sizes)))
            return false;
    *out = cg_type((CgDtype)dtype, rank, dim);
    return true;
}

static const CgKnownType *known_type(const CgKnownTypes *data, CgAtom name)
{
    for (int i = 0; data && i < data->n; i++)
        if (data->at[i].name == name)
            return &data->at[i];
    return NULL;
}

/* As the data is; whether that is what the signature declares is found out when the graph is applied to it. */
static CgValue *input_like_data(CgSession *x, const CgKnownType *known)
{
    CgValue *v =
        cg_value_tensor(x->elab, cg_graph_input(&x->elab->model->build, known->name, known->type), known->span);
    for (int i = 0; i < known->type.rank; i++)
        v->tensor->origin[i] = known->span;
    return v;
}

static bool input_value(CgSession *x, const CgInstance *inst, const CgParam *p, CgBindings sizes, CgValue **out)
{
    CgType type;
    if (!declared_type(inst, p->type, sizes, &type)) {
        cg_diag(x->diags, CG_E0403, p->type->span, "the sizes of '%s' do not follow from names and numbers", p->name);
        return false;
    }
    *out = cg_value_tensor(x->elab, cg_graph_input(&x->elab->model->build, p->name, type), p->span);
    const CgDim *below = p->type->below ? declared_size(inst, p->type->below, sizes) : NULL;
    if (below)
        cg_below_set(x->elab->model, (*out)->tensor->ref, (CgBelow){ below, p->type->span, NULL, NULL });
    for (int i = 0; i < type.rank; i++) {
        (*out)->tensor->origin[i] = p->type->dims[i]->span;
        (*out)->tensor->label[i] = p->type->dims[i]->kind == CG_EXPR_NAME ? p->type->dims[i]->s : NULL;
    }
    return true;
}

/* ---- sizes that were given ---- */

/* Names, each of which is offered once. */
typedef struct Sizes {
    CgSuggest near;
    CgMap seen;
} Sizes;

static void offer(Sizes *s, CgAtom name)
{
    uint64_t old;
    if (cg_map_get(&s->seen, cg_map_ptr(name), &old))
        return;
    cg_map_put(&s->seen, cg_map_ptr(name), 1);
    cg_suggest_offer(&s->near, name);
}

static bool is_static(const CgInstance *inst, CgAtom name)
{
    for (int i = 0; i < inst->stmt->nparams; i++)
        if (inst->stmt->params[i].name == name && !cg_param_is_tensor(&inst->stmt->params[i]))
            return true;
    return false;
}

static void offer_names(Sizes *s, const CgInstance *inst, const CgExpr *x)
{
    if ((x->kind == CG_EXPR_NAME || x->kind == CG_EXPR_ROW) && !is_static(inst, x->s))
        offer(s, x->s);
    if (x->kind == CG_EXPR_BINARY) {
        offer_names(s, inst, x->a);
        offer_names(s, inst, x->b);
    }
}

/* Names of sizes in what a graph takes, but those that static arguments say. */
static void offer_signature(Sizes *s, const CgInstance *inst)
{
    for (int i = 0; i < inst->stmt->nparams; i++) {
        const CgParam *p = &inst->stmt->params[i];
        for (int k = 0; cg_param_is_tensor(p) && k < p->type->ndims; k++)
            offer_names(s, inst, p->type->dims[k]);
        if (cg_param_is_tensor(p) && p->type->below)
            offer_names(s, inst, p->type->below);
    }
}

/* Symbols that sizes of a graph are made of. */
static void offer_symbols(Sizes *s, const CgGraph *g)
{
    CgAtom name, word = cg_intern(s->near.word);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgType *t = cg_node_type(g, r);
        for (int k = 0; k < t->rank; k++)
            if (cg_dim_is_symbol(t->dim[k], &name) || (cg_dim_mentions(t->dim[k], word) && (name = word)))
                offer(s, name);
    }
}

/* A number for a name that no size has would be given in vain. */
static bool sizes_are_known(CgSession *x, const CgTarget *t, const CgInstance *inst, CgBindings sizes)
{
    bool good = true;
    for (int i = 0; i < sizes.n; i++) {
        Sizes s = { 0 };
        cg_suggest_init(&s.near, sizes.at[i].symbol);
        if (inst)
            offer_signature(&s, inst);
        offer_symbols(&s, t->model->graph);
        uint64_t known;
        if (!cg_map_get(&s.seen, cg_map_ptr(sizes.at[i].symbol), &known)) {
            CgDiag *d = cg_diag(x->diags, CG_E0308, (CgSpan){ 0 }, "--dim: no size of '%s' has the name '%s'", t->name,
                sizes.at[i].symbol);
            if (inst && is_static(inst, sizes.at[i].symbol))
                cg_diag_help(d, "it is an argument: %s(%s = %lld)", inst->stmt->names[0], sizes.at[i].symbol,
                    (long long)sizes.at[i].value);
            else if (!cg_diag_meant_or_all(d, &s.near, "names of its sizes:"))
                cg_diag_help(d, "all its sizes are numbers");
            good = false;
        }
        cg_map_deinit(&s.seen);
    }
    return good;
}

/* Data are not to have another size than the one that was given. */
static bool data_agree(CgSession *x, const CgInstance *inst, CgBinding size, const CgKnownTypes *data)
{
    int64_t has;
    for (int i = 0; i < inst->stmt->nparams; i++) {
        const CgParam *p = &inst->stmt->params[i];
        const CgKnownType *known = known_type(data, p->name);
        for (int k = 0; known && cg_param_is_tensor(p) && k < p->type->ndims; k++) {
            const CgExpr *dim = p->type->dims[k];
            if (known->type.rank != p->type->ndims || dim->kind != CG_EXPR_NAME || dim->s != size.symbol
                || !cg_dim_eval(known->type.dim[k], (CgBindings){ 0 }, &has, NULL) || has == size.value)
                continue;
            cg_diag(x->diags, CG_E0402, known->span, "'%s' of '%s' is %lld here, and --dim says %lld", size.symbol,
                inst->stmt->names[0], (long long)has, (long long)size.value);
            return false;
        }
    }
    return true;
}

/* ---- the graph ---- */

static void name_outputs(CgModelGraph *m, const CgValue *v, const char *name)
{
    if (v->kind == CG_VALUE_TENSOR)
        cg_graph_output(m->graph, name, v->tensor->ref);
    for (int i = 0; i < v->n && (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD); i++) {
        name_outputs(m, v->at[i], v->keys ? v->keys[i] : cg_intern_printf("%s.%d", name, i));
    }
}

bool cg_target_apply(CgSession *x, CgValue *instance, CgBindings sizes, const CgKnownTypes *data, CgTarget *out)
{
    CgElab *e = x->elab;
    const CgInstance *inst = instance->instance;
    int n = inst->stmt->nparams, given = 0;
    CgValue **args = CG_NEWN(e->arena, CgValue *, n + 1);
    CgAtom *names = CG_NEWN(e->arena, CgAtom, n + 1);
    CgSpan *spans = CG_NEWN(e->arena, CgSpan, n + 1);
    out->name = inst->stmt->names[0];
    out->model = cg_model_begin(e, out->name, cg_precision_option(e));
    out->own = true;
    bool good = true;
    for (int i = 0; i < sizes.n && good; i++)
        good = data_agree(x, inst, sizes.at[i], data);
    for (int i = 0; i < n && good; i++) {
        const CgParam *p = &inst->stmt->params[i];
        const CgKnownType *known = known_type(data, p->name);
        if (!cg_param_is_tensor(p) || (p->init && !known)) /* a tensor with a default keeps it */
            continue;
        names[given] = p->name;
        spans[given] = known ? known->span : p->span;
        if (known)
            args[given++] = input_like_data(x, known);
        else
            good = input_value(x, inst, p, sizes, &args[given++]);
    }
    CgFrame f;
    cg_frame_begin(e, &f, NULL, cg_elab_script(e));
    if (good) {
        CgValue *root = cg_instance_root(e, instance, false);
        CgValue *v = cg_apply(e, &f, root, args, names, spans, given, instance->span);
        cg_annotations_check(e);
        name_outputs(out->model, v, out->name);
        good = !cg_is_poison(v);
    }
    cg_frame_end(e, &f);
    cg_model_end(e);
    out->noutputs = out->model->graph->outputs.len;
    return good && cg_diags_count(x->diags) == 0 && sizes_are_known(x, out, inst, sizes);
}

bool cg_target_of_stage(const CgStage *s, CgTarget *out)
{
    *out = (CgTarget){ .unit = out->unit };
    out->name = s->label;
    out->model = s->model;
    out->stage = s;
    while (out->noutputs < s->model->graph->outputs.len
        && strncmp(s->model->graph->outputs.at[out->noutputs].name, "grad.", 5) != 0)
        out->noutputs++;
    return true;
}

static bool stage_of_sizes(CgSession *x, const CgStage *s, CgBindings sizes, CgTarget *out)
{
    return cg_target_of_stage(s, out) && sizes_are_known(x, out, NULL, sizes);
}

static const char *last_graph(const CgSession *x)
{
    const CgBlock *top = &x->program->at[x->program->n - 1].unit->top;
    for (int i = top->n - 1; i >= 0; i--)
        if (top->at[i]->kind == CG_STMT_GRAPH)
            return top->at[i]->names[0];
    return NULL;
}

bool cg_target_build(CgSession *x, const char *text, CgBindings sizes, CgTarget *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = x->stages.len; i-- > 0 && !text;)
        if (x->stages.at[i]->kind == &cg_stage_kind_train)
            return stage_of_sizes(x, x->stages.at[i], sizes, out);
    if (!text && !(text = last_graph(x))) {
        cg_diag(x->diags, CG_E0304, (CgSpan){ 0 },
            "the script has neither a training nor a graph: say which graph is meant");
        return false;
    }
    CgValue *v = cg_target_value(x, text, out);
    if (!v)
        return false;
    const CgValue *weights = v->kind == CG_VALUE_INSTANCE ? v->instance->weights : NULL;
    if (weights && weights->kind == CG_VALUE_STAGE)
        return stage_of_sizes(x, weights->stage, sizes, out);
    if (v->kind == CG_VALUE_STAGE)
        return stage_of_sizes(x, v->stage, sizes, out);
    if (v->kind == CG_VALUE_INSTANCE)
        return cg_target_apply(x, v, sizes, NULL, out);
    cg_diag(x->diags, CG_E0305, out->unit->top.at[0]->exprs[0]->span,
        "a graph, a model or a training is wanted, not %s", cg_value_kind_name(v));
    return false;
}

bool cg_target_differentiate(CgSession *x, CgTarget *t, size_t output, const CgRef *by, int n)
{
    CgModelGraph *m = t->model;
    CgRef *trained = cg_calloc(m->params.len + m->graph->inputs.len + 1, sizeof *trained);
    CgRef where = CG_NONE, loss = m->graph->outputs.at[output].ref;
    CgErr e = { 0 };
    if (!by) {
        n = 0;
        for (size_t i = 0; i < m->params.len; i++)
            if (!m->params.at[i].frozen && !m->params.at[i].auxiliary)
                trained[n++] = m->params.at[i].ref;
        for (size_t i = 0; !m->params.len && i < m->graph->inputs.len; i++)
            if (cg_dtype_is_float(cg_node_type(m->graph, m->graph->inputs.at[i])->dtype))
                trained[n++] = m->graph->inputs.at[i];
        by = trained;
    }
    CgRef *grads = cg_calloc((size_t)n + 1, sizeof *grads);
    if (cg_ref_type(&m->build, loss).rank)
        loss = cg_sum_all(&m->build, loss);
    bool good = cg_grad_build(&m->build, loss, n, by, grads, &where, &e);
    if (!good)
        cg_diag_err(x->diags, where != CG_NONE ? cg_node(m->graph, where)->span : (CgSpan){ 0 }, &e);
    for (int i = 0; good && i < n; i++) {
        cg_graph_output(m->graph, cg_intern_printf("grad.%s", cg_node_name(m->graph, by[i])), grads[i]);
    }
    free(trained);
    free(grads);
    return good;
}

void cg_target_free(CgTarget *t)
{
    if (t->own)
        cg_model_free(t->model);
    cg_unit_free(t->unit);
}

bool cg_target_frozen(void *target, const char *path)
{
    const CgTarget *t = target;
    const CgParamInfo *p = cg_model_param(t->model, cg_intern(path));
    return p && (p->frozen || p->auxiliary);
}
