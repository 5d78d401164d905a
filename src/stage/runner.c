/* runner.c - a plan that is bound and runs.
 * Takes a graph and memory; gives an exec whose inputs and parameters are bound by name and order. Must not know what
 * the graph is for. */
#include "stage/runner.h"

#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/strbuf.h"

void cg_runner_free(CgRunner *r)
{
    cg_exec_free(r->exec);
    cg_plan_free(r->plan);
    memset(r, 0, sizeof *r);
}

bool cg_runner_new(CgSession *x, const CgGraph *g, int64_t rows, CgPlanOptions options, CgSpan at, CgRunner *r)
{
    CgErr err = { 0 };
    CgBinding b = { cg_intern("batch"), rows };
    options.sources = x->sources;
    *r = (CgRunner){ .graph = g, .rows = rows };
    r->plan = cg_plan_build(g, (CgBindings){ &b, 1 }, options, &err);
    r->exec = r->plan ? cg_exec_new(r->plan, x->pool, &err) : NULL;
    if (!r->exec) {
        cg_runner_free(r);
        return cg_session_err(x, at, &err);
    }
    cg_session_note_precision(x, g);
    return true;
}

void cg_runner_bind_params(const CgRunner *r, const CgMemory *m)
{
    for (int i = 0; i < m->n; i++)
        cg_exec_bind_param(r->exec, i, m->at[i]);
}

void cg_runner_bind(const CgRunner *r, const char *input, const void *data)
{
    for (size_t i = 0; i < r->graph->inputs.len; i++)
        if (!strcmp(cg_node_name(r->graph, r->graph->inputs.at[i]), input))
            cg_exec_bind_input(r->exec, (int)i, data);
}

void cg_runner_bind_batch(const CgRunner *r, const CgDataset *d, void *const *at, int64_t first)
{
    for (size_t i = 0; i < r->graph->inputs.len; i++) {
        int f = cg_dataset_find(d, cg_node_name(r->graph, r->graph->inputs.at[i]));
        if (f >= 0)
            cg_exec_bind_input(r->exec, (int)i, (char *)at[f] + (size_t)first * cg_field_bytes(&d->field[f]));
    }
}

bool cg_batch_room(const CgDataset *d, const CgGraph *g, int64_t rows, void ***at, CgErr *e)
{
    size_t bytes;
    void **fields = *at = cg_calloc((size_t)d->nfields + 1, sizeof *fields);
    for (size_t i = 0; i < g->inputs.len; i++) {
        int f = cg_dataset_find(d, cg_node_name(g, g->inputs.at[i]));
        if (f < 0 || fields[f])
            continue;
        if (__builtin_mul_overflow((size_t)rows, cg_field_bytes(&d->field[f]), &bytes)
            || !(fields[f] = cg_try_alloc(bytes + 64))) {
            cg_err(e, CG_ERR_MEMORY, "no room for a batch of %lld rows: %.3g GiB of '%s'", (long long)rows,
                (double)rows * (double)cg_field_bytes(&d->field[f]) / 0x1p30, d->field[f].name);
            cg_err_hint(e, "use a smaller batch");
            return false;
        }
    }
    return true;
}

void cg_batch_free(const CgDataset *d, void **at)
{
    for (int f = 0; at && f < d->nfields; f++)
        free(at[f]);
    free(at);
}

/* What a derivative is called: nobody wrote the op that computes it. NULL: what it is the derivative of is gone. */
static const char *derivative_of(const char *op)
{
    CgStrbuf name = { 0 };
    cg_strbuf_printf(&name, "the derivative%s%s", op ? " of " : "", op ? op : "");
    const char *interned = cg_intern(cg_strbuf_str(&name));
    cg_strbuf_deinit(&name);
    return interned;
}

void cg_runner_odd(const CgRunner *r, int instr, CgOdd *odd)
{
    const CgInstr *i = cg_plan_instr(r->plan, instr);
    const CgGraph *g = cg_plan_graph(r->plan);
    const CgNode *n = i->node == CG_NONE ? NULL : cg_node(g, i->node);
    odd->op = i->op->name;
    if (!n)
        return;
    if (n->why != CG_NONE)
        odd->op = derivative_of(n->why == i->node ? NULL : cg_node(g, n->why)->op->name);
    if (n->span.file)
        odd->at = n->span;
    odd->n = 0;
    for (int s = n->scope; s > 0 && odd->n < CG_ODD_CALLS; s = g->scopes.at[s].parent)
        if (g->scopes.at[s].span.file) {
            odd->graph[odd->n] = g->scopes.at[s].graph;
            odd->applied[odd->n++] = g->scopes.at[s].span;
        }
}

void cg_odd_note(CgDiag *d, const CgOdd *odd)
{
    for (int i = 0; i < odd->n; i++)
        cg_diag_note(d, odd->applied[i], "in '%s', applied here", odd->graph[i]);
}
