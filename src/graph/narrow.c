/* narrow.c - parameters of products as bf16, or as 8 bits with a scale a row.
 * Takes a graph; puts, where a product reads a parameter, what is kept of it, as f32: casts, scaled, transposed so that
 * the summed axis is the last one. What computes that in one sweep is recognised later. What products look back at in a
 * text is rounded to bf16. Knows no op: what a product is it says itself (CG_PRODUCTS), and its axis rule says over
 * which axis it sums, and along which it looks back. */
#include "graph/narrow.h"

#include <math.h>
#include <stdlib.h>

#include <cg/kernel.h>

#include "graph/pass.h"
#include "graph/slice.h"
#include "graph/use.h"

enum { LEAST = 4096 };

typedef struct Narrowing {
    const CgGraph *g;
    CgBuild b;
    CgDtype as;
    CG_VEC(CgKept) kept;
    CG_VEC(CgRef) made; /* of each, in f32, as the parameter lies */
} Narrowing;

static int param_of(const CgGraph *g, CgRef r)
{
    for (size_t i = 0; i < g->params.len; i++)
        if (g->params.at[i] == r)
            return (int)i;
    return -1;
}

/* The axis that node r sums over of operand k, a parameter with two axes; -1: it is no matrix of a product. */
static int summed_axis(const CgGraph *g, CgRef r, int k)
{
    const CgNode *n = cg_node(g, r), *in = cg_node(g, n->in[k]);
    int64_t rows, columns;
    CgAxisTo to;
    if (!(n->op->traits & CG_PRODUCTS) || !(in->op->traits & CG_PARAM) || in->type.dtype != CG_F32 || in->type.rank != 2
        || !cg_dim_is_int(in->type.dim[0], &rows) || !cg_dim_is_int(in->type.dim[1], &columns)
        || rows * columns < LEAST)
        return -1;
    bool whole[2];
    for (int axis = 0; axis < 2; axis++)
        whole[axis] = cg_slice_axis_rule(g, r, k, axis, &to) == CG_AXIS_WHOLE;
    return whole[0] == whole[1] ? -1 : whole[1];
}

/* What is kept of a parameter, as f32 and as the parameter lies. */
static CgRef kept_param(Narrowing *w, CgRef r, int summed)
{
    CgBuild *b = &w->b;
    CgKept k = { .param = param_of(w->g, r), .summed = summed };
    CgType t = *cg_node_type(w->g, r), s;
    for (size_t i = 0; i < w->kept.len; i++)
        if (w->kept.at[i].param == k.param && w->kept.at[i].summed == summed)
            return w->made.at[i];
    const CgDim *dim[2] = { t.dim[1 - summed], t.dim[summed] };
    const char *path = cg_node_name(w->g, r), *as = cg_dtype_name(w->as);
    cg_dim_is_int(dim[0], &k.rows);
    cg_dim_is_int(dim[1], &k.columns);
    CgRef made =
        cg_cast(b, cg_graph_param(b, cg_intern_printf("%s:%s.%d", path, as, summed), cg_type(w->as, 2, dim)), CG_F32);
    if (w->as == CG_I8) {
        s = cg_type(CG_F32, 1, dim);
        CgRef scale = cg_graph_param(b, cg_intern_printf("%s:scale.%d", path, summed), s);
        made = cg_mul(b, made, cg_broadcast(b, scale, 2, dim, (const int64_t[2]){ 0, -1 }));
    }
    if (summed == 0)
        made = cg_transpose(b, made, (const int64_t[2]){ 1, 0 });
    cg_vec_push(&w->kept, k);
    cg_vec_push(&w->made, made);
    return made;
}

/* Node r, whose matrices are what is kept of them. */
static CgRef copy(Narrowing *w, CgRef r, CgRef *map)
{
    const CgNode *n = cg_node(w->g, r);
    CgRef was[CG_MAX_IN];
    for (int k = 0; k < n->nin; k++)
        was[k] = map[n->in[k]];
    for (int k = 0; k < n->nin; k++) {
        int summed = summed_axis(w->g, r, k);
        if (summed >= 0)
            map[n->in[k]] = kept_param(w, n->in[k], summed);
    }
    CgRef made = cg_pass_copy(&w->b, w->g, r, map);
    for (int k = n->nin; k-- > 0;)
        map[n->in[k]] = was[k];
    return made;
}

/* ---- what is kept of a text ---- */

/* Does node r look back along operand k? Its numbers of earlier places are then kept while a text grows. */
static bool looks_back(const CgGraph *g, CgRef r, int k)
{
    const CgNode *n = cg_node(g, r);
    const CgType *t = cg_node_type(g, n->in[k]);
    CgAxisTo to;
    if (!(n->op->traits & CG_PRODUCTS) || !n->op->incremental || t->dtype != CG_F32)
        return false;
    for (int axis = 0; axis < t->rank; axis++)
        if (cg_slice_axis_rule(g, r, k, axis, &to) == CG_AXIS_CAUSAL)
            return true;
    return false;
}

/* What products along the text look back at is rounded to bf16, as it is then kept. */
static CgGraph *round_kept(const CgGraph *g)
{
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        CgRef was[CG_MAX_IN];
        if (map[r] != CG_NONE)
            continue;
        for (int k = 0; k < n->nin; k++)
            was[k] = map[n->in[k]];
        for (int k = 0; k < n->nin; k++)
            if (looks_back(g, r, k))
                map[n->in[k]] = cg_cast(&b, cg_cast(&b, was[k], CG_BF16), CG_F32);
        map[r] = cg_pass_copy(&b, g, r, map);
        for (int k = n->nin; k-- > 0;)
            map[n->in[k]] = was[k];
    }
    return cg_pass_end(g, to, map);
}

CgGraph *cg_narrow_build(const CgGraph *g, CgDtype as, CgKept **kept, int *n)
{
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    CgGraph *to = cg_pass_begin(g, map);
    Narrowing w = { .g = g, .b = cg_build_at(to), .as = as };
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (map[r] == CG_NONE)
            map[r] = copy(&w, r, map);
    cg_vec_free(&w.made);
    *kept = w.kept.at;
    *n = (int)w.kept.len;
    CgGraph *narrow = cg_pass_end(g, to, map), *recognised = cg_pass_run_all(narrow, "recognise");
    cg_graph_free(narrow);
    narrow = round_kept(recognised);
    cg_graph_free(recognised);
    return narrow;
}

/* Number l of row j of what is kept. */
static float number(const CgKept *k, const float *from, int64_t j, int64_t l)
{
    return k->summed ? from[j * k->columns + l] : from[l * k->rows + j];
}

void cg_narrow_fill(const CgKept *k, CgDtype as, const float *from, void *matrix, float *scale)
{
    for (int64_t j = 0; j < k->rows; j++) {
        float most = 0;
        for (int64_t l = 0; as == CG_I8 && l < k->columns; l++) {
            float x = fabsf(number(k, from, j, l));
            most = isfinite(x) ? (x > most ? x : most) : NAN;
        }
        if (as == CG_I8)
            scale[j] = most == 0 ? 1 : most / 127;
        for (int64_t l = 0; l < k->columns; l++) {
            float x = number(k, from, j, l);
            if (as == CG_BF16)
                ((uint16_t *)matrix)[j * k->columns + l] = cg_bf16_nearest(x);
            else /* a row with a number that is none is none: its scale is NaN */
                ((int8_t *)matrix)[j * k->columns + l] = (int8_t)(isnan(scale[j]) ? 0 : rintf(x / scale[j]));
        }
    }
}
