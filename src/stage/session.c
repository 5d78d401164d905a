/* session.c - what a script's values are found out with.
 * Takes a checked program; gives the pool of threads, the store and the values that running makes. Owns all that
 * stages and data need while the script runs. Must not know what show and save do. */
#include "stage/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/gemm/blas.h"
#include "run/gemm/gemm.h"

CgSession *cg_session_of(CgElab *e) { return e->session; }

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

void cg_session_keep_table(CgSession *x, CgTable *t) { cg_vec_push(&x->tables, t); }

bool cg_session_stopped(const CgSession *x) { return x->opts.stop && *x->opts.stop; }

void cg_session_note_precision(CgSession *x, const CgGraph *g)
{
    const char *name = cg_gemm_name(true), *rounded = strstr(name, " rounded");
    bool any = false;
    for (CgRef r = 0; r < g->nodes.len && rounded && !any; r++)
        any = cg_node(g, r)->bf16;
    if (!any || x->noted_precision || x->opts.quiet)
        return;
    x->noted_precision = true;
    fprintf(stderr, "bf16: there is no AVX512-BF16 here; products are rounded and multiplied in f32 (%.*s)\n",
        (int)(rounded - name), name);
}

bool cg_session_err(CgSession *x, CgSpan at, const CgErr *err)
{
    cg_diag_err(x->diags, at, err);
    return false;
}

CgValue *cg_value_host(CgElab *e, const char *cls, void *host)
{
    CgValue *v = cg_value_new(e, CG_VALUE_HOST, (CgSpan){ 0 });
    v->s = cg_intern(cls);
    v->host = host;
    return v;
}

CgDigest cg_value_digest(const CgValue *v)
{
    CgStrbuf text = { 0 };
    cg_value_print(v, &text);
    CgDigest d = cg_digest(cg_strbuf_str(&text), text.len);
    cg_strbuf_deinit(&text);
    return d;
}

bool cg_session_open(CgSession *x, CgErr *err)
{
    cg_blas_init();
    if (!x->pool)
        x->pool = cg_pool_new(x->opts.threads);
    if (!x->trace && x->opts.trace)
        x->trace = cg_trace_new(cg_pool_threads(x->pool), x->sources);
    if (!x->store)
        x->store = cg_store_open(x->opts.store, err);
    if (!x->store)
        return false;
    if (!x->run && !x->opts.untrained) {
        CgStrbuf settings = { 0 };
        for (int i = 0; i < x->opts.nsettings; i++)
            cg_strbuf_printf(&settings, "%s%s=%s", i ? " " : "", x->opts.settings[i].name, x->opts.settings[i].text);
        const CgSource *script = cg_sources_get(x->sources, cg_env_module(cg_elab_script(x->elab))->unit->file);
        x->run = cg_run_open(x->store, x->path, cg_strbuf_str(&settings), cg_digest(script->text, script->len));
        cg_strbuf_deinit(&settings);
    }
    return true;
}

bool cg_stage_force(CgSession *x, CgStage *s)
{
    if (!s->forced) {
        s->forced = true;
        s->failed = !(s->kind != CG_STAGE_TRAIN ? cg_evaluate_run(x, s)
                : x->opts.untrained             ? cg_train_untrained(x, s)
                                                : cg_train_run(x, s));
    }
    return !s->failed;
}

CgValue *cg_force(CgSession *x, CgValue *v)
{
    CgElab *e = x->elab;
    switch (v->kind) {
    case CG_VALUE_LIST:
    case CG_VALUE_RECORD: {
        CgValue *out = cg_value_record(e, v->n, v->span);
        out->kind = v->kind;
        for (int i = 0; i < v->n; i++) {
            if (v->keys)
                out->keys[i] = v->keys[i];
            if (!(out->at[i] = cg_force(x, v->at[i])))
                return NULL;
        }
        return out;
    }
    case CG_VALUE_STAGE: {
        CgStage *s = v->stage;
        if (!cg_stage_force(x, s))
            return NULL;
        return s->table ? cg_value_host(e, "a table", s->table) : v;
    }
    case CG_VALUE_INSTANCE:
        if (v->instance->weights && v->instance->weights->kind == CG_VALUE_STAGE
            && !cg_stage_force(x, v->instance->weights->stage))
            return NULL;
        return v;
    case CG_VALUE_COLUMN: {
        CgErr err = { 0 };
        CgNumbers *numbers = CG_NEW(e->arena, CgNumbers);
        double *at = x->table ? cg_table_numbers(x->table, v->s, &err) : NULL;
        if (!at) {
            cg_session_err(x, v->span, &err);
            return NULL;
        }
        numbers->n = x->table->rows;
        numbers->at = CG_NEWN(e->arena, double, numbers->n + 1);
        memcpy(numbers->at, at, numbers->n * sizeof *at);
        free(at);
        return cg_value_host(e, "numbers", numbers);
    }
    case CG_VALUE_CALL: {
        if (v->builtin->quoted)
            return v->builtin->later(x, v, NULL);
        CgValue *args[16];
        for (int i = 0; i < v->n && i < 16; i++)
            if (!(args[i] = cg_force(x, v->at[i])))
                return NULL;
        return v->builtin->later(x, v, args);
    }
    default: return v;
    }
}
