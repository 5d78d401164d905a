/* plan.c - fuzz target: bytes as the text of a graph, planned, verified and run on small sizes.
 * Takes bytes; accuses src/graph/text.c, src/run and the kernels of src/ops. Must never crash, whatever the text. */
#include <stdlib.h>
#include <string.h>
#include "graph/registry.h"
#include "graph/text.h"
#include "run/exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((size_t)1 << 22) /* larger graphs are planned and not run */

static size_t bytes_of(const CgTensor *t) { return (size_t)cg_tensor_count(t) * cg_dtype_size(t->dtype); }

static void run(const CgPlan *p, CgPool *pool)
{
    const CgGraph *g = cg_plan_graph(p);
    size_t most = cg_plan_slab(p) > MOST ? MOST + 1 : 64;
    for (size_t i = 0; i < g->inputs.len + g->params.len; i++) {
        CgTensor t = i < g->inputs.len ? cg_plan_input(p, (int)i) : cg_plan_param(p, (int)(i - g->inputs.len));
        most = bytes_of(&t) > most ? bytes_of(&t) : most;
    }
    for (int i = 0; i < cg_plan_count(p); i++)
        if (cg_plan_instr(p, i)->work.flops > 1e7 || cg_plan_instr(p, i)->work.bytes > 1e7)
            return;
    if (most > MOST)
        return;
    CgErr e = { 0 };
    CgExec *x = cg_exec_new(p, pool, &e);
    void *ones = cg_malloc(most);
    memset(ones, 0, most);
    for (size_t i = 0; i < g->inputs.len && x; i++)
        cg_exec_bind_input(x, (int)i, ones);
    for (size_t i = 0; i < g->params.len && x; i++)
        cg_exec_bind_param(x, (int)i, ones);
    if (x)
        CG_ASSERT(cg_exec_run(x), "indices are within their tables");
    cg_exec_free(x);
    free(ones);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static CgPool *pool;
    if (!pool) {
        setenv("CG_DEBUG", "poison", 0);
        cg_registry_init();
        pool = cg_pool_new(1);
    }
    char *text = cg_malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    CgErr e = { 0 };
    CgGraph *g = cg_graph_parse(text, &e);
    free(text);
    if (!g)
        return 0;
    CgBinding b[2] = { { cg_intern("B"), 3 }, { cg_intern("T"), 5 } };
    CgPlan *p = cg_plan_build(g, (CgBindings){ b, 2 }, (CgPlanOptions){ 0 }, &e);
    if (p) {
        cg_plan_verify(p);
        run(p, pool);
    }
    cg_plan_free(p);
    cg_graph_free(g);
    return 0;
}
