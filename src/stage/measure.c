/* measure.c - a loss or metrics on rows, while a training is at work.
 * Takes a graph and rows of a dataset; gives numbers that are those of all rows, whatever the batch is: sums are added
 * up over batches, and what is no function of sums over rows is the mean over its batches. Changes nothing. */
#include <stdlib.h>

#include "stage/training.h"

static bool open_runner(CgTraining *t, CgMeasure *m, int64_t rows, CgRunner *r)
{
    if (!cg_runner_new(t->x, m->graph, rows, (CgPlanOptions){ .outputs_bound = true }, t->s->span, r))
        return false;
    cg_runner_bind_params(r, m->memory);
    return true;
}

bool cg_measure_open(CgTraining *t, CgMeasure *m, const CgGraph *graph, const CgShares *shares)
{
    m->most = t->s->batch / t->s->accumulate;
    if (!shares->sums)
        m->totals = NULL;
    m->graph = m->totals ? shares->sums : graph;
    return open_runner(t, m, m->most, &m->full);
}

void cg_measure_free(CgMeasure *m)
{
    cg_runner_free(&m->full);
    cg_runner_free(&m->rest);
    if (m->data)
        cg_batch_free(m->data, m->rows);
}

/* The runner for so many rows: that of full batches, or one for those that are left. */
static CgRunner *runner_for(CgTraining *t, CgMeasure *m, int64_t rows)
{
    CgRunner *r = rows == m->full.rows ? &m->full : &m->rest;
    if (r->rows == rows)
        return r;
    cg_runner_free(r);
    if (!open_runner(t, m, rows, r))
        return NULL;
    if (m->watched)
        cg_training_watch_runner(t, r, CG_PHASE_VALIDATE, m->name);
    return r;
}

/* One batch of it, whose first row is row `first` of all and in memory row `at`, into `numbers`, or into totals. */
static bool measure_batch(CgTraining *t, CgMeasure *m, CgRunner *r, int64_t first, int64_t at, float *numbers)
{
    cg_runner_bind_batch(r, m->data, m->rows, at);
    cg_exec_random(r->exec, cg_session_seed(t->x, t->s->seed), 0, (uint64_t)first);
    if (m->totals)
        cg_totals_bind_shares(m->totals, r, 0, NULL);
    for (int i = 0; !m->totals && i < m->n; i++)
        cg_exec_bind_output(r->exec, i, &numbers[i]);
    cg_training_run(t, r);
    if (t->faulty)
        return cg_training_explain_index(t);
    if (m->totals)
        cg_totals_add(m->totals, NULL);
    return true;
}

bool cg_training_measure(CgTraining *t, CgMeasure *m, int64_t step, double *out)
{
    const CgStage *s = t->s;
    int64_t some = step < 0 ? m->data->rows : s->batch;
    float *numbers = cg_calloc((size_t)m->n + 1, sizeof *numbers);
    bool good = true;
    if (step >= 0)
        cg_dataset_batch(m->data, cg_session_seed(t->x, s->seed), step, s->batch, m->rows);
    if (m->totals)
        cg_totals_clear(m->totals);
    for (int i = 0; i < m->n; i++)
        out[i] = 0;
    for (int64_t first = 0, rows; good && first < some; first += rows) {
        rows = some - first < m->most ? some - first : m->most;
        CgRunner *r = runner_for(t, m, rows);
        if (r && step < 0)
            cg_dataset_read(m->data, first, rows, m->rows);
        good = r && cg_session_read_well(t->x, s->span) && measure_batch(t, m, r, first, step < 0 ? 0 : first, numbers);
        for (int i = 0; i < m->n; i++)
            out[i] += (double)numbers[i] * (double)rows;
    }
    for (int i = 0; i < m->n; i++)
        out[i] /= (double)some;
    if (good
        && m->totals) { /* sums as of one batch, so that the loss is that of training whatever the number of rows */
        cg_totals_close(m->totals, cg_totals_float(m->totals) ? (double)s->batch / (double)some : 1);
        out[0] = cg_totals_loss(m->totals, numbers + 1, m->n - 1);
        for (int i = 1; i < m->n; i++)
            out[i] = (double)numbers[i];
    }
    free(numbers);
    return good;
}
