/* sort.c - the order of the elements along an axis.
 * Takes numbers; gives the places of the least ones first, or of the greatest. Equal elements stay in the order of
 * their places; -0 equals 0, and a NaN counts as greater than all numbers. A lane is sorted by one shard, by radix. */
#include <string.h>

#include <cg/elementwise.h>
#include <cg/rules.h>

enum { DIGITS = 256, FEW = 48 };

/* The first `k` of the sorted elements; all of them where the attribute is not given. */
static bool argsort_shape(CgInfer *inf)
{
    const CgDim *k = cg_attr_dim(inf->attrs, "k");
    int64_t most, want = 0;
    int axis;
    if (!cg_want_number(inf, 0) || !cg_infer_axis(inf, "axis", 0, &axis))
        return false;
    inf->out[0] = cg_type_as(inf->in[0], CG_I32);
    if (!k)
        return true;
    if (cg_dim_is_int(k, &want) && (want < 0 || (cg_dim_is_int(inf->in[0].dim[axis], &most) && want > most)))
        return cg_infer_fail(inf, 0, axis, "k is %lld, which the axis does not have", (long long)want);
    inf->out[0].dim[axis] = k;
    return true;
}

/* The tensor as (pre, n, post), n being the axis, of which `k` places are asked for. */
typedef struct Lanes {
    int64_t pre, n, post, k;
    bool descending;
} Lanes;

static Lanes lanes_of(const CgCall *call)
{
    const CgTensor *x = &call->in[0];
    int axis = cg_axis(call->attrs, "axis", x->rank);
    Lanes l = { 1, x->dim[axis], 1, call->out->dim[axis], cg_attr_int(call->attrs, "descending", 0) != 0 };
    for (int i = 0; i < axis; i++)
        l.pre *= x->dim[i];
    for (int i = axis + 1; i < x->rank; i++)
        l.post *= x->dim[i];
    return l;
}

/* ---- keys: unsigned integers in the order of the elements ---- */

typedef struct Entry {
    uint64_t key;
    uint32_t at;
} Entry;

static uint64_t key_of(const CgTensor *x, int64_t i)
{
    const uint64_t high = (uint64_t)1 << 63, high_32 = (uint64_t)1 << 31;
    union {
        float f;
        uint32_t u;
    } single;
    union {
        double f;
        uint64_t u;
    } number;
    switch (x->dtype) {
    case CG_I32: return ((uint64_t)(uint32_t)((const int32_t *)x->data)[i]) ^ high_32;
    case CG_I64: return (uint64_t)((const int64_t *)x->data)[i] ^ high;
    case CG_F32:
        single.f = ((const float *)x->data)[i] + 0.0f; /* -0 becomes 0 */
        if (single.f != single.f)
            return UINT32_MAX;
        return single.u & high_32 ? (uint32_t)~single.u : single.u | high_32;
    default:
        number.f = ((const double *)x->data)[i] + 0.0;
        if (number.f != number.f)
            return UINT64_MAX;
        return number.u & high ? ~number.u : number.u | high;
    }
}

/* ---- sorting ---- */

/* Insertion, for few: those behind an entry are moved by one. */
static void insert(Entry *at, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        Entry e = at[i];
        int64_t k = i;
        for (; k > 0 && at[k - 1].key > e.key; k--)
            at[k] = at[k - 1];
        at[k] = e;
    }
}

/* By digits of eight bits, from the lowest; those that all keys share are passed over. Gives what holds the result. */
static Entry *by_digits(Entry *at, Entry *spare, int64_t n, int bytes)
{
    for (int d = 0; d < bytes; d++) {
        int64_t count[DIGITS] = { 0 }, sum = 0;
        int shift = 8 * d;
        for (int64_t i = 0; i < n; i++)
            count[at[i].key >> shift & 0xff]++;
        if (count[at[0].key >> shift & 0xff] == n)
            continue;
        for (int i = 0; i < DIGITS; i++) {
            int64_t here = count[i];
            count[i] = sum;
            sum += here;
        }
        for (int64_t i = 0; i < n; i++)
            spare[count[at[i].key >> shift & 0xff]++] = at[i];
        Entry *t = at;
        at = spare;
        spare = t;
    }
    return at;
}

/* ---- the first few of numbers of four bytes: a key and an index are one integer ---- */

enum { KEYS = 64 };

/* n keys from index i on, as key_of gives them. */
static void keys_of(const CgTensor *x, int64_t from, int64_t step, int64_t n, uint32_t flip, uint32_t *to)
{
    const uint32_t high = (uint32_t)1 << 31;
    if (x->dtype == CG_I32) {
        const int32_t *at = (const int32_t *)x->data + from;
        CG_SIMD
        for (int64_t i = 0; i < n; i++)
            to[i] = ((uint32_t)at[i * step] ^ high) ^ flip;
        return;
    }
    const float *at = (const float *)x->data + from;
    CG_SIMD
    for (int64_t i = 0; i < n; i++) {
        union {
            float f;
            uint32_t u;
        } number = { at[i * step] + 0.0f };
        uint32_t key = number.u ^ (number.u & high ? UINT32_MAX : high);
        to[i] = (number.f != number.f ? UINT32_MAX : key) ^ flip;
    }
}

/* Indices of the first k of a lane, in order. */
static void select_packed(const CgTensor *x, int64_t from, const Lanes *l, uint32_t flip, int32_t *to)
{
    uint64_t best[FEW + 1];
    uint32_t keys[KEYS];
    int64_t have = 0;
    for (int64_t begin = 0; begin < l->n; begin += KEYS) {
        int64_t n = l->n - begin < KEYS ? l->n - begin : KEYS;
        keys_of(x, from + begin * l->post, l->post, n, flip, keys);
        for (int64_t i = 0; i < n; i++) {
            uint64_t e = (uint64_t)keys[i] << 32 | (uint64_t)(begin + i);
            if (have == l->k && e > best[have - 1])
                continue;
            int64_t at = 0;
            CG_PRAGMA_(omp simd reduction(+ : at))
            for (int64_t j = 0; j < have; j++)
                at += best[j] < e;
            memmove(best + at + 1, best + at, (size_t)(have - at) * sizeof *best);
            best[at] = e;
            have += have < l->k;
        }
    }
    for (int64_t k = 0; k < l->k; k++)
        to[k * l->post] = (int32_t)(uint32_t)best[k];
}

/* The first k of a sorted lane in at[0 .. k): what is not below the last of them is passed over. */
static void select_first(const CgTensor *x, int64_t from, const Lanes *l, uint64_t flip, Entry *at)
{
    int64_t have = 0;
    for (int64_t i = 0; i < l->n; i++) {
        Entry e = { key_of(x, from + i * l->post) ^ flip, (uint32_t)i };
        if (have == l->k && e.key >= at[have - 1].key)
            continue;
        int64_t k = have < l->k ? have++ : have - 1;
        for (; k > 0 && at[k - 1].key > e.key; k--)
            at[k] = at[k - 1];
        at[k] = e;
    }
}

static void argsort_kernel(const CgCall *call, CgShard shard)
{
    const CgTensor *x = &call->in[0];
    Lanes l = lanes_of(call);
    int bytes = (int)cg_dtype_size(x->dtype);
    uint64_t flip = !l.descending ? 0 : bytes == 4 ? UINT32_MAX : UINT64_MAX;
    int32_t *to = call->out->data;
    size_t first, last;
    cg_shard_range(shard, (size_t)(l.pre * l.post), 1, &first, &last);
    for (int64_t i = (int64_t)first; i < (int64_t)last && l.k > 0; i++) {
        Entry *at = shard.scratch, *spare = at + l.n;
        int64_t from = i / l.post * l.n * l.post + i % l.post;
        if (l.k < FEW && l.k < l.n && bytes == 4) {
            select_packed(x, from, &l, (uint32_t)flip, to + i / l.post * l.k * l.post + i % l.post);
            continue;
        }
        if (l.k < FEW && l.k < l.n) {
            select_first(x, from, &l, flip, at);
        } else {
            for (int64_t k = 0; k < l.n; k++)
                at[k] = (Entry){ key_of(x, from + k * l.post) ^ flip, (uint32_t)k };
            if (l.n < FEW)
                insert(at, l.n);
            else
                at = by_digits(at, spare, l.n, bytes);
        }
        for (int64_t k = 0; k < l.k; k++)
            to[i / l.post * l.k * l.post + i % l.post + k * l.post] = (int32_t)at[k].at;
    }
}

static void argsort_work(const CgCall *call, CgWork *work)
{
    Lanes l = lanes_of(call);
    const CgTensor *x = &call->in[0];
    size_t n = (size_t)cg_tensor_count(x), lanes = (size_t)(l.pre * l.post), shards = (8 * n + CG_SHARD - 1) / CG_SHARD;
    *work = (CgWork){ .flops = (double)n,
        .bytes = (double)n * (double)(cg_dtype_size(x->dtype) + 2 * sizeof(Entry)),
        .shards = shards < lanes ? shards : lanes,
        .scratch = 2 * (size_t)l.n * sizeof(Entry) };
    if (!work->shards)
        work->shards = 1;
}

static const CgDim *argsort_below(const CgInfer *inf, const CgDim *const *in)
{
    (void)in;
    return inf->in[0].dim[cg_axis(inf->attrs, "axis", inf->in[0].rank)];
}

static const CgSample argsort_samples[] = {
    { .in = "F[3,7]", .attrs = "axis=1", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[3,5,7]", .attrs = "axis=-2, descending=1", .low = -2.385, .high = 2.385, .apart = 0.01 },
    { .in = "F[3,131]", .attrs = "axis=-1, k=[5], descending=1", .low = -2.385, .high = 2.385, .apart = 0.001 },
    { .in = "F[2,619]", .attrs = "axis=-1", .low = -2.385, .high = 2.385, .apart = 0.001 },
    { .in = "F[307,3]", .attrs = "axis=0, k=[97]", .low = -2.385, .high = 2.385, .apart = 0.001 },
    { .in = "i32[5,53]", .attrs = "axis=1", .low = -23, .high = 23 },
    { .in = "i64[5,31]", .attrs = "axis=1, descending=1", .low = -23, .high = 23 },
    { .in = NULL },
};

static const CgOp op_argsort = {
    CG_OP_HERE,
    .name = "argsort",
    .sig = "(x: T[..s], axis: axis = -1, descending: bool = false, k: dim = none) -> i32[..r]",
    .doc = "Indices that sort x along an axis: the least element first, or the greatest when descending; with k the\n"
           "first k of them alone. Equal elements keep the order of their indices. NaN counts as greater than all\n"
           "numbers. `sort_along` and `top_k` of std.tensor give the elements, with their derivatives.\n",
    .below = argsort_below,
    .shape = argsort_shape,
    .work = argsort_work,
    .axis_rule = cg_axis_rule_axis,
    .traits = CG_NODIFF,
    .kernel = { argsort_kernel, argsort_kernel, argsort_kernel, argsort_kernel },
    .samples = argsort_samples,
};

CG_OPS(sort, &op_argsort)
