/* rows.c - carrying out what is asked of each row of a dataset.
 * Takes a stage; gives one tensor an output, with a row for each row of the data, kept in the store. */
#include "stage/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "run/tensor.h"
#include "stage/runner.h"

static bool key(CgSession *x, CgStage *s, CgDigester *d)
{
    CgDigest graph = cg_graph_digest(s->columns_graph), data;
    cg_digester_add(d, &x->opts.seed, sizeof x->opts.seed); /* of parameters that nothing trained */
    cg_digester_add(d, &graph, sizeof graph);
    bool good = cg_data_digest(x, s->data, &data) && cg_model_digest(x, s->model, d);
    if (good)
        cg_digester_add(d, &data, sizeof data);
    return good;
}

static bool load(CgSession *x, CgStage *s)
{
    CgErr err = { 0 };
    char *path = cg_store_has(x->store, s->key) ? cg_store_path(x->store, s->key) : NULL;
    bool good = path && cg_safetensors_read(path, &s->weights, &err);
    free(path);
    return good;
}

/* An output of a batch behind those before it. */
static void put(CgNamed *out, const CgTensor *t, int64_t first, int64_t rows)
{
    size_t size = cg_dtype_size(t->dtype);
    int64_t each = 1;
    for (int k = 1; k < t->rank; k++)
        each *= t->dim[k];
    char *to = (char *)out->tensor.data + (size_t)(first * each) * size;
    for (int64_t i = 0; i < rows * each; i++) { /* an output may be strided */
        int64_t rest = i, from = 0;
        for (int k = t->rank; k-- > 0;) {
            from += rest % t->dim[k] * t->stride[k];
            rest /= t->dim[k];
        }
        memcpy(to + (size_t)i * size, (const char *)t->data + (size_t)from * size, size);
    }
}

static CgNamed room_for(const CgGraph *g, size_t i, int64_t rows)
{
    const CgType *t = cg_node_type(g, g->outputs.at[i].ref);
    CgNamed out = { (char *)(uintptr_t)g->outputs.at[i].name, { .dtype = t->dtype, .rank = t->rank } };
    int64_t n = 1;
    for (int k = t->rank; k-- > 0;) {
        if (k)
            cg_dim_is_int(t->dim[k], &out.tensor.dim[k]);
        else
            out.tensor.dim[k] = rows;
        out.tensor.stride[k] = n;
        n *= out.tensor.dim[k];
    }
    out.tensor.data = cg_try_alloc((size_t)n * cg_dtype_size(t->dtype) + 1);
    return out;
}

static bool make_room(CgSession *x, const CgStage *s, const CgDataset *d, int64_t rows, void ***at)
{
    CgErr err = { 0 };
    return cg_batch_room(d, s->columns_graph, rows, at, &err) || cg_session_err(x, s->span, &err);
}

static bool compute(CgSession *x, CgStage *s, const CgDataset *d, const CgMemory *memory, CgNamed *out)
{
    const CgGraph *g = s->columns_graph;
    CgRunner r = { 0 };
    void **at = NULL;
    bool good = true;
    char name[160];
    snprintf(name, sizeof name, "%s of %lld rows", s->label, (long long)d->rows);
    CgProgress *p = cg_progress_new(
        &(CgProgressOpts){ .name = name, .total = d->rows, .quiet = x->opts.quiet, .listener = x->opts.listener });
    cg_stop_listen();
    for (int64_t first = 0, rows; good && first < d->rows; first += rows) {
        rows = d->rows - first < CG_EVALUATE_ROWS ? d->rows - first : CG_EVALUATE_ROWS;
        if (cg_session_stopped(x)) {
            CgErr err = { 0 };
            cg_err(&err, CG_ERR_INTERRUPTED, "stopped in %s; the same command begins it again", s->kind->doing);
            good = cg_session_err(x, s->span, &err);
            break;
        }
        if (rows != r.rows) {
            cg_runner_free(&r);
            cg_batch_free(d, at);
            at = NULL;
            good = cg_runner_new(x, g, rows, (CgPlanOptions){ 0 }, s->span, &r) && make_room(x, s, d, rows, &at);
            if (!good)
                break;
            cg_runner_bind_params(&r, memory);
            cg_runner_bind_batch(&r, d, at, 0);
        }
        cg_dataset_read(d, first, rows, at);
        cg_exec_random(r.exec, (uint64_t)x->opts.seed, 0, (uint64_t)first);
        good = cg_session_read_well(x, s->span) && cg_session_run(x, r.exec, s->span);
        for (size_t i = 0; good && i < g->outputs.len; i++) {
            CgTensor t = cg_exec_output(r.exec, (int)i);
            put(&out[i], &t, first, rows);
        }
        cg_progress_step(p, first + rows);
    }
    cg_stop_deafen();
    cg_progress_free(p, good ? NULL : "failed");
    cg_runner_free(&r);
    cg_batch_free(d, at);
    return good;
}

static bool keep(CgSession *x, CgStage *s, const CgNamed *out)
{
    CgErr err = { 0 };
    char *path = cg_store_begin(x->store, s->key, &err);
    bool good = path && cg_safetensors_write(path, out, (int)s->columns_graph->outputs.len, NULL, NULL, 0, &err)
        && cg_store_seal(x->store, s->key, &err) && cg_safetensors_read(path, &s->weights, &err);
    free(path);
    return good || cg_session_err(x, s->span, &err);
}

static bool run(CgSession *x, CgStage *s)
{
    CgDataset *d = cg_dataset_of(x, s->data);
    CgMemory memory;
    if (!d || !cg_memory_fill(x, s->model, NULL, 0, &memory))
        return false;
    size_t n = s->columns_graph->outputs.len;
    CgNamed *out = cg_calloc(n + 1, sizeof *out);
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        out[i] = room_for(s->columns_graph, i, d->rows);
        good &= out[i].tensor.data != NULL;
    }
    if (!good) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_MEMORY, "no room for what is computed of %lld rows", (long long)d->rows);
        cg_session_err(x, s->span, &err);
    }
    good = good && compute(x, s, d, &memory, out) && keep(x, s, out);
    for (size_t i = 0; i < n; i++)
        free(out[i].tensor.data);
    free(out);
    cg_memory_free(&memory);
    return good;
}

const CgTensor *cg_stage_rows_output(const CgStage *s, const char *name) { return cg_tensors_find(&s->weights, name); }

const CgStageKind cg_stage_kind_rows = {
    .name = "rows", .doing = "computing of rows", .version = 1, .key = key, .load = load, .run = run
};
