/* tensor.c - functions of the language that make tensors or look at them.
 * Takes arguments of the kinds their signatures name (or the call itself, for patterns); gives values at once. What ops
 * or .cg can express is not here. */
#include <math.h>
#include <string.h>

#include "elab/define.h"
#include "graph/grad.h"
#include "graph/registry.h"
#include "library/library.h"
#include "stage/session.h"
#include "table/stats.h"

static CgValue *no_graph(CgElab *e, const CgArguments *a)
{
    CgDiag *d = cg_elab_error(e, CG_E0503, a->call,
        "'%s' makes a tensor, and there are none outside of graphs, train and evaluate", a->function->name);
    cg_diag_help(d, "value(%s(..)) is its numbers, which can be shown and saved", a->function->name);
    return cg_value_poison(e);
}

static CgValue *build_rearrange(CgElab *e, CgFrame *f, const CgArguments *a) { return cg_rearrange(e, f, a->site); }
static CgValue *build_einsum(CgElab *e, CgFrame *f, const CgArguments *a) { return cg_einsum(e, f, a->site); }

/* ---- mean and sum: of tensors over one axis, several or all; of columns over the rows of their table ---- */

/* The axes that argument i names, all of them when it names none; their number, -1 after a mistake. */
static int axes_of(CgElab *e, CgFrame *f, const CgArguments *a, int i, CgValue *x, int64_t *axes)
{
    int n = 0, rank = cg_value_type(e, x)->rank;
    const CgValue *v = a->at[i];
    const CgExpr *written = a->written[i];
    if (v->kind == CG_VALUE_NONE) {
        for (; n < rank; n++)
            axes[n] = n;
        return n;
    }
    bool list = v->kind == CG_VALUE_LIST, taken[CG_MAX_RANK] = { false };
    for (int j = 0; j < (list ? v->n : 1); j++) {
        const CgExpr *w = !list                                               ? written
            : written && written->kind == CG_EXPR_LIST && j < written->args.n ? written->args.at[j].value
                                                                              : NULL;
        CgSpan at = w ? w->span : a->span[i];
        int k;
        if (!cg_axis_of(e, f, x, w, list ? v->at[j] : a->at[i], at, &k))
            return -1;
        if (taken[k]) {
            cg_elab_error(e, CG_E0404, at, "axis %d is named twice", k);
            return -1;
        }
        taken[k] = true;
        axes[n++] = k;
    }
    return n;
}

static CgValue *reduce(CgElab *e, CgFrame *f, const CgArguments *a, bool mean)
{
    CgValue *x = a->at[0];
    if (x->kind == CG_VALUE_LIST)
        return cg_list_sum(e, f, a);
    if (x->kind != CG_VALUE_TENSOR)
        return cg_no_axis(e, a) ? cg_function_later(e, a, 0) : cg_value_poison(e);
    CgType t = *cg_value_type(e, x);
    if (t.dtype == CG_BOOL) {
        CgDiag *d = cg_elab_error(e, CG_E0312, a->span[0], "'%s' takes numbers, not bool", a->function->name);
        cg_diag_help(d, "make numbers of it with cast(x, f32)");
        return cg_value_poison(e);
    }
    int64_t axes[CG_MAX_RANK];
    int n = axes_of(e, f, a, 1, x, axes);
    if (n < 0)
        return cg_value_poison(e);
    if (n == 0)
        return x;
    CgBuild *b = &e->model->build;
    b->span = a->call;
    CgRef r = x->tensor->ref;
    if (mean && !cg_dtype_is_float(t.dtype)) { /* the mean of whole numbers is none */
        t.dtype = CG_F32;
        r = cg_cast(b, r, CG_F32);
    }
    r = cg_sum(b, r, n, axes);
    if (mean)
        r = cg_div(b, r, cg_sum(b, cg_fill(b, t, 1), n, axes));
    CgValue *v = cg_value_tensor(e, r, a->call);
    for (int i = 0, k = 0; i < t.rank; i++) {
        bool gone = false;
        for (int j = 0; j < n; j++)
            gone |= axes[j] == i;
        if (gone)
            continue;
        v->tensor->label[k] = x->tensor->label[i];
        v->tensor->origin[k++] = x->tensor->origin[i];
    }
    return v;
}

static CgValue *build_mean(CgElab *e, CgFrame *f, const CgArguments *a) { return reduce(e, f, a, true); }
static CgValue *build_sum(CgElab *e, CgFrame *f, const CgArguments *a) { return reduce(e, f, a, false); }

static double sum_all(const double *x, size_t n) { return n ? cg_stats_mean(x, n) * (double)n : 0; }

static CgValue *run_mean(CgSession *x, const CgValue *call, CgValue **args)
{
    return cg_statistic(x, call, args, cg_stats_mean);
}
static CgValue *run_sum(CgSession *x, const CgValue *call, CgValue **args)
{
    return cg_statistic(x, call, args, sum_all);
}

/* ---- made without operands ---- */

static CgValue *build_iota(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (!e->model)
        return no_graph(e, a);
    const CgDim *n = cg_value_as_dim(a->at[0]);
    CgAttr at[2] = { cg_a_type("type", cg_type(CG_I32, 1, &n)), cg_a_int("axis", 0) };
    return cg_value_tensor(e, cg_build(&e->model->build, "iota", 0, NULL, cg_attrs(2, at)), a->call);
}

/* A number that a tensor of this type can hold: of integers whole ones, and not beyond their ends. */
static bool is_element(CgElab *e, double number, CgDtype dtype, CgSpan span)
{
    double most = dtype == CG_I8 ? INT8_MAX : dtype == CG_I32 ? INT32_MAX : 9007199254740992;
    if (cg_dtype_has_derivative(dtype)
        || (number == floor(number) && number <= most && number >= -most - (dtype != CG_I64)))
        return true;
    cg_elab_error(e, CG_E0316, span, "%.17g is no number of type %s", number, cg_dtype_name(dtype));
    return false;
}

static CgValue *build_fill(CgElab *e, CgFrame *f, const CgArguments *a)
{
    double number = 0;
    cg_value_number(a->at[0], &number);
    if (!e->model)
        return no_graph(e, a);
    CgType t = { .dtype = (CgDtype)a->at[2]->i };
    if (a->at[1]->kind == CG_VALUE_LIST) {
        t.rank = a->at[1]->n;
        if (t.rank > CG_MAX_RANK) {
            cg_elab_error(e, CG_E0401, a->span[1], "a tensor has at most %d axes", CG_MAX_RANK);
            return cg_value_poison(e);
        }
        for (int i = 0; i < t.rank; i++)
            t.dim[i] = cg_value_as_dim(a->at[1]->at[i]);
    } else if (f && f->has_ambient) {
        t = f->ambient;
    } else {
        cg_elab_error(e, CG_E0403, a->call, "fill does not know its shape here: give it one, fill(0, [B, T])");
        return cg_value_poison(e);
    }
    if (!is_element(e, number, t.dtype, a->span[0]) || !cg_number_fits(e, a->at[0], t.dtype, a->span[0]))
        return cg_value_poison(e);
    CgValue *v = cg_value_tensor(e, cg_fill(&e->model->build, t, number), a->call);
    v->tensor->written = (uint16_t)((1u << t.rank) - 1); /* one number repeated: a 1 that grows changes nothing */
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
    bool refused; /* a number had no exact place, which was reported */
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

static bool elements_of_list(CgElab *e, const CgValue *v, int depth, Written *out)
{
    if (v->kind == CG_VALUE_LIST && depth < out->type.rank && v->n == out->size[depth]) {
        bool good = true;
        for (int i = 0; good && i < v->n; i++)
            good = elements_of_list(e, v->at[i], depth + 1, out);
        return good;
    }
    double number = v->kind == CG_VALUE_BOOL ? (double)v->i : 0;
    if (depth != out->type.rank || (v->kind != CG_VALUE_BOOL && !cg_value_number(v, &number)) || out->n == MAX_WRITTEN)
        return false;
    if (!cg_number_fits(e, v, out->type.dtype, v->span)) {
        out->refused = true;
        return false;
    }
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
    int groups = n < CG_MAX_IN ? n : CG_MAX_IN;
    for (int k = 0; k < groups; k++)
        in[k] = joined(
            b, dtype, at + (int64_t)n * k / groups, (int)((int64_t)n * (k + 1) / groups - (int64_t)n * k / groups));
    return cg_build(b, "concat", groups, in, cg_attrs(1, &axis));
}

static CgValue *build_tensor(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    if (!e->model)
        return no_graph(e, a);
    Written *w = CG_NEW(e->arena, Written);
    w->type.dtype = (CgDtype)a->at[1]->i;
    const CgValue *list = cg_value_laid_out(e, a->at[0]); /* also ranges within it */
    if (!shape_of_list(list, w) || !elements_of_list(e, list, 0, w)) {
        if (w->refused)
            return cg_value_poison(e);
        CgDiag *d = cg_elab_error(e, CG_E0312, a->span[0],
            "tensor takes a number or equally long lists of numbers, at most %d in all", MAX_WRITTEN);
        cg_diag_help(d, "tensor([[1, 2.5], [3, 4]])");
        return cg_value_poison(e);
    }
    for (int i = 0; i < w->n; i++)
        if (!is_element(e, w->at[i], w->type.dtype, a->span[0]))
            return cg_value_poison(e);
    CgBuild *b = &e->model->build;
    CgRef r = w->type.rank ? cg_reshape(b, joined(b, w->type.dtype, w->at, w->n), w->type.rank, w->dim)
                           : cg_graph_const(b, w->type.dtype, w->at[0]);
    CgAttr apart = cg_a_int("number", (int64_t)b->graph->nodes.len);
    b->span = a->call;
    CgValue *v = cg_value_tensor(e, cg_build(b, "identity", 1, &r, cg_attrs(1, &apart)), a->call);
    for (int i = 0; i < w->type.rank; i++)
        v->tensor->origin[i] = a->call;
    v->tensor->written = (uint16_t)((1u << w->type.rank) - 1);
    return v;
}

/* ---- looking at values ---- */

static CgValue *build_size(CgElab *e, CgFrame *f, const CgArguments *a)
{
    int k;
    if (!cg_axis_of(e, f, a->at[0], a->written[1], a->at[1], a->span[1], &k))
        return cg_value_poison(e);
    return cg_value_dim(e, cg_value_type(e, a->at[0])->dim[k], a->at[0]->tensor->origin[k]);
}

static CgValue *build_shape(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const CgType t = *cg_value_type(e, a->at[0]);
    CgValue *out = cg_value_list(e, t.rank, a->call);
    for (int i = 0; i < t.rank; i++)
        out->at[i] = cg_value_dim(e, t.dim[i], a->at[0]->tensor->origin[i]);
    return out;
}

static CgValue *build_axis_numbers(CgElab *e, CgFrame *f, const CgArguments *a)
{
    int64_t axes[CG_MAX_RANK];
    int n = axes_of(e, f, a, 1, a->at[0], axes);
    if (n < 0)
        return cg_value_poison(e);
    CgValue *out = cg_value_list(e, n, a->call);
    for (int i = 0; i < n; i++)
        out->at[i] = cg_value_int(e, axes[i], a->call);
    return out;
}

static CgValue *build_is_filled(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    return cg_value_bool(e, cg_below_of(e, a->at[0]).filled != NULL, a->call);
}

static CgValue *build_is_graph(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgKinds graph = { .at = { { .tag = CG_KIND_GRAPH } }, .n = 1 };
    return cg_value_bool(e, cg_kinds_take(e, &graph, a->at[0], CG_KNOWN_NOW), a->call);
}

static CgValue *build_len(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    return cg_value_int(e, a->at[0]->n, a->call);
}

/* Real numbers, and something to differentiate by. */
static bool can_differentiate(CgElab *e, const CgArguments *a)
{
    double constant;
    for (int i = 0; i < a->n; i++)
        if (!cg_dtype_has_derivative(cg_value_type(e, a->at[i])->dtype)) {
            cg_elab_error(e, CG_E0401, a->span[i], "'%s' of %s has elements of type f32 or f64, not %s",
                cg_function_signature(a->function)->stmt->params[i].name, a->function->name,
                cg_dtype_name(cg_value_type(e, a->at[i])->dtype));
            return false;
        }
    if (!cg_ref_const(&e->model->build, a->at[1]->tensor->ref, &constant))
        return true;
    CgDiag *d = cg_elab_error(
        e, CG_E0504, a->call, "there is no derivative by a constant: what is made of it is a constant, too");
    cg_diag_help(d, "differentiate by an input, a parameter, a tensor(...), or a name that it is bound to");
    return false;
}

/* A derivative that was built, with the axes of `like`; or what was wrong. */
static CgValue *derivative(CgElab *e, const CgArguments *a, bool good, CgRef r, int like, const CgErr *err)
{
    if (!good) {
        CgDiag *d = cg_elab_error(e, CG_E0504, a->call, "%s", err->text);
        if (err->hint[0])
            cg_diag_help(d, "%s", err->hint);
        return cg_value_poison(e);
    }
    CgValue *v = cg_value_tensor(e, r, a->call);
    cg_copy_labels(e, v, &a->at[like], 1);
    return v;
}

/* The derivative of a number by a tensor: nodes like any other, so it can be differentiated again. */
static CgValue *build_grad(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgErr err = { 0 };
    CgRef by, where = CG_NONE;
    if (cg_value_type(e, a->at[0])->rank) {
        CgDiag *d = cg_elab_error(
            e, CG_E0401, a->span[0], "grad is of one number, this has %d axes", cg_value_type(e, a->at[0])->rank);
        cg_diag_help(d, "sum(...) or mean(...) makes one number of it");
        return cg_value_poison(e);
    }
    if (!can_differentiate(e, a))
        return cg_value_poison(e);
    bool good = cg_grad_build(&e->model->build, a->at[0]->tensor->ref, 1, &a->at[1]->tensor->ref, &by, &where, &err);
    return derivative(e, a, good, by, 1, &err);
}

static CgValue *build_jvp(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgErr err = { 0 };
    CgRef out, where = CG_NONE;
    const CgType *by = cg_value_type(e, a->at[1]), *along = cg_value_type(e, a->at[2]);
    if (!can_differentiate(e, a))
        return cg_value_poison(e);
    if (!cg_type_equal(by, along)) {
        if (cg_define_types(e, by, along, a->span[2]))
            return cg_value_poison(e);
        CgStrbuf one = { 0 }, two = { 0 };
        cg_type_print(by, &one);
        cg_type_print(along, &two);
        CgDiag *d = cg_elab_error(e, CG_E0402, a->span[2], "'along' is %s, and what is differentiated by %s",
            cg_strbuf_str(&two), cg_strbuf_str(&one));
        cg_diag_label(d, a->span[1], "%s", cg_strbuf_str(&one));
        cg_strbuf_deinit(&one);
        cg_strbuf_deinit(&two);
        return cg_value_poison(e);
    }
    bool good = cg_jvp_build(
        &e->model->build, a->at[0]->tensor->ref, a->at[1]->tensor->ref, a->at[2]->tensor->ref, &out, &where, &err);
    return derivative(e, a, good, out, 0, &err);
}

static const CgFunction fn_rearrange = { CG_FUNCTION_HERE, .name = "rearrange",
    .sig = "(x: tensor, pattern: pattern) -> tensor", .traits = CG_PATTERN, .build = build_rearrange,
    .doc = "Axes split, merged and reordered by a pattern: rearrange(x, [B, T, heads*K] -> [B, heads, T, K])." };
static const CgFunction fn_einsum = { CG_FUNCTION_HERE, .name = "einsum",
    .sig = "(tensors: tensor, patterns: pattern) -> tensor", .traits = CG_PATTERN, .build = build_einsum,
    .doc = "Products summed over shared axes: einsum(q, k, [B, H, T, K], [B, H, S, K] -> [B, H, T, S])." };
static const CgFunction fn_mean = { CG_FUNCTION_HERE, .name = "mean",
    .sig = "(x: tensor | column, axis: axis = none) -> tensor | float", .build = build_mean, .run = run_mean,
    .doc = "Mean of a tensor over an axis, a list of axes or all; of a column over its rows." };
static const CgFunction fn_sum = { CG_FUNCTION_HERE, .name = "sum",
    .sig = "(x: tensor | column | int[] | float[], axis: axis = none) -> tensor | int | float", .build = build_sum,
    .run = run_sum,
    .doc = "Sum of a tensor over an axis, a list of axes or all; of a column over its rows; of a list of numbers." };
static const CgFunction fn_size = { CG_FUNCTION_HERE, .name = "size", .sig = "(x: tensor, axis: axis) -> dim",
    .build = build_size, .doc = "The size of an axis." };
static const CgFunction fn_shape = { CG_FUNCTION_HERE, .name = "shape", .sig = "(x: tensor) -> dim[]",
    .build = build_shape, .doc = "The sizes of all axes, outermost first; len(shape(x)) is how many there are." };
static const CgFunction fn_axis_numbers = { CG_FUNCTION_HERE, .name = "axis_numbers",
    .sig = "(x: tensor, axis: axis = none) -> int[]", .build = build_axis_numbers,
    .doc = "Which axes a name, a number, a list of them or none, all, means, counted from 0 at the left." };
static const CgFunction fn_iota = { CG_FUNCTION_HERE, .name = "iota", .sig = "(n: dim) -> tensor", .build = build_iota,
    .doc = "0, 1, .. n-1 as i32[n]." };
static const CgFunction fn_fill = { CG_FUNCTION_HERE, .name = "fill",
    .sig = "(value: int | float, shape: dim[] | none = none, dtype: dtype = f32) -> tensor", .build = build_fill,
    .doc = "A tensor of one value; without a shape that of the parameter being initialised." };
static const CgFunction fn_tensor = { CG_FUNCTION_HERE, .name = "tensor",
    .sig = "(list: list | float | bool, dtype: dtype = f32) -> tensor", .build = build_tensor,
    .doc = "A tensor written out: tensor([[1, 2.5], [3, 4]])." };
static const CgFunction fn_is_graph = { CG_FUNCTION_HERE, .name = "is_graph",
    .sig = "(value: any) -> bool", /* any: it is the question what the value is */
    .build = build_is_graph, .doc = "Whether the value can be applied: a graph, model, function or op." };
static const CgFunction fn_is_filled = { CG_FUNCTION_HERE, .name = "is_filled", .sig = "(tokens: tensor) -> bool",
    .build = build_is_filled,
    .doc = "Whether these are tokens of rows that may be filled up, of which a mask in their dataset says which count: "
           "of examples, and of windows with align = true." };
static const CgFunction fn_len = { CG_FUNCTION_HERE, .name = "len", .sig = "(list: list | range | record) -> int",
    .build = build_len, .doc = "Number of elements of a list or fields of a record." };
static const CgFunction fn_grad = { CG_FUNCTION_HERE, .name = "grad", .sig = "(y: tensor, wrt: tensor) -> tensor",
    .build = build_grad, .doc = "The derivative of a number by a tensor, of any order: grad(sum(y), wrt = x)." };
static const CgFunction fn_jvp = { CG_FUNCTION_HERE, .name = "jvp",
    .sig = "(y: tensor, wrt: tensor, along: tensor) -> tensor", .build = build_jvp,
    .doc = "The derivative of a tensor y by a tensor, along one of its shape: sum over i of dy/dwrt[i] along[i], with "
           "the shape of y. jvp(grad(f, wrt = x), wrt = x, along = v) is the product of a Hessian and v." };

CG_FUNCTIONS(tensor, &fn_rearrange, &fn_einsum, &fn_mean, &fn_sum, &fn_size, &fn_shape, &fn_axis_numbers, &fn_iota,
    &fn_fill, &fn_tensor, &fn_is_graph, &fn_is_filled, &fn_len, &fn_grad, &fn_jvp)
