/* random.c - random draws in graphs.
 * Takes a shape; gives a tensor of numbers that are a function of (seed, path of the part, number of the draw there,
 * turns of loops, step, row, index): drawn anew at each step and for each application, the same however a batch is
 * divided. */
#include <string.h>

#include "graph/rows.h"
#include "library/library.h"

/* Arguments: `below` of random_integer, then the shape. */
static int like_of(const CgArguments *a) { return a->n - 2; }
static int shape_at(const CgArguments *a) { return a->n - 1; }

/* The stream of one more draw: a parameter's by its path, another one's by the path of the part it is made in. */
static int64_t next_stream(CgElab *e, CgFrame *f)
{
    const CgInstance *part = cg_instance_maker(e, f);
    CgAtom path = f && f->has_ambient ? f->ambient_path : cg_intern_printf("%s:", part ? part->path : "");
    uint64_t n = 0;
    cg_map_get(&e->model->draws, cg_map_ptr(path), &n);
    cg_map_put(&e->model->draws, cg_map_ptr(path), n + 1);
    CgAtom name = n || !(f && f->has_ambient) ? cg_intern_printf("%s%llu", path, (unsigned long long)n) : path;
    return (int64_t)(cg_hash64(name, strlen(name), 0) >> 1); /* attributes are signed */
}

/* The shape that is given, that of the tensor it is like, or that of the parameter being initialised. */
static bool shape_of(CgElab *e, CgFrame *f, const CgArguments *a, CgType *out)
{
    const char *name = a->function->name;
    const CgValue *like = a->at[like_of(a)], *shape = a->at[shape_at(a)];
    like = like->kind == CG_VALUE_TENSOR ? like : NULL;
    shape = shape->kind == CG_VALUE_LIST ? shape : NULL;
    *out = (CgType){ .dtype = CG_F32 };
    if (like && shape) {
        cg_elab_error(e, CG_E0304, a->span[shape_at(a)], "'%s' takes 'like' or 'shape', not both", name);
        return false;
    }
    if (like) {
        *out = *cg_value_type(e, like);
    } else if (shape) {
        out->rank = shape->n;
        if (out->rank > CG_MAX_RANK) {
            cg_elab_error(e, CG_E0401, a->span[shape_at(a)], "a tensor has at most %d axes", CG_MAX_RANK);
            return false;
        }
        for (int i = 0; i < out->rank; i++)
            out->dim[i] = cg_value_as_dim(shape->at[i]);
    } else if (f && f->has_ambient) {
        *out = f->ambient;
    } else {
        CgDiag *d = cg_elab_error(e, CG_E0403, a->call, "'%s' does not know its shape here", name);
        if (f && cg_frame_body(f))
            cg_diag_help(d, "%s(like = x) has that of a tensor, %s(shape = [B, T]) one that is written", name, name);
        else
            cg_diag_help(d,
                "what is drawn differs from row to row; a seed or another setting is a number: seed = 3, or an "
                "option that --set replaces");
        return false;
    }
    return true;
}

static CgValue *draw(CgElab *e, CgFrame *f, const CgArguments *a, CgType t, const CgAttr *below)
{
    if (e->watching && !e->defining) {
        CgDiag *d = cg_elab_error(e, CG_E0503, a->call, "the model does not draw this: it is only looked at");
        cg_diag_help(d, "bind what is drawn in a statement before: y = dropout(x, 0.1), then show y");
        return cg_value_poison(e);
    }
    const CgDim *batch = cg_dim_symbol("batch");
    int axis = cg_rows_axis(&t, batch), n = 2;
    CgAttr at[5] = { cg_a_type("type", t), cg_a_int("stream", next_stream(e, f)) };
    if (axis >= 0) {
        at[n++] = cg_a_int("axis", axis);
        at[n++] = cg_a_dims("rows", 1, &batch);
    }
    if (below)
        at[n++] = *below;
    CgBuild *b = &e->model->build;
    CgRef turns[CG_MAX_IN];
    int nturns = 0;
    for (size_t i = 0; i < e->model->turns.len && nturns < CG_MAX_IN; i++)
        if (e->model->turns.at[i].graph == b->graph)
            turns[nturns++] = e->model->turns.at[i].ref;
    b->span = a->call;
    CgValue *v = cg_value_tensor(e, cg_build(b, a->function->name, nturns, turns, cg_attrs(n, at)), a->call);
    cg_copy_labels(e, v, &a->at[like_of(a)], 1);
    return v;
}

static CgValue *no_graph(CgElab *e, const CgArguments *a)
{
    cg_elab_error(e, CG_E0503, a->call, "'%s' makes a tensor, and there are none outside of graphs, train and evaluate",
        a->function->name);
    return cg_value_poison(e);
}

static CgValue *build_float(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgType t;
    if (!e->model)
        return no_graph(e, a);
    if (!shape_of(e, f, a, &t))
        return cg_value_poison(e);
    if (!cg_dtype_is_float(t.dtype))
        t.dtype = CG_F32;
    return draw(e, f, a, t, NULL);
}

static CgValue *build_integer(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgType t;
    int64_t number;
    const CgDim *below = cg_value_as_dim(a->at[0]);
    if (!e->model)
        return no_graph(e, a);
    if (!shape_of(e, f, a, &t))
        return cg_value_poison(e);
    if (cg_dim_is_int(below, &number) && (number < 1 || number > INT32_MAX)) {
        cg_elab_error(e, CG_E0312, a->span[0], "'below' is a number from 1 to 2147483647, not %lld", (long long)number);
        return cg_value_poison(e);
    }
    t.dtype = t.dtype == CG_I64 ? CG_I64 : CG_I32;
    CgAttr attr = cg_a_dims("below", 1, &below);
    return draw(e, f, a, t, &attr);
}

#define DRAWN                                                                                                        \
    " Drawn anew at each step of a training and for each application; a function of the seed, the part's path, the " \
    "step and the row, so the same however a batch is divided, interrupted or not. Outside of a training the step "  \
    "is 0."

static const CgFunction fn_random_normal = { CG_FUNCTION_HERE, .name = "random_normal",
    .sig = "(like: tensor | none = none, shape: dim[] | none = none) -> tensor", .build = build_float,
    .doc = "Normally distributed numbers with mean 0 and deviation 1, of the shape of a tensor or one that is "
           "written." DRAWN };
static const CgFunction fn_random_uniform = { CG_FUNCTION_HERE, .name = "random_uniform",
    .sig = "(like: tensor | none = none, shape: dim[] | none = none) -> tensor", .build = build_float,
    .doc = "Numbers evenly spread over [0, 1), of the shape of a tensor or one that is written." DRAWN };
static const CgFunction fn_random_integer = { CG_FUNCTION_HERE, .name = "random_integer",
    .sig = "(below: dim, like: tensor | none = none, shape: dim[] | none = none) -> tensor", .build = build_integer,
    .doc = "Integers from 0 to below - 1, each as likely as any other: indices below `below`." DRAWN };

CG_FUNCTIONS(random, &fn_random_normal, &fn_random_uniform, &fn_random_integer)
