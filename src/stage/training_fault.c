/* training_fault.c - what made a number that is none.
 * Takes a training at the step where it happened; gives a diagnostic that names the op and its line as they were
 * written, the step and the rows of the batch. Runs what went wrong once more, nothing fused, looking at every result.
 */
#include <math.h>
#include <stdlib.h>

#include "graph/pass.h"
#include "stage/training.h"

enum { SHOWN = 8 }; /* rows that are named */

/* Runs what is bound; whether some result is no number, and which comes first. */
static bool look(const CgRunner *r, CgOdd *odd)
{
    int instr = cg_exec_run_checked(r->exec);
    if (instr >= 0)
        cg_runner_odd(r, instr, odd);
    return instr >= 0;
}

/* In graph `g` of the step, on one share of its batch after the other. Without memory for it nothing is found. */
static bool look_at_step(CgTraining *t, const CgGraph *g, CgOdd *odd)
{
    CgStage *s = t->s;
    CgRunner r;
    bool found = false;
    if (!cg_runner_new(t->x, g, s->batch / s->accumulate, (CgPlanOptions){ 0 }, s->span, &r))
        return false;
    cg_runner_bind_params(&r, &t->memory);
    cg_totals_bind(&t->totals, &r);
    for (int64_t share = 0; share < s->accumulate && !found; share++) {
        cg_training_fill(t, t->done, share, &r);
        found = look(&r, odd);
    }
    cg_runner_free(&r);
    return found;
}

/* "rows 3, 7 of the batch", where the loss of single rows tells. */
static void name_rows(CgTraining *t, const CgGraph *loss, CgDiag *d)
{
    CgStage *s = t->s;
    CgRunner one;
    CgStrbuf text = { 0 };
    int64_t found = 0, shares = s->accumulate;
    if (!cg_runner_new(t->x, loss, 1, (CgPlanOptions){ 0 }, s->span, &one))
        return;
    cg_runner_bind_params(&one, &t->memory);
    s->accumulate = s->batch; /* each row a share of its own */
    for (int64_t row = 0; row < s->batch; row++) {
        cg_training_fill(t, t->done, row, &one);
        if (!cg_exec_run(one.exec))
            continue;
        CgTensor value = cg_exec_output(one.exec, 0);
        if (!isfinite(*(const float *)value.data) && found++ < SHOWN)
            cg_strbuf_printf(&text, "%s%lld", found > 1 ? ", " : "", (long long)row);
    }
    s->accumulate = shares;
    cg_runner_free(&one);
    if (found == s->batch)
        cg_diag_note(d, (CgSpan){ 0 }, "each of the %lld rows of the batch gives such a loss", (long long)found);
    else if (found)
        cg_diag_note(d, (CgSpan){ 0 }, "row%s %s%s of the batch give%s such a loss, counted from 0",
            found > 1 ? "s" : "", cg_strbuf_str(&text), found > SHOWN ? ", .." : "", found > 1 ? "" : "s");
    cg_strbuf_deinit(&text);
}

static bool finite_at(CgDtype dtype, const void *at, int64_t i)
{
    return dtype == CG_F32 ? isfinite(((const float *)at)[i])
        : dtype == CG_F64  ? isfinite(((const double *)at)[i])
                           : true;
}

/* Where rows of data that the graph reads hold a number that is none, that is what went wrong first: a mistake at the
 * data, which tells of the op, too. NULL: they are numbers. */
static CgDiag *explain_rows(
    CgTraining *t, const CgDataset *d, void *const *rows, int64_t n, const CgValue *data, const CgOdd *odd)
{
    for (int f = 0; f < d->nfields; f++)
        for (int64_t each = cg_field_count(&d->field[f]), i = 0; rows[f] && i < n * each; i++) {
            if (finite_at(d->field[f].dtype, rows[f], i))
                continue;
            CgDiag *diag = cg_diag(t->x->diags, CG_E0602, data->span,
                "step %lld of '%s': '%s' of row %lld of these data, counted from 0 in their batch, is not finite",
                (long long)t->done, t->s->label, d->field[f].name, (long long)(i / each));
            if (*odd->op)
                cg_diag_note(diag, odd->at, "the first op to give such a number is %s", odd->op);
            cg_odd_note(diag, odd);
            return diag;
        }
    return NULL;
}

/* All gradients are finite, and the sum of their squares is beyond f32: the greatest of them. */
static void name_greatest(const CgTraining *t, CgDiag *d)
{
    const CgStage *s = t->s;
    const float *grad = t->sum ? t->sum : t->grad;
    const char *path = "";
    float most = 0;
    for (int i = 0; i < s->nlearned; i++)
        for (int64_t k = 0; k < s->trained[i].count; k++) {
            float g = fabsf(grad[s->trained[i].offset + k]);
            if (!isfinite(g))
                return;
            if (g > most)
                most = g, path = s->model->params.at[s->trained[i].param].path;
        }
    cg_diag_note(d, (CgSpan){ 0 },
        "each number of the gradient is finite, and their squares add up to more than f32 holds; the greatest, %g, is "
        "of "
        "'%s'",
        (double)most, path);
}

void cg_training_explain_step(CgTraining *t, CgStepResult r)
{
    CgStage *s = t->s;
    CgGraph *loss = cg_shares_plain(s->model, s->loss, NULL), *all = cg_pass_run_all(s->model->graph, "dce");
    CgOdd odd = { .op = "", .at = s->span };
    (void)(look_at_step(t, loss, &odd) || look_at_step(t, all, &odd));
    CgDiag *d = explain_rows(t, t->data, t->rows, s->batch, s->data, &odd);
    if (!d) {
        d = cg_diag(t->x->diags, CG_E0602, odd.at, "step %lld of '%s': the %s is not finite%s%s", (long long)t->done,
            s->label, isfinite(r.loss) ? "gradient" : "loss", *odd.op ? "; the first op to give such a number is " : "",
            odd.op);
        cg_odd_note(d, &odd);
    }
    cg_diag_note(d, s->span, "in this training (loss %g, gradient norm %g)", r.loss, r.norm);
    if (!isfinite(r.loss))
        name_rows(t, loss, d);
    else if (!*odd.op)
        name_greatest(t, d);
    cg_diag_help(
        d, "a smaller rate, a longer warm-up or clip usually keeps numbers finite; the last checkpoint is kept");
    cg_graph_free(loss);
    cg_graph_free(all);
}

bool cg_training_explain_index(CgTraining *t)
{
    CgStage *s = t->s;
    CgDiag *d = cg_session_fault(t->x, t->faulty->exec, s->span);
    const CgMeasure *measure = cg_training_measuring(t, t->faulty);
    if (measure)
        cg_diag_note(d, s->span, "in the %s of this training, after step %lld", measure->name, (long long)t->done);
    else if (s->accumulate > 1)
        cg_diag_note(d, s->span, "in step %lld of this training, in share %lld of its batch, counted from 0",
            (long long)t->done, (long long)t->faulty_share);
    else
        cg_diag_note(d, s->span, "in step %lld of this training", (long long)t->done);
    return false;
}

/* Whether the step itself moves a parameter by what is no number: then the optimiser is not to blame. */
static bool renewed_badly(const CgTraining *t, const float *moves)
{
    bool bad = false;
    for (int64_t i = t->s->learned; i < t->s->total && !bad; i++)
        bad = !isfinite(moves[i]);
    return bad;
}

void cg_training_look(CgTraining *t, CgUpdate *u)
{
    CgStage *s = t->s;
    t->odd = (CgOdd){ .op = "", .at = s->optimizer };
    bool found = false;
    if (renewed_badly(t, u->grad)) {
        CgGraph *all = cg_pass_run_all(s->model->graph, "dce");
        found = look_at_step(t, all, &t->odd);
        cg_graph_free(all);
    }
    for (int g = 0; g < s->ngroups && !found; g++) {
        if (!cg_training_renews(t, g))
            continue;
        CgGraph *plain = cg_pass_run_all(s->groups[g].model->graph, "dce");
        CgRunner r;
        if (cg_runner_new(t->x, plain, 1, (CgPlanOptions){ 0 }, s->span, &r)) {
            cg_training_bind_update(t, &r, g, u);
            found = look(&r, &t->odd);
            cg_runner_free(&r);
        }
        cg_graph_free(plain);
    }
}

void cg_training_explain_update(CgTraining *t)
{
    CgStage *s = t->s;
    const char *path = "";
    bool learned = true;
    for (int i = 0; i < s->ntrained && !*path; i++)
        for (int64_t k = 0; k < s->trained[i].count && !*path; k++)
            if (!isfinite(t->memory.block[s->trained[i].offset + k])) {
                path = s->model->params.at[s->trained[i].param].path;
                learned = i < s->nlearned;
            }
    bool found = t->odd.op && *t->odd.op;
    CgDiag *d = cg_diag(t->x->diags, CG_E0602, found ? t->odd.at : s->optimizer,
        "step %lld of '%s': %s makes numbers that are not finite%s%s%s%s%s", (long long)t->done, s->label,
        learned ? "its optimiser" : "running", *path ? " of '" : "", path, *path ? "'" : "",
        found ? "; the first op to give one is " : "", found ? t->odd.op : "");
    cg_odd_note(d, &t->odd);
    if (found && learned)
        cg_diag_note(d, s->optimizer, "in this optimiser");
    else if (!learned)
        cg_diag_note(d, s->span, "in this training");
    cg_diag_help(d,
        learned ? "a smaller rate usually keeps numbers finite; the last checkpoint is kept"
                : "the last checkpoint is kept");
}

void cg_training_explain_validation(CgTraining *t, double value)
{
    CgStage *s = t->s;
    CgGraph *loss = s->valid_model ? cg_shares_plain(s->valid_model, s->valid_loss, NULL)
                                   : cg_shares_plain(s->model, s->loss, NULL);
    CgOdd odd = { .op = "", .at = s->span };
    CgRunner one;
    bool found = false;
    if (cg_runner_new(t->x, loss, 1, (CgPlanOptions){ 0 }, s->span, &one)) {
        int64_t rows = t->valid.data->rows;
        cg_runner_bind_params(&one, t->valid.memory);
        cg_runner_bind_batch(&one, t->valid.data, t->valid.rows, 0);
        for (int64_t row = 0; row < rows && !found; row++) {
            cg_dataset_read(t->valid.data, row, 1, t->valid.rows);
            cg_exec_random(one.exec, cg_session_seed(t->x, s->seed), 0, (uint64_t)row);
            found = look(&one, &odd);
        }
        cg_runner_free(&one);
    }
    CgDiag *d = found ? explain_rows(t, t->valid.data, t->valid.rows, 1, s->validate, &odd) : NULL;
    if (!d) {
        d = cg_diag(t->x->diags, CG_E0602, odd.at, "step %lld of '%s': the validation loss is not finite%s%s",
            (long long)t->done, s->label, *odd.op ? "; the first op to give such a number is " : "", odd.op);
        cg_odd_note(d, &odd);
    }
    cg_diag_note(d, s->span, "in this training (validation loss %g)", value);
    cg_graph_free(loss);
}
