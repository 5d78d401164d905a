/* session.c - what a script's values are found out with.
 * Takes a checked program; gives the pool of threads, the store and the values that running makes. Owns all that
 * stages and data need while the script runs. Must not know what show and save do. */
#include "stage/session.h"

#include "elab/signature.h"
#include "graph/pass.h"
#include "graph/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "run/gemm/blas.h"
#include "run/gemm/gemm.h"

CgSession *cg_session_of(CgElab *e) { return e->session; }

CgGraph *cg_session_optimised(CgElab *e, const CgGraph *g)
{
    return cg_session_of(e)->opts.checking ? cg_graph_new(g->name) : cg_pass_run_all(g, NULL);
}

void cg_session_own_stage(CgElab *e, CgStage *s)
{
    CgSession *x = e->session;
    cg_vec_push(&x->stages, s);
}

void cg_session_own_generator(CgElab *e, CgGenerator *g)
{
    CgSession *x = e->session;
    cg_vec_push(&x->generators, g);
}

CgValue *cg_session_own(CgSession *x, const CgClass *cls, void *held)
{
    CgValue *v = cg_value_held(x->elab, cls, held);
    cg_vec_push(&x->owned, v);
    return v;
}

bool cg_session_stopped(const CgSession *x) { return cg_stop_asked() || (x->opts.listener && x->opts.listener->stop); }

void cg_session_say(const CgSession *x, const char *format, ...)
{
    CgStrbuf text = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_plain_vprintf(&text, format, args);
    va_end(args);
    const CgListener *listener = x->opts.listener;
    if (!listener)
        fprintf(stderr, "cg: %s\n", cg_strbuf_str(&text));
    else if (listener->say)
        listener->say(listener->arg, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}

void cg_session_note_precision(CgSession *x, const CgGraph *g)
{
    const char *name = cg_gemm_name(true), *rounded = strstr(name, " rounded");
    bool any = false;
    for (CgRef r = 0; r < g->nodes.len && rounded && !any; r++)
        any = cg_node(g, r)->bf16;
    if (!any || x->noted_precision || x->opts.quiet)
        return;
    x->noted_precision = true;
    cg_session_say(x, "bf16: there is no AVX512-BF16 here; products are rounded and multiplied in f32 (%.*s)",
        (int)(rounded - name), name);
}

bool cg_session_err(CgSession *x, CgSpan at, const CgErr *err)
{
    cg_diag_err(x->diags, at, err);
    return false;
}

CgDiag *cg_session_fault(CgSession *x, const CgExec *exec, CgSpan at)
{
    CgErr err = { 0 };
    int instr = cg_exec_explain(exec, &err);
    const CgPlan *plan = cg_exec_plan(exec);
    CgRef node = cg_plan_instr(plan, instr)->node;
    CgSpan place = node != CG_NONE ? cg_node(cg_plan_graph(plan), node)->span : (CgSpan){ 0 };
    CgDiag *d = cg_diag(x->diags, CG_E0605, place.file ? place : at, "%s", err.text);
    const CgSig *sig = cg_op_sig(cg_plan_instr(plan, instr)->op);
    for (int i = 0; i < sig->n; i++)
        if (sig->at[i].name == cg_intern("ignore"))
            cg_diag_help(d, "a label that stands for none is told with cross_entropy(.., ignore = -100)");
    return d;
}

bool cg_session_settle(CgSession *x, CgModelGraph *m, const char *size, int64_t number, CgSpan at)
{
    CgModelGraph *outside = x->elab->model;
    x->elab->model = m;
    bool good = cg_contracts_settle(x->elab, size, number, at);
    x->elab->model = outside;
    return good;
}

bool cg_session_run(CgSession *x, CgExec *exec, CgSpan at)
{
    return cg_exec_run(exec) || !cg_session_fault(x, exec, at);
}

uint64_t cg_session_seed(const CgSession *x, int64_t seed) { return (uint64_t)seed + (uint64_t)x->opts.seed; }

CgDigest cg_session_script_digest(const CgSession *x)
{
    const CgSource *script = cg_sources_get(x->sources, cg_env_module(cg_elab_script(x->elab))->unit->file);
    return cg_digest(script->text, script->len);
}

static void tell(void *arg, const char *sentence) { cg_session_say(arg, "%s", sentence); }

/* ---- what is kept of data ---- */

static bool cache_get(void *x, CgDigest key, CgBytes *out) { return cg_store_get(((CgSession *)x)->store, key, out); }

static bool cache_put(void *x, CgDigest key, const void *bytes, size_t n, CgErr *e)
{
    return cg_store_put(((CgSession *)x)->store, key, bytes, n, e);
}

static bool cache_has(void *x, CgDigest key) { return cg_store_finished(((CgSession *)x)->store, key); }

static char *cache_path(void *x, CgDigest key) { return cg_store_path(((CgSession *)x)->store, key); }

bool cg_session_read_well(CgSession *x, CgSpan at)
{
    CgErr err = { 0 }, ignore = { 0 };
    CgDigest of;
    if (cg_cache_good(&x->cache, &err, &of))
        return true;
    (void)!cg_store_drop(x->store, of, &ignore); /* so that it is made again; where that fails, it is met again */
    return cg_session_err(x, at, &err);
}

bool cg_session_open(CgSession *x, CgErr *err)
{
    cg_blas_init();
    if (!x->pool)
        x->pool = cg_pool_new(x->opts.threads);
    if (!x->trace && x->opts.trace)
        x->trace = cg_trace_new(cg_pool_threads(x->pool), x->sources);
    if (!x->store && !(x->store = cg_store_open(x->opts.store, err)))
        return false;
    cg_store_listen(x->store, tell, x);
    x->cache.arg = x;
    x->cache.get = cache_get;
    x->cache.put = cache_put;
    x->cache.has = cache_has;
    x->cache.path = cache_path;
    x->cache.quiet = x->opts.quiet;
    if (!x->run && !x->opts.untrained) {
        CgStrbuf settings = { 0 };
        for (int i = 0; i < x->opts.nsettings; i++)
            cg_strbuf_printf(&settings, "%s%s=%s", i ? " " : "", x->opts.settings[i].name, x->opts.settings[i].text);
        if (x->opts.seed)
            cg_strbuf_printf(&settings, "%s--seed=%lld", settings.len ? " " : "", (long long)x->opts.seed);
        x->run = cg_run_open(x->store, x->path, cg_strbuf_str(&settings), cg_session_script_digest(x));
        cg_strbuf_deinit(&settings);
    }
    return true;
}
