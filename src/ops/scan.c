/* scan.c - a graph that runs once for each index of an axis.
 * Takes states, tensors of which each turn is given one index of axis 0, and others that every turn sees whole; gives
 * the last states, and what each turn leaves behind as one index of axis 0. One node for any number of turns. Its
 * derivative is a scan in the other order, over the states that each turn began with: memory grows with the turns,
 * nodes do not. */
#include <stdio.h>

#include <cg/rules.h>

/* How the operands and results of a scan, and the inputs and results of its body, are divided. */
typedef struct Parts {
    const CgAttr *body;
    int states, turns, whole; /* operands, in this order */
    int kept;                 /* results behind the states */
} Parts;

static Parts parts_of(const CgAttrs *attrs, int nin)
{
    Parts p = { .body = cg_attr_find(attrs, "body") };
    p.states = (int)cg_attr_int(attrs, "states", 0);
    p.turns = (int)cg_attr_int(attrs, "turns", 1);
    p.whole = nin - p.states - p.turns;
    p.kept = p.body && p.body->kind == CG_ATTR_GRAPH ? cg_body_outputs(p.body) - p.states : 0;
    return p;
}

static bool scan_shape(CgInfer *inf)
{
    int64_t states = cg_attr_int(inf->attrs, "states", 0), turns = cg_attr_int(inf->attrs, "turns", 1);
    CgType in[CG_MAX_IN], out[CG_MAX_OUT];
    if (states < 0 || turns < 1 || states > inf->nin || turns > inf->nin - states)
        return cg_infer_fail(inf, -1, -1, "%s has at least one operand that turns go through", inf->op->name);
    Parts p = parts_of(inf->attrs, inf->nin);
    if (p.kept < 0 || p.states + p.kept < 1 || p.states + p.kept > CG_MAX_OUT)
        return cg_infer_fail(inf, -1, -1, "%s has from 1 to %d results, the states first", inf->op->name, CG_MAX_OUT);
    for (int i = 0; i < inf->nin; i++) {
        in[i] = inf->in[i];
        if (i < p.states || i >= p.states + p.turns)
            continue;
        if (!cg_want_rank(inf, i, 1, CG_MAX_RANK))
            return false;
        if (in[i].dim[0] != inf->in[p.states].dim[0])
            return cg_infer_differ(inf, p.states, 0, i, 0, "turns");
        in[i] = cg_type_without(in[i], 0);
    }
    inf->nout = p.states + p.kept;
    for (int k = 0; k < inf->nout; k++)
        out[k] = k < p.states ? in[k] : cg_body_output_type(p.body, k);
    if (!cg_infer_graph(inf, p.body, inf->nin, in, inf->nout, out))
        return false;
    for (int k = 0; k < inf->nout; k++) {
        inf->out[k] = out[k];
        if (k < p.states)
            continue;
        if (out[k].rank == CG_MAX_RANK)
            return cg_infer_fail(inf, -1, -1, "a turn leaves a tensor of at most %d axes", CG_MAX_RANK - 1);
        inf->out[k].dim[0] = inf->in[p.states].dim[0];
        memcpy(inf->out[k].dim + 1, out[k].dim, (size_t)out[k].rank * sizeof out[k].dim[0]);
        inf->out[k].rank++;
    }
    return true;
}

static bool is_float(CgType t) { return cg_dtype_is_float(t.dtype); }

static CgRef input(CgBuild *b, const char *what, int i, CgType t)
{
    char name[24];
    snprintf(name, sizeof name, "%s%d", what, i);
    return cg_body_input(b, name, t);
}

static void output(CgBuild *b, const char *what, int i, CgRef r)
{
    char name[24];
    snprintf(name, sizeof name, "%s%d", what, i);
    cg_body_output(b, name, r);
}

static const CgAttrs *attrs_of(CgAttr body, int states, int turns, bool reverse)
{
    CgAttr at[4] = { body, cg_a_int("states", states), cg_a_int("turns", turns), cg_a_int("reverse", reverse) };
    return cg_attrs(4, at);
}

/* The result that is input i of the body, as it was given; -1: none is. */
static int kept_state(const Parts *p, int i)
{
    for (int k = p->states; k < p->states + p->kept; k++)
        if (cg_body_is_input(p->body, k, i))
            return k;
    return -1;
}

/* The states that each turn began with: kept by the scan itself, or by one more that keeps them, too. */
static void find_history(CgBuild *b, const CgSite *site, const Parts *p, CgRef *history)
{
    int missing = 0;
    for (int i = 0; i < p->states; i++) {
        int k = kept_state(p, i);
        history[i] = k < 0 ? CG_NONE : site->out[k];
        missing += k < 0;
    }
    if (!missing)
        return;
    if (p->states + p->kept + missing > CG_MAX_OUT) {
        cg_build_refuse(b, "its derivative has too many results: let a turn hand on fewer states");
        return;
    }
    CgBuild *body = cg_body_build(b);
    CgRef in[CG_MAX_IN], out[CG_MAX_OUT];
    for (int i = 0; i < site->nin; i++)
        in[i] = input(body, "in", i, cg_body_input_type(p->body, i));
    cg_build_graph(body, p->body, site->nin, in, out);
    for (int k = 0; k < p->states + p->kept; k++)
        output(body, "out", k, out[k]);
    for (int i = 0; i < p->states; i++)
        if (history[i] == CG_NONE)
            output(body, "was", i, in[i]);
    CgRef all = cg_build(b, "scan", site->nin, site->in,
        attrs_of(cg_body_end(body, "body"), p->states, p->turns, cg_attr_int(site->attrs, "reverse", 0)));
    for (int i = 0, k = p->states + p->kept; i < p->states; i++)
        if (history[i] == CG_NONE)
            history[i] = cg_build_result(b, all, k++);
}

/* The body of the derivative under way. States: what the loss gains by each state, then the sums of what it gains by
 * each tensor that all turns see; a turn is given the states it began with, its own operands and the derivatives by
 * what it left; it leaves the derivatives by its operands. */
typedef struct Reverse {
    CgBuild *b;
    Parts p;
    CgRef operand[CG_MAX_IN]; /* of the new scan */
    int n, states, turns;
    CgRef in[CG_MAX_IN];      /* the body's inputs, inside */
    CgRef seed[CG_MAX_OUT];   /* derivatives by its results, inside */
    CgRef sum[CG_MAX_IN];     /* by operands that all turns see: the sums so far, inside */
    int result_of[CG_MAX_IN]; /* by operand: the result of the new scan that is the derivative by it, or -1 */
} Reverse;

static CgRef take(Reverse *r, const char *what, int i, CgRef operand, CgType t)
{
    if (r->n < CG_MAX_IN)
        r->operand[r->n] = operand;
    r->n++;
    return input(r->b, what, i, t);
}

static void take_inputs(CgBuild *b, const CgSite *site, const CgRef *history, Reverse *r)
{
    const Parts *p = &r->p;
    int first = p->states + p->turns;
    for (int k = 0; k < p->states + p->kept; k++)
        r->seed[k] = CG_NONE;
    for (int i = 0; i < p->states; i++) {
        CgType t = cg_body_input_type(p->body, i);
        if (is_float(t))
            r->seed[i] =
                take(r, "dstate", i, site->gout[i] != CG_NONE ? site->gout[i] : cg_fill_like(b, site->in[i], 0), t);
    }
    for (int i = first; i < site->nin; i++) {
        CgType t = cg_body_input_type(p->body, i);
        if (is_float(t))
            r->sum[i] = take(r, "sum", i, cg_fill_like(b, site->in[i], 0), t);
    }
    r->states = r->n;
    for (int i = 0; i < p->states; i++)
        r->in[i] = take(r, "state", i, history[i], cg_body_input_type(p->body, i));
    for (int i = p->states; i < first; i++)
        r->in[i] = take(r, "turn", i, site->in[i], cg_body_input_type(p->body, i));
    for (int k = p->states; k < p->states + p->kept; k++) {
        CgType t = cg_body_output_type(p->body, k);
        if (is_float(t) && site->gout[k] != CG_NONE)
            r->seed[k] = take(r, "dkept", k, site->gout[k], t);
    }
    r->turns = r->n - r->states;
    for (int i = first; i < site->nin; i++)
        r->in[i] = take(r, "whole", i, site->in[i], cg_body_input_type(p->body, i));
}

static CgRef or_zero(Reverse *r, CgRef x, int i)
{
    return x != CG_NONE ? x : cg_fill(r->b, cg_body_input_type(r->p.body, i), 0);
}

/* The results, in the order of the states and then of what is left; last, for the derivative of this one, the states
 * it began its turns with. */
static void give_outputs(const CgSite *site, const CgRef *grads, Reverse *r)
{
    const Parts *p = &r->p;
    int first = p->states + p->turns, n = 0;
    for (int i = 0; i < site->nin; i++)
        r->result_of[i] = -1;
    for (int i = 0; i < p->states; i++)
        if (r->seed[i] != CG_NONE) {
            output(r->b, "by_state", i, or_zero(r, grads[i], i));
            r->result_of[i] = n++;
        }
    for (int i = first; i < site->nin; i++)
        if (is_float(cg_body_input_type(p->body, i))) {
            output(r->b, "by_whole", i, grads[i] == CG_NONE ? r->sum[i] : cg_add(r->b, r->sum[i], grads[i]));
            r->result_of[i] = n++;
        }
    for (int i = p->states; i < first; i++)
        if (is_float(cg_body_input_type(p->body, i))) {
            output(r->b, "by_turn", i, or_zero(r, grads[i], i));
            r->result_of[i] = n++;
        }
    for (int i = 0; i < p->states && n < CG_MAX_OUT; i++)
        if (r->seed[i] != CG_NONE) {
            output(r->b, "was", i, r->seed[i]);
            n++;
        }
    if (n > CG_MAX_OUT || r->n > CG_MAX_IN)
        cg_build_refuse(r->b, "its derivative has too many operands: let a turn hand on fewer states");
}

static void scan_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    Reverse r = { .p = parts_of(site->attrs, site->nin) };
    CgRef history[CG_MAX_OUT], out[CG_MAX_OUT], wrt[CG_MAX_IN], by[CG_MAX_IN], grads[CG_MAX_IN];
    int n = 0;
    find_history(b, site, &r.p, history);
    if (cg_build_refused(b))
        return;
    r.b = cg_body_build(b);
    take_inputs(b, site, history, &r);
    cg_build_graph(r.b, r.p.body, site->nin, r.in, out);
    for (int i = 0; i < site->nin; i++) {
        grads[i] = CG_NONE;
        if (is_float(cg_body_input_type(r.p.body, i)))
            wrt[n++] = r.in[i];
    }
    cg_build_grads(r.b, r.p.states + r.p.kept, out, r.seed, n, wrt, by);
    for (int i = 0, k = 0; i < site->nin; i++)
        if (is_float(cg_body_input_type(r.p.body, i)))
            grads[i] = by[k++];
    give_outputs(site, grads, &r);
    const char *refused = cg_build_refused(r.b);
    CgAttr body = cg_body_end(r.b, "body");
    if (refused) {
        cg_build_refuse(b, refused);
        return;
    }
    CgRef scan =
        cg_build(b, "scan", r.n, r.operand, attrs_of(body, r.states, r.turns, !cg_attr_int(site->attrs, "reverse", 0)));
    for (int i = 0; i < site->nin; i++)
        if (r.result_of[i] >= 0)
            gin[i] = cg_build_result(b, scan, r.result_of[i]);
}

/* ---- only some results ---- */

/* Results that are wanted, and the states that these are made of, in any turn. */
static CgSelection live_results(const Parts *p, const CgSelection *wanted)
{
    CgSelection needs[CG_MAX_OUT], used = *wanted, before;
    for (int k = 0; k < p->states + p->kept; k++)
        needs[k] = cg_body_needs(p->body, k);
    do {
        before = used;
        for (int k = 0; k < p->states + p->kept; k++)
            for (int i = 0; cg_selected(&before, k) && i < p->states; i++)
                if (cg_selected(&needs[k], i))
                    cg_select(&used, i, true);
    } while (memcmp(&used, &before, sizeof used) != 0);
    return used;
}

/* Operands that these results need; at least one that turns go through, since it says how many there are. */
static CgSelection live_operands(const Parts *p, const CgSelection *results)
{
    CgSelection in = { { 0 } };
    bool turns = false;
    for (int k = 0; k < p->states + p->kept; k++)
        if (cg_selected(results, k)) {
            CgSelection needs = cg_body_needs(p->body, k);
            cg_select_too(&in, &needs);
        }
    for (int i = 0; i < p->states; i++)
        cg_select(&in, i, cg_selected(results, i));
    for (int i = p->states; i < p->states + p->turns; i++)
        turns |= cg_selected(&in, i);
    if (!turns)
        cg_select(&in, p->states, true);
    return in;
}

static bool scan_prune(const CgSite *site, const CgSelection *used, CgPruned *less)
{
    Parts p = parts_of(site->attrs, site->nin);
    less->out = live_results(&p, used);
    less->in = live_operands(&p, &less->out);
    int states = 0, turns = 0, n = 0;
    for (int i = 0; i < site->nin; i++)
        if (cg_selected(&less->in, i)) {
            states += i < p.states;
            turns += i >= p.states && i < p.states + p.turns;
            n++;
        }
    bool all = n == site->nin;
    for (int k = 0; k < p.states + p.kept; k++)
        all &= cg_selected(&less->out, k);
    less->attrs = all ? NULL
                      : attrs_of(cg_body_part(p.body, "body", &less->in, &less->out), states, turns,
                          cg_attr_int(site->attrs, "reverse", 0));
    return !all;
}

static const CgSample samples[] = {
    { "F[3] F[5,3] F[3]",
        "states=1, turns=1, body=graph b(h: F[3], x: F[3], w: F[3]) { %3 = mul %0 %2 : F[3] %4 = add %3 %1 : F[3] "
        "%5 = tanh %4 : F[3] return h = %5, y = %3 }",
        .low = -1, .high = 1 },
    { "F[3] F[2] F[7,3] F[7,2]",
        "states=2, turns=2, reverse=1, body=graph b(h: F[3], c: F[2], x: F[3], z: F[2]) { %4 = mul %0 %2 : F[3] "
        "%5 = mul %1 %3 : F[2] %6 = sin %4 : F[3] return h = %6, c = %5, was = %0, had = %1 }",
        .low = -1, .high = 1 },
    { "F[5,3]", "body=graph b(x: F[3]) { %1 = exp %0 : F[3] return y = %1 }", .low = -1, .high = 1 },
    { .in = NULL },
};

static const CgOp op_scan = {
    CG_OP_HERE,
    .name = "scan",
    .sig = "(xs: tensors, body: subgraph, states: int = 0, turns: int = 1, reverse: bool = false) -> F[..r]",
    .doc = "A graph that runs once for each index of axis 0.\n\n"
           "Operands are `states` states, `turns` tensors of which each turn is given one index of axis 0, and others "
           "that each turn is given whole; `body` takes them in this order. It returns the new states, then what is "
           "kept: results are the last states, then all that was kept along a new axis 0. With `reverse` the last "
           "index comes first.\n",
    .shape = scan_shape,
    .vjp = scan_vjp,
    .prune = scan_prune,
    .traits = CG_MANY_RESULTS | CG_LOOP,
    .nout = CG_MAX_OUT,
    .samples = samples,
};

CG_OPS(scan, &op_scan)
