/* prompt.c - a text written on the command line's account.
 * Takes expressions of a script; finds its model and tokenizer, and has the function `generate` write. Must not choose
 * tokens or know what generate takes. */
#include "experiment/prompt.h"

#include <string.h>

#include "elab/signature.h"
#include "experiment/graph_arg.h"

enum { MOST_ARGS = 24 };

static bool has_weights(const CgValue *v) { return v->kind == CG_VALUE_INSTANCE && v->instance->weights; }
static bool is_model(const CgValue *v) { return v->kind == CG_VALUE_INSTANCE; }
static bool is_tokenizer(const CgValue *v) { return cg_value_class(v) == &cg_class_tokenizer; }

/* Of the values that the script gives a name at top level, the last that is such a one; *n says how many there are. */
static CgValue *last_of(CgSession *x, bool (*is)(const CgValue *v), int *n)
{
    CgEnv *env = cg_elab_script(x->elab);
    const CgBlock *top = &cg_env_module(env)->unit->top;
    CgValue *found = NULL;
    *n = 0;
    for (int i = 0; i < top->n; i++)
        for (int k = 0; k < top->at[i]->nnames && top->at[i]->kind == CG_STMT_BIND; k++) {
            CgValue *v = cg_env_own(x->elab, env, top->at[i]->names[k]);
            if (v && is(v)) {
                found = v;
                (*n)++;
            }
        }
    return found;
}

static CgValue *model_of(CgSession *x, const CgPrompt *p, CgTarget *target)
{
    int n;
    CgValue *v = p->model ? cg_target_value(x, p->model, target) : last_of(x, p->weights ? is_model : has_weights, &n);
    if (!v && !p->model) {
        CgDiag *d = cg_diag(
            x->diags, CG_E0305, (CgSpan){ 0 }, "the script names no model%s", p->weights ? "" : " that has weights");
        cg_diag_help(d, "cg generate SCRIPT.cg MODEL: an expression, 'models.web' or 'load(net, \"x.safetensors\")'");
    }
    if (v && v->kind != CG_VALUE_INSTANCE) {
        cg_diag(x->diags, CG_E0305, v->span, "a model is wanted, not %s", cg_value_kind_name(v));
        return NULL;
    }
    if (v && !v->instance->weights && !p->weights) {
        CgDiag *d = cg_diag(x->diags, CG_E0505, v->span, "this '%s' has no weights yet", v->instance->stmt->names[0]);
        cg_diag_help(d, "--weights FILE takes those of a file; a model that the script trains has its own");
        return NULL;
    }
    return v;
}

/* Of the first field of text that the model was trained on. */
static CgValue *tokenizer_of_training(const CgValue *model)
{
    const CgStage *s = cg_weights_stage(model->instance->weights);
    const CgDataFields *f = s ? cg_data_fields(s->data) : NULL;
    for (int i = 0; f && i < f->n; i++)
        if (f->tokenizer[i])
            return f->tokenizer[i];
    return NULL;
}

static CgValue *tokenizer_of(CgSession *x, const CgPrompt *p, const CgValue *model, CgTarget *target)
{
    int n = 0;
    CgValue *v = p->tokenizer ? cg_target_value(x, p->tokenizer, target) : tokenizer_of_training(model);
    if (!v && !p->tokenizer)
        v = last_of(x, is_tokenizer, &n);
    if (n > 1 || (!v && !p->tokenizer)) {
        CgDiag *d = cg_diag(
            x->diags, CG_E0305, (CgSpan){ 0 }, "the script names %s", n ? "several tokenizers" : "no tokenizer");
        cg_diag_help(d, "--tokenizer says which: an expression, 'tok' or 'bytes()'");
        return NULL;
    }
    if (v && !is_tokenizer(v)) {
        cg_diag(x->diags, CG_E0305, v->span, "a tokenizer is wanted, not %s", cg_value_kind_name(v));
        return NULL;
    }
    return v;
}

static CgValue *called(CgSession *x, CgFrame *f, const char *function, const CgPromptArg *args, int n)
{
    CgElab *e = x->elab;
    CgValue *at[MOST_ARGS];
    CgAtom names[MOST_ARGS];
    CgSpan spans[MOST_ARGS] = { { 0 } };
    CG_ASSERT(n <= MOST_ARGS, "a function has few parameters");
    for (int i = 0; i < n; i++) {
        at[i] = args[i].value;
        names[i] = cg_intern(args[i].name);
    }
    CgValue *v = cg_call(e, f, cg_env_language(e, cg_intern(function)), at, names, spans, n, NULL);
    return cg_is_poison(v) ? NULL : v;
}

static CgValue *with_weights(CgSession *x, CgFrame *f, CgValue *model, const char *path)
{
    const CgPromptArg args[] = { { "model", model }, { "path", cg_value_str(x->elab, path, model->span) } };
    return called(x, f, "load", args, 2);
}

bool cg_prompt_write(CgSession *x, const CgPrompt *p)
{
    CgTarget targets[2] = { { 0 } };
    CgFrame f;
    CgPromptArg args[MOST_ARGS];
    CgErr err = { 0 };
    if (cg_diags_count(x->diags))
        return false;
    if (!cg_session_open(x, &err))
        return cg_session_err(x, (CgSpan){ 0 }, &err);
    cg_frame_begin(x->elab, &f, NULL, cg_elab_script(x->elab));
    CgValue *call = NULL, *model = model_of(x, p, &targets[0]);
    CgValue *tokenizer = model ? tokenizer_of(x, p, model, &targets[1]) : NULL;
    if (tokenizer && p->weights)
        model = with_weights(x, &f, model, p->weights);
    if (tokenizer && model) {
        args[0] = (CgPromptArg){ "model", model };
        args[1] = (CgPromptArg){ "tokenizer", tokenizer };
        memcpy(args + 2, p->args, sizeof *args * (size_t)p->nargs);
        call = called(x, &f, "generate", args, 2 + p->nargs);
    }
    bool good = false;
    if (call) {
        CgTextCall *t = call->stage;
        t->how.heard = p->heard;
        t->how.arg = p->arg;
        good = cg_force(x, call) != NULL;
    }
    cg_frame_end(x->elab, &f);
    for (int i = 0; i < 2; i++)
        cg_target_free(&targets[i]);
    return good;
}
