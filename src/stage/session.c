/* session.c - what a script's values are found out with.
 * Takes a checked program; gives the pool of threads, the store and the values that running makes. Owns all that
 * stages and data need while the script runs. Must not know what show and save do. */
#include "stage/session.h"

#include "elab/signature.h"
#include "graph/registry.h"

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

CgValue *cg_session_own(CgSession *x, const CgClass *cls, void *held)
{
    CgValue *v = cg_value_held(x->elab, cls, held);
    cg_vec_push(&x->owned, v);
    return v;
}

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

bool cg_session_run(CgSession *x, CgExec *exec, CgSpan at)
{
    return cg_exec_run(exec) || !cg_session_fault(x, exec, at);
}

CgDigest cg_value_digest(const CgValue *v)
{
    CgStrbuf text = { 0 };
    cg_value_print(v, &text);
    CgDigest d = cg_digest(cg_strbuf_str(&text), text.len);
    cg_strbuf_deinit(&text);
    return d;
}

CgDigest cg_session_script_digest(const CgSession *x)
{
    const CgSource *script = cg_sources_get(x->sources, cg_env_module(cg_elab_script(x->elab))->unit->file);
    return cg_digest(script->text, script->len);
}

static void tell(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "cg: %s\n", sentence);
}

static bool go_on(void *arg) { return !cg_session_stopped(arg); }

bool cg_session_open(CgSession *x, CgErr *err)
{
    cg_blas_init();
    if (!x->pool)
        x->pool = cg_pool_new(x->opts.threads);
    if (!x->trace && x->opts.trace)
        x->trace = cg_trace_new(cg_pool_threads(x->pool), x->sources);
    if (!x->store && !(x->store = cg_store_open(x->opts.store, err)))
        return false;
    cg_store_listen(x->store, tell, go_on, x);
    if (!x->run && !x->opts.untrained) {
        CgStrbuf settings = { 0 };
        for (int i = 0; i < x->opts.nsettings; i++)
            cg_strbuf_printf(&settings, "%s%s=%s", i ? " " : "", x->opts.settings[i].name, x->opts.settings[i].text);
        x->run = cg_run_open(x->store, x->path, cg_strbuf_str(&settings), cg_session_script_digest(x));
        cg_strbuf_deinit(&settings);
    }
    return true;
}

static void *room_for(CgSession *x, size_t bytes)
{
    if (!x->sample)
        return cg_arena_alloc(x->elab->arena, bytes + 1);
    void *room = cg_malloc(bytes + 1);
    cg_vec_push(&x->scratch, room);
    return room;
}

void cg_scratch_clear(CgSession *x)
{
    for (size_t i = 0; i < x->scratch.len; i++)
        free(x->scratch.at[i]);
    x->scratch.len = 0;
}

CgNumbers *cg_numbers_new(CgSession *x, size_t n)
{
    CgNumbers *numbers = room_for(x, sizeof *numbers);
    *numbers = (CgNumbers){ .at = room_for(x, n * sizeof(double)), .n = n };
    return numbers;
}

CgValue *cg_column_force(CgSession *x, CgAtom name, CgSpan span)
{
    CgErr err = { 0 };
    const CgTable *t = x->table;
    if (!t)
        cg_err(&err, CG_ERR_INPUT, "column '%s' is of no table here", name);
    int c = t ? cg_table_find(t, name, &err) : -1;
    if (c < 0) {
        cg_session_err(x, span, &err);
        return NULL;
    }
    bool sampled = x->sample && x->sample->of == t, text = t->column[c].kind == CG_TEXT;
    CgNumbers *numbers = cg_numbers_new(x, sampled ? x->sample->n : t->rows);
    if (text)
        numbers->text = room_for(x, numbers->n * sizeof *numbers->text);
    numbers->truth = t->column[c].kind == CG_TRUTH;
    for (size_t i = 0; i < numbers->n; i++) {
        size_t row = sampled ? x->sample->rows[i] : i;
        if (text)
            numbers->text[i] = t->column[c].at[row].missing ? NULL : t->column[c].at[row].text;
        else
            numbers->at[i] = cg_table_number(t, row, c);
    }
    return cg_value_held(x->elab, text ? &cg_class_labels : &cg_class_column, numbers);
}

static CgValue *find_out(CgSession *x, CgValue *v, bool make);

static CgValue *run_call(CgSession *x, CgValue *v)
{
    const CgClass *cls = cg_value_class(v);
    uint64_t known;
    CgDigest key = { 0 };
    if (cls && cls->shared) {
        key = cg_value_digest(v);
        if (cg_map_get(&x->made, key.low, &known))
            return (CgValue *)(uintptr_t)known;
    }
    bool table =
        cls == &cg_class_table && !x->table; /* a name for a table is one table, however often it is looked at */
    if (table && cg_map_get(&x->tables, cg_map_ptr(v), &known))
        return (CgValue *)(uintptr_t)known;
    CgValue *args[CG_MAX_ARGS];
    bool by_itself = v->function->traits & (CG_COLUMNS | CG_LAZY);
    for (int i = 0; !by_itself && i < v->n && i < CG_MAX_ARGS; i++)
        if (!(args[i] = find_out(x, v->at[i], true)))
            return NULL;
    CgValue *out = v->function->run(x, v, by_itself ? NULL : args);
    if (out && cls && cls->shared)
        cg_map_put(&x->made, key.low, (uint64_t)(uintptr_t)out);
    if (out && table)
        cg_map_put(&x->tables, cg_map_ptr(v), cg_map_ptr(out));
    return out;
}

static CgValue *find_out(CgSession *x, CgValue *v, bool make)
{
    CgElab *e = x->elab;
    switch (v->kind) {
    case CG_VALUE_LIST:
    case CG_VALUE_RECORD: {
        CgValue *out = cg_value_record(e, v->n, v->span);
        bool good = true;
        out->kind = v->kind;
        for (int i = 0; i < v->n && !cg_session_stopped(x); i++) { /* one that fails does not keep the others from it */
            if (v->keys)
                out->keys[i] = v->keys[i];
            good &= (out->at[i] = find_out(x, v->at[i], make)) != NULL;
        }
        return good && !cg_session_stopped(x) ? out : NULL;
    }
    case CG_VALUE_STAGE: {
        CgStage *s = v->stage;
        if (!cg_stage_force(x, s))
            return NULL;
        return s->table ? cg_value_held(e, &cg_class_table, s->table) : v;
    }
    case CG_VALUE_INSTANCE:
        if (v->instance->weights && v->instance->weights->kind == CG_VALUE_STAGE
            && !cg_stage_force(x, v->instance->weights->stage))
            return NULL;
        return v;
    case CG_VALUE_COLUMN: return cg_column_force(x, v->s, v->span);
    case CG_VALUE_CALL: return make || !cg_value_class(v) || !cg_value_class(v)->shared ? run_call(x, v) : v;
    default: return v;
    }
}

CgValue *cg_force(CgSession *x, CgValue *v) { return find_out(x, v, false); }
CgValue *cg_make(CgSession *x, CgValue *v) { return find_out(x, v, true); }
