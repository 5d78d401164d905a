/* history.c - functions of the language that look at trained models.
 * Takes a model that was trained; gives tables of what is known of it. Changes nothing. */
#include "library/library.h"
#include "stage/history.h"

/* The training whose result a model is; NULL where it is none, or a part of one. */
static CgStage *training_of(const CgValue *model)
{
    const CgInstance *inst = model->instance;
    CgStage *s = inst->weights && inst->weights->kind == CG_VALUE_STAGE ? inst->weights->stage : NULL;
    return s && s->kind == &cg_stage_kind_train && !inst->submodule_path ? s : NULL;
}

static CgValue *build_history(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgStage *s = training_of(a->at[0]);
    const CgInstance *inst = a->at[0]->instance;
    (void)f;
    if (!s) {
        CgDiag *d = cg_elab_error(e, CG_E0505, a->span[0], "a history is that of a training, and this '%s' %s",
            inst->stmt->names[0],
            inst->submodule_path ? "is a part of what was trained"
                : inst->weights  ? "was loaded"
                                 : "was not trained");
        cg_diag_help(d, "m.history belongs to the value of train, whatever was said of it afterwards");
        return cg_value_poison(e);
    }
    s->wants_history = true;
    return cg_table_later(e, a, s->curve);
}

static CgValue *run_history(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)call;
    return cg_value_held(x->elab, &cg_class_table, training_of(args[0])->history);
}

static const CgFunction fn_history = { CG_FUNCTION_HERE, .name = "history", .sig = "(model: model) -> table",
    .traits = CG_FIELD, .build = build_history, .run = run_history,
    .doc = "The curve of a training, written m.history: step, tokens, seconds, loss and its named terms, rate, "
           "gradient_norm, valid and metrics." };

CG_FUNCTIONS(history, &fn_history)
