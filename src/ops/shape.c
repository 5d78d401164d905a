/* shape.c - other arrangements of the same elements.
 * Takes tensors; gives views of them where strides can say it (reshape, transpose, broadcast, slice), copies where they
 * cannot (pad, concat). Must not compute anything. */
#include <cg/elementwise.h>
#include <cg/rules.h>

/* ---- attributes ---- */

/* Lists of sizes and of axes; false with a message when one is missing or too long. */
static bool dims_attr(CgInfer *inf, const char *name, int *n, const CgDim **dims)
{
    const CgAttr *a = cg_attr_find(inf->attrs, name);
    if (!a || (a->kind != CG_ATTR_DIMS && a->kind != CG_ATTR_INTS))
        return cg_infer_fail(inf, -1, -1, "%s needs %s, a list of sizes", inf->op->name, name);
    *n = a->n;
    for (int i = 0; i < a->n; i++)
        dims[i] = a->kind == CG_ATTR_DIMS ? a->dims[i] : cg_dim_int(a->ints[i]);
    return true;
}

static bool ints_attr(CgInfer *inf, const char *name, int n, int64_t *ints)
{
    const CgAttr *a = cg_attr_find(inf->attrs, name);
    if (!a || a->kind != CG_ATTR_INTS)
        return cg_infer_fail(inf, -1, -1, "%s needs %s, a list of axes", inf->op->name, name);
    if (a->n != n)
        return cg_infer_fail(inf, -1, -1, "%s: %s has %d entries, must have %d", inf->op->name, name, a->n, n);
    for (int i = 0; i < n; i++)
        ints[i] = a->ints[i];
    return true;
}

static bool size_attr(CgInfer *inf, const char *name, const CgDim **size)
{
    int64_t n;
    *size = cg_attr_dim(inf->attrs, name);
    if (!*size)
        return cg_infer_fail(inf, -1, -1, "%s needs %s, a size", inf->op->name, name);
    return !cg_dim_is_int(*size, &n) || n >= 0 || cg_infer_fail(inf, -1, -1, "%s: %s is negative", inf->op->name, name);
}

/* A view at an offset, kept apart from pointer arithmetic: when a plan is made there is no memory yet. */
static void *at_offset(void *base, int64_t elements, CgDtype dtype)
{
    return (void *)((uintptr_t)base + (uintptr_t)(elements * (int64_t)cg_dtype_size(dtype)));
}

/* ---- reshape ---- */

static bool reshape_shape(CgInfer *inf)
{
    const CgDim *dims[CG_MAX_RANK], *have = cg_dim_int(1), *want = cg_dim_int(1);
    const CgType *x = &inf->in[0];
    int n;
    if (!dims_attr(inf, "dims", &n, dims))
        return false;
    for (int i = 0; i < n; i++) {
        int64_t size;
        if (dims[i] && cg_dim_is_int(dims[i], &size) && size < 0)
            return cg_infer_fail(
                inf, -1, -1, "reshape: axis %d of the result would have size %lld", i, (long long)size);
    }
    for (int i = 0; i < x->rank && have; i++)
        have = cg_dim_mul(have, x->dim[i]);
    for (int i = 0; i < n && want; i++)
        want = dims[i] ? cg_dim_mul(want, dims[i]) : NULL;
    if (!have || !want)
        return cg_infer_fail(inf, 0, -1, "the number of elements is not a whole number, or is beyond 2^48");
    if (have != want)
        return cg_infer_unequal(inf, 0, have, want, "numbers of elements");
    inf->out[0] = cg_type(x->dtype, n, dims);
    return true;
}

/* Walks both shapes from the left in groups of axes with equal products; inside a group the operand must be
 * contiguous up to one stride. False where a copy is needed. */
static bool reshape_view(const CgCall *call, CgTensor *out)
{
    const CgTensor *x = &call->in[0];
    int i = 0, j = 0;
    out->data = x->data;
    for (int k = 0; k < out->rank; k++)
        out->stride[k] = 1;
    if (cg_tensor_count(x) == 0)
        return true;
    while (i < x->rank || j < out->rank) {
        int i0 = i, j0 = j;
        int64_t p = i < x->rank ? x->dim[i++] : 1, q = j < out->rank ? out->dim[j++] : 1;
        while (p != q) {
            if (p < q)
                p *= x->dim[i++];
            else
                q *= out->dim[j++];
        }
        /* Axes of length 1 at the end belong to the last group. */
        while (i < x->rank && x->dim[i] == 1)
            i++;
        while (j < out->rank && out->dim[j] == 1)
            j++;
        int64_t stride = 0;
        int last = -1;
        for (int k = i - 1; k >= i0; k--) {
            if (x->dim[k] == 1)
                continue;
            if (last < 0)
                stride = x->stride[k];
            else if (x->stride[k] != x->stride[last] * x->dim[last])
                return false;
            last = k;
        }
        for (int k = j - 1; k >= j0; k--) {
            out->stride[k] = stride;
            stride *= out->dim[k];
        }
    }
    return true;
}

static void reshape_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    gin[0] = cg_reshape(b, site->gout[0], t.rank, t.dim);
}

static CgRef reshape_to(CgBuild *b, CgRef x, const CgAttr *dims)
{
    const CgDim *d[CG_MAX_RANK];
    for (int i = 0; i < dims->n; i++)
        d[i] = dims->kind == CG_ATTR_DIMS ? dims->dims[i] : cg_dim_int(dims->ints[i]);
    return cg_reshape(b, x, dims->n, d);
}

static CgRef reshape_fold(CgBuild *b, const CgSite *site)
{
    const CgAttr *dims = cg_attr_find(site->attrs, "dims");
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    double v;
    int same = 0;
    while (same < t.rank && same < dims->n && dims->kind == CG_ATTR_DIMS && t.dim[same] == dims->dims[same])
        same++;
    if (same == t.rank && same == dims->n)
        return x;
    if (cg_ref_is(b, x, "reshape"))
        return reshape_to(b, cg_ref_in(b, x, 0), dims);
    if (dims->kind == CG_ATTR_DIMS && cg_ref_const(b, x, &v))
        return cg_fill(b, cg_type(t.dtype, dims->n, dims->dims), v);
    return CG_NONE;
}

/* An axis that stands alone in both shapes passes through; merged or split axes are left to `unknown`. */
static CgAxisRule reshape_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    const CgDim *dims[CG_MAX_RANK], *before = cg_dim_int(1), *p = cg_dim_int(1);
    CgInfer copy = *inf;
    int n;
    (void)operand;
    if (!dims_attr(&copy, "dims", &n, dims))
        return CG_AXIS_UNKNOWN;
    for (int i = 0; i < axis && before; i++)
        before = cg_dim_mul(before, inf->in[0].dim[i]);
    for (int j = 0; j < n && p; j++) {
        if (p == before && dims[j] == inf->in[0].dim[axis]) {
            to->axis = j;
            return CG_AXIS_POINTWISE;
        }
        p = cg_dim_mul(p, dims[j]);
    }
    return CG_AXIS_UNKNOWN;
}

/* ---- transpose ---- */

static bool transpose_shape(CgInfer *inf)
{
    int64_t perm[CG_MAX_RANK];
    const CgType *x = &inf->in[0];
    unsigned seen = 0;
    if (!ints_attr(inf, "perm", x->rank, perm))
        return false;
    inf->out[0] = *x;
    for (int i = 0; i < x->rank; i++) {
        if (perm[i] < 0 || perm[i] >= x->rank || (seen & 1u << perm[i]))
            return cg_infer_fail(inf, 0, -1, "transpose: perm must name each of the %d axes once", x->rank);
        seen |= 1u << perm[i];
        inf->out[0].dim[i] = x->dim[perm[i]];
    }
    return true;
}

static bool transpose_view(const CgCall *call, CgTensor *out)
{
    const CgAttr *perm = cg_attr_find(call->attrs, "perm");
    for (int i = 0; i < out->rank; i++)
        out->stride[i] = call->in[0].stride[perm->ints[i]];
    out->data = call->in[0].data;
    return true;
}

static void transpose_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    const CgAttr *perm = cg_attr_find(site->attrs, "perm");
    int64_t back[CG_MAX_RANK];
    for (int i = 0; i < perm->n; i++)
        back[perm->ints[i]] = i;
    gin[0] = cg_transpose(b, site->gout[0], back);
}

static CgRef transpose_fold(CgBuild *b, const CgSite *site)
{
    const CgAttr *perm = cg_attr_find(site->attrs, "perm");
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    double v;
    int i = 0;
    while (i < perm->n && perm->ints[i] == i)
        i++;
    if (i == perm->n)
        return x;
    if (cg_ref_is(b, x, "transpose")) {
        const CgAttr *inner = cg_attr_find(cg_ref_attrs(b, x), "perm");
        int64_t both[CG_MAX_RANK];
        for (i = 0; i < perm->n; i++)
            both[i] = inner->ints[perm->ints[i]];
        return cg_transpose(b, cg_ref_in(b, x, 0), both);
    }
    if (cg_ref_const(b, x, &v)) {
        CgType to = t;
        for (i = 0; i < t.rank; i++)
            to.dim[i] = t.dim[perm->ints[i]];
        return cg_fill(b, to, v);
    }
    return CG_NONE;
}

static CgAxisRule transpose_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    const CgAttr *perm = cg_attr_find(inf->attrs, "perm");
    (void)operand;
    for (int i = 0; i < perm->n; i++)
        if (perm->ints[i] == axis)
            to->axis = i;
    return CG_AXIS_POINTWISE;
}

/* ---- broadcast ---- */

static bool broadcast_shape(CgInfer *inf)
{
    const CgDim *dims[CG_MAX_RANK];
    int64_t axes[CG_MAX_RANK], next = 0;
    const CgType *x = &inf->in[0];
    int n;
    if (!dims_attr(inf, "dims", &n, dims) || !ints_attr(inf, "axes", n, axes))
        return false;
    for (int i = 0; i < n; i++) {
        if (axes[i] == -1)
            continue;
        if (axes[i] != next)
            return cg_infer_fail(inf, 0, -1, "broadcast: axes must name the operand's %d axes once, in order", x->rank);
        if (next >= x->rank)
            return cg_infer_fail(inf, 0, -1, "broadcast: there is no axis %d", (int)next);
        if (dims[i] != x->dim[next])
            return cg_infer_fail(inf, 0, (int)next, "broadcast: axis %d may not change its size", (int)next);
        next++;
    }
    if (next != x->rank)
        return cg_infer_fail(inf, 0, -1, "broadcast: axes must name the operand's %d axes once, in order", x->rank);
    inf->out[0] = cg_type(x->dtype, n, dims);
    return true;
}

static bool broadcast_view(const CgCall *call, CgTensor *out)
{
    const CgAttr *axes = cg_attr_find(call->attrs, "axes");
    for (int i = 0; i < out->rank; i++)
        out->stride[i] = axes->ints[i] < 0 ? 0 : call->in[0].stride[axes->ints[i]];
    out->data = call->in[0].data;
    return true;
}

/* Each element was used once along every new axis. */
static void broadcast_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    const CgAttr *axes = cg_attr_find(site->attrs, "axes");
    int64_t fresh[CG_MAX_RANK];
    int n = 0;
    for (int i = 0; i < axes->n; i++)
        if (axes->ints[i] < 0)
            fresh[n++] = i;
    gin[0] = cg_sum(b, site->gout[0], n, fresh);
}

static CgRef broadcast_fold(CgBuild *b, const CgSite *site)
{
    const CgAttr *axes = cg_attr_find(site->attrs, "axes"), *dims = cg_attr_find(site->attrs, "dims");
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    double v;
    if (axes->n == t.rank)
        return x; /* no new axis */
    if (dims->kind != CG_ATTR_DIMS)
        return CG_NONE;
    if (cg_ref_is(b, x, "broadcast")) {
        const CgAttr *inner = cg_attr_find(cg_ref_attrs(b, x), "axes");
        int64_t both[CG_MAX_RANK];
        for (int i = 0; i < axes->n; i++)
            both[i] = axes->ints[i] < 0 ? -1 : inner->ints[axes->ints[i]];
        return cg_broadcast(b, cg_ref_in(b, x, 0), dims->n, dims->dims, both);
    }
    if (t.rank > 0 && cg_ref_const(b, x, &v))
        return cg_fill(b, cg_type(t.dtype, dims->n, dims->dims), v);
    return CG_NONE;
}

static CgAxisRule broadcast_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    const CgAttr *axes = cg_attr_find(inf->attrs, "axes");
    (void)operand;
    for (int i = 0; i < axes->n; i++)
        if (axes->ints[i] == axis)
            to->axis = i;
    return CG_AXIS_POINTWISE;
}

/* ---- slice and pad, which are each other's derivative ---- */

/* What [from, to) has of [begin, end), counted from begin; false where that depends on symbols. */
static bool overlap(
    const CgDim *from, const CgDim *to, const CgDim *begin, const CgDim *end, const CgDim **low, const CgDim **high)
{
    const CgDim *first, *last;
    if (cg_dim_at_most(to, begin) || cg_dim_at_most(end, from)) {
        *low = *high = cg_dim_int(0);
        return true;
    }
    if (cg_dim_at_most(begin, from))
        first = from;
    else if (cg_dim_at_most(from, begin))
        first = begin;
    else
        return false;
    if (cg_dim_at_most(to, end))
        last = to;
    else if (cg_dim_at_most(end, to))
        last = end;
    else
        return false;
    *low = cg_dim_sub(first, begin);
    *high = cg_dim_sub(last, begin);
    return true;
}

static bool slice_shape(CgInfer *inf)
{
    const CgDim *from, *to;
    int axis;
    if (!cg_infer_axis(inf, "axis", 0, &axis) || !size_attr(inf, "from", &from) || !size_attr(inf, "to", &to))
        return false;
    inf->out[0] = inf->in[0];
    inf->out[0].dim[axis] = cg_dim_sub(to, from);
    return cg_infer_at_most(inf, -1, "from", from, "to", to)
        && cg_infer_at_most(inf, axis, "to", to, "the end,", inf->in[0].dim[axis]);
}

static bool slice_view(const CgCall *call, CgTensor *out)
{
    const CgTensor *x = &call->in[0];
    int axis = cg_axis(call->attrs, "axis", x->rank);
    for (int i = 0; i < out->rank; i++)
        out->stride[i] = x->stride[i];
    out->data = at_offset(x->data, cg_attr_size(call->attrs, "from", 0) * x->stride[axis], x->dtype);
    return true;
}

static void slice_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    gin[0] = cg_pad(b, site->gout[0], axis, cg_attr_dim(site->attrs, "from"),
        cg_dim_sub(t.dim[axis], cg_attr_dim(site->attrs, "to")));
}

/* The tensor of a concat that holds all of [from, to), and what of it that is; CG_NONE where several do. */
static CgRef holder(CgBuild *b, CgRef joined, int axis, const CgDim **from, const CgDim **to)
{
    const CgDim *at = cg_dim_int(0), *n = cg_dim_sub(*to, *from), *low, *high;
    for (int k = 0; k < cg_ref_nin(b, joined); k++) {
        CgRef x = cg_ref_in(b, joined, k);
        const CgDim *end = cg_dim_add(at, cg_ref_type(b, x).dim[axis]);
        if (!overlap(*from, *to, at, end, &low, &high))
            return CG_NONE;
        if (low != high) {
            *from = low;
            *to = high;
            return cg_dim_sub(high, low) == n ? x : CG_NONE;
        }
        at = end;
    }
    return CG_NONE;
}

static CgRef slice_fold(CgBuild *b, const CgSite *site)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    const CgDim *from = cg_attr_dim(site->attrs, "from"), *to = cg_attr_dim(site->attrs, "to");
    double v;
    int64_t zero;
    if (cg_dim_is_int(from, &zero) && zero == 0 && to == t.dim[axis])
        return x;
    if (cg_ref_is(b, x, "slice") && cg_axis(cg_ref_attrs(b, x), "axis", t.rank) == axis) {
        const CgDim *base = cg_attr_dim(cg_ref_attrs(b, x), "from");
        return cg_slice(b, cg_ref_in(b, x, 0), axis, cg_dim_add(base, from), cg_dim_add(base, to));
    }
    if (cg_ref_is(b, x, "concat") && cg_axis(cg_ref_attrs(b, x), "axis", t.rank) == axis) {
        CgRef shard = holder(b, x, axis, &from, &to);
        return shard == CG_NONE ? CG_NONE : cg_slice(b, shard, axis, from, to);
    }
    if (!cg_ref_const(b, x, &v))
        return CG_NONE;
    t.dim[axis] = cg_dim_sub(to, from);
    return cg_fill(b, t, v);
}

static CgAxisRule slice_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    (void)operand;
    to->axis = axis;
    if (axis == cg_axis(inf->attrs, "axis", inf->in[0].rank))
        to->shift = cg_dim_sub(cg_dim_int(0), cg_attr_dim(inf->attrs, "from"));
    return CG_AXIS_POINTWISE;
}

/* Places of the result lie `from` further on in x; what is left of the slice keeps them all. */
static bool slice_slice_rule(const CgInfer *inf, CgSlice *slice)
{
    const CgDim *base = cg_attr_dim(inf->attrs, "from"), *none = cg_dim_int(0), *n = cg_dim_sub(slice->to, slice->from);
    if (slice->axis != cg_axis(inf->attrs, "axis", inf->in[0].rank))
        return true;
    slice->in[0].axis = slice->axis;
    slice->in[0].from = cg_dim_add(base, slice->from);
    slice->in[0].to = cg_dim_add(base, slice->to);
    slice->attrs = cg_attrs_with(cg_attrs_with(inf->attrs, cg_a_dims("from", 1, &none)), cg_a_dims("to", 1, &n));
    return true;
}

static bool pad_shape(CgInfer *inf)
{
    const CgDim *before, *after;
    double value = cg_attr_float(inf->attrs, "value", 0);
    int axis;
    if (!cg_dtype_has_derivative(inf->in[0].dtype) && !(value == rint(value) && fabs(value) < 0x1p31))
        return cg_infer_fail(
            inf, -1, -1, "the value %g is no element of type %s", value, cg_dtype_name(inf->in[0].dtype));
    if (!cg_infer_axis(inf, "axis", 0, &axis) || !size_attr(inf, "before", &before) || !size_attr(inf, "after", &after))
        return false;
    inf->out[0] = inf->in[0];
    inf->out[0].dim[axis] = cg_dim_add(cg_dim_add(before, inf->in[0].dim[axis]), after);
    return true;
}

/* Fills y with one number. */
static void fill_range(const CgTensor *y, double value, CgShard shard)
{
    int64_t element = 0;
    CgTensor one = *y;
    cg_element_put(y->dtype, &element, value);
    one.data = &element;
    for (int i = 0; i < one.rank; i++)
        one.stride[i] = 0;
    cg_tensor_copy(y, &one, shard);
}

/* The shard [from, from + n) of y along the axis. */
static CgTensor window(const CgTensor *y, int axis, int64_t from, int64_t n)
{
    CgTensor w = *y;
    w.dim[axis] = n;
    if (from)
        w.data = at_offset(y->data, from * y->stride[axis], y->dtype);
    return w;
}

static void pad_kernel(const CgCall *call, CgShard shard)
{
    const CgTensor *x = &call->in[0], *y = &call->out[0];
    int axis = cg_axis(call->attrs, "axis", x->rank);
    int64_t before = cg_attr_size(call->attrs, "before", 0), end = before + x->dim[axis];
    double value = cg_attr_float(call->attrs, "value", 0);
    CgTensor left = window(y, axis, 0, before), middle = window(y, axis, before, x->dim[axis]),
             right = window(y, axis, end, y->dim[axis] - end);
    fill_range(&left, value, shard);
    cg_tensor_copy(&middle, x, shard);
    fill_range(&right, value, shard);
}

static void pad_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    CgType t = cg_ref_type(b, site->in[0]);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    const CgDim *before = cg_attr_dim(site->attrs, "before");
    gin[0] = cg_slice(b, site->gout[0], axis, before, cg_dim_add(before, t.dim[axis]));
}

static CgRef pad_fold(CgBuild *b, const CgSite *site)
{
    const CgDim *before = cg_attr_dim(site->attrs, "before"), *after = cg_attr_dim(site->attrs, "after");
    CgType t = cg_ref_type(b, site->in[0]);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    int64_t left, right;
    double v;
    if (cg_dim_is_int(before, &left) && cg_dim_is_int(after, &right) && left == 0 && right == 0)
        return site->in[0];
    if (cg_attr_find(site->attrs, "value") && cg_attr_float(site->attrs, "value", 0) == 0)
        return cg_pad(b, site->in[0], axis, before, after); /* one spelling */
    if (!cg_ref_const(b, site->in[0], &v) || v != cg_attr_float(site->attrs, "value", 0))
        return CG_NONE;
    t.dim[axis] = cg_dim_add(cg_dim_add(before, t.dim[axis]), after);
    return cg_fill(b, t, v);
}

static CgAxisRule pad_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    (void)operand;
    to->axis = axis;
    if (axis == cg_axis(inf->attrs, "axis", inf->in[0].rank))
        to->shift = cg_attr_dim(inf->attrs, "before");
    return CG_AXIS_POINTWISE;
}

/* Zeros before and after as far as they are wanted; places that are zeros alone are left as they are. */
static bool pad_slice_rule(const CgInfer *inf, CgSlice *slice)
{
    const CgDim *before = cg_attr_dim(inf->attrs, "before"), *n = inf->in[0].dim[slice->axis], *low, *high;
    if (slice->axis != cg_axis(inf->attrs, "axis", inf->in[0].rank))
        return true;
    if (!overlap(slice->from, slice->to, before, cg_dim_add(before, n), &low, &high) || low == high)
        return false;
    slice->in[0].axis = slice->axis;
    slice->in[0].from = low;
    slice->in[0].to = high;
    const CgDim *left = cg_dim_sub(cg_dim_add(before, low), slice->from),
                *right = cg_dim_sub(slice->to, cg_dim_add(before, high));
    slice->attrs =
        cg_attrs_with(cg_attrs_with(inf->attrs, cg_a_dims("before", 1, &left)), cg_a_dims("after", 1, &right));
    return true;
}

/* ---- flip ---- */

static bool flip_shape(CgInfer *inf)
{
    int axis;
    inf->out[0] = inf->in[0];
    return cg_infer_axis(inf, "axis", 0, &axis);
}

static bool flip_view(const CgCall *call, CgTensor *out)
{
    const CgTensor *x = &call->in[0];
    int axis = cg_axis(call->attrs, "axis", x->rank);
    for (int i = 0; i < out->rank; i++)
        out->stride[i] = x->stride[i];
    out->stride[axis] = -x->stride[axis];
    out->data = x->dim[axis] ? at_offset(x->data, (x->dim[axis] - 1) * x->stride[axis], x->dtype) : x->data;
    return true;
}

static void flip_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    gin[0] = cg_build(b, "flip", 1, &site->gout[0], site->attrs);
}

static CgRef flip_fold(CgBuild *b, const CgSite *site)
{
    CgRef x = site->in[0];
    CgType t = cg_ref_type(b, x);
    int axis = cg_axis(site->attrs, "axis", t.rank);
    int64_t n;
    double v;
    if (cg_ref_const(b, x, &v) || (cg_dim_is_int(t.dim[axis], &n) && n < 2))
        return x;
    if (cg_ref_is(b, x, "flip") && cg_axis(cg_ref_attrs(b, x), "axis", t.rank) == axis)
        return cg_ref_in(b, x, 0);
    return CG_NONE;
}

/* ---- concat ---- */

static bool concat_shape(CgInfer *inf)
{
    int axis;
    if (inf->nin < 1)
        return cg_infer_fail(inf, -1, -1, "concat needs at least one tensor");
    if (!cg_infer_axis(inf, "axis", 0, &axis))
        return false;
    inf->out[0] = inf->in[0];
    for (int k = 1; k < inf->nin; k++) {
        if (!cg_want_dtype(inf, k, 0) || !cg_want_rank(inf, k, inf->in[0].rank, inf->in[0].rank)
            || !cg_want_axes(inf, k, 0, 0, axis) || !cg_want_axes(inf, k, 0, axis + 1, inf->in[0].rank))
            return false;
        inf->out[0].dim[axis] = cg_dim_add(inf->out[0].dim[axis], inf->in[k].dim[axis]);
        if (!inf->out[0].dim[axis])
            return cg_infer_fail(inf, k, axis, "concat: the result is too large");
    }
    return true;
}

static void concat_kernel(const CgCall *call, CgShard shard)
{
    const CgTensor *y = &call->out[0];
    int axis = cg_axis(call->attrs, "axis", y->rank);
    int64_t from = 0;
    for (int k = 0; k < call->nin; k++) {
        CgTensor w = window(y, axis, from, call->in[k].dim[axis]);
        if (w.data != call->in[k].data)
            cg_tensor_copy(&w, &call->in[k], shard); /* or it was made there */
        from += call->in[k].dim[axis];
    }
}

static void concat_subview(const CgCall *call, int i, CgTensor *subview)
{
    int axis = cg_axis(call->attrs, "axis", call->out->rank);
    int64_t from = 0;
    for (int k = 0; k < i; k++)
        from += call->in[k].dim[axis];
    *subview = window(call->out, axis, from, call->in[i].dim[axis]);
}

static void concat_vjp(CgBuild *b, const CgSite *site, CgRef *gin)
{
    int axis = cg_axis(site->attrs, "axis", cg_ref_type(b, site->in[0]).rank);
    const CgDim *from = cg_dim_int(0);
    for (int k = 0; k < site->nin; k++) {
        const CgDim *to = cg_dim_add(from, cg_ref_type(b, site->in[k]).dim[axis]);
        gin[k] = cg_slice(b, site->gout[0], axis, from, to);
        from = to;
    }
}

static CgAxisRule concat_axis_rule(const CgInfer *inf, int operand, int axis, CgAxisTo *to)
{
    to->axis = axis;
    if (axis != cg_axis(inf->attrs, "axis", inf->in[0].rank))
        return CG_AXIS_POINTWISE;
    to->shift = cg_dim_int(0);
    for (int k = 0; k < operand; k++)
        to->shift = cg_dim_add(to->shift, inf->in[k].dim[axis]);
    return CG_AXIS_POINTWISE;
}

/* Of each tensor what it has of the places, which may be nothing. */
static bool concat_slice_rule(const CgInfer *inf, CgSlice *slice)
{
    const CgDim *at = cg_dim_int(0);
    if (slice->axis != cg_axis(inf->attrs, "axis", inf->in[0].rank))
        return true;
    for (int k = 0; k < inf->nin; k++) {
        const CgDim *end = cg_dim_add(at, inf->in[k].dim[slice->axis]);
        slice->in[k].axis = slice->axis;
        if (!overlap(slice->from, slice->to, at, end, &slice->in[k].from, &slice->in[k].to))
            return false;
        at = end;
    }
    return true;
}

static CgRef concat_fold(CgBuild *b, const CgSite *site)
{
    (void)b;
    return site->nin == 1 ? site->in[0] : CG_NONE;
}

/* ---- the ops ---- */

static const CgSample reshape_samples[] = {
    { .in = "F[3,5,7]", .attrs = "dims=[15, 7]", .low = -2.385, .high = 2.385 },
    { .in = "F[6,5]", .attrs = "dims=[2, 3, 5]", .low = -2.385, .high = 2.385 },
    { .in = "i32[2,3,5]", .attrs = "dims=[5, 6]", .low = -23, .high = 23 },
    { .in = NULL },
};
static const CgSample transpose_samples[] = {
    { .in = "F[3,5]", .attrs = "perm=(1, 0)", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5,7]", .attrs = "perm=(0, 2, 1, 3)", .low = -2.385, .high = 2.385 },
    { .in = "bool[2,3,5]", .attrs = "perm=(2, 0, 1)", .low = 0, .high = 1 },
    { .in = "F[2,3,5,7]", .attrs = "perm=(3, 0, 2, 1)", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample broadcast_samples[] = {
    { .in = "F[5]", .attrs = "dims=[3, 5], axes=(-1, 0)", .low = -2.385, .high = 2.385 },
    { .in = "F[3,5]", .attrs = "dims=[3, 7, 5, 2], axes=(0, -1, 1, -1)", .low = -2.385, .high = 2.385 },
    { .in = "F", .attrs = "dims=[3, 5], axes=(-1, -1)", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample slice_samples[] = {
    { .in = "F[3,11]", .attrs = "axis=1, from=[2], to=[7]", .low = -2.385, .high = 2.385 },
    { .in = "F[7,3,5]", .attrs = "axis=-3, from=[3], to=[7]", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};
static const CgSample pad_samples[] = {
    { .in = "F[3,5]", .attrs = "axis=1, before=[2], after=[3]", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5]", .attrs = "axis=0, before=[0], after=[3]", .low = -2.385, .high = 2.385 },
    { .in = "F[3,5]", .attrs = "axis=1, before=[2], after=[1], value=7.0", .low = -2.385, .high = 2.385 },
    { .in = "i32[3,5]", .attrs = "axis=0, before=[2], after=[1], value=-3.0", .low = -23, .high = 23 },
    { .in = NULL },
};
static const CgSample flip_samples[] = {
    { .in = "F[3,5]", .attrs = "axis=1", .low = -2.385, .high = 2.385 },
    { .in = "F[7,3,2]", .attrs = "axis=-3", .low = -2.385, .high = 2.385 },
    { .in = "i64[2,5,3]", .attrs = "axis=1", .low = -23, .high = 23 },
    { .in = NULL },
};
static const CgSample concat_samples[] = {
    { .in = "F[3,5] F[3,2] F[3,7]", .attrs = "axis=1", .low = -2.385, .high = 2.385 },
    { .in = "F[2,3,5] F[7,3,5]", .attrs = "axis=0", .low = -2.385, .high = 2.385 },
    { .in = NULL },
};

static const CgOp op_reshape = {
    CG_OP_HERE,
    .name = "reshape",
    .sig = "(x: T[..s], dims: dim | dim[]) -> T[..r]",
    .doc = "The same elements in row-major order under other axes. The number of elements may not change.\n",
    .below = cg_below_first,
    .shape = reshape_shape,
    .vjp = reshape_vjp,
    .view = reshape_view,
    .fold = reshape_fold,
    .axis_rule = reshape_axis_rule,
    .slice_rule = cg_slice_rule_dims,
    .traits = CG_LINEAR | CG_REARRANGES | CG_RESHAPES,
    .samples = reshape_samples,
};

static const CgOp op_transpose = {
    CG_OP_HERE,
    .name = "transpose",
    .sig = "(x: T[..s], perm: int[]) -> T[..r]",
    .doc = "The axes in another order: axis i of the result is axis perm[i] of x.\n",
    .below = cg_below_first,
    .shape = transpose_shape,
    .vjp = transpose_vjp,
    .view = transpose_view,
    .fold = transpose_fold,
    .axis_rule = transpose_axis_rule,
    .traits = CG_LINEAR | CG_REARRANGES,
    .samples = transpose_samples,
};

static const CgOp op_broadcast = {
    CG_OP_HERE,
    .name = "broadcast",
    .sig = "(x: T[..s], dims: dim | dim[], axes: int[]) -> T[..r]",
    .doc = "x repeated along new axes: axis i of the result is axis axes[i] of x, or new where axes[i] = -1.\n\n"
           "The axes of x keep their order and their sizes.\n",
    .below = cg_below_first,
    .shape = broadcast_shape,
    .vjp = broadcast_vjp,
    .view = broadcast_view,
    .fold = broadcast_fold,
    .axis_rule = broadcast_axis_rule,
    .slice_rule = cg_slice_rule_dims,
    .traits = CG_LINEAR | CG_REARRANGES | CG_REPEATS,
    .samples = broadcast_samples,
};

static const CgOp op_slice = {
    CG_OP_HERE,
    .name = "slice",
    .sig = "(x: T[..s], axis: axis, from: dim, to: dim) -> T[..r]",
    .doc = "The indices from (with) to to (without) along one axis. They must lie within x.\n",
    .below = cg_below_first,
    .shape = slice_shape,
    .vjp = slice_vjp,
    .view = slice_view,
    .fold = slice_fold,
    .axis_rule = slice_axis_rule,
    .slice_rule = slice_slice_rule,
    .traits = CG_LINEAR | CG_REARRANGES,
    .samples = slice_samples,
};

static const CgOp op_pad = {
    CG_OP_HERE,
    .name = "pad",
    .sig = "(x: T[..s], axis: axis, before: dim, after: dim, value: float = 0) -> T[..r]",
    .doc = "x with zeros, or another value, added before and after along one axis. `padded` of std.tensor has other "
           "modes.\n",
    .shape = pad_shape,
    .vjp = pad_vjp,
    .kernel = CG_ANY_KERNELS(pad_kernel),
    .work = cg_work_copy,
    .fold = pad_fold,
    .axis_rule = pad_axis_rule,
    .slice_rule = pad_slice_rule,
    .traits = CG_STRIDED,
    .samples = pad_samples,
};

static const CgOp op_flip = {
    CG_OP_HERE,
    .name = "flip",
    .sig = "(x: T[..s], axis: axis) -> T[..s]",
    .doc = "The elements of x in the opposite order along one axis. A view, no copy.\n",
    .below = cg_below_first,
    .shape = flip_shape,
    .vjp = flip_vjp,
    .view = flip_view,
    .fold = flip_fold,
    .axis_rule = cg_axis_rule_axis,
    .traits = CG_LINEAR | CG_REARRANGES,
    .samples = flip_samples,
};

static const CgOp op_concat = {
    CG_OP_HERE,
    .name = "concat",
    .sig = "(xs: tensors, axis: axis) -> T[..r]",
    .doc = "Tensors one after another along one axis. All other axes must agree.\n",
    .below = cg_below_operands,
    .shape = concat_shape,
    .vjp = concat_vjp,
    .kernel = CG_ANY_KERNELS(concat_kernel),
    .work = cg_work_copy,
    .fold = concat_fold,
    .axis_rule = concat_axis_rule,
    .slice_rule = concat_slice_rule,
    .subview = concat_subview,
    .traits = CG_STRIDED,
    .samples = concat_samples,
};

CG_OPS(shape, &op_reshape, &op_transpose, &op_broadcast, &op_slice, &op_pad, &op_flip, &op_concat)
