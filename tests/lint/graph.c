/* graph.c - claims about an op in a graph: threads, operands that are views, what it expands to and what merges into
 * it, folds. Takes cases; gives checks. Knows no op. */
#include "lint.h"

#include <math.h>
#include <string.h>
#include <stdio.h>

#include <cg/elementwise.h>

#include "graph/registry.h"

/* Through plan and exec: any number of threads gives the same bits; operands that are views are made fit. */
void claim_threads(const Case *c)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT];
    Result want = { .n = 0 };
    if (!runs(c->op, dispatch(c)) && !c->op->expand)
        return;
    for (int threads = 1; threads <= 3; threads++) {
        Net n = { .g = build_op(c, true, x, out).graph };
        for (int k = 0; k < c->nout; k++)
            cg_graph_output(n.g, "y", out[k]);
        Result found = net_results(&n, c, pool_of(threads));
        for (int k = 0; k < want.n; k++)
            same_bits(&found.out[k], &want.out[k], "with more threads");
        if (threads == 1)
            want = found;
        else
            result_free(&found);
        net_free(&n);
    }
    if (runs(c->op, dispatch(c))) {
        Result direct = run(c->op, c, c->in, FORWARD);
        for (int k = 0; k < want.n; k++)
            same_bits(&direct.out[k], &want.out[k], "through a plan");
        result_free(&direct);
    }
    result_free(&want);
}

/* Operands that are transposes of inputs: the planner hands them on, or copies them. */
void claim_views(const Case *c)
{
    if (!runs(c->op, dispatch(c)))
        return;
    CgBuild b = cg_build_at(cg_graph_new("lint"));
    Case turned = *c;
    CgRef x[CG_MAX_IN];
    Buffer data[CG_MAX_IN];
    b.no_fold = true;
    for (int k = 0; k < c->nin; k++) {
        int64_t perm[CG_MAX_RANK];
        int r = c->type[k].rank;
        for (int i = 0; i < r; i++)
            turned.type[k].dim[i] = c->type[k].dim[r - 1 - i];
        for (int i = 0; i < r; i++)
            perm[i] = r - 1 - i;
        x[k] = cg_transpose(&b, input(&b, k, turned.type[k]), perm);
        CgTensor view = c->in[k];
        for (int i = 0; i < r; i++) {
            view.dim[i] = c->in[k].dim[r - 1 - i];
            view.stride[i] = c->in[k].stride[r - 1 - i];
        }
        turned.in[k] = copy_of(&view, &data[k]);
    }
    CgRef node = cg_build(&b, c->op->name, c->nin, x, interned(c->attrs));
    for (int k = 0; k < c->nout; k++)
        cg_graph_output(b.graph, "y", cg_build_result(&b, node, k));
    Net n = { .g = b.graph };
    Result found = net_results(&n, &turned, pool_of(2)), want = run(c->op, c, c->in, FORWARD);
    for (int k = 0; k < want.n; k++)
        near(&found.out[k], &want.out[k], tolerance_of(c), "operands that are views");
    result_free(&found);
    result_free(&want);
    net_free(&n);
    for (int k = 0; k < c->nin; k++)
        buffer_free(data[k], "operand");
}

void claim_expand(const Case *c)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT];
    if (!c->op->expand || !(runs(c->op, dispatch(c)) || c->op->lower))
        return;
    for (int no_fold = 0; no_fold < 2; no_fold++) {
        CgBuild b = build_op(c, no_fold, x, out);
        CgSite site = { .nin = c->nin, .nout = c->nout, .in = x, .attrs = interned(c->attrs) };
        CgRef simple[CG_MAX_OUT];
        for (int k = 0; k < c->nout; k++)
            simple[k] = CG_NONE;
        c->op->expand(&b, &site, simple);
        for (CgRef r = 0; r < b.graph->nodes.len; r++)
            products_noticed(cg_node(b.graph, r)->op != c->op && cg_node(b.graph, r)->op->traits & CG_PRODUCTS);
        for (int k = 0; k < c->nout; k++) {
            if (!check(simple[k] != CG_NONE, "the expansion leaves result %d open", k))
                return;
            CgType t = cg_ref_type(&b, simple[k]);
            check(cg_type_equal(&t, &c->out_type[k]), "the expansion's result %d has another type", k);
            cg_graph_output(b.graph, "y", simple[k]);
        }
        Net n = { .g = b.graph };
        Net self = { 0 };
        if (c->op->lower) { /* as the planner writes it for these sizes */
            CgBuild whole = build_op(c, true, x, out);
            for (int k = 0; k < c->nout; k++)
                cg_graph_output(whole.graph, "y", out[k]);
            self.g = whole.graph;
        }
        Result found = net_results(&n, c, pool_of(1)),
               want = c->op->lower ? net_results(&self, c, pool_of(2)) : run(c->op, c, c->in, FORWARD);
        if (c->op->lower)
            net_free(&self);
        for (int k = 0; k < want.n; k++)
            near(&want.out[k], &found.out[k], tolerance_of(c), "the op and its expansion");
        result_free(&found);
        result_free(&want);
        net_free(&n);
    }
}

/* What `merge_into` names gives this op's result, from the same first operands. Asked with samples of the larger op. */
void claim_merge(const Case *c)
{
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *small = cg_op_at(i);
        CgRef x[CG_MAX_IN], out[CG_MAX_OUT];
        if (!small->merge_into || strcmp(small->merge_into, c->op->name))
            continue;
        int nin = cg_op_sig(small)->ntensors, k = small->merge_result;
        if (!check(k < c->nout && nin <= c->nin, "%s cannot merge into this", small->name))
            return;
        CgBuild b = build_op(c, true, x, out);
        CgRef other = cg_build(&b, small->name, nin, x, interned(c->attrs));
        cg_graph_output(b.graph, "y", out[k]);
        cg_graph_output(b.graph, "z", other);
        Net n = { .g = b.graph };
        Result found = net_results(&n, c, pool_of(1));
        near(&found.out[0], &found.out[1], tolerance_of(c), "its result and that of the op merged");
        result_free(&found);
        net_free(&n);
    }
}

static bool holds(const CgSample *s, CgDtype d, double v)
{
    if (s->ids && !cg_dtype_is_float(d))
        return v >= 0 && v < (double)s->ids && v == floor(v);
    return cg_dtype_has_derivative(d) || (d == CG_BOOL ? v == 0 || v == 1 : v == floor(v));
}

/* Constant operands, where folding does most: the value with folds is the value without. */
void claim_fold(const Case *c)
{
    static const double values[] = { 0, 1, -1, 2, 0.5, 3 };
    if (!c->op->fold || c->nout > 1)
        return;
    for (int k = -1; k < c->nin; k++)
        for (size_t v = 0; v < CG_LEN(values); v++) {
            Net n[2];
            Result r[2];
            bool finite = true, fits = true;
            for (int i = 0; i < c->nin; i++)
                if (i == k || k < 0)
                    fits &= holds(c->sample, c->type[i].dtype, values[k < 0 ? (v + (size_t)i) % CG_LEN(values) : v]);
            for (int no_fold = 0; fits && no_fold < 2; no_fold++) {
                CgBuild b = cg_build_at(cg_graph_new("lint"));
                CgRef x[CG_MAX_IN];
                b.no_fold = no_fold;
                for (int i = 0; i < c->nin; i++) {
                    CgRef in = input(&b, i, c->type[i]);
                    x[i] = i == k || k < 0
                        ? cg_fill(&b, c->type[i], values[k < 0 ? (v + (size_t)i) % CG_LEN(values) : v])
                        : in;
                }
                CgRef y = cg_build(&b, c->op->name, c->nin, x, interned(c->attrs));
                CgType t = cg_ref_type(&b, y);
                check(cg_type_equal(&t, &c->out_type[0]), "folding changes the type");
                cg_graph_output(b.graph, "y", y);
                n[no_fold] = (Net){ .g = b.graph };
                r[no_fold] = net_results(&n[no_fold], c, pool_of(1));
            }
            if (!fits)
                continue;
            for (int64_t i = 0; i < cg_tensor_count(&r[1].out[0]); i++)
                finite &= isfinite(get(r[1].out[0].dtype, r[1].out[0].data, i)) != 0;
            if (finite)
                near(&r[0].out[0], &r[1].out[0], 1e-6, "with and without folding");
            for (int i = 0; i < 2; i++) {
                result_free(&r[i]);
                net_free(&n[i]);
            }
        }
}

/* The op on top of itself, where folds look through a node: the value with folds is the value without. */
void claim_nested(const Case *c)
{
    if (!c->op->fold || c->nout > 1)
        return;
    for (int k = 0; k < c->nin; k++) {
        Net n[2] = { { .g = NULL } };
        Result r[2];
        bool fits = true;
        for (int no_fold = 0; fits && no_fold < 2; no_fold++) {
            CgRef x[CG_MAX_IN], y;
            CgInfer inf;
            CgBuild b = build_op(c, no_fold, x, &y);
            x[k] = y;
            const CgAttrs *attrs = interned(c->attrs);
            y = cg_build_checked(&b, c->op, c->nin, x, attrs, &inf);
            fits = y != CG_NONE;
            n[no_fold] = (Net){ .g = b.graph };
            if (!fits)
                continue;
            cg_graph_output(b.graph, "y", y);
            r[no_fold] = net_results(&n[no_fold], c, pool_of(1));
        }
        /* a fold may sum in another order: some forty terms in f32 */
        if (fits)
            near(&r[0].out[0], &r[1].out[0], c->dtype == CG_F32 ? 1e-5 : 1e-6,
                "the op on itself, with and without folding");
        for (int i = 0; i < 2; i++) {
            if (fits)
                result_free(&r[i]);
            if (n[i].g)
                net_free(&n[i]);
        }
    }
}
