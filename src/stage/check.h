/* check.h - what the checks of train and evaluate share.
 * Takes the parts of their syntax; gives models, batches and the frame their fields are evaluated in. Used by the files
 * named *_check.c alone; runs nothing. */
#ifndef CG_CHECK_H
#define CG_CHECK_H
#include "stage/session.h"

/* The model of train and evaluate; POISON after a mistake. */
CgValue *cg_check_model(CgElab *e, CgFrame *f, const CgExpr *x);
/* What stands at the span is no dataset: how one is made. */
void cg_help_rows(const CgElab *e, CgDiag *d, const CgValue *found, CgSpan span);
/* What `batch` is: its fields are tensors with the rows of a batch as their first axis; with `named` its rows have an
 * id and a source, too. NULL after a mistake. */
CgValue *cg_check_batch(CgElab *e, CgValue *data, bool named, CgSpan span);
/* A frame in which the fields of the rows of `data` are names, with the rows of a batch in front. */
void cg_check_row(CgElab *e, CgFrame *inner, CgFrame *f, CgValue *data, CgSpan span);
/* What the fields of a block see besides the names around it: the batch, and `root`, the model, by the name after `as`.
 */
void cg_check_fields(CgElab *e, CgFrame *inner, CgFrame *f, const CgExpr *x, CgValue *root, CgValue *batch);
/* The block of a training, its loss, what weighs it (may be NULL), and the batch they see. */
typedef struct CgLossFields {
    const CgExpr *train, *loss, *weight;
    CgValue *batch;
} CgLossFields;
/* The loss as a number, the mean of a tensor or the sum of a record of them, which s->terms names; NONE after a
 * mistake. */
CgRef cg_check_loss(CgElab *e, CgFrame *f, const CgLossFields *of, CgStage *s);
/* Where the loss asks whether it is trained (`training`), that of the validation in a graph of its own. */
CG_NODISCARD bool cg_check_validation(CgElab *e, CgFrame *f, const CgLossFields *of, CgStage *s, CgValue *model);
/* Metrics, in a graph of their own: the loss and what is trained know nothing of them. `x` NULL: none. */
CG_NODISCARD bool cg_check_metrics(
    CgElab *e, CgFrame *f, const CgExpr *train, const CgExpr *x, CgStage *s, CgValue *model, CgValue *batch);
/* What columns the history has. */
CG_NODISCARD bool cg_check_curve(CgElab *e, CgStage *s, const CgExpr *loss, const CgExpr *metrics);
/* Keeps what the block of train or evaluate says, as values, for those who compare runs (settings.c). */
void cg_stage_ask(CgElab *e, CgFrame *f, const CgExpr *x, CgStage *s, CgValue *model);
/* The field `turns`, which may be absent: which terms of the loss train in which steps. */
CG_NODISCARD bool cg_check_turns(CgElab *e, CgFrame *f, const CgExpr *x, CgRef loss, CgStage *s);
/* The turns that train a parameter: those whose names fit its path. */
uint64_t cg_turns_of(const CgStage *s, const char *path);
/* Lays the trained tensors one after the other, by rank, and builds an optimiser for each rank. */
CG_NODISCARD bool cg_check_optimizer(CgElab *e, CgFrame *f, CgStage *s, const CgExpr *where);
#endif
