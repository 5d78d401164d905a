/* scan.c - a graph that is applied once for each index of an axis.
 * Takes the graph, the tensors whose indices are its turns, and the states it begins with; gives the last states and
 * what each turn returned besides. The graph is applied once, on leaves that stand for what a turn is given; what it
 * made of them is the body of one node, and all that does not depend on the turn stays outside of it. */
#include <string.h>

#include "elab/define.h"
#include "library/library.h"

enum { CELL, X, AXIS, FROM };

/* A scan being made. Operands of the node: states, tensors that turns go through, then whatever the body uses. */
typedef struct Scan {
    CgElab *e;
    const CgArguments *a;
    CgValue *const *from, *const *x;
    int states, turns;
    int axis[CG_MAX_IN]; /* by tensor that turns go through: the axis they are */
    CgRef operand[CG_MAX_IN + 1], hole[CG_MAX_IN + 1];
    CgRef turn; /* the leaf that is the number of the turn */
    CgValue *const *results;
    int nresults;
} Scan;

static CgValue *const *as_list(CgValue *const *v, int *n)
{
    bool list = (*v)->kind == CG_VALUE_LIST;
    *n = (*v)->kind == CG_VALUE_NONE ? 0 : list ? (*v)->n : 1;
    return list ? (*v)->at : v;
}

/* The axis of each tensor, of one size. */
static bool find_axes(Scan *s, CgFrame *f)
{
    CgElab *e = s->e;
    const CgArguments *a = s->a;
    for (int i = 0; i < s->turns; i++) {
        if (!cg_axis_of(e, f, s->x[i], a->written[AXIS], a->at[AXIS], a->span[AXIS], &s->axis[i]))
            return false;
        const CgDim *first = cg_value_type(e, s->x[0])->dim[s->axis[0]],
                    *this = cg_value_type(e, s->x[i])->dim[s->axis[i]];
        if (first == this || cg_define_equal(e, first, this, a->span[X]))
            continue;
        CgStrbuf one = { 0 }, two = { 0 };
        cg_dim_print(first, &one);
        cg_dim_print(this, &two);
        CgDiag *d = cg_elab_error(e, CG_E0405, a->span[X], "the tensors have different numbers of turns: %s and %s",
            cg_strbuf_str(&one), cg_strbuf_str(&two));
        cg_define_explain(e, d, first, this);
        cg_strbuf_deinit(&one);
        cg_strbuf_deinit(&two);
        return false;
    }
    return true;
}

/* x with its axis of turns in front. */
static CgRef turns_first(CgBuild *b, CgRef x, int axis)
{
    int64_t perm[CG_MAX_RANK] = { axis };
    int rank = cg_ref_type(b, x).rank;
    for (int i = 0, k = 1; i < rank; i++)
        if (i != axis)
            perm[k++] = i;
    return cg_transpose(b, x, perm);
}

/* The leaf that stands for operand i in a turn, as a value of the language. */
static CgValue *hole(Scan *s, int i, const CgValue *of, int without)
{
    CgElab *e = s->e;
    CgType t = *cg_value_type(e, of);
    CgTensorValue labels = *of->tensor;
    if (without >= 0) {
        for (int k = without; k + 1 < t.rank; k++) {
            t.dim[k] = t.dim[k + 1];
            labels.label[k] = labels.label[k + 1];
            labels.origin[k] = labels.origin[k + 1];
        }
        t.dim[--t.rank] = NULL;
    }
    const CgBuild *b = &e->model->build;
    s->hole[i] = cg_hole(&e->model->build, cg_intern_printf("%zu.%d", b->graph->nodes.len, i), t);
    cg_below_set(e->model, s->hole[i], cg_below_of(e, of));
    CgValue *v = cg_value_tensor(e, s->hole[i], of->span);
    labels.ref = s->hole[i];
    labels.written = 0;
    *v->tensor = labels;
    return v;
}

/* Applies the graph to leaves; what it returns is in s->results. */
static bool apply(Scan *s, CgFrame *f)
{
    CgElab *e = s->e;
    CgBuild *b = &e->model->build;
    CgValue *args[CG_MAX_IN];
    CgAtom names[CG_MAX_IN] = { 0 };
    CgSpan spans[CG_MAX_IN];
    int n = s->states + s->turns;
    for (int i = 0; i < n; i++) {
        bool state = i < s->states;
        CgValue *of = state ? s->from[i] : s->x[i - s->states];
        args[i] = hole(s, i, of, state ? -1 : s->axis[i - s->states]);
        spans[i] = s->a->span[state ? FROM : X];
        s->operand[i] = state ? of->tensor->ref : turns_first(b, of->tensor->ref, s->axis[i - s->states]);
    }
    CgType number = cg_type(CG_I32, 0, NULL);
    s->turn = cg_hole(b, cg_intern_printf("%zu.turn", b->graph->nodes.len), number);
    cg_vec_push(&e->model->turns, ((CgTurn){ b->graph, s->turn }));
    CgExpr site = { .kind = CG_EXPR_CALL, .span = s->a->call, .a = (CgExpr *)(uintptr_t)s->a->written[CELL] };
    CgValue *const *out = CG_NEW(e->arena, CgValue *);
    *(CgValue **)(uintptr_t)out = cg_call(e, f, s->a->at[CELL], args, names, spans, n, &site);
    e->model->turns.len--;
    if (cg_is_poison(*out))
        return false;
    s->results = as_list(out, &s->nresults);
    return true;
}

static bool is_state(Scan *s, int i)
{
    CgElab *e = s->e;
    const CgType *was = cg_value_type(e, s->from[i]), *is = cg_value_type(e, s->results[i]);
    if (cg_type_equal(was, is) || cg_define_types(e, is, was, s->a->span[FROM]))
        return true;
    CgStrbuf a = { 0 }, b = { 0 };
    cg_type_print(is, &a);
    cg_type_print(was, &b);
    CgDiag *d = cg_elab_error(e, CG_E0405, s->a->span[CELL],
        "state %d is %s after a turn and %s before it: a state has one type in all turns", i, cg_strbuf_str(&a),
        cg_strbuf_str(&b));
    cg_diag_label(d, s->a->span[FROM], "%s", cg_strbuf_str(&b));
    cg_strbuf_deinit(&a);
    cg_strbuf_deinit(&b);
    return false;
}

static bool check_results(Scan *s)
{
    CgElab *e = s->e;
    if (s->nresults < s->states || s->nresults == 0) {
        CgDiag *d = cg_elab_error(e, CG_E0304, s->a->span[CELL],
            "a turn returns the new state%s first, %d in all; this returns %d", s->states == 1 ? "" : "s", s->states,
            s->nresults);
        cg_diag_help(d, "return h, y: the new state, then what is kept");
        return false;
    }
    for (int k = 0; k < s->nresults; k++) {
        const CgValue *v = s->results[k];
        if (cg_is_poison(v))
            return false;
        if (v->kind != CG_VALUE_TENSOR) {
            cg_elab_error(
                e, CG_E0312, s->a->span[CELL], "what a turn returns is a tensor, not %s", cg_value_kind_name(v));
            return false;
        }
        if (k < s->states && !is_state(s, k))
            return false;
    }
    return true;
}

/* Result k of the node, what was kept with its turns where they are in the first tensor. */
static CgValue *result(Scan *s, CgRef node, int k)
{
    CgElab *e = s->e;
    CgBuild *b = &e->model->build;
    CgRef r = cg_build_result(b, node, k);
    const CgTensorValue *inner = s->results[k]->tensor;
    CgType t = cg_ref_type(b, r);
    if (k < s->states) {
        CgValue *v = cg_value_tensor(e, r, s->a->call);
        cg_copy_labels(e, v, &s->from[k], 1);
        return v;
    }
    int at = s->axis[0] < t.rank ? s->axis[0] : t.rank - 1;
    int64_t perm[CG_MAX_RANK];
    for (int i = 0; i < t.rank; i++)
        perm[i] = i < at ? i + 1 : i == at ? 0 : i;
    CgValue *v = cg_value_tensor(e, cg_transpose(b, r, perm), s->a->call);
    for (int i = 0; i < t.rank; i++) {
        const CgTensorValue *from = i == at ? s->x[0]->tensor : inner;
        int axis = i == at ? s->axis[0] : i < at ? i : i - 1;
        v->tensor->label[i] = from->label[axis];
        v->tensor->origin[i] = from->origin[axis];
    }
    return v;
}

/* The node: its body also keeps the states each turn began with, for its derivative; what nobody uses is dropped. */
static CgRef build(Scan *s)
{
    CgElab *e = s->e;
    CgBuild *b = &e->model->build;
    CgRef out[2 * CG_MAX_OUT];
    CgRefs outside = { 0 };
    int n = s->states + s->turns, nout = 0, turns = s->turns;
    for (int k = 0; k < s->nresults; k++)
        out[nout++] = s->results[k]->tensor->ref;
    for (int i = 0; i < s->states && nout < CG_MAX_OUT; i++)
        out[nout++] = s->hole[i];
    s->hole[n] = s->turn;
    CgGraph *body = cg_body_extract(b->graph, n + 1, s->hole, nout, out, &outside);
    body = cg_body_pack(b, body, n + 1, &outside);
    int noutside = (int)outside.len, most = CG_MAX_IN - n - 1;
    for (int i = 0; i < noutside && i < most; i++)
        s->operand[n + 1 + i] = outside.at[i];
    cg_vec_free(&outside);
    if (noutside > most) {
        cg_graph_free(body);
        cg_elab_error(e, CG_E0303, s->a->span[CELL],
            "beside %d tensors that turns go through and states a turn uses %d from "
            "outside, at most %d can be",
            n, noutside, most);
        return CG_NONE;
    }
    CgAttr attr = cg_a_graph("body", body);
    CgSelection used = { { 0 } }, all = used, results = used;
    for (int k = 0; k < nout; k++) {
        CgSelection needs = cg_body_needs(&attr, k);
        cg_select_too(&used, &needs);
        cg_select(&results, k, true);
    }
    for (int i = 0; i <= n + noutside; i++)
        cg_select(&all, i, i != n);
    const CgDim *count = cg_value_type(e, s->x[0])->dim[s->axis[0]];
    CgAttr iota[2] = { cg_a_type("type", cg_type(CG_I32, 1, &count)), cg_a_int("axis", 0) };
    if (cg_selected(&used, n)) {
        s->operand[n] = cg_build(b, "iota", 0, NULL, cg_attrs(2, iota));
        turns++;
    } else {
        attr = cg_body_part(&attr, "body", &all, &results);
        memmove(s->operand + n, s->operand + n + 1, (size_t)noutside * sizeof *s->operand);
    }
    CgAttr at[3] = { attr, cg_a_int("states", s->states), cg_a_int("turns", turns) };
    return cg_build(b, "scan", s->states + turns + noutside, s->operand, cg_attrs(3, at));
}

static CgValue *build_scan(CgElab *e, CgFrame *f, const CgArguments *a)
{
    Scan s = { .e = e, .a = a };
    if (!e->model) {
        cg_elab_error(
            e, CG_E0503, a->call, "'scan' makes tensors, and there are none outside of graphs, train and evaluate");
        return cg_value_poison(e);
    }
    s.x = as_list(&a->at[X], &s.turns);
    s.from = as_list(&a->at[FROM], &s.states);
    if (s.turns == 0 || s.turns + s.states > CG_MAX_OUT) {
        cg_elab_error(e, CG_E0304, a->span[X], "'scan' takes from 1 to %d tensors and states", CG_MAX_OUT);
        return cg_value_poison(e);
    }
    const CgValue *cell = a->at[CELL];
    const CgStmt *graph = cell->kind == CG_VALUE_INSTANCE ? cell->instance->stmt
        : cell->kind == CG_VALUE_GRAPH                    ? cell->stmt
                                                          : NULL;
    if (graph && !s.states && cg_graph_tensors(graph) > s.turns) {
        CgDiag *d =
            cg_elab_error(e, CG_E0304, a->call, "'%s' takes a state, and this scan begins with none", graph->names[0]);
        cg_diag_help(d, "say what the state begins with: scan(step, x, axis = T, from = fill(0.0, [B, D]))");
        return cg_value_poison(e);
    }
    if (!find_axes(&s, f) || !apply(&s, f) || !check_results(&s))
        return cg_value_poison(e);
    for (int k = 0; k < s.states; k++)
        if (!cg_type_equal(cg_value_type(e, s.from[k]), cg_value_type(e, s.results[k])))
            return cg_value_poison(e); /* sizes of which it is not known that they differ */
    e->model->build.span = a->call;
    CgRef node = build(&s);
    if (node == CG_NONE)
        return cg_value_poison(e);
    CgValue *out = cg_value_list(e, s.nresults, a->call);
    for (int k = 0; k < s.nresults; k++)
        out->at[k] = result(&s, node, k);
    return s.nresults == 1 ? out->at[0] : out;
}

static const CgFunction fn_scan = { CG_FUNCTION_HERE, .name = "scan",
    .sig = "(cell: graph, x: tensor | tensor[], axis: axis, from: tensor | tensor[] | none = none) -> tensor | list",
    .build = build_scan,
    .doc = "A graph applied once for each index of an axis, in order: h, ys = scan(step, x, axis = T, from = h0).\n\n"
           "`step` is given the state, or each of the states that `from` lists, and a slice of x, or of each tensor "
           "that x lists; it returns the new states, then what is kept. Results are the last states and all that was "
           "kept, with the axis in the place it has in x. A state has one type in all turns. Parameters are those of "
           "the graph, the same in each turn. Without `from` each turn is for itself. It is one node for any number of "
           "turns, and its derivative another one: memory grows with what the states take, not with what a turn "
           "computes." };

CG_FUNCTIONS(scan, &fn_scan)
