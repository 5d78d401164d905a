/* places.c - claims about some places of a result: cut from the whole (`along`, `cut`), or known only when it runs
 * (`moving`). Takes cases; gives checks. Knows no op. */
#include "lint.h"

#include "graph/cut.h"
#include "graph/registry.h"

/* ---- fewer places ---- */

/* Places [from, to) of the result are the op over what `along` and `cut` say they are made of. */
static void places(const Case *c, int axis, int64_t from, int64_t to)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], in[CG_MAX_IN];
    CgCut cut;
    CgBuild b = build_op(c, true, x, out);
    if (!cg_cut_find(b.graph, out[0], axis, cg_dim_int(from), cg_dim_int(to), &cut)) {
        cg_graph_free(b.graph);
        return;
    }
    bool wide = cg_dim_at_most(cut.from, cg_dim_int(from)) && cg_dim_at_most(cg_dim_int(to), cut.to);
    if (check(wide, "places %lld .. %lld of axis %d: fewer come out", (long long)from, (long long)to, axis)) {
        for (int k = 0; k < c->nin; k++)
            in[k] = cut.in[k].axis < 0 ? x[k] : cg_slice(&b, x[k], cut.in[k].axis, cut.in[k].from, cut.in[k].to);
        CgRef made = cg_cut_build(&b, b.graph, out[0], &cut, in);
        cg_graph_output(b.graph, "cut", made);
        cg_graph_output(b.graph, "whole", cg_slice(&b, out[0], axis, cut.from, cut.to));
        Net n = { .g = b.graph };
        Result r = net_results(&n, c, pool_of(1));
        near(&r.out[0], &r.out[1], tolerance_of(result_dtype(c)), "f of some places and some places of f");
        result_free(&r);
        net_free(&n);
    } else {
        cg_graph_free(b.graph);
    }
}

/* The op's form for places known only when it runs, at every place: places [from + at, n) are what the op says. */
static void moving(const Case *c, int axis, int64_t first)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], in[CG_MAX_IN];
    CgCut cut, late;
    CgInfer inf;
    int64_t n = size_of(c->out_type[0].dim[axis]), from = first / 2;
    const CgOp *op = cg_op_find(c->op->moving);
    if (!check(op != NULL, "there is no op '%s'", c->op->moving))
        return;
    CgBuild b = build_op(c, true, x, out);
    bool good = cg_cut_find(b.graph, out[0], axis, cg_dim_int(first), cg_dim_int(n), &cut)
        && cg_cut_find(b.graph, out[0], axis, cg_dim_int(from), cg_dim_int(from + n - first), &late);
    for (int k = 0; good && k < c->nin; k++) {
        CgTo to;
        bool pointwise =
            cut.in[k].axis >= 0 && cg_cut_along(b.graph, out[0], k, cut.in[k].axis, &to) == CG_ALONG_POINTWISE;
        in[k] = pointwise ? cg_slice(&b, x[k], cut.in[k].axis, cut.in[k].from, cut.in[k].to) : x[k];
    }
    if (good) {
        in[c->nin] = cg_graph_const(&b, CG_I32, (double)(first - from));
        CgRef made = cg_build_checked(&b, op, c->nin + 1, in, late.attrs, &inf);
        if (check(made != CG_NONE, "%s refuses what %s gives it: %s", op->name, c->op->name, inf.message)) {
            cg_graph_output(b.graph, "moving", made);
            cg_graph_output(b.graph, "whole", cg_slice(&b, out[0], axis, cut.from, cut.to));
            Net net = { .g = b.graph };
            Result r = net_results(&net, c, pool_of(1));
            near(&r.out[0], &r.out[1], tolerance_of(result_dtype(c)), "places known late and known early");
            result_free(&r);
            net_free(&net);
            return;
        }
    }
    cg_graph_free(b.graph);
}

void claim_moving(const Case *c)
{
    CgInfer inf;
    if (!c->op->moving || !infer(c, &inf))
        return;
    for (int k = 0; k < c->nin; k++)
        for (int axis = 0; axis < c->in[k].rank; axis++) {
            CgTo to = { -1, NULL };
            if (!c->op->along || c->op->along(&inf, k, axis, &to) != CG_ALONG_CAUSAL)
                continue;
            for (int64_t first = 0, n = size_of(c->out_type[0].dim[to.axis]); first < n; first += 1 + n / 7)
                moving(c, to.axis, first);
        }
}

void claim_places(const Case *c)
{
    if (!runs(c->op, dispatch(c)))
        return;
    for (int axis = 0; axis < c->out_type[0].rank; axis++) {
        int64_t n = size_of(c->out_type[0].dim[axis]);
        places(c, axis, n / 3, n);
        places(c, axis, 0, (n + 1) / 2);
        places(c, axis, n / 3, n - n / 4);
        if (n > 1)
            places(c, axis, n - 1, n);
    }
}
