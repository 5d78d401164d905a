/* slices.c - claims about slices of a result: of the whole (`axis_rule`, `slice_rule`), or known only when it runs
 * (`incremental`). Takes cases; gives checks. Knows no op. */
#include "lint.h"

#include "graph/slice.h"
#include "graph/registry.h"

/* ---- slices ---- */

/* The slice [from, to) of the result is the op over what `axis_rule` and `slice_rule` say it is made of. */
static void slices(const Case *c, int axis, int64_t from, int64_t to)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], in[CG_MAX_IN];
    CgSlice slice;
    CgBuild b = build_op(c, true, x, out);
    if (!cg_slice_find(b.graph, out[0], axis, cg_dim_int(from), cg_dim_int(to), &slice)) {
        cg_graph_free(b.graph);
        return;
    }
    bool wide = cg_dim_at_most(slice.from, cg_dim_int(from)) && cg_dim_at_most(cg_dim_int(to), slice.to);
    if (check(wide, "slice %lld .. %lld of axis %d: fewer come out", (long long)from, (long long)to, axis)) {
        for (int k = 0; k < c->nin; k++)
            in[k] =
                slice.in[k].axis < 0 ? x[k] : cg_slice(&b, x[k], slice.in[k].axis, slice.in[k].from, slice.in[k].to);
        CgRef made = cg_slice_build(&b, b.graph, out[0], &slice, in);
        cg_graph_output(b.graph, "slice", made);
        cg_graph_output(b.graph, "whole", cg_slice(&b, out[0], axis, slice.from, slice.to));
        Net n = { .g = b.graph };
        Result r = net_results(&n, c, pool_of(1));
        near(&r.out[0], &r.out[1], tolerance_of(c), "f of a slice and a slice of f");
        result_free(&r);
        net_free(&n);
    } else {
        cg_graph_free(b.graph);
    }
}

/* The incremental form of the op, at every position: [from + at, n) is what the op says. */
static void incremental(const Case *c, int axis, int64_t first)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], in[CG_MAX_IN];
    CgSlice slice, late;
    CgInfer inf;
    int64_t n = size_of(c->out_type[0].dim[axis]), from = first / 2;
    const CgOp *op = cg_op_find(c->op->incremental);
    if (!check(op != NULL, "there is no op '%s'", c->op->incremental))
        return;
    CgBuild b = build_op(c, true, x, out);
    bool good = cg_slice_find(b.graph, out[0], axis, cg_dim_int(first), cg_dim_int(n), &slice)
        && cg_slice_find(b.graph, out[0], axis, cg_dim_int(from), cg_dim_int(from + n - first), &late);
    int needed = cg_op_sig(c->op)->needed;
    for (int k = 0; good && k < c->nin; k++) {
        CgAxisTo to;
        bool pointwise =
            slice.in[k].axis >= 0 && cg_slice_axis_rule(b.graph, out[0], k, slice.in[k].axis, &to) == CG_AXIS_POINTWISE;
        in[k + (k >= needed)] =
            pointwise ? cg_slice(&b, x[k], slice.in[k].axis, slice.in[k].from, slice.in[k].to) : x[k];
    }
    if (good) {
        in[needed] = cg_graph_const(&b, CG_I32, (double)(first - from));
        CgRef made = cg_build_checked(&b, op, c->nin + 1, in, late.attrs, &inf);
        if (check(made != CG_NONE, "%s refuses what %s gives it: %s", op->name, c->op->name, inf.message)) {
            cg_graph_output(b.graph, "incremental", made);
            cg_graph_output(b.graph, "whole", cg_slice(&b, out[0], axis, slice.from, slice.to));
            Net net = { .g = b.graph };
            Result r = net_results(&net, c, pool_of(1));
            near(&r.out[0], &r.out[1], tolerance_of(c), "positions known late and known early");
            result_free(&r);
            net_free(&net);
            return;
        }
    }
    cg_graph_free(b.graph);
}

void claim_incremental(const Case *c)
{
    CgInfer inf;
    if (!c->op->incremental || !infer(c, &inf))
        return;
    for (int k = 0; k < c->nin; k++)
        for (int axis = 0; axis < c->in[k].rank; axis++) {
            CgAxisTo to = { -1, NULL };
            if (!c->op->axis_rule || c->op->axis_rule(&inf, k, axis, &to) != CG_AXIS_CAUSAL)
                continue;
            for (int64_t first = 0, n = size_of(c->out_type[0].dim[to.axis]); first < n; first += 1 + n / 7)
                incremental(c, to.axis, first);
        }
}

void claim_slices(const Case *c)
{
    if (!runs(c->op, dispatch(c)))
        return;
    for (int axis = 0; axis < c->out_type[0].rank; axis++) {
        int64_t n = size_of(c->out_type[0].dim[axis]);
        slices(c, axis, n / 3, n);
        slices(c, axis, 0, (n + 1) / 2);
        slices(c, axis, n / 3, n - n / 4);
        if (n > 1)
            slices(c, axis, n - 1, n);
    }
}
