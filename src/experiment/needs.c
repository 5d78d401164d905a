/* needs.c - the stages that a script asks for, before any is run.
 * Takes the values of its statements; gives the stages in them in an order in which each comes after its inputs. Must
 * not know how a stage is run. */
#include "experiment/needs.h"

#include <stdlib.h>

#include "experiment/graph_arg.h"
#include "graph/incremental.h"

/* What is measured takes so many times the least time that flops and bytes can take, and so long an instruction. */
#define SLACK 1.4
#define EACH  2e-6

static void add_stage(CgNeeds *n, CgStage *s)
{
    for (size_t i = 0; i < n->stages.len; i++)
        if (n->stages.at[i] == s)
            return;
    for (int i = 0; i < s->ninputs; i++)
        add_stage(n, s->inputs[i]);
    cg_vec_push(&n->stages, s);
}

static void add_model(CgNeeds *n, const CgModelGraph *m)
{
    for (size_t i = 0; i < m->params.len; i++)
        if (m->params.at[i].weights && m->params.at[i].weights->kind == CG_VALUE_STAGE)
            add_stage(n, m->params.at[i].weights->stage);
}

void cg_needs_add(CgNeeds *n, const CgValue *v)
{
    switch (v->kind) {
    case CG_VALUE_STAGE: add_stage(n, v->stage); break;
    case CG_VALUE_INSTANCE:
        if (v->instance->weights)
            cg_needs_add(n, v->instance->weights);
        break;
    case CG_VALUE_CALL:
        if (v->stage && cg_value_class(v) != &cg_class_dataset)
            add_model(n, ((const CgTextCall *)v->stage)->generator->model);
        for (int i = 0; i < v->n; i++)
            cg_needs_add(n, v->at[i]);
        break;
    case CG_VALUE_LIST:
    case CG_VALUE_RECORD:
        for (int i = 0; i < v->n; i++)
            cg_needs_add(n, v->at[i]);
        break;
    default: break;
    }
}

bool cg_needs_find(CgSession *x, const char *only, CgNeeds *out)
{
    CgElab *e = x->elab;
    const CgBlock *top = &cg_env_module(cg_elab_script(e))->unit->top;
    bool asked = false;
    *out = (CgNeeds){ 0 };
    if (only) {
        CgTarget target = { 0 };
        CgValue *v = cg_target_value(x, only, &target);
        if (v)
            cg_needs_add(out, v);
        cg_target_free(&target);
        return v != NULL;
    }
    for (int i = 0; i < top->n; i++) {
        const CgStmt *s = top->at[i];
        if (s->kind != CG_STMT_SHOW && s->kind != CG_STMT_SAVE)
            continue;
        CgFrame f;
        asked = true;
        cg_frame_begin(e, &f, NULL, cg_elab_script(e));
        for (int k = 0; k < s->nexprs && s->kind == CG_STMT_SHOW; k++)
            cg_needs_add(out, cg_eval(e, &f, s->exprs[k]));
        if (s->kind == CG_STMT_SAVE)
            cg_needs_add(out, cg_eval(e, &f, s->a));
        cg_frame_end(e, &f);
    }
    for (size_t i = 0; !asked && i < x->stages.len; i++)
        add_stage(out, x->stages.at[i]);
    return true;
}

void cg_needs_free(CgNeeds *n) { cg_vec_free(&n->stages); }

static void name_stages(CgSession *x, CgMap *named, const CgValue *v, const char *path)
{
    uint64_t known;
    if (v->kind == CG_VALUE_INSTANCE && v->instance->weights && v->instance->weights->kind == CG_VALUE_STAGE)
        v = v->instance->weights;
    if (v->kind == CG_VALUE_STAGE && !cg_map_get(named, cg_map_ptr(v->stage), &known)) {
        ((CgStage *)v->stage)->label = cg_intern(path);
        cg_map_put(named, cg_map_ptr(v->stage), 1);
    }
    for (int i = 0; (v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_LIST) && i < v->n; i++) {
        CgStrbuf at = { 0 };
        if (v->kind == CG_VALUE_RECORD)
            cg_strbuf_printf(&at, "%s.%s", path, v->keys[i]);
        else
            cg_strbuf_printf(&at, "%s[%d]", path, i);
        name_stages(x, named, v->at[i], cg_strbuf_str(&at));
        cg_strbuf_deinit(&at);
    }
}

void cg_needs_name(CgSession *x)
{
    CgEnv *env = cg_elab_script(x->elab);
    const CgBlock *top = &cg_env_module(env)->unit->top;
    CgMap named = { 0 };
    for (int i = 0; i < top->n; i++)
        for (int k = 0; top->at[i]->kind == CG_STMT_BIND && k < top->at[i]->nnames; k++) {
            const CgValue *v = cg_env_own(x->elab, env, top->at[i]->names[k]);
            if (v)
                name_stages(x, &named, v, top->at[i]->names[k]);
        }
    cg_map_deinit(&named);
}

/* Whether a stage can be found out now without waiting for another process. */
static bool is_free(CgSession *x, CgStage *s)
{
    for (int i = 0; i < s->ninputs; i++)
        if (!s->inputs[i]->forced)
            return false;
    return !cg_stage_key(x, s) || !cg_store_busy(x->store, s->key);
}

void cg_needs_build(CgSession *x, const CgNeeds *n)
{
    for (CgStage *busy = NULL;;) {
        bool progress = false;
        busy = NULL;
        for (size_t i = 0; i < n->stages.len && !cg_session_stopped(x); i++) {
            CgStage *s = n->stages.at[i];
            if (s->forced)
                continue;
            if (is_free(x, s)) {
                cg_stage_force(x, s);
                progress = true;
            } else if (!busy) {
                busy = s;
            }
        }
        if (!busy || cg_session_stopped(x))
            return;
        if (!progress)
            cg_stage_force(x, busy); /* says that it waits */
    }
}

/* What planning says of a stage that would be run. */
typedef struct Cost {
    double seconds, bytes;
    int64_t places; /* of the text at hand */
    CgErr err;      /* some graph cannot be planned */
    bool large;     /* some plan has no room in the memory there is */
} Cost;

static void add_plan(Cost *c, const CgPeaks *peaks, const CgGraph *g, int64_t rows, double times, CgPlanOptions o)
{
    CgBinding b[] = { { cg_intern("batch"), rows }, { cg_intern(CG_INCREMENTAL_COUNT), 1 },
        { cg_intern(CG_TEXT_LENGTH), c->places } };
    CgErr err = { 0 };
    o.shown = true; /* also what this machine has no memory for is told */
    CgPlan *p = cg_plan_build(g, (CgBindings){ b, CG_LEN(b) }, o, &c->err);
    if (!p)
        return;
    c->large |= !cg_plan_fits(p, &err);
    c->seconds += times * (SLACK * cg_peaks_plan(peaks, p) + EACH * cg_plan_count(p));
    c->bytes += (double)cg_plan_slab(p);
    cg_plan_free(p);
}

/* The texts that a column has written for each row, with their beams. */
static void add_texts(Cost *c, const CgPeaks *peaks, const CgValue *v, int64_t some, int64_t rows)
{
    const CgTextCall *call = v->kind == CG_VALUE_CALL ? v->stage : NULL;
    if (call) {
        const CgGenerator *g = call->generator;
        int64_t written = call->most ? call->most : call->length ? call->length : g->length, beams = call->how.beams;
        c->places = g->length ? g->length : written;
        add_plan(c, peaks, g->step ? g->step : g->graph, some * beams, (double)(written * rows) / (double)some,
            (CgPlanOptions){ 0 });
    }
    for (int i = 0; v->kind == CG_VALUE_CALL && i < v->n; i++)
        add_texts(c, peaks, v->at[i], some, rows);
}

static void add_training(Cost *c, const CgPeaks *peaks, const CgStage *s)
{
    CgPlanOptions bound = { .outputs_bound = true }, renewed = { .outputs_bound = true, .update = true };
    int64_t rows = s->batch / s->accumulate, block = s->total * (int64_t)sizeof(float);
    double steps = (double)s->steps, states = 0;
    add_plan(c, peaks, s->step_graph, rows, steps * (double)s->accumulate,
        (CgPlanOptions){ .outputs_bound = true, .together = s->together });
    if (s->shares.before)
        add_plan(c, peaks, s->shares.before, rows, steps * (double)s->accumulate, bound);
    add_plan(c, peaks, s->norm_graph, 1, 2 * steps, bound); /* of the gradient, then of the parameters */
    for (int g = 0; g < s->ngroups; g++) {
        add_plan(c, peaks, s->groups[g].graph, 1, steps, renewed);
        states += (double)(s->groups[g].count * s->groups[g].nstates) * sizeof(float);
    }
    c->bytes += states + (double)block * (s->accumulate > 1) + ((double)block + states) * s->skip
        + (double)block * (s->patience > 0);
}

/* *rows of its data, or of a batch; false where the data cannot be had. */
static bool find_cost(CgSession *x, const CgStage *s, const CgPeaks *peaks, int64_t *rows, Cost *c)
{
    *c = (Cost){ .bytes = (double)cg_model_bytes(s->model) };
    *rows = s->batch;
    if (s->step_graph) {
        add_training(c, peaks, s);
        return true;
    }
    const CgDataset *data = cg_dataset_of(x, s->data);
    if (!data)
        return false;
    *rows = data->rows;
    int64_t some = s->whole || *rows < CG_EVALUATE_ROWS ? *rows : CG_EVALUATE_ROWS;
    add_plan(c, peaks, s->columns_graph, some, (double)*rows / (double)some, (CgPlanOptions){ 0 });
    for (int i = 0; i < s->ncolumns; i++)
        add_texts(c, peaks, s->columns[i].value, some, *rows);
    return true;
}

double cg_needs_seconds(CgSession *x, const CgStage *s, const CgPeaks *peaks)
{
    Cost c;
    int64_t rows;
    return find_cost(x, s, peaks, &rows, &c) ? c.seconds : 0;
}

static void print_cost(CgSession *x, const CgStage *s, const CgPeaks *peaks, FILE *out)
{
    Cost c;
    char time[24];
    int64_t rows;
    if (!find_cost(x, s, peaks, &rows, &c))
        return;
    if (s->step_graph)
        fprintf(out, ", %lld steps of %lld rows", (long long)s->steps, (long long)rows);
    else
        fprintf(out, ", %lld rows", (long long)rows);
    if (c.err.kind)
        fprintf(out, ", %s", c.err.text);
    else
        fprintf(out, ", about %s, %.1f MiB%s", cg_duration(c.seconds, time), c.bytes / 1048576.0,
            c.large ? ", more than there is" : "");
}

bool cg_needs_print(CgSession *x, const CgNeeds *n, FILE *out)
{
    bool good = true;
    CgPeaks peaks;
    CgErr err = { 0 };
    if (!cg_peaks_measure(x->pool, &peaks, &err))
        return cg_session_err(x, x->at, &err);
    for (size_t i = 0; i < n->stages.len; i++) {
        CgStage *s = n->stages.at[i];
        char hex[33];
        uint64_t step = 0;
        if (!cg_stage_key(x, s)) {
            good = false;
            continue;
        }
        cg_digest_hex(s->key, hex);
        bool kept = cg_stage_kept(x, s);
        char *checkpoint = kept ? NULL : cg_stage_find(x->store, s->key, UINT64_MAX, &step);
        fprintf(out, "%-8s %s %s %s", kept ? "kept" : "to build", hex, s->kind->name, s->label);
        if (!kept)
            print_cost(x, s, &peaks, out);
        if (checkpoint)
            fprintf(out, ", goes on at step %llu", (unsigned long long)step);
        fputc('\n', out);
        free(checkpoint);
    }
    return good;
}
