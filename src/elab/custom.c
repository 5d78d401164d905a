/* custom.c - vjp clauses: the derivative of a graph as its author wrote it.
 * Takes a body that was carried out and its clause; gives its results with that derivative. The clause is carried out
 * on a graph of its own, whose text becomes an attribute of the results: so it is part of what they are, and can be
 * differentiated again. */
#include <string.h>

#include "elab/elab.h"
#include "graph/registry.h"
#include "graph/text.h"

/* A parameter that `results` depend on other than through the inputs, and that could be trained; NULL if there is none.
 */
static const CgParamInfo *trained_inside(CgElab *e, const CgCustom *c)
{
    const CgGraph *g = e->model->build.graph;
    CgMap seen = { 0 };
    CG_VEC(CgRef) todo = { 0 };
    const CgParamInfo *found = NULL;
    uint64_t known;
    for (int i = 0; i < c->ninputs; i++)
        cg_map_put(&seen, c->inputs[i]->tensor->ref, 1);
    for (int i = 0; i < c->nresults; i++)
        cg_vec_push(&todo, c->results[i]->tensor->ref);
    while (todo.len && !found) {
        CgRef r = todo.at[--todo.len];
        const CgNode *n = cg_node(g, r);
        if (cg_map_get(&seen, r, &known))
            continue;
        cg_map_put(&seen, r, 1);
        if (n->op->traits & CG_PARAM) {
            const CgParamInfo *p = cg_model_param(e->model, cg_node_name(g, r));
            found = p && !p->frozen && !p->auxiliary ? p : NULL;
        }
        for (int i = 0; i < n->nin; i++)
            cg_vec_push(&todo, n->in[i]);
    }
    cg_map_deinit(&seen);
    cg_vec_free(&todo);
    return found;
}

/* The inputs of the rule's graph, by the names they have in the signature and in the clause. */
static void make_leaves(CgElab *e, CgFrame *f, const CgCustom *c, const CgType *types)
{
    for (int i = 0; i < c->ninputs + c->nresults; i++) {
        bool input = i < c->ninputs;
        const CgParam *p = input ? c->params[i] : &c->clause->params[i - c->ninputs];
        CgValue *v = cg_value_new(e, CG_VALUE_TENSOR, p->span);
        *v->tensor = *(input ? c->inputs[i] : c->results[i - c->ninputs])->tensor; /* its names of axes */
        v->tensor->ref = cg_graph_input(&e->model->build, cg_intern_printf("%s.%d", p->name, i), types[i]);
        cg_frame_bind(f, p->name, v);
    }
}

/* One derivative for each input of real numbers, as outputs of the rule. */
static bool take_returned(CgElab *e, CgFrame *f, const CgCustom *c, const CgType *types)
{
    int n = 0;
    for (int i = 0; i < c->ninputs; i++)
        n += cg_dtype_is_float(types[i].dtype);
    if (!f->returned || f->nresults != n) {
        cg_elab_error(e, CG_E0304, c->clause->span,
            "the vjp clause returns %d derivative%s, '%s' has %d input%s of real numbers", f->nresults,
            f->nresults == 1 ? "" : "s", c->stmt->names[0], n, n == 1 ? "" : "s");
        return false;
    }
    for (int i = 0, k = 0; i < c->ninputs; i++) {
        if (!cg_dtype_is_float(types[i].dtype))
            continue;
        CgValue *v = cg_is_poison(f->results[k]) ? NULL : cg_as_tensor(e, f->results[k], types[i].dtype);
        if (v && cg_is_poison(v))
            return false;
        double number;
        if (!v) {
            if (!cg_is_poison(f->results[k]))
                cg_elab_error(e, CG_E0305, f->results[k]->span, "a derivative is a tensor, not %s",
                    cg_value_kind_name(f->results[k]));
            return false;
        }
        if (cg_value_number(f->results[k], &number))
            v = cg_value_tensor(e, cg_fill(&e->model->build, types[i], number), v->span);
        const CgType *t = cg_value_type(e, v);
        if (!cg_type_equal(t, &types[i])) {
            CgStrbuf have = { 0 }, want = { 0 };
            cg_type_print(t, &have);
            cg_type_print(&types[i], &want);
            CgDiag *d = cg_elab_error(e, CG_E0402, f->results[k]->span, "the derivative by '%s' is %s, '%s' is %s",
                c->params[i]->name, cg_strbuf_str(&have), c->params[i]->name, cg_strbuf_str(&want));
            cg_diag_note(d, c->params[i]->span, "declared here");
            cg_strbuf_deinit(&have);
            cg_strbuf_deinit(&want);
            return false;
        }
        cg_graph_output(e->model->build.graph, c->params[i]->name, v->tensor->ref);
        k++;
    }
    return true;
}

/* Carries out the clause on a graph of its own. It sees the inputs, the static arguments and the sizes of the graph.
 * NULL after a mistake. */
static CgGraph *carry_out(CgElab *e, const CgFrame *body, const CgCustom *c, const CgType *types)
{
    CgGraph *rule = cg_graph_new("vjp");
    CgBuild keep = e->model->build;
    rule->scopes.at[0].bf16 = keep.graph->scopes.at[keep.scope].bf16;
    e->model->build = cg_build_at(rule);
    CgFrame f;
    cg_frame_begin(e, &f, NULL, body->env);
    f.is_body = true;
    f.instance = body->instance;
    f.scope = 0;
    for (int i = 0; i < c->stmt->nparams; i++)
        if (!cg_param_is_tensor(&c->stmt->params[i]) && body->instance->statics[i])
            cg_frame_bind(&f, c->stmt->params[i].name, body->instance->statics[i]);
        else if (cg_param_is_tensor(&c->stmt->params[i]))
            cg_frame_bind(&f, c->stmt->params[i].name,
                cg_value_new(e, CG_VALUE_NONE, c->stmt->params[i].span)); /* unless given */
    for (size_t i = 0; i < body->dims.len; i++)
        cg_vec_push(&f.dims, body->dims.at[i]);
    for (size_t i = 0; i < body->rows.len; i++)
        cg_vec_push(&f.rows, body->rows.at[i]);
    size_t before = cg_diags_count(e->diags);
    make_leaves(e, &f, c, types);
    cg_body_exec(e, &f, &c->clause->body);
    bool good =
        cg_diags_count(e->diags) == before && take_returned(e, &f, c, types) && cg_diags_count(e->diags) == before;
    cg_frame_end(e, &f);
    e->model->build = keep;
    if (good)
        return rule;
    cg_graph_free(rule);
    return NULL;
}

bool cg_custom_vjp(CgElab *e, const CgFrame *body, const CgCustom *c, CgSpan span)
{
    CgType types[2 * CG_MAX_IN];
    CgRef operands[CG_MAX_IN];
    if (c->nresults > CG_MAX_OUT || c->nresults + c->ninputs > CG_MAX_IN) {
        cg_elab_error(e, CG_E0303, c->clause->span,
            "a graph with a vjp clause has at most %d results and %d tensors in all", CG_MAX_OUT, CG_MAX_IN);
        return false;
    }
    if (c->clause->nparams != c->nresults) {
        cg_elab_error(e, CG_E0304, c->clause->span, "the vjp clause takes %d derivative%s, '%s' has %d result%s",
            c->clause->nparams, c->clause->nparams == 1 ? "" : "s", c->stmt->names[0], c->nresults,
            c->nresults == 1 ? "" : "s");
        return false;
    }
    for (int i = 0; i < c->nresults; i++) {
        operands[i] = c->results[i]->tensor->ref;
        types[c->ninputs + i] = *cg_value_type(e, c->results[i]);
        if (cg_dtype_is_float(types[c->ninputs + i].dtype))
            continue;
        cg_elab_error(e, CG_E0504, c->clause->span, "result %d of '%s' has no derivative: it is not of real numbers", i,
            c->stmt->names[0]);
        return false;
    }
    for (int i = 0; i < c->ninputs; i++) {
        operands[c->nresults + i] = c->inputs[i]->tensor->ref;
        types[i] = *cg_value_type(e, c->inputs[i]);
    }
    const CgParamInfo *p = trained_inside(e, c);
    if (p) {
        CgDiag *d = cg_elab_error(e, CG_E0504, c->clause->span, "the vjp clause of '%s' says nothing of parameter '%s'",
            c->stmt->names[0], p->path);
        cg_diag_note(d, p->span, "declared here");
        cg_diag_help(d, "give it as an input: the clause returns the derivative by each of them");
        return false;
    }
    CgGraph *rule = carry_out(e, body, c, types);
    if (rule) {
        CgBuild *b = &e->model->build;
        CgAttr at[2] = { cg_a_graph("rule", rule), cg_a_int("results", c->nresults) };
        b->span = span;
        CgRef node = cg_build(b, "custom", c->nresults + c->ninputs, operands, cg_attrs(2, at));
        for (int i = 0; i < c->nresults; i++)
            c->results[i]->tensor->ref = cg_build_result(b, node, i);
    }
    return rule != NULL;
}
