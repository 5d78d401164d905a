/* model.c - functions of the language that build graphs or look at values.
 * Takes evaluated arguments (or the call itself, for patterns and axes); gives values at once. What ops or .cg can
 * express is not here. */
#include <math.h>
#include <string.h>

#include "library/library.h"
#include "stage/session.h"
#include "graph/grad.h"
#include "graph/registry.h"

static CgValue *rearrange(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)args;
    return cg_rearrange(e, f, call);
}

static CgValue *einsum(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)args;
    return cg_einsum(e, f, call);
}

static const CgExpr *argument(const CgExpr *call, const char *name, int position)
{
    for (int i = 0; i < call->args.n; i++)
        if (call->args.at[i].name && !strcmp(call->args.at[i].name, name))
            return call->args.at[i].value;
    return position < call->args.n && !call->args.at[position].name ? call->args.at[position].value : NULL;
}

/* mean and sum: of tensors over one axis, several or all; of columns over the rows of their table. */
static CgValue *reduce(CgElab *e, CgFrame *f, const CgExpr *call, bool mean)
{
    const char *name = mean ? "mean" : "sum";
    const CgExpr *of = argument(call, "x", 0), *axis = argument(call, "axis", 1);
    for (int i = 0; i < call->args.n; i++) {
        const char *given = call->args.at[i].name;
        if (given && strcmp(given, "x") && strcmp(given, "axis")) {
            cg_elab_error(e, CG_E0303, call->args.at[i].name_span, "'%s' has no parameter '%s'", name, given);
            return cg_value_poison(e);
        }
    }
    if (call->args.n > 2) {
        cg_elab_error(e, CG_E0303, call->args.at[2].value->span, "'%s' takes 2 arguments", name);
        return cg_value_poison(e);
    }
    if (!of) {
        cg_elab_error(e, CG_E0304, call->span, "'%s' needs 'x'", name);
        return cg_value_poison(e);
    }
    CgValue *x = cg_eval(e, f, of);
    if (cg_is_poison(x))
        return x;
    if (x->kind != CG_VALUE_TENSOR) {
        for (const CgBuiltin *b = cg_builtins_table; b->name; b++)
            if (!strcmp(b->name, mean ? "mean_of" : "sum_of")) {
                CgValue *fn = cg_value_new(e, CG_VALUE_BUILTIN, call->span), *args[1] = { x };
                CgAtom names[1] = { NULL };
                CgSpan spans[1] = { of->span };
                fn->builtin = b;
                return cg_call(e, f, fn, args, names, spans, 1, NULL);
            }
        return cg_value_poison(e);
    }
    const CgType t = *cg_value_type(e, x);
    if (t.dtype == CG_BOOL) {
        CgDiag *d = cg_elab_error(e, CG_E0305, of->span, "'%s' takes numbers, not bool", name);
        cg_diag_help(d, "make numbers of it with cast(x, f32)");
        return cg_value_poison(e);
    }
    int64_t axes[CG_MAX_RANK];
    int n = 0;
    if (!axis) {
        for (; n < t.rank; n++)
            axes[n] = n;
    } else {
        bool list = axis->kind == CG_EXPR_LIST;
        int count = list ? axis->args.n : 1;
        bool named[CG_MAX_RANK] = { false };
        for (int i = 0; i < count; i++) {
            const CgExpr *w = list ? axis->args.at[i].value : axis;
            CgValue *v = cg_eval(e, f, w);
            int k;
            if (cg_is_poison(v) || !cg_axis_of(e, f, x, w, v, w->span, &k))
                return cg_value_poison(e);
            if (named[k]) {
                cg_elab_error(e, CG_E0404, w->span, "axis %d is named twice", k);
                return cg_value_poison(e);
            }
            named[k] = true;
            axes[n++] = k;
        }
    }
    if (n == 0)
        return x;
    CgBuild *b = &e->model->build;
    b->span = call->span;
    CgRef r = cg_sum(b, x->tensor.ref, n, axes);
    if (mean)
        r = cg_div(b, r, cg_sum(b, cg_fill(b, t, 1), n, axes));
    CgValue *v = cg_value_tensor(e, r, call->span);
    for (int i = 0, k = 0; i < t.rank; i++) {
        bool gone = false;
        for (int j = 0; j < n; j++)
            gone |= axes[j] == i;
        if (gone)
            continue;
        v->tensor.label[k] = x->tensor.label[i];
        v->tensor.origin[k++] = x->tensor.origin[i];
    }
    return v;
}

static CgValue *mean(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)args;
    return reduce(e, f, call, true);
}

static CgValue *sum(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)args;
    return reduce(e, f, call, false);
}

static CgValue *no_graph(CgElab *e, const CgExpr *call, const char *name)
{
    cg_elab_error(e, CG_E0503, call ? call->span : (CgSpan){ 0 },
        "'%s' makes a tensor, and there are none outside of graphs, train and evaluate", name);
    return cg_value_poison(e);
}

static CgValue *iota(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    const CgDim *n = cg_value_as_dim(args[0]);
    CgSpan span = call ? call->span : args[0]->span;
    if (!e->model)
        return no_graph(e, call, "iota");
    if (!n) {
        cg_elab_error(e, CG_E0305, span, "iota takes a size, not %s", cg_value_kind_name(args[0]));
        return cg_value_poison(e);
    }
    CgAttr at[2] = { cg_a_type("type", cg_type(CG_I32, 1, &n)), cg_a_int("axis", 0) };
    return cg_value_tensor(e, cg_build(&e->model->build, "iota", 0, NULL, cg_attrs(2, at)), span);
}

static CgValue *fill(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    double number;
    CgSpan span = call ? call->span : args[0]->span;
    if (!e->model)
        return no_graph(e, call, "fill");
    if (!cg_value_number(args[0], &number)) {
        cg_elab_error(e, CG_E0305, span, "fill takes a number, not %s", cg_value_kind_name(args[0]));
        return cg_value_poison(e);
    }
    CgType t = { .dtype = CG_F32 };
    if (args[2]->kind == CG_VALUE_DTYPE)
        t.dtype = (CgDtype)args[2]->i;
    if (args[1]->kind == CG_VALUE_LIST) {
        if (args[1]->n > CG_MAX_RANK) {
            cg_elab_error(e, CG_E0401, span, "a tensor has at most %d axes", CG_MAX_RANK);
            return cg_value_poison(e);
        }
        for (int i = 0; i < args[1]->n; i++) {
            t.dim[i] = cg_value_as_dim(args[1]->at[i]);
            if (!t.dim[i]) {
                cg_elab_error(e, CG_E0305, span, "a shape is a list of sizes");
                return cg_value_poison(e);
            }
            t.rank++;
        }
    } else if (f && f->has_ambient) {
        t = f->ambient;
    } else {
        cg_elab_error(e, CG_E0403, span, "fill does not know its shape here: give it one, fill(0, [B, T])");
        return cg_value_poison(e);
    }
    CgValue *v = cg_value_tensor(e, cg_fill(&e->model->build, t, number), span);
    v->tensor.written = (uint16_t)((1u << t.rank) - 1); /* one number repeated: a 1 that grows changes nothing */
    return v;
}

/* ---- tensors written out ---- */

enum { MAX_WRITTEN = 4096 };

typedef struct Written {
    CgType type;
    const CgDim *dim[CG_MAX_RANK];
    int64_t size[CG_MAX_RANK];
    double at[MAX_WRITTEN];
    int n;
} Written;

static bool shape_of_list(const CgValue *v, Written *out)
{
    for (; v->kind == CG_VALUE_LIST; v = v->at[0]) {
        if (out->type.rank == CG_MAX_RANK || v->n == 0)
            return false;
        out->size[out->type.rank] = v->n;
        out->dim[out->type.rank++] = cg_dim_int(v->n);
    }
    return true;
}

static bool elements_of_list(const CgValue *v, int depth, Written *out)
{
    if (v->kind == CG_VALUE_LIST && depth < out->type.rank && v->n == out->size[depth]) {
        bool good = true;
        for (int i = 0; good && i < v->n; i++)
            good = elements_of_list(v->at[i], depth + 1, out);
        return good;
    }
    double number = v->kind == CG_VALUE_BOOL ? (double)v->i : 0;
    if (depth != out->type.rank || (v->kind != CG_VALUE_BOOL && !cg_value_number(v, &number)) || out->n == MAX_WRITTEN)
        return false;
    out->at[out->n++] = number;
    return true;
}

/* The numbers one after another, joined by as many as an op takes at once. */
static CgRef joined(CgBuild *b, CgDtype dtype, const double *at, int n)
{
    const CgDim *one = cg_dim_int(n == 1 ? 1 : n);
    bool same = true;
    for (int i = 1; same && i < n; i++)
        same = at[i] == at[0] && !signbit(at[i]) == !signbit(at[0]);
    if (same)
        return cg_fill(b, cg_type(dtype, 1, &one), at[0]);
    CgRef in[CG_MAX_IN];
    CgAttr axis = cg_a_int("axis", 0);
    int parts = n < CG_MAX_IN ? n : CG_MAX_IN;
    for (int k = 0; k < parts; k++)
        in[k] =
            joined(b, dtype, at + (int64_t)n * k / parts, (int)((int64_t)n * (k + 1) / parts - (int64_t)n * k / parts));
    return cg_build(b, "concat", parts, in, cg_attrs(1, &axis));
}

static CgValue *tensor(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = call ? call->span : args[0]->span;
    if (!e->model)
        return no_graph(e, call, "tensor");
    Written *w = CG_NEW(e->arena, Written);
    w->type.dtype = args[1]->kind == CG_VALUE_DTYPE ? (CgDtype)args[1]->i : CG_F32;
    if (!shape_of_list(args[0], w) || !elements_of_list(args[0], 0, w)) {
        CgDiag *d = cg_elab_error(e, CG_E0305, span,
            "tensor takes a number or equally long lists of numbers, at most %d in all", MAX_WRITTEN);
        cg_diag_help(d, "tensor([[1, 2.5], [3, 4]])");
        return cg_value_poison(e);
    }
    for (int i = 0; i < w->n; i++)
        if (!cg_dtype_is_float(w->type.dtype) && w->at[i] != floor(w->at[i])) {
            cg_elab_error(
                e, CG_E0305, span, "%g is not an element of a %s tensor", w->at[i], cg_dtype_name(w->type.dtype));
            return cg_value_poison(e);
        }
    CgBuild *b = &e->model->build;
    if (!w->type.rank)
        return cg_value_tensor(e, cg_graph_const(b, w->type.dtype, w->at[0]), span);
    CgValue *v = cg_value_tensor(e, cg_reshape(b, joined(b, w->type.dtype, w->at, w->n), w->type.rank, w->dim), span);
    for (int i = 0; i < w->type.rank; i++)
        v->tensor.origin[i] = span;
    v->tensor.written = (uint16_t)((1u << w->type.rank) - 1);
    return v;
}

static CgValue *size(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)args;
    const CgExpr *of = argument(call, "x", 0), *axis = argument(call, "axis", 1);
    if (!of || !axis) {
        cg_elab_error(e, CG_E0304, call->span, "size needs 'x' and 'axis'");
        return cg_value_poison(e);
    }
    CgValue *x = cg_eval(e, f, of), *v = cg_eval(e, f, axis);
    int k;
    if (cg_is_poison(x) || cg_is_poison(v))
        return cg_value_poison(e);
    if (x->kind != CG_VALUE_TENSOR) {
        cg_elab_error(e, CG_E0305, of->span, "size is of a tensor, not of %s", cg_value_kind_name(x));
        return cg_value_poison(e);
    }
    if (!cg_axis_of(e, f, x, axis, v, axis->span, &k))
        return cg_value_poison(e);
    return cg_value_dim(e, cg_value_type(e, x)->dim[k], x->tensor.origin[k]);
}

static CgValue *is_graph(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgValueKind k = args[0]->kind;
    return cg_value_bool(e, k == CG_VALUE_GRAPH || k == CG_VALUE_INSTANCE || k == CG_VALUE_DEF || k == CG_VALUE_OP,
        call ? call->span : args[0]->span);
}

static CgValue *len(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = call ? call->span : args[0]->span;
    if (args[0]->kind == CG_VALUE_LIST || args[0]->kind == CG_VALUE_RECORD)
        return cg_value_int(e, args[0]->n, span);
    cg_elab_error(e, CG_E0305, span, "len is of a list or record, not of %s", cg_value_kind_name(args[0]));
    return cg_value_poison(e);
}

/* The derivative of a number by a tensor: nodes like any other, so it can be differentiated again. */
static CgValue *grad(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = call ? call->span : args[0]->span;
    CgErr err = { 0 };
    CgRef by, where = CG_NONE;
    if (!e->model)
        return no_graph(e, call, "grad");
    for (int i = 0; i < 2; i++) {
        if (args[i]->kind == CG_VALUE_TENSOR && cg_dtype_is_float(cg_value_type(e, args[i])->dtype))
            continue;
        cg_elab_error(
            e, CG_E0305, span, "grad takes a number and a tensor it depends on, not %s", cg_value_kind_name(args[i]));
        return cg_value_poison(e);
    }
    if (cg_value_type(e, args[0])->rank) {
        CgDiag *d = cg_elab_error(
            e, CG_E0401, span, "grad is of one number, this has %d axes", cg_value_type(e, args[0])->rank);
        cg_diag_help(d, "sum(...) or mean(...) makes one number of it");
        return cg_value_poison(e);
    }
    double constant;
    if (cg_ref_const(&e->model->build, args[1]->tensor.ref, &constant)) {
        CgDiag *d = cg_elab_error(
            e, CG_E0504, span, "there is no derivative by a constant: what is made of it is a constant, too");
        cg_diag_help(d, "differentiate by an input, a parameter, or a tensor(...) of different numbers");
        return cg_value_poison(e);
    }
    if (!cg_grad_build(&e->model->build, args[0]->tensor.ref, 1, &args[1]->tensor.ref, &by, &where, &err)) {
        CgDiag *d = cg_elab_error(e, CG_E0504, span, "%s", err.text);
        if (err.hint[0])
            cg_diag_help(d, "%s", err.hint);
        return cg_value_poison(e);
    }
    CgValue *v = cg_value_tensor(e, by, span);
    cg_copy_labels(e, v, &args[1], 1);
    return v;
}

/* The model with a word about its parameters or products. */
static CgValue *with_mark(CgElab *e, const CgExpr *call, CgValue **args, const char *name, CgMark mark)
{
    mark.span = call ? call->span : args[0]->span;
    if (args[0]->kind != CG_VALUE_INSTANCE) {
        cg_elab_error(e, CG_E0305, mark.span, "%s takes a model, not %s", name, cg_value_kind_name(args[0]));
        return cg_value_poison(e);
    }
    if (args[1]->kind != CG_VALUE_NONE && args[1]->kind != CG_VALUE_STR) {
        cg_elab_error(e, CG_E0305, mark.span, "a pattern of paths is a string, not %s", cg_value_kind_name(args[1]));
        return cg_value_poison(e);
    }
    CgValue *v = cg_instance_copy(e, args[0], mark.span);
    mark.pattern = args[1]->kind == CG_VALUE_STR ? args[1]->s : NULL;
    cg_mark_add(e, v->instance, mark);
    return v;
}

#define MARK(name, said)                                                            \
    static CgValue *name(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args) \
    {                                                                               \
        (void)f;                                                                    \
        return with_mark(e, call, args, #name, (CgMark){ .what = said });           \
    }
MARK(freeze, CG_MARK_FROZEN)
MARK(unfreeze, CG_MARK_TRAINED)
MARK(in_bf16, CG_MARK_BF16)
MARK(in_f32, CG_MARK_F32)
MARK(recomputed, CG_MARK_RECOMPUTED)

static CgValue *load(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    (void)f;
    CgSpan span = call ? call->span : args[0]->span;
    if (args[0]->kind != CG_VALUE_INSTANCE || args[1]->kind != CG_VALUE_STR) {
        cg_elab_error(e, CG_E0305, span, "load takes a model and the path of a safetensors file");
        return cg_value_poison(e);
    }
    CgValue *v = cg_instance_copy(e, args[0], span), *w = cg_value_object(e, "weights", 1, span);
    w->keys[0] = cg_intern("path");
    w->at[0] = args[1];
    v->instance->weights = w;
    v->instance->within = NULL;
    return v;
}

/* The internal call that stands for a text being written. */
static CgValue *written(void *runner, const CgValue *call, CgValue **args)
{
    (void)call;
    (void)args;
    return cg_value_poison(((CgSession *)runner)->elab); /* batches of text are made by evaluate.c */
}

static const CgBuiltin written_text = { .name = "text", .sig = "(context)", .doc = "", .later = written };

static CgValue *reconstruct(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    CgSpan span = call ? call->span : args[0]->span;
    if (args[0]->kind != CG_VALUE_INSTANCE || args[1]->kind != CG_VALUE_TENSOR) {
        cg_elab_error(
            e, CG_E0305, span, "reconstruct takes a model and the tokens of a batch, in a column of evaluate");
        return cg_value_poison(e);
    }
    CgType t = *cg_value_type(e, args[1]);
    int64_t length = 0;
    if (t.rank != 2 || t.dtype != CG_I32 || !cg_dim_is_int(t.dim[1], &length)) {
        cg_elab_error(e, CG_E0401, span, "reconstruct works on tokens i32[batch, length]");
        return cg_value_poison(e);
    }
    CgGenerator *g = cg_generator_build(e, f, args[0], t, true, length, span);
    if (!g)
        return cg_value_poison(e);
    CgValue *v = cg_value_record(e, 1, span);
    v->kind = CG_VALUE_CALL;
    v->builtin = &written_text;
    v->keys[0] = cg_intern("context");
    v->at[0] = args[1];
    v->stage = g;
    return v;
}

/* generate(model, prompt): one text, when the script runs. */
static CgValue *generated(void *runner, const CgValue *call, CgValue **args)
{
    CgSession *x = runner;
    CgElab *e = x->elab;
    CgGenerator *g = call->stage;
    const CgTokenizer *tok = cg_tokenizer_of(x, args[2]);
    if (!tok)
        return NULL;
    CgTokens ids = { 0 };
    cg_tokenizer_encode(tok, args[1]->s, strlen(args[1]->s), &ids);
    int32_t *text = CG_NEWN(e->arena, int32_t, g->length + 1);
    int64_t fixed = (int64_t)ids.len < g->length ? (int64_t)ids.len : g->length;
    memcpy(text, ids.at, sizeof *text * (size_t)fixed);
    cg_vec_free(&ids);
    if (fixed == 0)
        text[0] = tok->end, fixed = 1;
    CgMemory memory;
    double temperature = 0;
    cg_value_number(args[4], &temperature);
    if (!cg_memory_fill(x, g->model, NULL, 0, &memory))
        return NULL;
    CgWriter *w = cg_writer_new(x, g, &memory, 1);
    bool good = w && cg_writer_run(w, NULL, text, fixed, temperature, args[5]->i, (uint64_t)args[6]->i);
    cg_writer_free(w);
    cg_memory_free(&memory);
    if (!good)
        return NULL;
    CgStrbuf out = { 0 };
    cg_tokenizer_decode(tok, text, (size_t)g->length, true, &out);
    CgValue *v = cg_value_str(e, cg_strbuf_str(&out), call->span);
    cg_strbuf_deinit(&out);
    return v;
}

static const CgBuiltin generated_text = { .name = "generate",
    .sig = "(model, prompt, tokenizer, length, temperature, top_k, seed)",
    .doc = "",
    .later = generated };

static CgValue *generate(CgElab *e, CgFrame *f, const CgExpr *call, CgValue **args)
{
    CgSpan span = call ? call->span : args[0]->span;
    if (args[0]->kind != CG_VALUE_INSTANCE || args[1]->kind != CG_VALUE_STR || args[3]->kind != CG_VALUE_INT
        || args[5]->kind != CG_VALUE_INT || args[6]->kind != CG_VALUE_INT || args[3]->i < 1 || args[3]->i > 65536) {
        cg_elab_error(e, CG_E0305, span, "generate takes a model, a prompt, a tokenizer and a length");
        return cg_value_poison(e);
    }
    if (args[2]->kind != CG_VALUE_OBJECT || !cg_record_find(args[2], cg_intern("mark"))) {
        cg_elab_error(
            e, CG_E0305, span, "generate needs a tokenizer such as bytes(), not %s", cg_value_kind_name(args[2]));
        return cg_value_poison(e);
    }
    CgGenerator *g = cg_generator_build(e, f, args[0], (CgType){ 0 }, false, args[3]->i, span);
    if (!g)
        return cg_value_poison(e);
    CgValue *v = cg_value_list(e, 7, span);
    v->kind = CG_VALUE_CALL;
    v->builtin = &generated_text;
    v->stage = g;
    memcpy(v->at, args, sizeof *args * 7);
    v->at[0] = cg_value_new(e, CG_VALUE_NONE, span); /* its weights are in the generator */
    return v;
}

const CgBuiltin cg_builtins_graph[] = {
    { .name = "rearrange",
        .sig = "(x, pattern)",
        .raw = true,
        .eager = rearrange,
        .doc = "Axes split, merged and reordered by a pattern: rearrange(x, [B, T, heads*K] -> [B, heads, T, K])." },
    { .name = "einsum",
        .sig = "(tensors, patterns)",
        .raw = true,
        .eager = einsum,
        .doc = "Products summed over shared axes: einsum(q, k, [B, H, T, K], [B, H, S, K] -> [B, H, T, S])." },
    { .name = "mean",
        .sig = "(x, axis = none)",
        .raw = true,
        .eager = mean,
        .doc = "Mean of a tensor over an axis, a list of axes or all; of a column over its rows." },
    { .name = "sum",
        .sig = "(x, axis = none)",
        .raw = true,
        .eager = sum,
        .doc = "Sum of a tensor over an axis, a list of axes or all; of a column over its rows." },
    { .name = "size", .sig = "(x, axis)", .raw = true, .eager = size, .doc = "The size of an axis." },
    { .name = "iota", .sig = "(n)", .eager = iota, .doc = "0, 1, .. n-1 as i32[n]." },
    { .name = "fill",
        .sig = "(value, shape = none, dtype = none)",
        .eager = fill,
        .doc = "A tensor of one value; without a shape that of the parameter being initialised." },
    { .name = "tensor",
        .sig = "(list, dtype = f32)",
        .eager = tensor,
        .doc = "A tensor written out: tensor([[1, 2.5], [3, 4]])." },
    { .name = "is_graph",
        .sig = "(value)",
        .eager = is_graph,
        .doc = "Whether the value can be applied: a graph, model, function or op." },
    { .name = "len", .sig = "(list)", .eager = len, .doc = "Number of elements of a list or fields of a record." },
    { .name = "grad",
        .sig = "(y, wrt)",
        .eager = grad,
        .doc = "The derivative of a number by a tensor, of any order: grad(sum(y), wrt = x)." },
    { .name = "freeze",
        .sig = "(model, pattern = none)",
        .eager = freeze,
        .doc = "The model with its parameters (or those whose path fits the pattern) kept from training." },
    { .name = "in_bf16",
        .sig = "(model, pattern = none)",
        .eager = in_bf16,
        .doc = "The model with its products (or those in parts, or by parameters, whose path fits the pattern) of "
               "numbers rounded to bf16, summed in f32." },
    { .name = "in_f32",
        .sig = "(model, pattern = none)",
        .eager = in_f32,
        .doc = "The model with its products (or those in parts, or by parameters, whose path fits the pattern) in f32, "
               "whatever the option precision says." },
    { .name = "recomputed",
        .sig = "(model, pattern = none)",
        .eager = recomputed,
        .doc = "The model with its parts whose path fits the pattern (or all of it) computed again in the backward "
               "pass instead of kept, as by recompute." },
    { .name = "unfreeze",
        .sig = "(model, pattern = none)",
        .eager = unfreeze,
        .doc = "The model with its parameters (or those whose path fits the pattern) trained again." },
    { .name = "load",
        .sig = "(model, path)",
        .eager = load,
        .doc = "The model with the weights of a safetensors file; every missing, extra and misshapen tensor is a "
               "mistake." },
    { .name = "reconstruct",
        .sig = "(model, tokens)",
        .eager = reconstruct,
        .doc = "Greedy text of model(context, text), one token at a time, from each row of tokens as context." },
    { .name = "generate",
        .sig = "(model, prompt, tokenizer, length = 200, temperature = 0, top_k = 0, seed = 0)",
        .eager = generate,
        .doc = "Text that goes on from the prompt; temperature 0 is greedy." },
    { 0 },
};
