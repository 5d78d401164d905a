/* batches_ahead.c - batches of data that lie in files, read while the steps before them run.
 * Takes a training; gives its rows by step. A batch is a function of the step, so who reads it when changes nothing. */
#include <stdlib.h>

#include "stage/training.h"

enum { AHEAD = 16 }; /* batches */

struct CgBatchesAhead {
    CgAhead *thread;
    const CgDataset *data;
    uint64_t seed;
    int64_t batch;
    void **rows[AHEAD]; /* by slot */
    void **own;         /* the training's room, which is not used meanwhile */
};

static void read_batch(void *arg, int64_t step, int slot)
{
    const struct CgBatchesAhead *b = arg;
    cg_dataset_batch(b->data, b->seed, step, b->batch, b->rows[slot]);
}

bool cg_batches_ahead_open(CgTraining *t)
{
    const CgStage *s = t->s;
    if (!t->data->in_files)
        return true;
    struct CgBatchesAhead *b = t->ahead = cg_calloc(1, sizeof *b);
    *b = (struct CgBatchesAhead){
        .data = t->data, .seed = cg_session_seed(t->x, s->seed), .batch = s->batch, .own = t->rows
    };
    bool room = true;
    CgErr err = { 0 };
    for (int i = 0; room && i < AHEAD; i++)
        room = cg_batch_room(t->data, s->model->graph, s->batch, &b->rows[i], &err);
    b->thread = room ? cg_ahead_new(AHEAD, read_batch, b) : NULL;
    if (!b->thread)
        cg_batches_ahead_free(t);
    return true; /* without a thread each batch is read when it is asked for */
}

void cg_batches_ahead_take(CgTraining *t, int64_t step)
{
    t->rows = t->ahead->rows[cg_ahead_take(t->ahead->thread, step)];
}

CgWaits cg_batches_ahead_waits(const CgTraining *t)
{
    return t->ahead ? cg_ahead_waits(t->ahead->thread) : (CgWaits){ 0 };
}

void cg_batches_ahead_free(CgTraining *t)
{
    struct CgBatchesAhead *b = t->ahead;
    if (!b)
        return;
    cg_ahead_free(b->thread);
    for (int i = 0; i < AHEAD; i++)
        cg_batch_free(b->data, b->rows[i]);
    t->rows = b->own;
    t->ahead = NULL;
    free(b);
}
