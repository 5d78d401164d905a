/* fused.c - chains of elementwise work as one sweep over memory, with or without a sum at their end.
 * Takes tensors of one shape, with any strides, and a program (program.h); gives up to four of its values, or the sum
 * of one over the last axes. Must not let the order of sums depend on anything but the sizes. */
#include <cg/build.h>
#include <cg/rules.h>

#include "ops/vector_reduce.h"
#include "ops/program.h"

#define SHARD (CG_SHARD / 2) /* elements a shard: chains are longer than one op */

/* ---- values ---- */

static bool fused_shape(CgInfer *inf)
{
    Program p;
    const CgAttr *results = cg_attr_find(inf->attrs, "results");
    int n = results && results->kind == CG_ATTR_INTS ? results->n : 0;
    if (n < 1 || n > MOST_OUT)
        return cg_infer_fail(inf, -1, -1, "%s has from 1 to %d results", inf->op->name, MOST_OUT);
    if (!program_shape(inf, n, &p))
        return false;
    inf->nout = n;
    for (int i = 0; i < p.ninstr; i++) {
        if (p.instr[i].result < 0)
            continue;
        inf->out[p.instr[i].result] = inf->in[0];
        inf->out[p.instr[i].result].dtype = p.instr[i].dtype;
    }
    return true;
}

static void fused_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    Program p;
    CgRef value[CG_MAX_IN + MAX_INSTR];
    const CgAttr *results = cg_attr_find(site->attrs, "results");
    /* the shape rule has read it */
    if (!program_expand(b, site, results ? results->n : 0, &p, value))
        return;
    for (int i = 0; i < p.ninstr; i++)
        if (p.instr[i].result >= 0)
            out[p.instr[i].result] = value[p.nin + i];
}

static void fused_work(const CgCall *call, CgWork *work)
{
    size_t n = (size_t)cg_tensor_count(&call->out[0]);
    *work = (CgWork){ .shards = n / SHARD ? n / SHARD : 1 };
    for (int i = 0; i < call->nin; i++)
        work->bytes += (double)n * (double)cg_dtype_size(call->in[i].dtype);
    for (int i = 0; i < call->nout; i++)
        work->bytes += (double)n * (double)cg_dtype_size(call->out[i].dtype);
    if (program_cost(call, call->nout, &work->flops, &work->scratch))
        work->flops *= (double)n;
}

/* n values from element `at` on, rounded; rows of `length` may lie apart. */
static void put_rounded(const CgTensor *y, size_t length, size_t at, const float *x, size_t n)
{
    size_t step = (size_t)cg_row_step(y);
    uint16_t *to = y->data;
    if (step == length) {
        cg_bf16_round(x, to + at, n);
        return;
    }
    for (size_t m; n; x += m, at += m, n -= m) {
        size_t column = at % length;
        m = length - column < n ? length - column : n;
        cg_bf16_round(x, to + at / length * step + column, m);
    }
}

static bool all_finite(CgDtype dtype, const void *x, size_t n)
{
    uint32_t top = 0;
    uint64_t top64 = 0;
    if (dtype != CG_F32 && dtype != CG_F64)
        return true;
    if (dtype == CG_F64) {
        CG_PRAGMA_(omp simd reduction(max : top64))
        for (size_t i = 0; i < n; i++)
            top64 = cg_magnitude_f64(((const double *)x)[i]) > top64 ? cg_magnitude_f64(((const double *)x)[i]) : top64;
    } else {
        CG_PRAGMA_(omp simd reduction(max : top))
        for (size_t i = 0; i < n; i++)
            top = cg_magnitude_f32(((const float *)x)[i]) > top ? cg_magnitude_f32(((const float *)x)[i]) : top;
    }
    return top < CG_ENDLESS_F32 && top64 < CG_ENDLESS_F64;
}

static void fused_kernel(const CgCall *call, CgShard shard)
{
    const Program *p = call->state;
    Run r;
    const CgTensor *y = call->out;
    size_t first, last, n, length = y->rank ? (size_t)y->dim[y->rank - 1] : 1, unit = p->tile;
    bool waits[MOST_OUT];
    run_begin(&r, call, shard);
    /* A result over an operand that later instructions read is written at the end of the tile, and one that is rounded.
     */
    for (int k = 0; k < call->nout; k++) {
        waits[k] = y[k].dtype == CG_ROUNDED;
        if (waits[k] && (size_t)cg_row_step(&y[k]) != length)
            unit = length;
    }
    for (int i = 0; i < p->ninstr; i++)
        for (int j = 0; p->instr[i].result >= 0 && j < call->nin; j++)
            waits[p->instr[i].result] |= p->last[j] > i && call->in[j].data == y[p->instr[i].result].data;
    cg_shard_range(shard, (size_t)cg_tensor_count(y), unit ? unit : 1, &first, &last);
    for (size_t at = first; at < last; at += n) {
        const void *value[CG_MAX_IN + MAX_INSTR];
        char *to[MOST_OUT];
        n = run_tile(&r, at, last);
        for (int k = 0; k < call->nout; k++)
            to[k] = waits[k] ? NULL : (char *)y[k].data + at * cg_dtype_size(y[k].dtype);
        run_program(&r, at, n, to, value);
        for (int i = 0; i < p->ninstr; i++) {
            int k = p->instr[i].result;
            if (k >= 0 && call->checked >> k & 1 && !all_finite(p->instr[i].dtype, value[p->nin + i], n))
                cg_note_not_finite(call);
            if (k < 0 || !waits[k])
                continue;
            size_t size = cg_dtype_size(y[k].dtype);
            if (y[k].dtype == CG_ROUNDED)
                put_rounded(&y[k], length, at, value[p->nin + i], n);
            else
                memcpy((char *)y[k].data + at * size, value[p->nin + i], n * size);
        }
    }
}

/* ---- a sum ---- */

/* Rows of elements that are summed, each in as many chunks. */
typedef struct Rows {
    size_t rows, length, chunks, shards;
} Rows;

static Rows rows_of(const CgCall *call)
{
    const CgTensor *x = &call->in[0];
    Rows c = { 1, 1, 1, 1 };
    int64_t over = cg_attr_int(call->attrs, "over", 1);
    for (int i = 0; i < x->rank; i++)
        *(i < x->rank - over ? &c.rows : &c.length) *= (size_t)x->dim[i];
    size_t want = (c.rows * c.length + SHARD - 1) / SHARD;
    if (c.rows && c.rows < 8) {
        c.chunks = want / c.rows < 32 ? want / c.rows : 32;
        if (c.chunks > c.length / SHARD)
            c.chunks = c.length / SHARD;
        if (c.chunks < 1)
            c.chunks = 1;
    }
    c.shards = c.rows * c.chunks < want ? c.rows * c.chunks : want;
    if (c.shards < 1)
        c.shards = 1;
    return c;
}

static bool sum_shape(CgInfer *inf)
{
    Program p;
    int64_t over = cg_attr_int(inf->attrs, "over", 1);
    if (!program_shape(inf, 1, &p))
        return false;
    if (over < 1 || over > inf->in[0].rank)
        return cg_infer_fail(inf, -1, -1, "%s: there are no %lld axes to sum over", inf->op->name, (long long)over);
    for (int i = 0; i < p.ninstr; i++) {
        if (p.instr[i].result < 0)
            continue;
        if (p.instr[i].dtype != CG_F32 && p.instr[i].dtype != CG_F64)
            return cg_infer_fail(inf, -1, -1, "%s sums f32 or f64", inf->op->name);
        inf->out[0] = inf->in[0];
        inf->out[0].dtype = p.instr[i].dtype;
        inf->out[0].rank -= (int)over;
    }
    return true;
}

static void sum_expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    Program p;
    CgRef value[CG_MAX_IN + MAX_INSTR];
    int64_t axes[CG_MAX_RANK], over = cg_attr_int(site->attrs, "over", 1);
    int rank = cg_ref_type(b, site->in[0]).rank;
    for (int i = 0; i < over; i++)
        axes[i] = rank - over + i;
    if (!program_expand(b, site, 1, &p, value))
        return;
    for (int i = 0; i < p.ninstr; i++)
        if (p.instr[i].result >= 0)
            out[0] = cg_sum(b, value[p.nin + i], (int)over, axes);
}

static void sum_work(const CgCall *call, CgWork *work)
{
    Rows c = rows_of(call);
    double n = (double)c.rows * (double)c.length;
    *work = (CgWork){ .shards = c.shards };
    for (int i = 0; i < call->nin; i++)
        work->bytes += n * (double)cg_dtype_size(call->in[i].dtype);
    if (program_cost(call, 1, &work->flops, &work->scratch))
        work->flops = (work->flops + 1) * n;
    if (c.chunks > 1)
        work->shared = c.rows * c.chunks * sizeof(double);
}

static void put(const CgTensor *out, size_t i, double value)
{
    if (out->dtype == CG_F32)
        ((float *)out->data)[i] = (float)value;
    else
        ((double *)out->data)[i] = value;
}

/* Tiles are summed in their dtype, their sums in f64. */
static void sum_kernel(const CgCall *call, CgShard shard)
{
    const Program *p = call->state;
    Rows c = rows_of(call);
    Run r;
    size_t first, last, n;
    int result = 0;
    if (c.rows * c.length == 0) {
        for (size_t i = 0; i < c.rows; i++)
            put(call->out, i, 0);
        return;
    }
    run_begin(&r, call, shard);
    while (p->instr[result].result < 0)
        result++;
    cg_shard_range(shard, c.rows * c.chunks, 1, &first, &last);
    for (size_t u = first; u < last; u++) {
        size_t row = u / c.chunks, k = u % c.chunks, end = row * c.length + c.length * (k + 1) / c.chunks;
        double total = 0;
        for (size_t at = row * c.length + c.length * k / c.chunks; at < end; at += n) {
            const void *value[CG_MAX_IN + MAX_INSTR];
            char *to[1] = { NULL };
            n = run_tile(&r, at, end);
            run_program(&r, at, n, to, value);
            const void *x = value[p->nin + result];
            total += call->out->dtype == CG_F32 ? (double)lanes_sum_f32(x, (int64_t)n) : lanes_sum_f64(x, (int64_t)n);
        }
        if (c.chunks > 1)
            ((double *)call->shared)[u] = total;
        else
            put(call->out, row, total);
    }
}

static void sum_finish(const CgCall *call, CgShard shard)
{
    Rows c = rows_of(call);
    (void)shard;
    for (size_t row = 0; c.chunks > 1 && row < c.rows; row++) {
        double total = 0;
        for (size_t k = 0; k < c.chunks; k++)
            total += ((const double *)call->shared)[row * c.chunks + k];
        put(call->out, row, total);
    }
}

/* ---- the ops ---- */

static CgAxisRule fused_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    (void)inf;
    (void)operand;
    to->axis = axis;
    return CG_AXIS_POINTWISE;
}

static const CgSample samples[] = {
    { .in = "F[3,7] F[3,7]",
        .attrs = "program=\"mul 0 1; tanh 2; add 3 0\", results=(4)",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,5,3] F[2,5,3] F[2,5,3]",
        .attrs = "program=\"lt 0 1; where 3 2 0; mul 4 4\", results=(5)",
        .low = -2.385,
        .high = 2.385,
        .apart = 0.05 },
    { .in = "F[3,7] F[3,7]",
        .attrs = "program=\"mul 0 1; exp 2; sub 3 0\", results=(2, 4)",
        .low = -1.385,
        .high = 1.385 },
    { .in = "F[3,7] F[3,7]",
        .attrs = "program=\"mul 0 1; exp 2; sub 3 0\", results=(3, 2, 4)",
        .low = -1.385,
        .high = 1.385 },
    { .in = "F[3,7] F[3,7]",
        .attrs = "program=\"mul 0 1; exp 2; sub 3 0; neg 4\", results=(5, 3, 2, 4)",
        .low = -1.385,
        .high = 1.385 },
    { .in = NULL },
};

static const CgSample sum_samples[] = {
    { .in = "F[3,7] F[3,7]",
        .attrs = "program=\"mul 0 1; tanh 2\", results=(3), over=1",
        .low = -2.385,
        .high = 2.385 },
    { .in = "F[2,3,61] F[2,3,61]", .attrs = "program=\"mul 0 1\", results=(2), over=3", .low = -2.385, .high = 2.385 },
    { .in = "F[11,277] F[11,277]",
        .attrs = "program=\"exp 0; mul 1 2\", results=(3), over=1",
        .low = -1.385,
        .high = 1.385 },
    { .in = "F[3,70001]",
        .attrs = "program=\"mul 0 0\", results=(1), over=1",
        .low = -0.385,
        .high = 1.385 }, /* in chunks */
    { .in = NULL },
};

static const CgOp op_fused = {
    CG_OP_HERE,
    .name = "fused",
    .was = "fused2 fused3 fused4",
    .sig = "(xs: tensors, program: str, results: int[]) -> T[..s]",
    .doc = "A chain of elementwise ops in one sweep over memory, made by the pass `fuse`.\n\n"
           "`program` lists instructions, an op and the numbers of its operands each; `results` says which values, up\n"
           "to four, come out. It means, and is differentiated as, the chain it was made from.\n",
    .shape = fused_shape,
    .expand = fused_expand,
    .prepare = program_prepare,
    .release = program_release,
    .work = fused_work,
    .axis_rule = fused_axis_rule,
    .checks = ~0u,
    .traits = CG_STRIDED | CG_OVER_ROWS | CG_MANY_RESULTS,
    .inplace = 0xffff,
    .rounded = (1u << MOST_OUT) - 1,
    .nout = MOST_OUT,
    .samples = samples,
    .kernel = CG_ANY_KERNELS(fused_kernel),
};

static CgAxisRule sum_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    (void)operand;
    to->axis = axis;
    return axis < inf->in[0].rank - cg_attr_int(inf->attrs, "over", 1) ? CG_AXIS_POINTWISE : CG_AXIS_WHOLE;
}

static const CgOp op_fused_sum = {
    CG_OP_HERE,
    .name = "fused_sum",
    .sig = "(xs: tensors, program: str, results: int[], over: int = 1) -> F[..s]",
    .doc = "A chain of elementwise ops and the sum of its last value over the last `over` axes, in one sweep over "
           "memory; made by\n"
           "the pass `fuse`. f32 is summed by tiles, their sums in f64. It is differentiated as the chain it was made "
           "from.\n",
    .shape = sum_shape,
    .expand = sum_expand,
    .prepare = program_prepare,
    .release = program_release,
    .work = sum_work,
    .axis_rule = sum_axis_rule,
    .traits = CG_STRIDED,
    .samples = sum_samples,
    .finish = sum_finish,
    .kernel = CG_ANY_KERNELS(sum_kernel),
};

CG_OPS(fused, &op_fused_sum, &op_fused)
