/* needs.c - the stages that a script asks for, before any is run.
 * Takes the values of its statements; gives the stages in them in an order in which each comes after its inputs. Must
 * not know how a stage is run. */
#include "experiment/needs.h"

#include <stdlib.h>

#include "experiment/cost.h"
#include "experiment/graph_arg.h"
#include "library/claim.h"
#include "library/library.h"

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
        if (cg_weights_stage(m->params.at[i].weights))
            add_stage(n, cg_weights_stage(m->params.at[i].weights));
}

void cg_needs_add(CgNeeds *n, const CgValue *v)
{
    switch (v->kind) {
    case CG_VALUE_STAGE: add_stage(n, v->stage); break;
    case CG_VALUE_INSTANCE:
        if (cg_weights_stage(v->instance->weights))
            add_stage(n, cg_weights_stage(v->instance->weights));
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

void cg_needs_each(void *needs, const CgValue *v) { cg_needs_add(needs, v); }

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
            cg_needs_add(out, cg_shown(e, &f, s->exprs[k]));
        if (s->kind == CG_STMT_SAVE)
            cg_needs_add(out, cg_shown(e, &f, s->a));
        cg_frame_end(e, &f);
    }
    cg_claims_values(x, cg_needs_each, out);
    for (size_t i = 0; !asked && !cg_claims_any(x) && i < x->stages.len; i++)
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

static bool is_read(const CgNameUses *uses, CgSpan declared)
{
    for (size_t i = 0; i < uses->len; i++)
        if (cg_resolve_key(uses->at[i].declared) == cg_resolve_key(declared)
            && cg_resolve_key(uses->at[i].use) != cg_resolve_key(declared))
            return true;
    return false;
}

/* The training of a model as it stands in an evaluation, bound to a name that nothing reads. */
static const CgEnvName *training_unread(CgEnv *env, const CgNameUses *uses, const CgInstance *model)
{
    for (size_t i = 0; i < env->names.len; i++) {
        const CgEnvName *n = &env->names.at[i];
        const CgValue *w = n->value && n->value->kind == CG_VALUE_INSTANCE ? n->value->instance->weights : NULL;
        const CgStage *s = w && w->kind == CG_VALUE_STAGE ? w->stage : NULL;
        const CgInstance *of = s ? s->root->instance : NULL;
        if (of && of->stmt == model->stmt && of->statics == model->statics && !is_read(uses, n->span))
            return n;
    }
    return NULL;
}

void cg_needs_advise(CgSession *x, const CgNameUses *uses)
{
    CgEnv *env = cg_elab_script(x->elab);
    for (size_t i = 0; i < x->stages.len; i++) {
        const CgStage *s = x->stages.at[i];
        const CgInstance *model = s->kind == &cg_stage_kind_evaluate ? s->root->instance : NULL;
        bool starts = false;
        for (size_t k = 0; model && !model->weights && k < s->model->params.len; k++)
            starts |= !s->model->params.at[k].weights;
        const CgEnvName *training = starts ? training_unread(env, uses, model) : NULL;
        if (!training)
            continue;
        CgDiag *d = cg_diag_warn(x->diags, CG_E0708, s->span,
            "the model that is evaluated was never trained, and nothing reads '%s'", training->name);
        cg_diag_note(d, training->span, "the trained model");
        cg_diag_help(d, "train changes nothing, its value is the trained model: evaluate %s on ..", training->name);
    }
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

static void print_cost(CgSession *x, const CgStage *s, CgPlanner *planner, FILE *out)
{
    CgCost c;
    char time[24];
    if (!cg_stage_cost(x, s, planner, &c))
        return;
    if (s->turns)
        fprintf(out, ", %lld steps of %lld rows", (long long)s->steps, (long long)c.rows);
    else
        fprintf(out, ", %lld rows", (long long)c.rows);
    if (c.err.kind)
        fprintf(out, ", %s", c.err.text);
    else
        fprintf(out, ", about %s, %.1f MiB%s", cg_duration(c.seconds, time), c.bytes / 1048576.0,
            c.large ? ", more than there is" : "");
}

bool cg_needs_print(CgSession *x, const CgNeeds *n, FILE *out)
{
    bool good = true;
    CgPlanner *planner = NULL; /* made when there is something to build: it measures the machine */
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
        if (!kept && !planner && !(planner = cg_planner_new(x)))
            return false;
        char *checkpoint = kept ? NULL : cg_stage_find(x->store, s->key, UINT64_MAX, &step);
        fprintf(out, "%-8s %s %s %s", kept ? "kept" : "to build", hex, s->kind->name, s->label);
        if (!kept)
            print_cost(x, s, planner, out);
        if (checkpoint)
            fprintf(out, ", goes on at step %llu", (unsigned long long)step);
        fputc('\n', out);
        free(checkpoint);
    }
    cg_planner_free(planner);
    return good;
}
