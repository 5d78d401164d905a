/* stalls.c - how a training goes, for schedules.
 * Takes nothing; gives an input of the graph of an optimiser, which the training fills in. Counts nothing itself. */
#include <string.h>

#include "elab/define.h"
#include "library/library.h"

static CgValue *build_stalls(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgType scalar = cg_type(CG_F32, 0, NULL);
    CgModelGraph *m = e->model;
    (void)f;
    if (e->defining && m)
        return cg_value_tensor(e, cg_define_tensor(e, scalar), a->call);
    if (!m || !m->updates) {
        CgDiag *d = cg_elab_error(e, CG_E0503, a->call, "'stalls' is known to optimisers and schedules only");
        cg_diag_help(d, "a schedule is a graph of step and steps: adamw(rate = plateau(1e-3))");
        return cg_value_poison(e);
    }
    const CgGraph *g = m->graph;
    for (size_t i = 0; i < g->inputs.len; i++)
        if (!strcmp(cg_node_name(g, g->inputs.at[i]), "stalls"))
            return cg_value_tensor(e, g->inputs.at[i], a->call);
    return cg_value_tensor(e, cg_graph_input(&m->build, "stalls", scalar), a->call);
}

static const CgFunction fn_stalls = { CG_FUNCTION_HERE, .name = "stalls", .sig = "() -> tensor", .build = build_stalls,
    .doc =
        "How often the validation loss has stalled so far: patience validations in a row, a field of train, brought no "
        "better one. For schedules and optimisers: plateau lowers the rate by it." };

CG_FUNCTIONS(stalls, &fn_stalls)
