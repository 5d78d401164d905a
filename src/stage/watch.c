/* watch.c - `expect` and `show` in the bodies of graphs, with --debug.
 * Takes these statements while a model is elaborated; gives a graph of its own that computes what they look at, and
 * runs it beside the model's. Must not change the model: no parameter, no draw, no output. */
#include "stage/watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "graph/pass.h"

/* What the bodies of one model look at. */
typedef struct CgWatched {
    const CgModelGraph *model;
    CgExpects of;
} CgWatched;

static CgWatched *find(const CgSession *x, const CgModelGraph *m)
{
    for (size_t i = 0; i < x->watched.len; i++)
        if (x->watched.at[i]->model == m)
            return x->watched.at[i];
    return NULL;
}

/* Statements in the order they were met; whether they were carried out. */
static void meet(CgSession *x, const CgStmt *s, bool carried_out)
{
    for (size_t i = 0; i < x->watching.len; i++)
        if (x->watching.at[i].stmt == s) {
            x->watching.at[i].carried_out |= carried_out;
            return;
        }
    cg_vec_push(&x->watching, ((CgWatching){ s, carried_out }));
}

static void add(CgSession *x, const CgModelGraph *m, const CgExpects *more)
{
    CgWatched *w = find(x, m);
    if (!w) {
        w = cg_calloc(1, sizeof *w);
        w->model = m;
        cg_vec_push(&x->watched, w);
    }
    int first = (int)w->of.tensors.len;
    for (size_t i = 0; i < more->tensors.len; i++)
        cg_vec_push(&w->of.tensors, more->tensors.at[i]);
    for (size_t i = 0; i < more->at.len; i++) {
        CgExpect it = more->at.at[i];
        it.left.output += it.left.output >= 0 ? first : 0;
        it.right.output += it.op && it.right.output >= 0 ? first : 0;
        cg_vec_push(&w->of.at, it);
    }
}

void cg_watch_statement(CgElab *e, CgFrame *f, const CgStmt *s)
{
    CgSession *x = cg_session_of(e);
    CgModelGraph *m = e->model;
    CgExpects new = { 0 };
    bool asked = m->asked_training;
    e->watching++;
    cg_expects_add(e, f, s, &new);
    e->watching--;
    if (e->unmade) {
        CgDiag *d =
            cg_elab_error(e, CG_E0503, s->span, "the model has no parameter '%s' yet: it is only looked at", e->unmade);
        cg_diag_help(d, "apply the part in a statement before: y = layer(x), then show y");
        e->unmade = NULL;
    }
    m->asked_training = asked;
    if (!e->defining) {
        /* a turn of a scan, an initial value and a vjp clause are no nodes of the model's graph */
        bool inside = m->turns.len == 0 && m->build.graph == m->graph;
        bool done = !new.broken &&new.at.len && !new.tensors.len;
        meet(x, s, done);
        if (done) /* numbers that are known: at once; what does not hold is reported */
            (void)!cg_expects_hold(x, &new, NULL, "");
        else if (inside)
            add(x, m, &new);
    }
    cg_expects_free(&new);
}

/* A graph with the inputs and parameters of g that computes the tensors. */
static CgGraph *graph_of(const CgGraph *g, const CgExpects *of)
{
    CgRef last = 0, *map = cg_calloc(g->nodes.len + 1, sizeof *map);
    for (size_t i = 0; i < of->tensors.len; i++)
        last = of->tensors.at[i] > last ? of->tensors.at[i] : last;
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    for (CgRef r = 0; r <= last; r++)
        if (map[r] == CG_NONE)
            map[r] = cg_pass_copy(&b, g, r, map);
    for (size_t i = 0; i < of->tensors.len; i++)
        cg_graph_output(to, cg_intern_printf("watch.%zu", i), map[of->tensors.at[i]]);
    free(map);
    CgGraph *out = cg_pass_run_all(to, NULL);
    cg_graph_free(to);
    return out;
}

bool cg_watch_new(CgSession *x, const CgModelGraph *m, int64_t rows, CgSpan at, CgWatch **out)
{
    const CgWatched *watched = find(x, m);
    *out = NULL;
    if (!watched)
        return true;
    CgWatch *w = *out = cg_calloc(1, sizeof *w);
    w->x = x;
    w->of = &watched->of;
    w->graph = graph_of(m->graph, w->of);
    return cg_runner_new(x, w->graph, rows, (CgPlanOptions){ 0 }, at, &w->runner);
}

void cg_watch_free(CgWatch *w)
{
    if (!w)
        return;
    cg_runner_free(&w->runner);
    cg_graph_free(w->graph);
    free(w);
}

bool cg_watch_run(CgWatch *w, CgSpan at, const char *when)
{
    for (size_t i = 0; i < w->of->at.len; i++)
        meet(w->x, w->of->at.at[i].stmt, true);
    return cg_session_run(w->x, w->runner.exec, at) && cg_expects_hold(w->x, w->of, w->runner.exec, when);
}

bool cg_watch_once(
    CgSession *x, const CgModelGraph *m, const CgMemory *memory, uint64_t seed, CgSpan at, const char *when)
{
    CgWatch *w;
    bool good = cg_watch_new(x, m, 1, at, &w);
    if (w && good) {
        cg_runner_bind_params(&w->runner, memory);
        cg_exec_random(w->runner.exec, seed, 0, 0);
        good = cg_watch_run(w, at, when);
    }
    cg_watch_free(w);
    return good;
}

void cg_watch_report(const CgSession *x)
{
    int said = 0;
    for (size_t i = 0; i < x->watching.len; i++) {
        const CgWatching *it = &x->watching.at[i];
        int line, column;
        if (it->carried_out)
            continue;
        cg_sources_position(x->sources, it->stmt->span, &line, &column);
        fprintf(stderr, "%s%s:%d",
            said++ ? ", " : "cg: not looked at: ", cg_sources_get(x->sources, it->stmt->span.file)->name, line);
    }
    if (said)
        fputs(
            "\n  what is kept is not computed again, but with --store of an empty folder; turns of a scan, clauses of "
            "vjp,\n  initial values and texts being written are not looked into\n",
            stderr);
}

void cg_watched_free(CgSession *x)
{
    for (size_t i = 0; i < x->watched.len; i++) {
        cg_expects_free(&x->watched.at[i]->of);
        free(x->watched.at[i]);
    }
    cg_vec_free(&x->watched);
    cg_vec_free(&x->watching);
}
