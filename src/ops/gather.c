/* gather.c - elements by tuples of indices, and updates of them.
 * Takes a tensor and integer tuples, each the place of an element or of a sub-tensor; gives those (gather) or the
 * tensor with others put in, added, multiplied or compared there (scatter). An index below 0 counts from the end; one
 * outside of its axis ends the run with an error. */
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

/* ---- tuples ---- */

/* x as (batches, slots, row): `k` axes behind the first `batch` ones are indexed, and a slot is one place in them. */
typedef struct Tuples {
    int batch, k;
    int64_t batches, slots, row, count; /* count: tuples of a batch */
} Tuples;

static Tuples tuples_of(const CgCall *call)
{
    const CgTensor *x = &call->in[0], *ids = &call->in[1];
    Tuples t = { (int)cg_attr_int(call->attrs, "batch", 0), (int)ids->dim[ids->rank - 1], 1, 1, 1, 1 };
    for (int i = 0; i < x->rank; i++)
        *(i < t.batch ? &t.batches : i < t.batch + t.k ? &t.slots : &t.row) *= x->dim[i];
    for (int i = t.batch; i + 1 < ids->rank; i++)
        t.count *= ids->dim[i];
    return t;
}

/* The slot of tuple `n`, all batches counted; -1 after an index that is outside of its axis, which is noted. */
static int64_t slot_of(const CgCall *call, const Tuples *t, int64_t n)
{
    const CgTensor *x = &call->in[0], *ids = &call->in[1];
    int64_t slot = 0;
    for (int j = 0; j < t->k; j++) {
        int64_t e = n * t->k + j, size = x->dim[t->batch + j];
        int64_t at = ids->dtype == CG_I64 ? ((const int64_t *)ids->data)[e] : ((const int32_t *)ids->data)[e];
        if (at < -size || at >= size) {
            cg_index_fault(call, 1, e, at, size);
            return -1;
        }
        slot = slot * size + (at < 0 ? at + size : at);
    }
    return slot;
}

/* What gather and scatter ask of x and ids: how many axes are indexed. */
static bool tuples_fit(CgInfer *inf, int *batch, int *k)
{
    const CgType *x = &inf->in[0], *ids = &inf->in[1];
    int64_t many, before = cg_attr_int(inf->attrs, "batch", 0);
    if (!cg_want_integer(inf, 1) || !cg_want_rank(inf, 1, 1, CG_MAX_RANK))
        return false;
    if (before < 0 || before >= ids->rank || before > x->rank)
        return cg_infer_fail(
            inf, -1, -1, "batch is %lld, the operands have %d and %d axes", (long long)before, x->rank, ids->rank);
    if (!cg_want_axes(inf, 1, 0, 0, (int)before))
        return false;
    if (!cg_dim_is_int(ids->dim[ids->rank - 1], &many))
        return cg_infer_fail(inf, 1, ids->rank - 1, "the length of the tuples must be a number");
    if (many < 1 || many > x->rank - before)
        return cg_infer_fail(inf, 1, ids->rank - 1, "tuples of %lld for a tensor with %d axes%s", (long long)many,
            x->rank - (int)before, before ? " in a batch" : "");
    *batch = (int)before;
    *k = (int)many;
    return true;
}

/* The axes of one update for each tuple: those of ids without the last, then those of x that are not indexed. */
static bool update_type(CgInfer *inf, int batch, int k, CgType *out)
{
    const CgType *x = &inf->in[0], *ids = &inf->in[1];
    CgType t = cg_type_as(*ids, x->dtype);
    t.dim[--t.rank] = NULL;
    if (t.rank + x->rank - batch - k > CG_MAX_RANK)
        return cg_infer_fail(inf, 1, -1, "the result would have %d axes", t.rank + x->rank - batch - k);
    for (int i = batch + k; i < x->rank; i++)
        t.dim[t.rank++] = x->dim[i];
    *out = t;
    return true;
}

/* ---- gather ---- */

static bool gather_shape(CgInfer *inf)
{
    int batch = 0, k = 0;
    return tuples_fit(inf, &batch, &k) && update_type(inf, batch, k, &inf->out[0]);
}

/* Tuples of one index that name single numbers, of one batch: what slot_of gives, at a fraction of its cost. */
static inline bool names_numbers(const Tuples *t) { return t->k == 1 && t->row == 1; }

static inline int64_t number_at(const CgCall *call, const Tuples *t, bool wide, int64_t n)
{
    const CgTensor *ids = &call->in[1];
    int64_t at = wide ? ((const int64_t *)ids->data)[n] : ((const int32_t *)ids->data)[n];
    int64_t slot = at < 0 ? at + t->slots : at;
    if ((uint64_t)slot < (uint64_t)t->slots)
        return slot;
    cg_index_fault(call, 1, n, at, t->slots);
    return -1;
}

#define GATHER_NUMBERS(T, name)                                                                \
    static void name(const CgCall *call, const Tuples *t, int64_t first, int64_t last)         \
    {                                                                                          \
        bool wide = call->in[1].dtype == CG_I64;                                               \
        T *to = call->out->data;                                                               \
        for (int64_t b = first / t->count; b * t->count < last; b++) {                         \
            const T *from = (const T *)call->in[0].data + b * t->slots;                        \
            int64_t n = b * t->count < first ? first : b * t->count, end = (b + 1) * t->count; \
            for (end = end < last ? end : last; n < end; n++) {                                \
                int64_t slot = number_at(call, t, wide, n);                                    \
                to[n] = slot < 0 ? 0 : from[slot];                                             \
            }                                                                                  \
        }                                                                                      \
    }
GATHER_NUMBERS(uint32_t, gather_numbers_4)
GATHER_NUMBERS(uint64_t, gather_numbers_8)

static void gather_kernel(const CgCall *call, CgShard shard)
{
    Tuples t = tuples_of(call);
    size_t row = (size_t)t.row * cg_dtype_size(call->out->dtype), first, last;
    cg_shard_range(shard, (size_t)(t.batches * t.count), 1, &first, &last);
    if (names_numbers(&t) && row == 4 && first < last)
        gather_numbers_4(call, &t, (int64_t)first, (int64_t)last);
    if (names_numbers(&t) && row == 8 && first < last)
        gather_numbers_8(call, &t, (int64_t)first, (int64_t)last);
    if (names_numbers(&t) && row >= 4)
        return;
    for (size_t n = first; n < last && row; n++) {
        int64_t slot = slot_of(call, &t, (int64_t)n), b = (int64_t)n / t.count;
        char *to = (char *)call->out->data + n * row;
        if (slot < 0)
            memset(to, 0, row);
        else
            memcpy(to, (const char *)call->in[0].data + (size_t)(b * t.slots + slot) * row, row);
    }
}

static void gather_work(const CgCall *call, CgWork *work)
{
    Tuples t = tuples_of(call);
    size_t n = (size_t)cg_tensor_count(call->out), rows = (size_t)(t.batches * t.count);
    size_t shards = (n + CG_SHARD - 1) / CG_SHARD;
    *work = (CgWork){ .flops = (double)n,
        .bytes = 2.0 * (double)n * (double)cg_dtype_size(call->out->dtype),
        .shards = shards < rows ? shards : rows };
    if (!work->shards)
        work->shards = 1;
}

static CgRef gather(CgBuild *b, CgRef x, CgRef ids, const CgAttrs *attrs)
{
    CgAttr at = cg_a_int("batch", cg_attr_int(attrs, "batch", 0));
    return cg_build(b, "gather", 2, (const CgRef[2]){ x, ids }, cg_attrs(1, &at));
}

static CgRef scatter(CgBuild *b, CgRef x, CgRef ids, CgRef g, const CgAttrs *attrs, const char *how)
{
    CgAttr at[2] = { cg_a_int("batch", cg_attr_int(attrs, "batch", 0)), cg_a_str("how", how) };
    return cg_build(b, "scatter", 3, (const CgRef[3]){ x, ids, g }, cg_attrs(2, at));
}

/* An element adds to its derivative for each tuple that names it. */
static void gather_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[0] = scatter(b, cg_fill_like(b, site->in[0], 0), site->in[1], site->gout[0], site->attrs, "add");
}

/* Batches stay what they are, and so do the axes that are not indexed; tuples go where they stand. */
static CgAxisRule tuple_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to, bool updates)
{
    CgInfer copy = *inf;
    int batch = 0, k = 0, moved;
    if (!tuples_fit(&copy, &batch, &k))
        return CG_AXIS_UNKNOWN;
    to->axis = axis;
    if (axis < batch)
        return CG_AXIS_POINTWISE;
    int tuples = inf->in[1].rank - 1; /* axes of an update before those that are not indexed */
    if (operand == 1)
        return updates || axis == tuples ? CG_AXIS_WHOLE : CG_AXIS_POINTWISE;
    moved = operand == 0 ? axis - batch - k : axis - tuples;
    if (moved < 0)
        return CG_AXIS_WHOLE;
    to->axis = moved + (updates ? batch + k : tuples);
    return CG_AXIS_POINTWISE;
}

static CgAxisRule gather_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    return tuple_axis_rule(inf, operand, axis, to, false);
}

/* ---- scatter ---- */

enum { SET, ADD, MUL, MAX, MIN, NONE };

static int how_of(const CgAttrs *attrs)
{
    static const char *const names[NONE] = { "set", "add", "mul", "max", "min" };
    const char *how = cg_attr_str(attrs, "how", "set");
    for (int i = 0; i < NONE; i++)
        if (!strcmp(names[i], how))
            return i;
    return NONE;
}

static bool scatter_shape(CgInfer *inf)
{
    CgType update;
    int batch = 0, k = 0, how = how_of(inf->attrs);
    if (how == NONE)
        return cg_infer_fail(inf, -1, -1, "how is \"set\", \"add\", \"mul\", \"max\" or \"min\", not \"%s\"",
            cg_attr_str(inf->attrs, "how", ""));
    if (!cg_want_dtype(inf, 2, 0) || (how != SET && !cg_want_number(inf, 0)) || !tuples_fit(inf, &batch, &k)
        || !update_type(inf, batch, k, &update))
        return false;
    if (!cg_want_rank(inf, 2, update.rank, update.rank))
        return false;
    for (int i = 0; i < update.rank; i++)
        if (inf->in[2].dim[i] != update.dim[i]) {
            bool tuple = i < inf->in[1].rank - 1;
            return cg_infer_differ(inf, 2, i, tuple ? 1 : 0, tuple ? i : i - inf->in[1].rank + 1 + batch + k, "sizes");
        }
    inf->out[0] = inf->in[0];
    return true;
}

/* A NaN wins, as in `max`. */
#define LARGER(a, x)  ((x) > (a) || (x) != (x) ? (x) : (a))
#define SMALLER(a, x) ((x) < (a) || (x) != (x) ? (x) : (a))

/* U: what sums and products are computed in; integers wrap around. */
#define UPDATE(T, U, name)                                                                        \
    static void name(T *to, const T *g, int64_t n, int how)                                       \
    {                                                                                             \
        switch (how) {                                                                            \
        case SET: memcpy(to, g, (size_t)n * sizeof *to); break;                                   \
        case ADD: CG_SIMD for (int64_t i = 0; i < n; i++) to[i] = (T)((U)to[i] + (U)g[i]); break; \
        case MUL: CG_SIMD for (int64_t i = 0; i < n; i++) to[i] = (T)((U)to[i] * (U)g[i]); break; \
        case MAX:                                                                                 \
            for (int64_t i = 0; i < n; i++)                                                       \
                to[i] = LARGER(to[i], g[i]);                                                      \
            break;                                                                                \
        default:                                                                                  \
            for (int64_t i = 0; i < n; i++)                                                       \
                to[i] = SMALLER(to[i], g[i]);                                                     \
        }                                                                                         \
    }
UPDATE(float, float, update_f32)
UPDATE(double, double, update_f64)
UPDATE(int32_t, uint32_t, update_i32)
UPDATE(int64_t, uint64_t, update_i64)

static void update(CgDtype dtype, void *to, const void *g, int64_t n, int how)
{
    switch (dtype) {
    case CG_F32: update_f32(to, g, n, how); break;
    case CG_F64: update_f64(to, g, n, how); break;
    case CG_I32: update_i32(to, g, n, how); break;
    case CG_I64: update_i64(to, g, n, how); break;
    default: memcpy(to, g, (size_t)n * cg_dtype_size(dtype)); break;
    }
}

/* Slots [first, last) of one batch, sums of single numbers. */
#define ADD_NUMBERS(T, name)                                                                      \
    static void name(const CgCall *call, const Tuples *t, int64_t b, int64_t first, int64_t last) \
    {                                                                                             \
        bool wide = call->in[1].dtype == CG_I64;                                                  \
        T *to = (T *)call->out->data + b * t->slots;                                              \
        const T *g = call->in[2].data;                                                            \
        for (int64_t n = b * t->count; n < (b + 1) * t->count; n++) {                             \
            int64_t slot = number_at(call, t, wide, n);                                           \
            if (slot >= first && slot < last)                                                     \
                to[slot] += g[n];                                                                 \
        }                                                                                         \
    }
ADD_NUMBERS(float, add_numbers_f32)
ADD_NUMBERS(double, add_numbers_f64)

/* `bytes` of y from `at` on are what x is there; x may be one number throughout. */
static void begin_with(const CgTensor *x, const CgTensor *y, size_t at, size_t bytes)
{
    char *to = (char *)y->data + at;
    size_t have = cg_dtype_size(y->dtype);
    if (y->data == x->data)
        return;
    if (!cg_tensor_spread(x)) {
        memcpy(to, (const char *)x->data + at, bytes);
        return;
    }
    memcpy(to, x->data, have);
    for (size_t n; have < bytes; have += n) {
        n = bytes - have < have ? bytes - have : have;
        memcpy(to + have, to, n);
    }
}

/* Each shard owns a range of slots and goes through the tuples of their batches in order. */
static void scatter_kernel(const CgCall *call, CgShard shard)
{
    Tuples t = tuples_of(call);
    const CgTensor *y = call->out;
    int how = how_of(call->attrs);
    size_t row = (size_t)t.row * cg_dtype_size(y->dtype), first, last;
    char *to = y->data;
    const char *g = call->in[2].data;
    cg_shard_range(shard, (size_t)(t.batches * t.slots), 1, &first, &last);
    if (first == last || !row)
        return;
    for (int64_t b = (int64_t)first / t.slots; b * t.slots < (int64_t)last; b++) {
        int64_t from_slot = (int64_t)first - b * t.slots, to_slot = (int64_t)last - b * t.slots;
        from_slot = from_slot > 0 ? from_slot : 0;
        to_slot = to_slot < t.slots ? to_slot : t.slots;
        begin_with(&call->in[0], y, (size_t)(b * t.slots + from_slot) * row, (size_t)(to_slot - from_slot) * row);
        bool numbers = names_numbers(&t) && how == ADD;
        if (numbers && y->dtype == CG_F32)
            add_numbers_f32(call, &t, b, from_slot, to_slot);
        else if (numbers && y->dtype == CG_F64)
            add_numbers_f64(call, &t, b, from_slot, to_slot);
        else
            for (int64_t n = b * t.count; n < (b + 1) * t.count; n++) {
                int64_t slot = slot_of(call, &t, n);
                size_t at = (size_t)(b * t.slots + slot);
                if (slot >= 0 && at >= first && at < last)
                    update(y->dtype, to + at * row, g + (size_t)n * row, t.row, how);
            }
    }
}

static void scatter_work(const CgCall *call, CgWork *work)
{
    Tuples t = tuples_of(call);
    size_t n = (size_t)(cg_tensor_count(call->out) + cg_tensor_count(&call->in[2]));
    size_t shards = (n + CG_SHARD - 1) / CG_SHARD, slots = (size_t)(t.batches * t.slots);
    if (shards > 16)
        shards = 16; /* each goes through all tuples of its batches */
    *work = (CgWork){ .flops = (double)n,
        .bytes = 2.0 * (double)n * (double)cg_dtype_size(call->out->dtype),
        .shards = shards < slots ? shards : slots };
    if (!work->shards)
        work->shards = 1;
}

/* ids (..batch, ..tuples, k) with one axis of tuples, and the updates alike. */
typedef struct Flat {
    CgRef ids;
    CgType number; /* i32[..batch, tuples] */
    int batch;
} Flat;

static Flat flatten(CgBuild *b, CgRef ids, const CgAttrs *attrs)
{
    CgType t = cg_ref_type(b, ids);
    Flat f = { .batch = (int)cg_attr_int(attrs, "batch", 0) };
    const CgDim *count = cg_dim_int(1), *dim[CG_MAX_RANK];
    for (int i = 0; i + 1 < t.rank; i++)
        if (i < f.batch)
            dim[i] = t.dim[i];
        else
            count = cg_dim_mul(count, t.dim[i]);
    dim[f.batch] = count;
    f.number = cg_type(CG_I32, f.batch + 1, dim);
    if (t.rank == f.batch + 2) {
        f.ids = ids;
        return f;
    }
    dim[f.batch + 1] = t.dim[t.rank - 1];
    f.ids = cg_reshape(b, ids, f.batch + 2, dim);
    return f;
}

/* Which of several updates of a place was the last one: true for it alone, bool as the updates are. */
static CgRef last_ones(CgBuild *b, const CgSite *site)
{
    Flat f = flatten(b, site->in[1], site->attrs);
    CgType x = cg_ref_type(b, site->in[0]), g = cg_ref_type(b, site->in[2]), ids = cg_ref_type(b, site->in[1]);
    int64_t k = 0;
    cg_dim_is_int(ids.dim[ids.rank - 1], &k);
    CgAttr at[2] = { cg_a_type("type", f.number), cg_a_int("axis", f.batch) };
    CgRef number = cg_build(b, "iota", 0, NULL, cg_attrs(2, at));
    CgRef none = cg_fill(b, cg_type(CG_I32, f.batch + (int)k, x.dim), -1);
    CgRef last = scatter(b, none, f.ids, number, site->attrs, "set");
    CgRef won = cg_b(b, "eq", gather(b, last, f.ids, site->attrs), number);
    int64_t axes[CG_MAX_RANK];
    won = cg_reshape(b, won, ids.rank - 1, ids.dim);
    for (int i = 0; i < g.rank; i++)
        axes[i] = i < ids.rank - 1 ? i : -1;
    return cg_broadcast(b, won, g.rank, g.dim, axes);
}

/* The greatest or least share the derivative evenly: of x where the result is x, of the updates where it is theirs. */
static void extreme_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0], ids = site->in[1], g = site->in[2], y = site->out[0];
    CgDtype dtype = cg_ref_type(b, x).dtype;
    CgRef hit_x = cg_cast(b, cg_b(b, "eq", x, y), dtype),
          hit_g = cg_cast(b, cg_b(b, "eq", g, gather(b, y, ids, site->attrs)), dtype);
    CgRef share = cg_div(b, site->gout[0], scatter(b, hit_x, ids, hit_g, site->attrs, "add"));
    gin[0] = cg_mul(b, hit_x, share);
    gin[2] = cg_mul(b, hit_g, gather(b, share, ids, site->attrs));
}

/* Of a product the factor v, zeros counted apart: `others` is the product of all that are not 0, `zeros` how many are.
 */
static CgRef without_factor(CgBuild *b, CgRef v, CgRef others, CgRef zeros)
{
    CgRef is_zero = cg_b(b, "eq", v, cg_fill_like(b, v, 0)), none = cg_fill_like(b, v, 0), one = cg_fill_like(b, v, 1);
    CgRef alone = cg_where(b, cg_b(b, "eq", zeros, one), others, none),
          among = cg_where(b, cg_b(b, "eq", zeros, none), cg_div(b, others, cg_where(b, is_zero, one, v)), none);
    return cg_where(b, is_zero, alone, among);
}

static void product_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef x = site->in[0], ids = site->in[1], g = site->in[2], by = site->gout[0], v[2] = { x, g }, zero[2], factor[2];
    CgDtype dtype = cg_ref_type(b, x).dtype;
    for (int i = 0; i < 2; i++) {
        CgRef hit = cg_b(b, "eq", v[i], cg_fill_like(b, v[i], 0));
        zero[i] = cg_cast(b, hit, dtype);
        factor[i] = cg_where(b, hit, cg_fill_like(b, v[i], 1), v[i]);
    }
    CgRef zeros = scatter(b, zero[0], ids, zero[1], site->attrs, "add");
    CgRef others = scatter(b, factor[0], ids, factor[1], site->attrs, "mul");
    gin[0] = cg_mul(b, by, without_factor(b, x, others, zeros));
    gin[2] = cg_mul(b, gather(b, by, ids, site->attrs),
        without_factor(b, g, gather(b, others, ids, site->attrs), gather(b, zeros, ids, site->attrs)));
}

static void scatter_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgRef ids = site->in[1], by = site->gout[0];
    switch (how_of(site->attrs)) {
    case SET: {
        CgRef nothing = cg_fill_like(b, site->in[2], 0);
        gin[0] = scatter(b, by, ids, nothing, site->attrs, "set");
        gin[2] = cg_where(b, last_ones(b, site), gather(b, by, ids, site->attrs), nothing);
        break;
    }
    case ADD:
        gin[0] = by;
        gin[2] = gather(b, by, ids, site->attrs);
        break;
    case MUL: product_vjp(b, site, gin); break;
    default: extreme_vjp(b, site, gin); break;
    }
}

static CgAxisRule scatter_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    return tuple_axis_rule(inf, operand, axis, to, true);
}

/* ---- the ops ---- */

static const CgSample gather_samples[] = {
    { .in = "F[5,7] i32[3,2]", .low = -2.385, .high = 2.385, .ids = 5 },
    { .in = "F[7,3] i64[2,5,1]", .low = -2.385, .high = 2.385, .ids = 2 },
    { .in = "F[3,5,3] i32[3,7,1]", .attrs = "batch=1", .low = -2.385, .high = 2.385, .ids = 5 },
    { .in = "F[2,3,7] i32[2,3,5,1]", .attrs = "batch=2", .low = -2.385, .high = 2.385, .ids = 5 },
    { .in = "F[5,191] i64[5,607,1]", .attrs = "batch=1", .low = -2.385, .high = 2.385, .ids = 191 },
    { .in = "bool[5,3] i32[7,1]", .low = 0, .high = 1, .ids = 5 },
    { .in = "F[11,5,67] i32[607,2]", .low = -2.385, .high = 2.385, .ids = 5 },
    { .in = NULL },
};
static const CgSample scatter_samples[] = {
    { .in = "F[5,7] i32[3,2] F[3]", .attrs = "how=\"set\"", .low = -2.385, .high = 2.385, .ids = 5 },
    { .in = "F[3,5,2] i32[3,7,1] F[3,7,2]", .attrs = "batch=1, how=\"add\"", .low = -2.385, .high = 2.385, .ids = 5 },
    { .in = "F[7,2] i32[2,5,1] F[2,5,2]", .attrs = "how=\"set\"", .low = -2.385, .high = 2.385, .ids = 7 },
    { .in = "F[5,3] i64[7,1] F[7,3]", .attrs = "how=\"max\"", .low = -2.385, .high = 2.385, .apart = 0.01, .ids = 5 },
    { .in = "F[5,3] i32[7,1] F[7,3]", .attrs = "how=\"min\"", .low = -2.385, .high = 2.385, .apart = 0.01, .ids = 5 },
    { .in = "F[5,3] i32[7,1] F[7,3]", .attrs = "how=\"mul\"", .low = 0.31, .high = 1.71, .ids = 5 },
    { .in = "F[5,191] i64[5,607,1] F[5,607]",
        .attrs = "batch=1, how=\"add\"",
        .low = -2.385,
        .high = 2.385,
        .ids = 191 },
    { .in = "F[11,5,67] i32[607,2] F[607,67]", .attrs = "how=\"add\"", .low = -2.385, .high = 2.385, .ids = 5 },
    { .in = NULL },
};

static const CgOp op_gather = {
    CG_OP_HERE,
    .name = "gather",
    .sig = "(x: T[..s], ids: I[..i, K], batch: int = 0) -> T[..r]",
    .doc = "Elements or sub-tensors of x by tuples of indices: y[b.., q.., r..] = x[b.., ids[b.., q.., 0], ..,\n"
           "ids[b.., q.., K-1], r..], where b.. are the first `batch` axes, of x and of ids alike.\n\n"
           "An index below 0 counts from the end; one outside of its axis is an error. The derivative of an element\n"
           "is the sum over the tuples that name it.\n",
    .below = cg_below_first,
    .shape = gather_shape,
    .vjp = gather_vjp,
    .work = gather_work,
    .axis_rule = gather_axis_rule,
    .kernel = CG_ANY_KERNELS(gather_kernel),
    .samples = gather_samples,
};

static const CgOp op_scatter = {
    CG_OP_HERE,
    .name = "scatter",
    .sig = "(x: T[..s], ids: I[..i, K], g: T[..r], batch: int = 0, how: str = \"set\") -> T[..s]",
    .doc =
        "x with g put where `gather` with the same ids would take it from. `how`: \"set\" (of several updates of\n"
        "one element the last one stays), \"add\", \"mul\", \"max\" or \"min\" of what is there and the updates, one\n"
        "after the other in the order of the tuples, at any number of threads.\n\n"
        "An index below 0 counts from the end; one outside of its axis is an error. Derivatives: what was replaced\n"
        "gets 0; of \"max\" and \"min\" those that tie share evenly.\n",
    .shape = scatter_shape,
    .vjp = scatter_vjp,
    .work = scatter_work,
    .axis_rule = scatter_axis_rule,
    .inplace = 1,
    .kernel = CG_ANY_KERNELS(scatter_kernel),
    .traits = CG_SPREAD,
    .samples = scatter_samples,
};

CG_OPS(gather, &op_gather, &op_scatter)
