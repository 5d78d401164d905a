/* op_lint.c - is what the ops say of themselves true?
 * Takes [--op NAME] [PLUGIN.so ...]: all ops known, or those of the plugins; gives TAP, a line a claim.
 * Knows no op: all it tries follows from CgOp and its samples. Accuses the op's file, named in each line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>

#include "graph/cut.h"
#include "graph/grad.h"
#include "graph/registry.h"
#include "graph/text.h"
#include "run/exec.h"
#include "unit/tap.h"

#define GUARD      256      /* bytes around every buffer that no kernel may change */
#define FEW        400      /* operands up to this many elements are tried one by one, larger ones in one direction */
#define POISON     0xa7

/* ---- a claim: many checks, one line ---- */

static const CgOp *claim_op;
static const char *claim_name;
static bool claim_good;
static int  claim_checks;

static void claim_begin(const CgOp *op, const char *name)
{
    claim_op = op;
    claim_name = name;
    claim_good = true;
    claim_checks = 0;
}

__attribute__((format(printf, 2, 3))) static bool check(bool good, const char *format, ...)
{
    va_list args;
    claim_checks++;
    if (good) return true;
    if (claim_good) {           /* the first failure of a claim is enough to look for */
        va_start(args, format);
        printf("# %s, %s: ", claim_op->name, claim_name);
        vprintf(format, args);
        putchar('\n');
        va_end(args);
    }
    claim_good = false;
    return false;
}

static void claim_end(void)
{
    const char *file = strrchr(claim_op->file, '/');
    if (claim_checks) tap_ok(claim_good, "%s: %s (%s:%d)", claim_op->name, claim_name, file ? file + 1 : claim_op->file, claim_op->line);
}

/* ---- numbers ---- */

static uint64_t random_state = 0x2385;

static double draw(void)
{
    random_state += 0x9e3779b97f4a7c15u;
    uint64_t z = random_state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static double get(CgDtype d, const void *p, int64_t i)
{
    switch (d) {
    case CG_F32: return (double)((const float *)p)[i];
    case CG_F64: return ((const double *)p)[i];
    case CG_I32: return (double)((const int32_t *)p)[i];
    case CG_I64: return (double)((const int64_t *)p)[i];
    default:     return (double)((const uint8_t *)p)[i];
    }
}

static void put(CgDtype d, void *p, int64_t i, double v)
{
    switch (d) {
    case CG_F32: ((float *)p)[i] = (float)v; break;
    case CG_F64: ((double *)p)[i] = v; break;
    case CG_I32: ((int32_t *)p)[i] = (int32_t)v; break;
    case CG_I64: ((int64_t *)p)[i] = (int64_t)v; break;
    default:     ((uint8_t *)p)[i] = v != 0; break;
    }
}

/* ---- buffers with guards ---- */

typedef struct Buffer { unsigned char *base; size_t bytes; } Buffer;

static Buffer buffer_new(size_t bytes)
{
    Buffer b = { aligned_alloc(64, (bytes + 2 * GUARD + 63) / 64 * 64), bytes };
    if (!b.base) CG_BUG("out of memory");
    memset(b.base, POISON, bytes + 2 * GUARD);
    return b;
}

static void *at(Buffer b) { return b.base + GUARD; }

static void buffer_free(Buffer b, const char *what)
{
    bool whole = true;
    for (size_t i = 0; i < GUARD; i++) whole &= b.base[i] == POISON && b.base[GUARD + b.bytes + i] == POISON;
    check(whole, "memory beside the %s was written", what);
    free(b.base);
}

/* ---- cases: one op, one sample, one dtype ---- */

typedef struct Case {
    const CgOp     *op;
    CgAttrs        *attrs;      /* with the values of dims in `ints`; owned by the case that was made */
    const CgSample *sample;
    CgDtype         dtype;      /* that F stands for */
    int             nin, nout;
    CgType          type[CG_MAX_IN], out_type[CG_MAX_OUT];
    CgTensor        in[CG_MAX_IN];      /* contiguous */
    Buffer          data[CG_MAX_IN];
} Case;

static int64_t size_of(const CgDim *d)
{
    int64_t n = 0;
    if (!cg_dim_is_int(d, &n)) CG_BUG("a sample with a symbol");
    return n;
}

static CgTensor tensor_of(const CgType *t, void *data)
{
    CgTensor x = { .data = data, .dtype = t->dtype, .rank = t->rank };
    int64_t step = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        x.dim[i] = size_of(t->dim[i]);
        x.stride[i] = step;
        step *= x.dim[i];
    }
    return x;
}

static size_t bytes_of(const CgTensor *t) { return (size_t)cg_tensor_count(t) * cg_dtype_size(t->dtype); }

/* A copy that is not interned, with dims bound; the caller frees it. */
static CgAttrs *bound(const CgAttrs *attrs)
{
    if (!attrs) return NULL;
    CgAttrs *copy = cg_malloc(sizeof *copy + sizeof(CgAttr) * (size_t)attrs->n);
    CgAttr *list = (CgAttr *)(copy + 1);
    for (int i = 0; i < attrs->n; i++) {
        list[i] = attrs->at[i];
        for (int k = 0; list[i].kind == CG_ATTR_DIMS && k < list[i].n; k++) list[i].ints[k] = size_of(list[i].dims[k]);
    }
    *copy = (CgAttrs){ attrs->n, list };
    return copy;
}

static bool too_near(const Case *c, int k, int64_t i, double v)
{
    if (fabs(v) < c->sample->apart) return true;
    for (int o = 0; o <= k; o++)
        for (int64_t j = 0; j < (o == k ? i : cg_tensor_count(&c->in[o])); j++)
            if (cg_dtype_is_float(c->in[o].dtype) && fabs(get(c->in[o].dtype, c->in[o].data, j) - v) < c->sample->apart) return true;
    return false;
}

static void fill(Case *c, int k)
{
    CgTensor *t = &c->in[k];
    const CgSample *s = c->sample;
    for (int64_t i = 0, n = cg_tensor_count(t); i < n; i++) {
        double v = 0;
        for (int tries = 0; tries < 1000; tries++) {
            v = s->low + (s->high - s->low) * draw();
            if (!cg_dtype_is_float(t->dtype)) v = floor(s->low + (s->high - s->low + 1) * draw());
            if (t->dtype == CG_F32) v = (double)(float)v;
            if (s->apart == 0 || n > FEW || !cg_dtype_is_float(t->dtype) || !too_near(c, k, i, v)) break;
        }
        put(t->dtype, t->data, i, v);
    }
}

static bool infer(const Case *c, CgInfer *inf)
{
    *inf = (CgInfer){ .op = c->op, .nin = c->nin, .in = c->type, .attrs = c->attrs, .operand = { -1, -1 }, .axis = { -1, -1 } };
    return c->op->shape(inf);
}

/* Memory and numbers for the operands; false when the shape rule refuses. */
static bool case_fill(Case *c)
{
    CgInfer inf;
    if (!infer(c, &inf)) return false;
    c->nout = c->op->nout ? c->op->nout : 1;
    for (int k = 0; k < c->nout; k++) c->out_type[k] = inf.out[k];
    for (int k = 0; k < c->nin; k++) {
        CgTensor t = tensor_of(&c->type[k], NULL);
        c->data[k] = buffer_new(bytes_of(&t));
        c->in[k] = tensor_of(&c->type[k], at(c->data[k]));
    }
    for (int k = 0; k < c->nin; k++) fill(c, k);
    return true;
}

static void case_free(Case *c)
{
    for (int k = 0; k < c->nin; k++) buffer_free(c->data[k], "operand");
}

/* `text` with each F that stands for a type replaced. */
static void replace_F(const char *text, CgDtype dtype, char *to, size_t size)
{
    size_t n = 0;
    for (const char *p = text; *p && n + 8 < size; p++) {
        bool word = p == text || p[-1] == ' ' || p[-1] == '=';
        if (*p == 'F' && word && (p[1] == '[' || p[1] == ' ' || p[1] == 0)) n += (size_t)snprintf(to + n, size - n, "%s", cg_dtype_name(dtype));
        else to[n++] = *p;
    }
    to[n] = 0;
}

static const CgAttrs *with_defaults(const CgOp *op, const CgAttrs *attrs)
{
    const CgSig *sig = cg_op_sig(op);
    CgAttr at_[64];
    int n = 0;
    for (int i = 0; attrs && i < attrs->n && n < 64; i++) at_[n++] = attrs->at[i];
    for (int i = 0; i < sig->n && n < 64; i++)
        if (sig->at[i].has_init && !cg_attr_find(attrs, sig->at[i].name)) at_[n++] = sig->at[i].init;
    return cg_attrs(n, at_);
}

static bool case_make(Case *c, const CgOp *op, const CgSample *s, CgDtype dtype)
{
    char in[256], attrs[256];
    CgErr e = { 0 };
    const CgAttrs *parsed = NULL;
    *c = (Case){ .op = op, .sample = s, .dtype = dtype };
    replace_F(s->in, dtype, in, sizeof in);
    replace_F(s->attrs ? s->attrs : "", dtype, attrs, sizeof attrs);
    for (char *word = strtok(in, " "); word && c->nin < CG_MAX_IN; word = strtok(NULL, " "))
        if (!check(cg_type_parse(word, &c->type[c->nin++]), "the sample type '%s' does not parse", word)) return false;
    if (!check(!*attrs || cg_attrs_parse(attrs, &parsed, &e), "the sample attributes '%s' do not parse: %s", attrs, e.text)) return false;
    c->attrs = bound(with_defaults(op, parsed));
    return true;
}

/* ---- running an op by hand ---- */

typedef enum Order { FORWARD, BACKWARD } Order;

static CgDtype dispatch(const Case *c) { return c->nin ? c->type[0].dtype : c->out_type[0].dtype; }

static bool runs(const CgOp *op, CgDtype d) { return op->view || op->kernel[d] || op->vec[d]; }

static bool halved;     /* products round their operands to bf16 */
static bool noticed;    /* that made a difference to some sample of the op, or its expansion has products */

/* out: contiguous tensors with memory. */
static void run_op(const CgOp *op, const Case *c, const CgTensor *in, CgTensor *out, Order order)
{
    CgDtype d = dispatch(c);
    CgCall call = { .op = op, .nin = c->nin, .nout = c->nout, .in = in, .out = out, .attrs = c->attrs, .seed = 2385, .step = 7, .bf16 = halved };
    if (op->view) {
        CgTensor view = *out;
        if (!op->view(&call, &view)) {
            check(!cg_tensor_contiguous(&in[0]), "the view refuses a contiguous operand");
            return;
        }
        cg_tensor_copy(out, &view, (CgPart){ 0, 1, NULL });
        return;
    }
    CgKernel *kernel = op->kernel[d] ? op->kernel[d] : cg_kernel_elementwise;
    CgWork work = { .parts = 1 }, driver = { 0 };
    cg_work_elementwise(&call, &driver);
    if (op->work) op->work(&call, &work);
    else work = driver;
    if (kernel == cg_kernel_elementwise && work.scratch < driver.scratch) work.scratch = driver.scratch;
    check(work.flops >= 0 && work.bytes >= 0 && work.parts < 1u << 20, "the stated work makes no sense");
    if (!work.parts) work.parts = 1;
    call.state = op->prepare ? op->prepare(&call) : NULL;
    Buffer shared = buffer_new(work.shared);
    call.shared = at(shared);
    check(!work.begin || op->begin, "the work has shares of a beginning, and there is none");
    for (size_t p = 0; op->begin && p < work.begin; p++) {
        Buffer scratch = buffer_new(work.scratch);
        op->begin(&call, (CgPart){ order == FORWARD ? p : work.begin - 1 - p, work.begin, at(scratch) });
        buffer_free(scratch, "scratch memory");
    }
    for (size_t p = 0; p < work.parts; p++) {
        Buffer scratch = buffer_new(work.scratch);
        kernel(&call, (CgPart){ order == FORWARD ? p : work.parts - 1 - p, work.parts, at(scratch) });
        buffer_free(scratch, "scratch memory");
    }
    if (op->finish) {
        Buffer scratch = buffer_new(work.scratch);
        op->finish(&call, (CgPart){ 0, 1, at(scratch) });
        buffer_free(scratch, "scratch memory");
    }
    buffer_free(shared, "shared memory");
    if (op->release) op->release(call.state);
}

typedef struct Result { CgTensor out[CG_MAX_OUT]; Buffer data[CG_MAX_OUT]; int n; } Result;

static Result result_new(const Case *c)
{
    Result r = { .n = c->nout };
    for (int k = 0; k < c->nout; k++) {
        r.out[k] = tensor_of(&c->out_type[k], NULL);
        r.data[k] = buffer_new(bytes_of(&r.out[k]));
        r.out[k].data = at(r.data[k]);
    }
    return r;
}

static void result_free(Result *r)
{
    for (int k = 0; k < r->n; k++) buffer_free(r->data[k], "result");
}

static Result run(const CgOp *op, const Case *c, const CgTensor *in, Order order)
{
    Result r = result_new(c);
    run_op(op, c, in, r.out, order);
    return r;
}

/* ---- comparing ---- */

static double greatest(const CgTensor *t)
{
    double m = 0;
    for (int64_t i = 0, n = cg_tensor_count(t); i < n; i++) {
        double v = fabs(get(t->dtype, t->data, i));
        if (isfinite(v) && v > m) m = v;
    }
    return m;
}

static bool near(const CgTensor *a, const CgTensor *b, double tolerance, const char *what)
{
    double scale = greatest(b);
    for (int64_t i = 0, n = cg_tensor_count(b); i < n; i++) {
        double u = get(a->dtype, a->data, i), v = get(b->dtype, b->data, i);
        bool same = u == v || (isnan(u) && isnan(v)) || fabs(u - v) <= tolerance * (scale + 1e-3);
        if (!check(same, "%s: element %lld is %.9g, expected %.9g", what, (long long)i, u, v)) return false;
    }
    return true;
}

static bool same_bits(const CgTensor *a, const CgTensor *b, const char *what)
{
    if (check(memcmp(a->data, b->data, bytes_of(a)) == 0, "%s: the bits differ", what)) return true;
    return false;
}

static double tolerance_of(CgDtype d) { return d == CG_F32 ? 3e-5 : d == CG_F64 ? 1e-11 : 0; }

static CgDtype result_dtype(const Case *c)
{
    CgDtype d = c->out_type[0].dtype;
    for (int k = 0; k < c->nin; k++)
        if (c->type[k].dtype == CG_F32) d = CG_F32;
    return d;
}

/* ---- claims about the value ---- */

static void claim_form(const CgOp *op)
{
    const CgSig *sig = cg_op_sig(op);
    const char *stop = strpbrk(op->doc, ".:");
    int nout = op->nout ? op->nout : 1;
    claim_begin(op, "form");
    check(strlen(op->doc) > 10 && stop, "the doc has no first sentence");
    check(op->doc[strlen(op->doc) - 1] == '\n', "the doc does not end with a line end");
    check(sig->stmt->nresults == nout, "the signature has %d results, the op %d", sig->stmt->nresults, nout);
    check(op->since && op->file, "since or CG_OP_HERE is missing");
    check((op->traits & CG_LEAF) || op->samples[0].in, "there is no sample");
    check(!(op->traits & CG_RANDOM) || strstr(op->sig, "stream"), "a random op needs the attribute stream");
    check(!op->moving || (op->along && op->cut && cg_op_find(op->moving)), "a form for places known late needs along, cut and its op");
    for (int i = 0; i < sig->n; i++) check(sig->at[i].name && sig->at[i].name[0], "an argument has no name");
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
    for (int o = 0; o < (c->op->nout ? c->op->nout : 1); o++)
        for (int i = 0; i < inf.out[o].rank; i++)
            if (!inf.out[o].dim[i] || !cg_dim_is_int(inf.out[o].dim[i], &n) || n < 0) return;      /* the builder refuses it */
    if (!case_fill(&p)) return;
    if (runs(p.op, dispatch(&p))) {
        Result r = run(p.op, &p, p.in, FORWARD);
        result_free(&r);
    }
    case_free(&p);
}

static void claim_shape(const Case *c)
{
    CgInfer inf;
    if (!check(infer(c, &inf), "the shape rule refuses the sample: %s", inf.message)) return;
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
    if (!infer(&bare, &inf)) check(inf.message[0] != 0, "missing attributes are refused without a message");
}

static void claim_parts(const Case *c)
{
    if (!runs(c->op, dispatch(c))) return;
    Result a = run(c->op, c, c->in, FORWARD), b = run(c->op, c, c->in, BACKWARD);
    for (int k = 0; k < a.n; k++) same_bits(&a.out[k], &b.out[k], "parts in another order");
    result_free(&a);
    result_free(&b);
}

/* Other layouts of the same values: rows further apart, axes reversed in memory, no memory order at all. */
static CgTensor relaid(const CgTensor *x, int layout, Buffer *data)
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
    cg_tensor_copy(&t, x, (CgPart){ 0, 1, NULL });
    return t;
}

static void claim_strided(const Case *c)
{
    CgDtype d = dispatch(c);
    if (!runs(c->op, d) || !(c->op->traits & CG_STRIDED || c->op->vec[d] || c->op->view)) return;
    Result want = run(c->op, c, c->in, FORWARD);
    double tolerance = c->op->traits & CG_ELEMENTWISE || c->op->view ? 0 : tolerance_of(result_dtype(c));
    for (int layout = 0; layout < 3; layout++)
        for (int only = -1; only < c->nin; only++) {
            CgTensor in[CG_MAX_IN];
            Buffer data[CG_MAX_IN];
            for (int k = 0; k < c->nin; k++)
                if (only < 0 || only == k) in[k] = relaid(&c->in[k], layout, &data[k]);
                else in[k] = c->in[k];
            CgTensor probe = tensor_of(&c->out_type[0], NULL);
            CgCall call = { .op = c->op, .nin = c->nin, .nout = 1, .in = in, .out = &probe, .attrs = c->attrs };
            if (!c->op->view || c->op->view(&call, &probe)) {
                Result found = run(c->op, c, in, FORWARD);
                for (int k = 0; k < want.n; k++) near(&found.out[k], &want.out[k], tolerance, "strided operands");
                result_free(&found);
            }
            for (int k = 0; k < c->nin; k++)
                if (only < 0 || only == k) buffer_free(data[k], "operand");
        }
    /* Repeated along each axis in turn. */
    for (int k = 0; k < c->nin; k++)
        for (int i = 0; i < c->in[k].rank; i++) {
            CgTensor in[CG_MAX_IN], flat = c->in[k];
            memcpy(in, c->in, sizeof in);
            in[k].stride[i] = 0;
            Buffer data = buffer_new(bytes_of(&flat));
            flat.data = at(data);
            cg_tensor_copy(&flat, &in[k], (CgPart){ 0, 1, NULL });
            Result found = run(c->op, c, in, FORWARD);
            in[k] = flat;
            Result expected = run(c->op, c, in, FORWARD);
            CgTensor probe = tensor_of(&c->out_type[0], NULL);
            CgCall call = { .op = c->op, .nin = c->nin, .nout = 1, .in = in, .out = &probe, .attrs = c->attrs };
            in[k] = c->in[k];
            in[k].stride[i] = 0;
            if (!c->op->view || c->op->view(&call, &probe))
                for (int o = 0; o < want.n; o++) near(&found.out[o], &expected.out[o], tolerance, "repeated operands");
            result_free(&found);
            result_free(&expected);
            buffer_free(data, "operand");
        }
    result_free(&want);
}

/* Results whose axes lie in another order, the last one innermost, are the same; over an operand that lies alike, too. */
static void claim_any_order(const Case *c)
{
    if (!(c->op->traits & CG_ANY_ORDER) || !runs(c->op, dispatch(c))) return;
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
            bool may = over < 0 || (c->op->inplace >> over & 1 && cg_type_equal(&c->type[over], &c->out_type[0]));
            if (may && over >= 0) {
                cg_tensor_copy(&y, &c->in[over], (CgPart){ 0, 1, NULL });
                in[over] = y;
            }
            if (may) {
                run_op(c->op, c, in, found.out, FORWARD);
                Result rows = result_new(c);
                for (int k = 0; k < want.n; k++) {
                    cg_tensor_copy(&rows.out[k], &found.out[k], (CgPart){ 0, 1, NULL });
                    near(&rows.out[k], &want.out[k], tolerance_of(result_dtype(c)), "results in another order");
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
    bool vec = !c->op->kernel[dispatch(c)], may = vec || (c->op->inplace >> k & 1);
    const CgTensor *y = &found->out[r];
    if (!may || c->in[k].dtype != y->dtype || cg_tensor_count(&c->in[k]) != cg_tensor_count(y)) return false;
    memcpy(y->data, c->in[k].data, bytes_of(&c->in[k]));
    in[k].data = y->data;
    return true;
}

/* Each result over each operand, and each two over each two. */
static void claim_inplace(const Case *c)
{
    CgDtype d = dispatch(c);
    if (!runs(c->op, d) || c->op->view) return;
    Result want = run(c->op, c, c->in, FORWARD);
    for (int all = 0; all < c->nin * want.n * c->nin * want.n; all++) {
        int k = all % c->nin, r = all / c->nin % want.n, l = all / c->nin / want.n % c->nin, q = all / c->nin / want.n / c->nin;
        CgTensor in[CG_MAX_IN];
        memcpy(in, c->in, sizeof in);
        if ((k == l) != (r == q)) continue;
        Result found = result_new(c);
        if (covers(c, k, &found, r, in) && (k == l || covers(c, l, &found, q, in))) {
            run_op(c->op, c, in, found.out, FORWARD);
            for (int o = 0; o < want.n; o++) same_bits(&found.out[o], &want.out[o], "result over an operand");
        }
        result_free(&found);
    }
    result_free(&want);
}

/* Only the elements that `along` allows change when one index of an operand does. */
static void claim_along(const Case *c)
{
    if (!c->op->along || !runs(c->op, dispatch(c)) || c->op->view) return;
    CgInfer inf;
    if (!infer(c, &inf)) return;
    Result before = run(c->op, c, c->in, FORWARD);
    for (int k = 0; k < c->nin; k++)
        for (int axis = 0; axis < c->in[k].rank; axis++) {
            CgTo where = { -1, NULL };
            CgAlong along = c->op->along(&inf, k, axis, &where);
            int to = where.axis;
            if (along != CG_ALONG_POINTWISE && along != CG_ALONG_CAUSAL) continue;
            if (!check(to >= 0 && to < before.out[0].rank, "along operand %d axis %d names axis %d of the result", k, axis, to)) continue;
            int64_t n = c->in[k].dim[axis], m = before.out[0].dim[to], pick = n / 2, shift = 0;
            check(!where.shift || (cg_dim_is_int(where.shift, &shift) && c->op->cut), "along operand %d axis %d: a shift, but no `cut`", k, axis);
            CgTensor in[CG_MAX_IN];
            memcpy(in, c->in, sizeof in);
            Buffer data = buffer_new(bytes_of(&in[k]));
            memcpy(at(data), in[k].data, bytes_of(&in[k]));
            in[k].data = at(data);
            int64_t inner = 1, outer = 1;
            for (int i = axis + 1; i < in[k].rank; i++) inner *= in[k].dim[i];
            for (int64_t e = 0, count = cg_tensor_count(&in[k]); e < count; e++)
                if (e / inner % n == pick) put(in[k].dtype, in[k].data, e, cg_dtype_is_float(in[k].dtype) ? get(in[k].dtype, in[k].data, e) * 0.917 + 0.01 : get(in[k].dtype, in[k].data, e) == 0);
            Result after = run(c->op, c, in, FORWARD);
            for (int i = to + 1; i < before.out[0].rank; i++) outer *= before.out[0].dim[i];
            size_t size = cg_dtype_size(before.out[0].dtype);
            bool kept = true;
            for (int64_t e = 0, count = cg_tensor_count(&before.out[0]); e < count; e++) {
                int64_t i = e / outer % m;
                bool may = along == CG_ALONG_POINTWISE ? i == pick + shift : i >= pick + shift;
                if (!may) kept &= memcmp((char *)before.out[0].data + (size_t)e * size, (char *)after.out[0].data + (size_t)e * size, size) == 0;
            }
            check(kept, "index %lld of operand %d axis %d reaches further than `along` says", (long long)pick, k, axis);
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

static void claim_algebra(const Case *c)
{
    const CgOp *op = c->op;
    if (!runs(op, dispatch(c))) return;
    Result xy = run(op, c, c->in, FORWARD);
    double tolerance = tolerance_of(result_dtype(c));
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
    for (int k = 0; op->traits & CG_LINEAR && k < c->nin; k++) {
        if (!cg_dtype_is_float(c->in[k].dtype)) continue;
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

static void claim_precision(const Case *c, const CgOp *base)
{
    if (!runs(c->op, dispatch(c))) return;
    Result found = run(c->op, c, c->in, FORWARD);
    if (base && runs(base, dispatch(c))) {
        Case b = *c;
        b.op = base;
        Result plain = run(base, &b, c->in, FORWARD);
        for (int k = 0; k < found.n; k++) near(&found.out[k], &plain.out[k], tolerance_of(result_dtype(c)), "plain instructions and these");
        result_free(&plain);
    }
    if (c->dtype == CG_F32 && (strstr(c->sample->in, "F") || c->nin == 0)) {
        Case wide;
        if (case_make(&wide, c->op, c->sample, CG_F64) && case_fill(&wide)) {
            for (int k = 0; k < c->nin; k++) combine(&wide.in[k], 1, &c->in[k], 0, NULL);
            if (runs(c->op, dispatch(&wide))) {
                Result exact = run(c->op, &wide, wide.in, FORWARD);
                for (int k = 0; k < found.n; k++) near(&found.out[k], &exact.out[k], 3e-5, "f32 and f64");
                halved = true;      /* which ops without a product do not notice */
                Result rough = run(c->op, c, c->in, FORWARD);
                halved = false;
                for (int k = 0; k < found.n; k++) near(&rough.out[k], &exact.out[k], 3e-2, "bf16 and f64");
                for (int k = 0; k < found.n; k++) noticed |= memcmp(rough.out[k].data, found.out[k].data, bytes_of(&found.out[k])) != 0;
                result_free(&rough);
                result_free(&exact);
            }
            case_free(&wide);
        }
        free(wide.attrs);
    }
    result_free(&found);
}

/* Whoever rounds operands of products, or expands to what does, must say so: the node has a precision only then. */
static void claim_products(const CgOp *op)
{
    bool says = op->traits & CG_PRODUCTS;
    check(says || !noticed, "it has products and is not CG_PRODUCTS");
    check(!says || noticed, "it is CG_PRODUCTS, and nothing in it is in bf16 when asked for");
}

/* ---- graphs ---- */

typedef struct Net { CgGraph *g; CgPlan *plan; CgExec *x; } Net;

static void net_run(Net *n, CgPool *pool)
{
    CgErr e = { 0 };
    if (!n->plan) {
        n->plan = cg_plan_build(n->g, (CgBindings){ 0 }, (CgPlanOptions){ 0 }, &e);
        n->x = n->plan ? cg_exec_new(n->plan, pool, &e) : NULL;
        if (!n->x) CG_BUG("%s", e.text);
    }
}

static void net_free(Net *n)
{
    cg_exec_free(n->x);
    cg_plan_free(n->plan);
    cg_graph_free(n->g);
}

static CgPool *pools[4];

/* Inputs x0 .. and the op on them; out[] gets its results. */
static CgBuild build_op(const Case *c, bool no_fold, CgRef *x, CgRef *out)
{
    CgBuild b = cg_build_at(cg_graph_new("lint"));
    char name[16];
    b.no_fold = no_fold;
    for (int k = 0; k < c->nin; k++) {
        snprintf(name, sizeof name, "x%d", k);
        x[k] = cg_graph_input(&b, name, c->type[k]);
    }
    CgRef node = cg_build(&b, c->op->name, c->nin, x, cg_attrs(c->attrs ? c->attrs->n : 0, c->attrs ? c->attrs->at : NULL));
    for (int k = 0; k < c->nout; k++) out[k] = cg_build_part(&b, node, k);
    return b;
}

/* The results of a net whose first inputs are c's operands, as contiguous tensors. */
static Result net_results(Net *n, const Case *c, CgPool *pool)
{
    net_run(n, pool);
    for (int k = 0; k < c->nin; k++) cg_exec_bind_input(n->x, k, c->in[k].data);
    cg_exec_random(n->x, 2385, 7);
    cg_exec_run(n->x);
    Result r = { .n = (int)n->g->outputs.len };
    for (int k = 0; k < r.n && k < CG_MAX_OUT; k++) {
        CgType t = *cg_node_type(n->g, n->g->outputs.at[k].ref);
        CgTensor from = cg_exec_output(n->x, k);
        r.out[k] = tensor_of(&t, NULL);
        r.data[k] = buffer_new(bytes_of(&r.out[k]));
        r.out[k].data = at(r.data[k]);
        cg_tensor_copy(&r.out[k], &from, (CgPart){ 0, 1, NULL });
    }
    return r;
}

/* Through plan and exec: any number of threads gives the same bits; operands that are views are made fit. */
static void claim_threads(const Case *c)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT];
    Result want = { .n = 0 };
    if (!runs(c->op, dispatch(c)) && !c->op->expand) return;
    for (int threads = 1; threads <= 3; threads++) {
        Net n = { .g = build_op(c, true, x, out).graph };
        for (int k = 0; k < c->nout; k++) cg_graph_output(n.g, "y", out[k]);
        Result found = net_results(&n, c, pools[threads]);
        for (int k = 0; k < want.n; k++) same_bits(&found.out[k], &want.out[k], "with more threads");
        if (threads == 1) want = found;
        else result_free(&found);
        net_free(&n);
    }
    if (runs(c->op, dispatch(c))) {
        Result direct = run(c->op, c, c->in, FORWARD);
        for (int k = 0; k < want.n; k++) same_bits(&direct.out[k], &want.out[k], "through a plan");
        result_free(&direct);
    }
    result_free(&want);
}

/* Operands that are transposes of inputs: the planner hands them on, or copies them. */
static void claim_views(const Case *c)
{
    if (!runs(c->op, dispatch(c))) return;
    CgBuild b = cg_build_at(cg_graph_new("lint"));
    Case turned = *c;
    CgRef x[CG_MAX_IN];
    Buffer data[CG_MAX_IN];
    char name[16];
    b.no_fold = true;
    for (int k = 0; k < c->nin; k++) {
        int64_t perm[CG_MAX_RANK];
        int r = c->type[k].rank;
        for (int i = 0; i < r; i++) turned.type[k].dim[i] = c->type[k].dim[r - 1 - i];
        for (int i = 0; i < r; i++) perm[i] = r - 1 - i;
        snprintf(name, sizeof name, "x%d", k);
        x[k] = cg_transpose(&b, cg_graph_input(&b, name, turned.type[k]), perm);
        data[k] = buffer_new(bytes_of(&c->in[k]));
        turned.in[k] = tensor_of(&turned.type[k], at(data[k]));
        CgTensor view = c->in[k];
        for (int i = 0; i < r; i++) {
            view.dim[i] = c->in[k].dim[r - 1 - i];
            view.stride[i] = c->in[k].stride[r - 1 - i];
        }
        cg_tensor_copy(&turned.in[k], &view, (CgPart){ 0, 1, NULL });
    }
    CgRef node = cg_build(&b, c->op->name, c->nin, x, cg_attrs(c->attrs ? c->attrs->n : 0, c->attrs ? c->attrs->at : NULL));
    for (int k = 0; k < c->nout; k++) cg_graph_output(b.graph, "y", cg_build_part(&b, node, k));
    Net n = { .g = b.graph };
    Result found = net_results(&n, &turned, pools[2]), want = run(c->op, c, c->in, FORWARD);
    for (int k = 0; k < want.n; k++) near(&found.out[k], &want.out[k], tolerance_of(result_dtype(c)), "operands that are views");
    result_free(&found);
    result_free(&want);
    net_free(&n);
    for (int k = 0; k < c->nin; k++) buffer_free(data[k], "operand");
}

static void claim_expand(const Case *c)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT];
    if (!c->op->expand || !(runs(c->op, dispatch(c)) || c->op->lower)) return;
    for (int no_fold = 0; no_fold < 2; no_fold++) {
        CgBuild b = build_op(c, no_fold, x, out);
        CgSite site = { .nin = c->nin, .nout = c->nout, .in = x, .attrs = cg_attrs(c->attrs ? c->attrs->n : 0, c->attrs ? c->attrs->at : NULL) };
        CgRef simple[CG_MAX_OUT];
        for (int k = 0; k < c->nout; k++) simple[k] = CG_NONE;
        c->op->expand(&b, &site, simple);
        for (CgRef r = 0; r < b.graph->nodes.len; r++) noticed |= cg_node(b.graph, r)->op != c->op && cg_node(b.graph, r)->op->traits & CG_PRODUCTS;
        for (int k = 0; k < c->nout; k++) {
            if (!check(simple[k] != CG_NONE, "the expansion leaves result %d open", k)) return;
            CgType t = cg_ref_type(&b, simple[k]);
            check(cg_type_equal(&t, &c->out_type[k]), "the expansion's result %d has another type", k);
            cg_graph_output(b.graph, "y", simple[k]);
        }
        Net n = { .g = b.graph };
        Net self = { 0 };
        if (c->op->lower) {     /* as the planner writes it for these sizes */
            CgBuild whole = build_op(c, true, x, out);
            for (int k = 0; k < c->nout; k++) cg_graph_output(whole.graph, "y", out[k]);
            self.g = whole.graph;
        }
        Result found = net_results(&n, c, pools[1]), want = c->op->lower ? net_results(&self, c, pools[2]) : run(c->op, c, c->in, FORWARD);
        if (c->op->lower) net_free(&self);
        for (int k = 0; k < want.n; k++) near(&want.out[k], &found.out[k], tolerance_of(result_dtype(c)), "the op and its expansion");
        result_free(&found);
        result_free(&want);
        net_free(&n);
    }
}

/* What `within` names gives this op's result, from the same first operands. Asked with samples of the larger op. */
static void claim_within(const Case *c)
{
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *small = cg_op_at(i);
        CgRef x[CG_MAX_IN], out[CG_MAX_OUT];
        if (!small->within || strcmp(small->within, c->op->name)) continue;
        int nin = cg_op_sig(small)->ntensors, k = small->within_result;
        if (!check(k < c->nout && nin <= c->nin, "%s cannot be within this", small->name)) return;
        CgBuild b = build_op(c, true, x, out);
        CgRef other = cg_build(&b, small->name, nin, x, cg_attrs(c->attrs ? c->attrs->n : 0, c->attrs ? c->attrs->at : NULL));
        cg_graph_output(b.graph, "y", out[k]);
        cg_graph_output(b.graph, "z", other);
        Net n = { .g = b.graph };
        Result found = net_results(&n, c, pools[1]);
        near(&found.out[0], &found.out[1], tolerance_of(result_dtype(c)), "its result and that of the op within");
        result_free(&found);
        net_free(&n);
    }
}

static bool holds(CgDtype d, double v)
{
    return cg_dtype_is_float(d) || (d == CG_BOOL ? v == 0 || v == 1 : v == floor(v));
}

/* Constant operands, where folding does most: the value with folds is the value without. */
static void claim_fold(const Case *c)
{
    static const double values[] = { 0, 1, -1, 2, 0.5, 3 };
    if (!c->op->fold || c->nout > 1) return;
    for (int k = -1; k < c->nin; k++)
        for (size_t v = 0; v < CG_LEN(values); v++) {
            Net n[2];
            Result r[2];
            bool finite = true, fits = true;
            for (int i = 0; i < c->nin; i++)
                if (i == k || k < 0) fits &= holds(c->type[i].dtype, values[k < 0 ? (v + (size_t)i) % CG_LEN(values) : v]);
            for (int no_fold = 0; fits && no_fold < 2; no_fold++) {
                CgBuild b = cg_build_at(cg_graph_new("lint"));
                CgRef x[CG_MAX_IN];
                char name[16];
                b.no_fold = no_fold;
                for (int i = 0; i < c->nin; i++) {
                    snprintf(name, sizeof name, "x%d", i);
                    CgRef in = cg_graph_input(&b, name, c->type[i]);
                    x[i] = i == k || k < 0 ? cg_fill(&b, c->type[i], values[k < 0 ? (v + (size_t)i) % CG_LEN(values) : v]) : in;
                }
                CgRef y = cg_build(&b, c->op->name, c->nin, x, cg_attrs(c->attrs ? c->attrs->n : 0, c->attrs ? c->attrs->at : NULL));
                CgType t = cg_ref_type(&b, y);
                check(cg_type_equal(&t, &c->out_type[0]), "folding changes the type");
                cg_graph_output(b.graph, "y", y);
                n[no_fold] = (Net){ .g = b.graph };
                r[no_fold] = net_results(&n[no_fold], c, pools[1]);
            }
            if (!fits) continue;
            for (int64_t i = 0; i < cg_tensor_count(&r[1].out[0]); i++) finite &= isfinite(get(r[1].out[0].dtype, r[1].out[0].data, i)) != 0;
            if (finite) near(&r[0].out[0], &r[1].out[0], 1e-6, "with and without folding");
            for (int i = 0; i < 2; i++) {
                result_free(&r[i]);
                net_free(&n[i]);
            }
        }
}

/* The op on top of itself, where folds look through a node: the value with folds is the value without. */
static void claim_nested(const Case *c)
{
    if (!c->op->fold || c->nout > 1) return;
    for (int k = 0; k < c->nin; k++) {
        Net n[2] = { { .g = NULL } };
        Result r[2];
        bool fits = true;
        for (int no_fold = 0; fits && no_fold < 2; no_fold++) {
            CgRef x[CG_MAX_IN], y;
            CgInfer inf;
            CgBuild b = build_op(c, no_fold, x, &y);
            x[k] = y;
            const CgAttrs *attrs = cg_attrs(c->attrs ? c->attrs->n : 0, c->attrs ? c->attrs->at : NULL);
            y = cg_build_checked(&b, c->op, c->nin, x, attrs, &inf);
            fits = y != CG_NONE;
            n[no_fold] = (Net){ .g = b.graph };
            if (!fits) continue;
            cg_graph_output(b.graph, "y", y);
            r[no_fold] = net_results(&n[no_fold], c, pools[1]);
        }
        /* a fold may sum in another order: some forty terms in f32 */
        if (fits) near(&r[0].out[0], &r[1].out[0], c->dtype == CG_F32 ? 1e-5 : 1e-6, "the op on itself, with and without folding");
        for (int i = 0; i < 2; i++) {
            if (fits) result_free(&r[i]);
            if (n[i].g) net_free(&n[i]);
        }
    }
}

/* ---- fewer places ---- */

/* Places [from, to) of the result are the op over what `along` and `cut` say they are made of. */
static void places(const Case *c, int axis, int64_t from, int64_t to)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], in[CG_MAX_IN];
    CgCut cut;
    CgBuild b = build_op(c, true, x, out);
    if (!cg_cut_find(b.graph, out[0], axis, cg_dim_int(from), cg_dim_int(to), &cut)) {
        cg_graph_free(b.graph);
        return;
    }
    bool wide = cg_dim_at_most(cut.from, cg_dim_int(from)) && cg_dim_at_most(cg_dim_int(to), cut.to);
    if (check(wide, "places %lld .. %lld of axis %d: fewer come out", (long long)from, (long long)to, axis)) {
        for (int k = 0; k < c->nin; k++)
            in[k] = cut.in[k].axis < 0 ? x[k] : cg_slice(&b, x[k], cut.in[k].axis, cut.in[k].from, cut.in[k].to);
        CgRef made = cg_cut_build(&b, b.graph, out[0], &cut, in);
        cg_graph_output(b.graph, "cut", made);
        cg_graph_output(b.graph, "whole", cg_slice(&b, out[0], axis, cut.from, cut.to));
        Net n = { .g = b.graph };
        Result r = net_results(&n, c, pools[1]);
        near(&r.out[0], &r.out[1], tolerance_of(result_dtype(c)), "f of some places and some places of f");
        result_free(&r);
        net_free(&n);
    } else {
        cg_graph_free(b.graph);
    }
}

/* The op's form for places known only when it runs, at every place: places [from + at, n) are what the op says. */
static void moving(const Case *c, int axis, int64_t first)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], in[CG_MAX_IN];
    CgCut cut, late;
    CgInfer inf;
    int64_t n = size_of(c->out_type[0].dim[axis]), from = first / 2;
    const CgOp *op = cg_op_find(c->op->moving);
    if (!check(op != NULL, "there is no op '%s'", c->op->moving)) return;
    CgBuild b = build_op(c, true, x, out);
    bool good = cg_cut_find(b.graph, out[0], axis, cg_dim_int(first), cg_dim_int(n), &cut)
             && cg_cut_find(b.graph, out[0], axis, cg_dim_int(from), cg_dim_int(from + n - first), &late);
    for (int k = 0; good && k < c->nin; k++) {
        CgTo to;
        bool pointwise = cut.in[k].axis >= 0 && cg_cut_along(b.graph, out[0], k, cut.in[k].axis, &to) == CG_ALONG_POINTWISE;
        in[k] = pointwise ? cg_slice(&b, x[k], cut.in[k].axis, cut.in[k].from, cut.in[k].to) : x[k];
    }
    if (good) {
        in[c->nin] = cg_graph_const(&b, CG_I32, (double)(first - from));
        CgRef made = cg_build_checked(&b, op, c->nin + 1, in, late.attrs, &inf);
        if (check(made != CG_NONE, "%s refuses what %s gives it: %s", op->name, c->op->name, inf.message)) {
            cg_graph_output(b.graph, "moving", made);
            cg_graph_output(b.graph, "whole", cg_slice(&b, out[0], axis, cut.from, cut.to));
            Net net = { .g = b.graph };
            Result r = net_results(&net, c, pools[1]);
            near(&r.out[0], &r.out[1], tolerance_of(result_dtype(c)), "places known late and known early");
            result_free(&r);
            net_free(&net);
            return;
        }
    }
    cg_graph_free(b.graph);
}

static void claim_moving(const Case *c)
{
    CgInfer inf;
    if (!c->op->moving || !infer(c, &inf)) return;
    for (int k = 0; k < c->nin; k++)
        for (int axis = 0; axis < c->in[k].rank; axis++) {
            CgTo to = { -1, NULL };
            if (!c->op->along || c->op->along(&inf, k, axis, &to) != CG_ALONG_CAUSAL) continue;
            for (int64_t first = 0, n = size_of(c->out_type[0].dim[to.axis]); first < n; first += 1 + n / 7) moving(c, to.axis, first);
        }
}

static void claim_places(const Case *c)
{
    if (!runs(c->op, dispatch(c))) return;
    for (int axis = 0; axis < c->out_type[0].rank; axis++) {
        int64_t n = size_of(c->out_type[0].dim[axis]);
        places(c, axis, n / 3, n);
        places(c, axis, 0, (n + 1) / 2);
        places(c, axis, n / 3, n - n / 4);
        if (n > 1) places(c, axis, n - 1, n);
    }
}

/* ---- derivatives, in f64 ---- */

/* A net whose output 0 is a number L, and outputs 1 .. its derivatives by the float operands, in order. */
typedef struct Slope { Net net; Buffer extra[2 * CG_MAX_IN + CG_MAX_OUT]; int nextra; int by[CG_MAX_IN]; int n; } Slope;

static CgRef weights(Slope *s, CgBuild *b, CgType type)
{
    char name[16];
    snprintf(name, sizeof name, "w%d", s->nextra);
    CgTensor t = tensor_of(&type, NULL);
    Buffer data = buffer_new(bytes_of(&t));
    for (int64_t i = 0; i < cg_tensor_count(&t); i++) put(type.dtype, at(data), i, 2 * draw() - 1);
    s->extra[s->nextra++] = data;
    return cg_graph_input(b, name, type);
}

static CgRef dot(CgBuild *b, CgRef sum, CgRef x, CgRef w)
{
    CgRef s = cg_sum_all(b, cg_mul(b, x, w));
    return sum == CG_NONE ? s : cg_add(b, sum, s);
}

/* order 1: L = sum of w_k . y_k; order 2: L = sum of u_i . dL1/dx_i. False if there is no derivative to try. */
static bool slope_make(Slope *s, const Case *c, int order, bool no_fold)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], by[CG_MAX_IN], grads[CG_MAX_IN], where, loss = CG_NONE;
    CgErr e = { 0 };
    *s = (Slope){ .nextra = 0 };
    CgBuild b = build_op(c, no_fold, x, out);
    s->net.g = b.graph;
    for (int k = 0; k < c->nin; k++)
        if (cg_dtype_is_float(c->type[k].dtype)) {
            by[s->n] = x[k];
            s->by[s->n++] = k;
        }
    for (int k = 0; k < c->nout; k++)
        if (cg_dtype_is_float(c->out_type[k].dtype)) loss = dot(&b, loss, out[k], weights(s, &b, c->out_type[k]));
    if (loss == CG_NONE || !s->n) return false;
    for (int o = 1; o <= order; o++) {
        if (!check(cg_grad_build(&b, loss, s->n, by, grads, &where, &e), "no derivative: %s", e.text)) return false;
        if (o == order) break;
        loss = CG_NONE;
        for (int i = 0; i < s->n; i++) loss = dot(&b, loss, grads[i], weights(s, &b, c->type[s->by[i]]));
    }
    cg_graph_verify(b.graph);
    cg_graph_output(b.graph, "loss", loss);
    for (int i = 0; i < s->n; i++) cg_graph_output(b.graph, "d", grads[i]);
    net_run(&s->net, pools[1]);
    for (int k = 0; k < c->nin; k++) cg_exec_bind_input(s->net.x, k, c->in[k].data);
    for (int k = 0; k < s->nextra; k++) cg_exec_bind_input(s->net.x, c->nin + k, at(s->extra[k]));
    cg_exec_random(s->net.x, 2385, 7);
    return true;
}

static void slope_free(Slope *s)
{
    for (int k = 0; k < s->nextra; k++) buffer_free(s->extra[k], "weights");
    net_free(&s->net);
}

static double loss_at(Slope *s)
{
    cg_exec_run(s->net.x);
    CgTensor t = cg_exec_output(s->net.x, 0);
    return *(const double *)t.data;
}

static Buffer gradient(Slope *s, int i)
{
    CgTensor from = cg_exec_output(s->net.x, i + 1), to = from;
    int64_t step = 1;
    for (int a = to.rank - 1; a >= 0; a--) {
        to.stride[a] = step;
        step *= to.dim[a];
    }
    Buffer data = buffer_new(bytes_of(&to));
    to.data = at(data);
    cg_tensor_copy(&to, &from, (CgPart){ 0, 1, NULL });
    return data;
}

/* Central differences: element by element, and along one random direction of all operands at once, which is the
 * adjoint identity <J v, w> = <v, J' w>. */
static void differences(Slope *s, const Case *c, const char *what, bool each)
{
    const double h = 1e-5;
    Buffer grad[CG_MAX_IN], saved[CG_MAX_IN];
    double scale = 1, along = 0;
    loss_at(s);
    for (int i = 0; i < s->n; i++) grad[i] = gradient(s, i);
    for (int i = 0; i < s->n; i++) {
        const CgTensor *x = &c->in[s->by[i]];
        for (int64_t e = 0; e < cg_tensor_count(x); e++) scale = fmax(scale, fabs(((double *)at(grad[i]))[e]));
    }
    for (int i = 0; i < s->n && each; i++) {
        const CgTensor *x = &c->in[s->by[i]];
        double *values = x->data;
        for (int64_t e = 0; e < cg_tensor_count(x); e++) {
            double keep = values[e], up, down, got = ((double *)at(grad[i]))[e];
            values[e] = keep + h;
            up = loss_at(s);
            values[e] = keep - h;
            down = loss_at(s);
            values[e] = keep;
            double want = (up - down) / (2 * h);
            if (!check(fabs(got - want) <= 2e-6 * scale, "%s by operand %d, element %lld: %.9g, by difference %.9g", what, s->by[i], (long long)e, got, want)) break;
        }
    }
    double size = 1e-30, ends[2];
    for (int i = 0; i < s->n; i++) {
        const CgTensor *x = &c->in[s->by[i]];
        saved[i] = buffer_new(bytes_of(x));
        memcpy(at(saved[i]), x->data, bytes_of(x));
    }
    uint64_t seed = random_state;
    for (int side = 0; side < 2; side++) {
        random_state = seed;
        along = 0;
        for (int i = 0; i < s->n; i++) {
            const CgTensor *x = &c->in[s->by[i]];
            for (int64_t e = 0; e < cg_tensor_count(x); e++) {
                double v = 2 * draw() - 1, term = v * ((double *)at(grad[i]))[e];
                along += term;
                size += fabs(term);
                ((double *)x->data)[e] = ((double *)at(saved[i]))[e] + (side ? -h : h) * v;
            }
        }
        ends[side] = loss_at(s);
    }
    double want = (ends[0] - ends[1]) / (2 * h);
    check(fabs(along - want) <= 2e-6 * (size + scale), "%s along a direction: %.9g, by difference %.9g", what, along, want);
    for (int i = 0; i < s->n; i++) {
        memcpy(c->in[s->by[i]].data, at(saved[i]), bytes_of(&c->in[s->by[i]]));
        buffer_free(saved[i], "operand");
        buffer_free(grad[i], "derivative");
    }
}

static bool is_small(const Case *c)
{
    int64_t n = 0;
    for (int k = 0; k < c->nin; k++) n += cg_tensor_count(&c->in[k]);
    return n <= FEW;
}

static void claim_derivative(const Case *c, int order)
{
    if (c->op->traits & (CG_NODIFF | CG_LEAF)) return;
    if (!is_small(c) && c->sample->apart > 0) return;       /* too many numbers to keep apart: a step would cross a kink */
    for (int k = 0; k < c->nin; k++)
        if (c->type[k].dtype == CG_F32) return;
    for (int no_fold = 0; no_fold < 2; no_fold++) {
        Slope s;
        if (order == 2 && no_fold) return;
        if (slope_make(&s, c, order, no_fold)) differences(&s, c, no_fold ? "unfolded derivative" : "derivative", is_small(c));
        slope_free(&s);
    }
}

/* ---- all claims of an op ---- */

typedef void ClaimFn(const Case *c);

static void with_base(const Case *c);
static void first_order(const Case *c)  { claim_derivative(c, 1); }
static void second_order(const Case *c) { if (is_small(c)) claim_derivative(c, 2); }
static void small_expand(const Case *c) { claim_expand(c); }

static const struct { const char *name; ClaimFn *run; bool wide; /* integers too */ void (*after)(const CgOp *op); } claims[] = {
    { "shape rule", claim_shape, true, NULL },
    { "any order of parts", claim_parts, true, NULL },
    { "any layout of operands", claim_strided, true, NULL },
    { "in place", claim_inplace, true, NULL },
    { "results in any order of axes", claim_any_order, true, NULL },
    { "along", claim_along, true, NULL },
    { "algebra", claim_algebra, true, NULL },
    { "precision", with_base, true, NULL },
    { "any number of threads", claim_threads, true, NULL },
    { "operands that are views", claim_views, true, NULL },
    { "means its expansion", small_expand, false, claim_products },
    { "gives what is within it", claim_within, false, NULL },
    { "folding", claim_fold, true, NULL },
    { "folding of the op on itself", claim_nested, true, NULL },
    { "fewer places", claim_places, true, NULL },
    { "places known late", claim_moving, false, NULL },
    { "derivative", first_order, false, NULL },
    { "second derivative", second_order, false, NULL },
};

/* The same op compiled without newer instructions; NULL for a plugin's. */
static const CgOp *base_op(const CgOp *op)
{
    size_t n;
    const CgIsa *isas = cg_registry_isas(&n);
    for (const CgOpSet *const *set = isas[n - 1].sets; *set; set++)
        for (const CgOp *const *o = (*set)->ops; *o; o++)
            if (!strcmp((*o)->name, op->name)) return *o;
    return NULL;
}

static void with_base(const Case *c) { claim_precision(c, base_op(c->op)); }

/* Whether the sample says something new for this dtype. */
static bool concerns(const CgOp *op, const CgSample *s, CgDtype d)
{
    bool generic = strchr(s->in, 'F') || (s->attrs && strstr(s->attrs, "=F"));
    if (d == CG_F32) return true;
    if (!generic) return false;
    return d == CG_F64 || ((op->vec[d] || op->kernel[d]) && strstr(op->sig, "T["));
}

static void lint(const CgOp *op)
{
    claim_form(op);
    noticed = false;
    for (size_t i = 0; i < CG_LEN(claims); i++) {
        claim_begin(op, claims[i].name);
        for (const CgSample *s = op->samples; s->in; s++)
            for (int d = 0; d < CG_BOOL; d++) {
                Case c;
                CgInfer inf;
                if (!concerns(op, s, (CgDtype)d) || (!claims[i].wide && d > CG_F64)) continue;
                if (!case_make(&c, op, s, (CgDtype)d)) continue;
                bool fits = infer(&c, &inf);
                /* Integers may be refused where only floats will do. */
                check(fits || d > CG_F64, "the shape rule refuses the sample '%s': %s", s->in, inf.message);
                if (fits && case_fill(&c)) {
                    claims[i].run(&c);
                    case_free(&c);
                }
                free(c.attrs);
            }
        if (claims[i].after) claims[i].after(op);
        claim_end();
    }
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    size_t builtin = cg_op_count(), nplugins = 0;
    const CgOp **known = cg_malloc(sizeof *known * builtin);
    for (size_t i = 0; i < builtin; i++) known[i] = cg_op_at(i);
    for (int t = 1; t <= 3; t++) pools[t] = cg_pool_new(t);
    for (int i = 1; i < argc; i++) {
        CgErr e = { 0 };
        if (!strcmp(argv[i], "--op") && i + 1 < argc) only = argv[++i];
        else if (!cg_registry_load(argv[i], &e)) {
            fprintf(stderr, "op_lint: %s\n", e.text);
            return 2;
        } else nplugins++;
    }
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *op = cg_op_at(i);
        bool old = false;
        for (size_t k = 0; k < builtin; k++) old |= known[k] == op;
        if ((only && strcmp(only, op->name)) || (nplugins && old)) continue;
        fflush(stdout);
        lint(op);
    }
    for (int t = 1; t <= 3; t++) cg_pool_free(pools[t]);
    free(known);
    return tap_done();
}
