/* decode.c - prologue, portions of text, one place after another.
 * Takes the halves of a step graph; gives results as the text grows. Must not know what a graph computes: what is kept
 * and where it begins is told by the names of inputs and outputs (graph/incremental.h). */
#include "run/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>

#include "graph/incremental.h"

enum { SIZES = 2 }; /* plans that stay: for one place, and for the last other number of places */

typedef struct Keep {
    int input, start;
    void *data;
    CgTensor whole;
} Keep;
typedef struct Sized {
    int64_t n;
    CgPlan *plan;
    CgExec *exec;
    int32_t *ids;
} Sized;

struct CgDecoder {
    const CgGraph *prologue, *step;
    CgBinding *dims; /* the caller's, then CG_INCREMENTAL_COUNT */
    int ndims;
    CgPlanOptions options;
    CgPool *pool;
    CgPlan *begin_plan;
    CgExec *begin;
    Sized sized[SIZES];
    Keep *keep;
    int nkeep, text, at; /* text, at: inputs */
    int64_t rows;
    int32_t now; /* places fed */
    const void **inputs, **params;
    Sized *last; /* that ran last, NULL after begin */
};

static int input_of(const CgGraph *g, const char *name)
{
    for (size_t i = 0; i < g->inputs.len; i++)
        if (!strcmp(cg_node_name(g, g->inputs.at[i]), name))
            return (int)i;
    return -1;
}

static int output_of(const CgGraph *g, const char *name)
{
    for (size_t i = 0; i < g->outputs.len; i++)
        if (!strcmp(g->outputs.at[i].name, name))
            return (int)i;
    return -1;
}

/* ---- running a number of places ---- */

static void sized_free(Sized *s)
{
    cg_exec_free(s->exec);
    cg_plan_free(s->plan);
    free(s->ids);
    *s = (Sized){ 0 };
}

static bool sized_make(CgDecoder *d, Sized *s, int64_t n, CgErr *e)
{
    CgPlanOptions options = d->options;
    options.update = true; /* what is kept is written where it lies */
    d->dims[d->ndims - 1].value = n;
    s->n = n;
    s->plan = cg_plan_build(d->step, (CgBindings){ d->dims, d->ndims }, options, e);
    s->exec = s->plan ? cg_exec_new(s->plan, d->pool, e) : NULL;
    if (!s->exec) {
        sized_free(s);
        return false;
    }
    CgTensor text = cg_plan_input(s->plan, d->text);
    d->rows = n ? cg_tensor_count(&text) / n : 0;
    s->ids = cg_calloc((size_t)cg_tensor_count(&text) + 1, sizeof *s->ids);
    for (size_t i = 0; i < d->step->inputs.len; i++)
        if (d->inputs[i])
            cg_exec_bind_input(s->exec, (int)i, d->inputs[i]);
    for (size_t i = 0; i < d->step->params.len; i++)
        if (d->params[i])
            cg_exec_bind_param(s->exec, (int)i, d->params[i]);
    for (int k = 0; k < d->nkeep; k++)
        if (d->keep[k].data)
            cg_exec_bind_input(s->exec, d->keep[k].input, d->keep[k].data);
    cg_exec_bind_input(s->exec, d->text, s->ids);
    cg_exec_bind_input(s->exec, d->at, &d->now);
    return true;
}

static Sized *sized_get(CgDecoder *d, int64_t n, CgErr *e)
{
    if (n == 1)
        return &d->sized[0];
    if (d->sized[1].exec && d->sized[1].n == n)
        return &d->sized[1];
    if (d->last == &d->sized[1])
        d->last = NULL;
    sized_free(&d->sized[1]);
    return sized_make(d, &d->sized[1], n, e) ? &d->sized[1] : NULL;
}

bool cg_decoder_feed(CgDecoder *d, const int32_t *ids, int64_t stride, int64_t n, CgErr *e)
{
    if (n == 0)
        return true;
    Sized *s = sized_get(d, n, e);
    if (!s)
        return false;
    for (int64_t r = 0; r < d->rows; r++)
        memcpy(s->ids + r * n, ids + r * stride, (size_t)n * sizeof *ids);
    if (!cg_exec_run(s->exec)) {
        cg_exec_explain(s->exec, e);
        return false;
    }
    d->now += (int32_t)n;
    d->last = s;
    return true;
}

/* ---- rows that go on from others ---- */

/* The axis of a kept value that counts rows: -1, it depends on no row; -2, no axis counts rows alone. */
static int row_axis(const CgDecoder *d, const Keep *k, CgAtom rows)
{
    const CgType *t = cg_node_type(d->step, d->step->inputs.at[k->input]);
    int axis = -1;
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] == cg_dim_symbol(rows) && axis == -1)
            axis = i;
        else if (cg_dim_mentions(t->dim[i], rows))
            return -2;
    return axis;
}

bool cg_decoder_has_rows(const CgDecoder *d, CgAtom rows)
{
    for (int k = 0; k < d->nkeep; k++)
        if (row_axis(d, &d->keep[k], rows) == -2)
            return false;
    return true;
}

/* Bytes of a value from one index of an axis to the next. */
static size_t inner_bytes(const Keep *k, int axis)
{
    size_t bytes = cg_dtype_size(k->whole.dtype);
    for (int i = axis + 1; i < k->whole.rank; i++)
        bytes *= (size_t)k->whole.dim[i];
    return bytes;
}

static void move_rows(const Keep *k, int axis, const int *from, char *room)
{
    size_t inner = inner_bytes(k, axis), all = inner * (size_t)k->whole.dim[axis], outer = 1;
    for (int i = 0; i < axis; i++)
        outer *= (size_t)k->whole.dim[i];
    for (char *at = k->data; outer-- > 0; at += all) {
        memcpy(room, at, all);
        for (int64_t r = 0; r < k->whole.dim[axis]; r++)
            if (from[r] != r)
                memcpy(at + (size_t)r * inner, room + (size_t)from[r] * inner, inner);
    }
}

bool cg_decoder_move_rows(CgDecoder *d, CgAtom rows, const int *from, CgErr *e)
{
    size_t most = 0;
    for (int k = 0; k < d->nkeep; k++) {
        int axis = row_axis(d, &d->keep[k], rows);
        size_t all = axis >= 0 ? inner_bytes(&d->keep[k], axis) * (size_t)d->keep[k].whole.dim[axis] : 0;
        most = all > most ? all : most;
    }
    char *room = cg_try_alloc(most + 1);
    if (!room)
        return cg_err(e, CG_ERR_MEMORY, "no memory for rows that change places: %zu bytes", most);
    for (int k = 0; k < d->nkeep; k++) {
        int axis = row_axis(d, &d->keep[k], rows);
        if (axis >= 0)
            move_rows(&d->keep[k], axis, from, room);
    }
    free(room);
    return true;
}

/* ---- the prologue ---- */

/* The positions before the text come first along the axis in which the two shapes differ. */
static void begin_keep(CgDecoder *d, Keep *k)
{
    CgTensor from, to = k->whole;
    if (k->start < 0)
        return;
    from = cg_exec_output(d->begin, k->start);
    to.data = k->data;
    for (int i = 0; i < to.rank; i++)
        to.dim[i] = from.dim[i];
    cg_tensor_copy(&to, &from, (CgShard){ .count = 1 });
}

bool cg_decoder_begin(CgDecoder *d, CgErr *e)
{
    if (!cg_exec_run(d->begin)) {
        cg_exec_explain(d->begin, e);
        return false;
    }
    for (int k = 0; k < d->nkeep; k++)
        begin_keep(d, &d->keep[k]);
    d->now = 0;
    d->last = NULL;
    return true;
}

bool cg_decoder_output(const CgDecoder *d, const char *name, CgTensor *out)
{
    int i = d->last ? output_of(d->step, name) : output_of(d->prologue, cg_intern_printf("first.%s", name));
    if (i < 0)
        return false;
    *out = cg_exec_output(d->last ? d->last->exec : d->begin, i);
    return true;
}

/* ---- making ---- */

static void bind(CgDecoder *d, bool param, int ordinal, const void *data)
{
    (param ? d->params : d->inputs)[ordinal] = data;
    for (int i = 0; i < SIZES + 1; i++) {
        CgExec *x = i == SIZES ? d->begin : d->sized[i].exec;
        if (x && param)
            cg_exec_bind_param(x, ordinal, data);
        else if (x)
            cg_exec_bind_input(x, ordinal, data);
    }
}

void cg_decoder_bind_input(CgDecoder *d, int ordinal, const void *data) { bind(d, false, ordinal, data); }
void cg_decoder_bind_param(CgDecoder *d, int ordinal, const void *data) { bind(d, true, ordinal, data); }
CgExec *cg_decoder_exec(CgDecoder *d) { return d->sized[0].exec; }
const CgPlan *cg_decoder_plan(const CgDecoder *d) { return d->sized[0].plan; }

/* Finds what is kept by name. */
static void find_keeps(CgDecoder *d)
{
    char name[32];
    for (int k = 0;; k++) {
        snprintf(name, sizeof name, "keep.%d", k);
        if (input_of(d->step, name) < 0)
            return;
        d->keep[d->nkeep++] = (Keep){ .input = input_of(d->step, name) };
        snprintf(name, sizeof name, "start.%d", k);
        d->keep[k].start = output_of(d->prologue, name);
    }
}

/* Zeros: an op over all that is kept reads positions not written yet, whose value reaches no result. */
static bool allocate_keeps(CgDecoder *d, CgErr *e)
{
    for (int k = 0; k < d->nkeep; k++) {
        Keep *keep = &d->keep[k];
        keep->whole = cg_plan_input(d->sized[0].plan, keep->input);
        size_t bytes = (size_t)cg_tensor_count(&keep->whole) * cg_dtype_size(keep->whole.dtype);
        keep->data = cg_try_alloc(bytes + 64);
        if (!keep->data)
            return cg_err(e, CG_ERR_MEMORY, "no memory for what a text keeps: %zu bytes", bytes);
        memset(keep->data, 0, bytes + 64);
        cg_exec_bind_input(d->sized[0].exec, keep->input, keep->data);
    }
    return true;
}

void cg_decoder_free(CgDecoder *d)
{
    if (!d)
        return;
    for (int i = 0; i < SIZES; i++)
        sized_free(&d->sized[i]);
    for (int k = 0; k < d->nkeep; k++)
        free(d->keep[k].data);
    cg_exec_free(d->begin);
    cg_plan_free(d->begin_plan);
    free(d->keep);
    free(d->dims);
    free(d->inputs);
    free(d->params);
    free(d);
}

CgDecoder *cg_decoder_new(
    const CgGraph *prologue, const CgGraph *step, CgBindings dims, CgPlanOptions options, CgPool *pool, CgErr *e)
{
    CgDecoder *d = cg_calloc(1, sizeof *d);
    *d = (CgDecoder){ .prologue = prologue, .step = step, .ndims = dims.n + 1, .options = options, .pool = pool };
    d->dims = cg_calloc((size_t)d->ndims, sizeof *d->dims);
    if (dims.n)
        memcpy(d->dims, dims.at, sizeof *d->dims * (size_t)dims.n);
    d->dims[dims.n].symbol = cg_intern(CG_INCREMENTAL_COUNT);
    d->keep = cg_calloc(step->inputs.len + 1, sizeof *d->keep);
    d->inputs = cg_calloc(step->inputs.len + 1, sizeof *d->inputs);
    d->params = cg_calloc(step->params.len + 1, sizeof *d->params);
    d->text = input_of(step, "text.new");
    d->at = input_of(step, "text.at");
    find_keeps(d);
    d->dims[dims.n].value = 1;
    d->begin_plan = cg_plan_build(prologue, (CgBindings){ d->dims, d->ndims }, options, e);
    d->begin = d->begin_plan ? cg_exec_new(d->begin_plan, pool, e) : NULL;
    if (d->begin && sized_make(d, &d->sized[0], 1, e) && allocate_keeps(d, e))
        return d;
    cg_decoder_free(d);
    return NULL;
}
