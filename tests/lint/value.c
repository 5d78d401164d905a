/* value.c - claims about the value of an op, run by hand: its form and shapes, layouts, places in memory, algebra,
 * precision. Takes cases; gives checks. Knows no op. */
#include "lint.h"

#include <math.h>
#include <string.h>
#include <stdlib.h>

#include <cg/elementwise.h>

#include "graph/registry.h"

/* ---- claims about the value ---- */

void claim_form(const CgOp *op)
{
    const CgSig *sig = cg_op_sig(op);
    const char *stop = strpbrk(op->doc, ".:");
    int nout = op->nout ? op->nout : 1;
    claim_begin(op, "form");
    check(strlen(op->doc) > 10 && stop, "the doc has no first sentence");
    check(op->doc[strlen(op->doc) - 1] == '\n', "the doc does not end with a line end");
    check(sig->stmt->nresults == nout || op->traits & CG_MANY_RESULTS, "the signature has %d results, the op %d",
        sig->stmt->nresults, nout);
    check(op->since && op->file, "since or CG_OP_HERE is missing");
    check((op->traits & CG_LEAF) || op->samples[0].in, "there is no sample");
    check(!(op->traits & CG_RANDOM) || strstr(op->sig, "stream"), "a random op needs the attribute stream");
    check(!op->incremental || (op->axis_rule && op->slice_rule && cg_op_find(op->incremental)),
        "an incremental form needs axis_rule, slice_rule and its op");
    for (int i = 0; i < sig->n; i++)
        check(sig->at[i].name && sig->at[i].name[0], "an argument has no name");
    claim_end();
}

/* Wrong shapes are refused with a message, or accepted and then computed without touching other memory. */
static void perturbed(const Case *c, int k, CgType type, const char *how)
{
    Case p = *c;
    CgInfer inf;
    p.type[k] = type;
    if (!infer(&p, &inf)) {
        check(inf.message[0] != 0, "operand %d %s is refused without a message", k, how);
        return;
    }
    int64_t n;
    for (int o = 0; o < inf.nout; o++)
        for (int i = 0; i < inf.out[o].rank; i++)
            if (!inf.out[o].dim[i] || !cg_dim_is_int(inf.out[o].dim[i], &n) || n < 0)
                return; /* the builder refuses it */
    if (!case_fill(&p))
        return;
    if (runs(p.op, dispatch(&p))) {
        Result r = run(p.op, &p, p.in, FORWARD);
        result_free(&r);
    }
    case_free(&p);
}

void claim_shape(const Case *c)
{
    CgInfer inf;
    if (!check(infer(c, &inf), "the shape rule refuses the sample: %s", inf.message))
        return;
    for (int k = 0; k < c->nin; k++) {
        for (int i = 0; i < c->type[k].rank; i++) {
            CgType t = c->type[k];
            t.dim[i] = cg_dim_int(size_of(t.dim[i]) + 1);
            perturbed(c, k, t, "with a longer axis");
            t.dim[i] = cg_dim_int(0);
            perturbed(c, k, t, "with an axis of length 0");
            t.dim[i] = cg_dim_int(1);
            perturbed(c, k, t, "with an axis of length 1");
        }
        CgType more = c->type[k], less = c->type[k];
        if (more.rank < CG_MAX_RANK) {
            more.dim[more.rank++] = cg_dim_int(3);
            perturbed(c, k, more, "with one more axis");
        }
        if (less.rank > 0) {
            less.dim[--less.rank] = NULL;
            perturbed(c, k, less, "with one axis less");
        }
        perturbed(c, k, cg_type(c->type[k].dtype, 0, NULL), "without axes");
        for (int d = 0; d < CG_NDTYPE; d++) {
            CgType t = c->type[k];
            t.dtype = (CgDtype)d;
            perturbed(c, k, t, "of another dtype");
        }
    }
    Case bare = *c;
    bare.attrs = NULL;
    if (!infer(&bare, &inf))
        check(inf.message[0] != 0, "missing attributes are refused without a message");
}

/* The greatest element of a tensor of integers, 0 where all are less; -1 where it has none or is no such tensor. */
static int64_t greatest(const CgTensor *t)
{
    int64_t n = cg_tensor_count(t), most = 0;
    if (!n || (t->dtype != CG_I32 && t->dtype != CG_I64))
        return -1;
    for (int64_t i = 0; i < n; i++) {
        double x = get(t->dtype, t->data, i);
        most = x > (double)most ? (int64_t)x : most;
    }
    return most;
}

/* No element of the result reaches what the op says it is below, by what its operands are below; of one operand at a
 * time that is not known. */
static void below_of(const Case *c, const CgTensor *operands)
{
    Result r = run(c->op, c, operands, FORWARD);
    int64_t most = greatest(&r.out[0]), said;
    for (int unknown = -1; most >= 0 && unknown < c->nin; unknown++) {
        const CgDim *in[CG_MAX_IN];
        CgInfer inf;
        for (int k = 0; k < c->nin; k++) {
            int64_t own = k == unknown ? -1 : greatest(&operands[k]);
            in[k] = own >= 0 ? cg_dim_int(own + 1) : NULL;
        }
        const CgDim *below = infer(c, &inf) ? c->op->below(&inf, in) : NULL;
        check(!below || !cg_dim_is_int(below, &said) || most < said,
            "an element is %lld, and all are said to be below %lld", (long long)most, (long long)said);
    }
    result_free(&r);
}

/* Of the sample's numbers, and of such as are from 0 to 2 in each operand of integers, among which the greatest meet.
 */
void claim_below(const Case *c)
{
    CgTensor few[CG_MAX_IN];
    Buffer data[CG_MAX_IN];
    if (!c->op->below || !runs(c->op, dispatch(c)))
        return;
    below_of(c, c->in);
    for (int k = 0; k < c->nin; k++) {
        few[k] = copy_of(&c->in[k], &data[k]);
        for (int64_t i = greatest(&few[k]) < 0 ? 0 : cg_tensor_count(&few[k]); i-- > 0;)
            put(few[k].dtype, few[k].data, i, fmod(get(few[k].dtype, few[k].data, i), 3));
    }
    below_of(c, few);
    for (int k = 0; k < c->nin; k++)
        buffer_free(data[k], "operand");
}

void claim_shards(const Case *c)
{
    if (!runs(c->op, dispatch(c)))
        return;
    Result a = run(c->op, c, c->in, FORWARD), b = run(c->op, c, c->in, BACKWARD);
    for (int k = 0; k < a.n; k++)
        same_bits(&a.out[k], &b.out[k], "shards in another order");
    result_free(&a);
    result_free(&b);
}

/* Other layouts of the same values: rows further apart, axes reversed in memory, no memory order at all. */
CgTensor relaid(const CgTensor *x, int layout, Buffer *data)
{
    CgTensor t = *x;
    int64_t step = layout == 2 ? 3 : 1;
    for (int j = 0; j < t.rank; j++) {
        int i = layout == 0 ? t.rank - 1 - j : layout == 1 ? j : (j + t.rank / 2) % t.rank;
        t.stride[i] = step;
        step *= t.dim[i] + (layout != 1 ? 3 : 0);
    }
    *data = buffer_new((size_t)(step + 1) * cg_dtype_size(t.dtype));
    t.data = at(*data);
    cg_tensor_copy(&t, x, (CgShard){ .count = 1 });
    return t;
}

/* Operand 0 as one number throughout is the same as that number written out. */
static void claim_spread(const Case *c)
{
    CgTensor in[CG_MAX_IN];
    Buffer data;
    if (!(c->op->traits & CG_SPREAD) || !c->in[0].rank || !cg_tensor_count(&c->in[0]))
        return;
    memcpy(in, c->in, sizeof in);
    for (int i = 0; i < in[0].rank; i++)
        in[0].stride[i] = 0;
    CgTensor flat = copy_of(&in[0], &data);
    Result found = run(c->op, c, in, FORWARD);
    in[0] = flat;
    Result expected = run(c->op, c, in, FORWARD);
    for (int k = 0; k < found.n; k++)
        same_bits(&found.out[k], &expected.out[k], "one number throughout");
    result_free(&found);
    result_free(&expected);
    buffer_free(data, "operand");
}

void claim_strided(const Case *c)
{
    CgDtype d = dispatch(c);
    if (runs(c->op, d))
        claim_spread(c);
    if (!runs(c->op, d) || !(c->op->traits & CG_STRIDED || c->op->vec[d] || c->op->view))
        return;
    Result want = run(c->op, c, c->in, FORWARD);
    double tolerance = c->op->traits & CG_ELEMENTWISE || c->op->view ? 0 : tolerance_of(c);
    for (int layout = 0; layout < 3; layout++)
        for (int only = -1; only < c->nin; only++) {
            CgTensor in[CG_MAX_IN];
            Buffer data[CG_MAX_IN];
            for (int k = 0; k < c->nin; k++)
                if (only < 0 || only == k)
                    in[k] = relaid(&c->in[k], layout, &data[k]);
                else
                    in[k] = c->in[k];
            CgTensor probe = tensor_of(&c->out_type[0], NULL);
            CgCall call = { .op = c->op, .nin = c->nin, .nout = 1, .in = in, .out = &probe, .attrs = c->attrs };
            if (!c->op->view || c->op->view(&call, &probe)) {
                Result found = run(c->op, c, in, FORWARD);
                for (int k = 0; k < want.n; k++)
                    near(&found.out[k], &want.out[k], tolerance, "strided operands");
                result_free(&found);
            }
            for (int k = 0; k < c->nin; k++)
                if (only < 0 || only == k)
                    buffer_free(data[k], "operand");
        }
    /* Repeated along each axis in turn. */
    for (int k = 0; k < c->nin; k++)
        for (int i = 0; i < c->in[k].rank; i++) {
            CgTensor in[CG_MAX_IN];
            Buffer data;
            memcpy(in, c->in, sizeof in);
            in[k].stride[i] = 0;
            CgTensor flat = copy_of(&in[k], &data);
            Result found = run(c->op, c, in, FORWARD);
            in[k] = flat;
            Result expected = run(c->op, c, in, FORWARD);
            CgTensor probe = tensor_of(&c->out_type[0], NULL);
            CgCall call = { .op = c->op, .nin = c->nin, .nout = 1, .in = in, .out = &probe, .attrs = c->attrs };
            in[k] = c->in[k];
            in[k].stride[i] = 0;
            if (!c->op->view || c->op->view(&call, &probe))
                for (int o = 0; o < want.n; o++)
                    near(&found.out[o], &expected.out[o], tolerance, "repeated operands");
            result_free(&found);
            result_free(&expected);
            buffer_free(data, "operand");
        }
    result_free(&want);
}

/* Results whose axes lie in another order, the last one innermost, are the same; over an operand that lies alike, too.
 */
void claim_any_order(const Case *c)
{
    if (!(c->op->traits & CG_ANY_ORDER) || !runs(c->op, dispatch(c)))
        return;
    Result want = run(c->op, c, c->in, FORWARD);
    for (int turn = 1; turn < 6; turn++)
        for (int over = -1; over < c->nin; over++) {
            Result found = result_new(c);
            CgTensor in[CG_MAX_IN];
            memcpy(in, c->in, sizeof in);
            for (int k = 0; k < found.n; k++) {
                CgTensor *t = &found.out[k];
                int outer = t->rank - 1;
                int64_t step = t->rank ? t->dim[outer] : 1;
                for (int j = 0; j < outer; j++) {
                    int i = turn < 3 ? (j + turn) % outer : (outer - 1 - j + turn) % outer;
                    t->stride[i] = step;
                    step *= t->dim[i];
                }
            }
            CgTensor y = found.out[0];
            bool may =
                over < 0 || (cg_bits_have(c->op->inplace, over) && cg_type_equal(&c->type[over], &c->out_type[0]));
            if (may && over >= 0) {
                cg_tensor_copy(&y, &c->in[over], (CgShard){ .count = 1 });
                in[over] = y;
            }
            if (may) {
                run_op(c->op, c, in, found.out, FORWARD);
                Result rows = result_new(c);
                for (int k = 0; k < want.n; k++) {
                    cg_tensor_copy(&rows.out[k], &found.out[k], (CgShard){ .count = 1 });
                    near(&rows.out[k], &want.out[k], tolerance_of(c), "results in another order");
                }
                result_free(&rows);
            }
            result_free(&found);
        }
    result_free(&want);
}

/* Result r of `found` over operand k; false when the op does not claim it or the types differ. */
static bool covers(const Case *c, int k, const Result *found, int r, CgTensor *in)
{
    bool vec = !c->op->kernel[dispatch(c)], may = vec || cg_bits_have(c->op->inplace, k);
    const CgTensor *y = &found->out[r];
    if (!may || c->in[k].dtype != y->dtype || cg_tensor_count(&c->in[k]) != cg_tensor_count(y))
        return false;
    memcpy(y->data, c->in[k].data, bytes_of(&c->in[k]));
    in[k].data = y->data;
    return true;
}

/* Each result over each operand, and each two over each two. */
void claim_inplace(const Case *c)
{
    CgDtype d = dispatch(c);
    if (!runs(c->op, d) || c->op->view)
        return;
    Result want = run(c->op, c, c->in, FORWARD);
    for (int all = 0; all < c->nin * want.n * c->nin * want.n; all++) {
        int k = all % c->nin, r = all / c->nin % want.n, l = all / c->nin / want.n % c->nin,
            q = all / c->nin / want.n / c->nin;
        CgTensor in[CG_MAX_IN];
        memcpy(in, c->in, sizeof in);
        if ((k == l) != (r == q))
            continue;
        Result found = result_new(c);
        if (covers(c, k, &found, r, in) && (k == l || covers(c, l, &found, q, in))) {
            run_op(c->op, c, in, found.out, FORWARD);
            for (int o = 0; o < want.n; o++)
                same_bits(&found.out[o], &want.out[o], "result over an operand");
        }
        result_free(&found);
    }
    result_free(&want);
}

/* What a kernel notes of its results: as they are, and where an operand holds an infinity. */
void claim_finite(const Case *c)
{
    if (!c->op->checks || !runs(c->op, dispatch(c)))
        return;
    for (int k = -1; k < c->nin; k++) {
        CgTensor in[CG_MAX_IN];
        Buffer data;
        memcpy(in, c->in, sizeof in);
        if (k >= 0 && (!cg_dtype_is_float(in[k].dtype) || !cg_tensor_count(&in[k])))
            continue;
        if (k >= 0) {
            in[k] = copy_of(&in[k], &data);
            put(in[k].dtype, in[k].data, cg_tensor_count(&in[k]) / 2, INFINITY);
        }
        Result r = run(c->op, c, in, FORWARD);
        bool noted = noted_not_finite(), odd = false;
        for (int o = 0; o < r.n; o++)
            for (int64_t e = 0; cg_bits_have(c->op->checks, o) && e < cg_tensor_count(&r.out[o]); e++)
                odd |= !isfinite(get(r.out[o].dtype, r.out[o].data, e));
        check(noted == odd, "operand %d infinite: it notes %d, and %s of what it checks is not finite", k, noted,
            odd ? "some" : "nothing");
        result_free(&r);
        if (k >= 0)
            buffer_free(data, "operand");
    }
}

/* Only the elements that `axis_rule` allows change when one index of an operand does. */
void claim_axis_rule(const Case *c)
{
    if ((!c->op->axis_rule && !(c->op->traits & CG_ELEMENTWISE)) || !runs(c->op, dispatch(c)) || c->op->view)
        return;
    CgInfer inf;
    if (!infer(c, &inf))
        return;
    Result before = run(c->op, c, c->in, FORWARD);
    for (int k = 0; k < c->nin; k++)
        for (int axis = 0; axis < c->in[k].rank; axis++) {
            CgAxisTo where = { axis, NULL };
            CgAxisRule rule = c->op->axis_rule ? c->op->axis_rule(&inf, k, axis, &where) : CG_AXIS_POINTWISE;
            int to = where.axis;
            if (rule != CG_AXIS_POINTWISE && rule != CG_AXIS_CAUSAL)
                continue;
            if (!check(to >= 0 && to < before.out[0].rank, "the rule of operand %d axis %d names axis %d of the result",
                    k, axis, to))
                continue;
            int64_t n = c->in[k].dim[axis], m = before.out[0].dim[to], pick = n / 2, shift = 0;
            check(!where.shift || (cg_dim_is_int(where.shift, &shift) && c->op->slice_rule),
                "the rule of operand %d axis %d: a shift, but no `slice_rule`", k, axis);
            CgTensor in[CG_MAX_IN];
            memcpy(in, c->in, sizeof in);
            Buffer data;
            in[k] = copy_of(&in[k], &data);
            int64_t inner = 1, outer = 1;
            for (int i = axis + 1; i < in[k].rank; i++)
                inner *= in[k].dim[i];
            for (int64_t e = 0, count = cg_tensor_count(&in[k]); e < count; e++)
                if (e / inner % n == pick)
                    put(in[k].dtype, in[k].data, e,
                        cg_dtype_is_float(in[k].dtype) ? get(in[k].dtype, in[k].data, e) * 0.917 + 0.01
                                                       : get(in[k].dtype, in[k].data, e) == 0);
            Result after = run(c->op, c, in, FORWARD);
            for (int i = to + 1; i < before.out[0].rank; i++)
                outer *= before.out[0].dim[i];
            size_t size = cg_dtype_size(before.out[0].dtype);
            bool kept = true;
            for (int64_t e = 0, count = cg_tensor_count(&before.out[0]); e < count; e++) {
                int64_t i = e / outer % m;
                bool may = rule == CG_AXIS_POINTWISE ? i == pick + shift : i >= pick + shift;
                if (!may)
                    kept &= memcmp((char *)before.out[0].data + (size_t)e * size,
                                (char *)after.out[0].data + (size_t)e * size, size)
                        == 0;
            }
            check(kept, "index %lld of operand %d axis %d reaches further than `axis_rule` says", (long long)pick, k,
                axis);
            result_free(&after);
            buffer_free(data, "operand");
        }
    result_free(&before);
}

/* ---- algebra ---- */

static void combine(const CgTensor *to, double a, const CgTensor *x, double b, const CgTensor *y)
{
    for (int64_t i = 0, n = cg_tensor_count(to); i < n; i++)
        put(to->dtype, to->data, i, a * get(x->dtype, x->data, i) + (y ? b * get(y->dtype, y->data, i) : 0));
}

/* Number by number, in f64. */
static void add_up(const CgTensor *to, const CgTensor *x, const CgAttr *axes)
{
    bool summed[CG_MAX_RANK] = { false };
    for (int i = 0; i < axes->n; i++)
        summed[axes->ints[i] < 0 ? axes->ints[i] + x->rank : axes->ints[i]] = true;
    for (int64_t i = 0, n = cg_tensor_count(to); i < n; i++)
        put(to->dtype, to->data, i, 0);
    for (int64_t i = 0, n = cg_tensor_count(x); i < n; i++) {
        int64_t rest = i, at = 0, step = 1;
        for (int a = x->rank - 1; a >= 0; rest /= x->dim[a--]) {
            if (summed[a])
                continue;
            at += rest % x->dim[a] * step;
            step *= x->dim[a];
        }
        put(to->dtype, to->data, at, get(to->dtype, to->data, at) + get(x->dtype, x->data, i));
    }
}

void claim_algebra(const Case *c)
{
    const CgOp *op = c->op;
    if (!runs(op, dispatch(c)))
        return;
    Result xy = run(op, c, c->in, FORWARD);
    double tolerance = tolerance_of(c);
    if (op->traits & CG_COMMUTES) {
        Result yx = run(op, c, (CgTensor[2]){ c->in[1], c->in[0] }, FORWARD);
        same_bits(&xy.out[0], &yx.out[0], "f(x, y) = f(y, x)");
        result_free(&yx);
    }
    if (op->traits & CG_ASSOCIATES) {
        Case third = *c;
        case_fill(&third);
        Result left = run(op, c, (CgTensor[2]){ xy.out[0], third.in[0] }, FORWARD);
        Result yz = run(op, c, (CgTensor[2]){ c->in[1], third.in[0] }, FORWARD);
        Result right = run(op, c, (CgTensor[2]){ c->in[0], yz.out[0] }, FORWARD);
        near(&left.out[0], &right.out[0], tolerance, "f(f(x, y), z) = f(x, f(y, z))");
        result_free(&left);
        result_free(&yz);
        result_free(&right);
        case_free(&third);
    }
    if (op->traits & CG_IDEMPOTENT && cg_type_equal(&c->type[0], &c->out_type[0])) {
        Result twice = run(op, c, xy.out, FORWARD);
        same_bits(&twice.out[0], &xy.out[0], "f(f(x)) = f(x)");
        result_free(&twice);
    }
    if (op->traits & CG_ADDS_UP) {
        Result want = result_new(c);
        add_up(&want.out[0], &c->in[0], cg_attr_find(c->attrs, "axes"));
        near(&xy.out[0], &want.out[0], tolerance, "adds up operand 0 along the axes");
        result_free(&want);
    }
    for (int k = 0; op->traits & CG_LINEAR && k < c->nin; k++) {
        if (!cg_dtype_is_float(c->in[k].dtype))
            continue;
        Case other = *c;
        case_fill(&other);
        CgTensor in[CG_MAX_IN], mixed = other.in[k];
        memcpy(in, c->in, sizeof in);
        in[k] = other.in[k];
        Result fy = run(op, c, in, FORWARD), want = result_new(c);
        combine(&want.out[0], 2.385, &xy.out[0], -0.71, &fy.out[0]);
        combine(&mixed, 2.385, &c->in[k], -0.71, &other.in[k]);
        in[k] = mixed;
        Result found = run(op, c, in, FORWARD);
        near(&found.out[0], &want.out[0], tolerance, "linear in every operand");
        result_free(&fy);
        result_free(&want);
        result_free(&found);
        case_free(&other);
    }
    result_free(&xy);
}

/* ---- precision ---- */

static bool noticed; /* rounding to bf16 made a difference to some sample of the op, or its expansion has products */

void products_noticed(bool seen) { noticed |= seen; }

/* Whoever rounds operands of products, or expands to what does, must say so: the node has a precision only then. */
void claim_products(const CgOp *op)
{
    bool says = op->traits & CG_PRODUCTS;
    check(says || !noticed, "it has products and is not CG_PRODUCTS");
    check(!says || noticed, "it is CG_PRODUCTS, and nothing in it is in bf16 when asked for");
    noticed = false; /* of the next op nothing is known */
}

/* The same op compiled without newer instructions; NULL for a plugin's. */
static const CgOp *base_op(const CgOp *op)
{
    size_t n;
    const CgIsa *isas = cg_registry_isas(&n);
    for (const CgOpSet *const *set = isas[n - 1].sets; *set; set++)
        for (const CgOp *const *o = (*set)->ops; *o; o++)
            if (!strcmp((*o)->name, op->name))
                return *o;
    return NULL;
}

void claim_precision(const Case *c)
{
    const CgOp *base = base_op(c->op);
    if (!runs(c->op, dispatch(c)))
        return;
    Result found = run(c->op, c, c->in, FORWARD);
    if (base && runs(base, dispatch(c))) {
        Case b = *c;
        b.op = base;
        Result plain = run(base, &b, c->in, FORWARD);
        for (int k = 0; k < found.n; k++)
            near(&found.out[k], &plain.out[k], tolerance_of(c), "plain instructions and these");
        result_free(&plain);
    }
    if (c->dtype == CG_F32 && (strstr(c->sample->in, "F") || c->nin == 0)) {
        Case wide;
        if (case_make(&wide, c->op, c->sample, CG_F64) && case_fill(&wide)) {
            for (int k = 0; k < c->nin; k++)
                combine(&wide.in[k], 1, &c->in[k], 0, NULL);
            if (runs(c->op, dispatch(&wide))) {
                Result exact = run(c->op, &wide, wide.in, FORWARD);
                for (int k = 0; k < found.n; k++)
                    near(&found.out[k], &exact.out[k], 3e-5, "f32 and f64");
                Result rough = run_bf16(c->op, c, c->in); /* as before where there is no product */
                for (int k = 0; k < found.n; k++) {
                    near(&rough.out[k], &exact.out[k], 3e-2, "bf16 and f64");
                    products_noticed(memcmp(rough.out[k].data, found.out[k].data, bytes_of(&found.out[k])) != 0);
                }
                result_free(&rough);
                result_free(&exact);
            }
            case_free(&wide);
        }
        free(wide.attrs);
    }
    result_free(&found);
}
