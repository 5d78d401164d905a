/* passes.c - the table of passes and how they are run.
 * Takes a graph and the names of passes; gives what the last of them made. Must not rewrite anything itself. */
#include "graph/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/timing.h"

/* Builds that look for faults verify after each pass; others when CG_DEBUG=verify. */
#if defined __SANITIZE_ADDRESS__ || defined CG_ARENA_DEBUG
    #define VERIFY 1
#else
    #define VERIFY 0
#endif

#define X(pass) extern const CgPass cg_pass_entry_##pass;
#include "entries/pass.def"
#undef X
static const CgPass *const entries[] = {
#define X(pass) &cg_pass_entry_##pass,
#include "entries/pass.def"
#undef X
};

/* Entry a runs before entry b: by order, those without one last; equals by name. */
static bool runs_before(const CgPass *a, const CgPass *b)
{
    if (a->order != b->order)
        return b->order == 0 || (a->order != 0 && a->order < b->order);
    return strcmp(a->name, b->name) < 0;
}

const CgPass *cg_pass_at(size_t i)
{
    for (size_t k = 0; k < CG_LEN(entries); k++) {
        size_t before = 0;
        for (size_t j = 0; j < CG_LEN(entries); j++)
            before += runs_before(entries[j], entries[k]);
        if (before == i)
            return entries[k];
    }
    return NULL;
}

const CgPass *cg_pass_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(entries); i++)
        if (!strcmp(entries[i]->name, name) || (entries[i]->was && !strcmp(entries[i]->was, name)))
            return entries[i];
    return NULL;
}

static CgGraph *run_pass(const CgPass *pass, CgGraph *g)
{
    CgGraph *next = pass->run(g);
    if (VERIFY || cg_debug_value("verify"))
        cg_graph_verify(next);
    cg_graph_free(g);
    return next;
}

static CgGraph *copy_graph(const CgGraph *g)
{
    CgRef *map = cg_malloc(sizeof *map * (g->nodes.len + 1));
    CgGraph *to = cg_pass_begin(g, map);
    CgBuild b = cg_build_at(to);
    b.no_fold = true;
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (map[r] == CG_NONE)
            map[r] = cg_pass_copy(&b, g, r, map);
    return cg_pass_end(g, to, map);
}

CgGraph *cg_pass_run_all(const CgGraph *g, const char *only)
{
    cg_timing_begin("optimise");
    CgGraph *now = copy_graph(g);
    const CgPass *each;
    for (size_t i = 0; !only && (each = cg_pass_at(i)) && each->order; i++)
        now = run_pass(each, now);
    for (const char *p = only ? only : ""; *p; p += strcspn(p, ","), p += *p == ',') {
        const CgPass *pass = cg_pass_find(cg_intern_n(p, strcspn(p, ",")));
        if (pass)
            now = run_pass(pass, now);
    }
    cg_timing_end();
    return now;
}
