/* running.c - parameters that a training renews by what its graph computes, not by a gradient.
 * Takes a parameter and a value of its type; notes in the model what the parameter becomes after a step. Runs nothing.
 */
#include <string.h>

#include "library/library.h"

static CgParamInfo *parameter_of(CgModelGraph *m, CgRef r)
{
    for (size_t i = 0; i < m->params.len; i++)
        if (m->params.at[i].ref == r)
            return &m->params.at[i];
    return NULL;
}

static CgValue *build_running(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgValue *p = a->at[0];
    CgModelGraph *m = e->model;
    const double keep = a->at[2]->f;
    (void)f;
    if (!m || e->defining)
        return p;
    CgParamInfo *info = m->build.graph == m->graph ? parameter_of(m, p->tensor->ref) : NULL;
    const CgType *type = cg_value_type(e, p);
    if (!info || type->dtype != CG_F32) {
        CgDiag *d =
            cg_elab_error(e, CG_E0503, a->span[0], "'%s' of running is a parameter of f32 that its graph declares",
                cg_function_signature(a->function)->stmt->params[0].name);
        cg_diag_help(d, "param mean: f32[C] = zeros(), then running(mean, value)");
        return cg_value_poison(e);
    }
    if (!cg_type_equal(type, cg_value_type(e, a->at[1]))) {
        CgStrbuf have = { 0 }, want = { 0 };
        cg_type_print(cg_value_type(e, a->at[1]), &have);
        cg_type_print(type, &want);
        cg_elab_error(e, CG_E0401, a->span[1], "the parameter is %s, and what it moves to is %s", cg_strbuf_str(&want),
            cg_strbuf_str(&have));
        cg_strbuf_deinit(&have);
        cg_strbuf_deinit(&want);
        return cg_value_poison(e);
    }
    m->asked_training = true;
    if (!m->trains)
        return p;
    CgBuild *b = &m->build;
    b->span = a->call;
    /* A graph that is applied twice moves it twice, the second time from where the first has moved it to. */
    bool again = info->renewed != CG_NONE;
    CgRef from = again ? cg_add(b, info->ref, info->renewed) : info->ref;
    CgRef move = cg_scale(b, cg_sub(b, a->at[1]->tensor->ref, from), 1 - keep);
    info->renewed = again ? cg_add(b, info->renewed, move) : move;
    return p;
}

static const CgFunction fn_running = { CG_FUNCTION_HERE, .name = "running",
    .sig = "(p: tensor, value: tensor, keep: float = 0.9) -> tensor", .build = build_running,
    .doc =
        "The parameter p as it is, which each step of a training moves to keep * p + (1 - keep) * value, once for each "
        "application; no gradient and no optimiser reaches it. Kept in the model like any other parameter: what is "
        "known of the whole data, as the statistics of batch_norm. Elsewhere, and where p is frozen, nothing moves." };

CG_FUNCTIONS(running, &fn_running)
