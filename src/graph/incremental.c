/* incremental.c - the two halves of an incremental graph.
 * Takes what cg_incremental_build gave; gives what is computed once and what new positions need, each optimised for
 * itself. Must not know how it was made. */
#include "graph/incremental.h"

#include <stdlib.h>
#include <string.h>

#include "graph/pass.h"

static bool begins(CgAtom name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

static CgGraph *half(const CgGraph *both, bool prologue, bool last)
{
    CgRef *map = cg_malloc(sizeof *map * (both->nodes.len + 1));
    CgGraph *to = cg_pass_begin(both, map);
    CgBuild b = cg_build_at(to);
    const CgDim *count = cg_dim_symbol(CG_INCREMENTAL_COUNT);
    b.no_fold = true;
    for (CgRef r = 0; r < both->nodes.len; r++)
        if (map[r] == CG_NONE)
            map[r] = cg_pass_copy(&b, both, r, map);
    for (size_t i = 0; i < both->outputs.len; i++) {
        CgOutput o = both->outputs.at[i];
        CgRef r = map[o.ref];
        CgType t = cg_ref_type(&b, r);
        if ((begins(o.name, "start.") || begins(o.name, "first.")) != prologue)
            continue;
        for (int a = 0; a < t.rank && last && !begins(o.name, "keep."); a++)
            if (t.dim[a] == count)
                r = cg_slice(&b, r, a, cg_dim_sub(count, cg_dim_int(1)), count);
        cg_graph_output(to, o.name, r);
    }
    free(map);
    CgGraph *done = cg_pass_run_all(to, NULL);
    cg_graph_free(to);
    return done;
}

void cg_incremental_split(const CgGraph *both, bool last, CgGraph **prologue, CgGraph **step)
{
    *prologue = half(both, true, false);
    *step = half(both, false, last);
}
