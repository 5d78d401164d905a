/* model.c - graphs being built, one within another.
 * Takes names; gives graphs that all that is elaborated goes into, with the parameters they have by path. */
#include <stdlib.h>
#include <string.h>

#include "elab/elab.h"

CgModelGraph *cg_model_begin(CgElab *e, const char *name, bool bf16)
{
    CgModelGraph *m = cg_calloc(1, sizeof *m);
    m->graph = cg_graph_new(name);
    m->init = cg_graph_new("init");
    m->graph->scopes.at[0].bf16 = bf16;
    m->build = cg_build_at(m->graph);
    m->init_build = cg_build_at(m->init);
    m->build.refused = m->init_build.refused = &m->refused;
    m->outside = e->model;
    e->model = m;
    return m;
}

bool cg_model_refused(CgElab *e, const char *who, CgSpan span)
{
    CgModelGraph *m = e->model;
    if (!m || !m->refused.message[0])
        return false;
    const char *op = m->refused.op->name;
    cg_elab_error(e, CG_E0401, span.file ? span : m->build.span, "%s%s%s %s", who, *who && strcmp(who, op) ? ": " : "",
        strcmp(who, op) ? op : "", m->refused.message);
    m->refused.message[0] = 0;
    return true;
}

void cg_model_end(CgElab *e)
{
    CgModelGraph *m = e->model;
    cg_model_refused(e, "", (CgSpan){ 0 });
    for (size_t i = 0; i < m->params.len; i++)
        if (m->params.at[i].init != CG_NONE)
            cg_graph_output(m->init, m->params.at[i].path, m->params.at[i].init);
    e->model = m->outside;
    m->outside = NULL;
}

void cg_model_free(CgModelGraph *m)
{
    if (!m)
        return;
    cg_graph_free(m->graph);
    cg_graph_free(m->init);
    cg_vec_free(&m->params);
    cg_vec_free(&m->auxiliary);
    cg_vec_free(&m->marked);
    cg_vec_free(&m->bodies);
    cg_vec_free(&m->products);
    cg_vec_free(&m->waiting);
    cg_vec_free(&m->tokens);
    cg_vec_free(&m->aliases);
    cg_vec_free(&m->below);
    cg_map_deinit(&m->below_of);
    cg_map_deinit(&m->signatures);
    cg_map_deinit(&m->alias_paths);
    cg_map_deinit(&m->given);
    cg_map_deinit(&m->draws);
    cg_vec_free(&m->turns);
    cg_map_deinit(&m->replaced);
    cg_map_deinit(&m->mixed);
    cg_map_deinit(&m->product_paths);
    cg_map_deinit(&m->by_path);
    cg_map_deinit(&m->submodules);
    free(m);
}

CgParamInfo *cg_model_param(CgModelGraph *m, CgAtom path)
{
    uint64_t at;
    return cg_map_get(&m->by_path, cg_map_ptr(path), &at) ? &m->params.at[at] : NULL;
}
