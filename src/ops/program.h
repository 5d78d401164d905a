/* program.h - programs of elementwise ops that run on tiles in the first-level cache; part of fused.c.
 * Takes tensors of one shape, with any strides, and a program in the names of elementwise ops; gives the values of
 * instructions, tile by tile. Knows no op by name.
 *
 *   program  = instr { ";" instr }            e.g.  mul 0 1; tanh 2; add 3 f32:0.5
 *   instr    = op [ "{" name "=" value { "," name "=" value } "}" ] operand { operand }
 *   operand  = number                         operand of the node, or nin + i: the value of instruction i
 *            | dtype ":" value                a constant */
#ifndef CG_OPS_PROGRAM_H
#define CG_OPS_PROGRAM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cg/elementwise.h>

#define MOST_IN    16 /* operands and results of one sweep */
#define MOST_OUT   4
#define MAX_INSTR  32
#define MAX_CONST  16
#define MAX_ARGS   4
#define MAX_ATTRS  4
#define TILE_BYTES 4096
#define LONG_ROW   128 /* shorter rows are packed, several to a tile */

typedef struct Instr {
    const CgOp *op;
    const CgAttrs *attrs;
    CgVecFn *fn; /* one of fn and kernel */
    CgKernel *kernel;
    CgDtype dtype;
    int narg;
    int arg[MAX_ARGS]; /* >= 0: register; < 0: constant -1 - arg */
    int tile;          /* where its value lives in the scratch, unless it is a result */
    int result;        /* which result it is, or -1 */
} Instr;

typedef struct Program {
    int nin, ninstr, nconst, nresult, ntiles;
    CgDtype in[MOST_IN];
    int last[MOST_IN]; /* the last instruction that reads an operand */
    Instr instr[MAX_INSTR];
    struct {
        CgDtype dtype;
        double value;
    } constant[MAX_CONST];
    size_t tile; /* elements */
    char error[320];
    char pool[][TILE_BYTES]; /* the constants as tiles; only in a prepared program */
} Program;

static bool wrong(Program *p, const char *what, const char *at)
{
    snprintf(p->error, sizeof p->error, "program: %s at '%.24s'", what, at);
    return false;
}

/* ---- reading ---- */

static const char *blank(const char *s)
{
    while (*s == ' ')
        s++;
    return s;
}

static size_t word(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static bool copy_word(const char **s, char *to, size_t size)
{
    size_t n = word(*s);
    if (!n || n >= size)
        return false;
    memcpy(to, *s, n);
    to[n] = 0;
    *s += n;
    return true;
}

static bool read_dtype(const char *name, CgDtype *out)
{
    for (int i = 0; i < CG_NDTYPE; i++)
        if (!strcmp(cg_dtype_name((CgDtype)i), name)) {
            *out = (CgDtype)i;
            return true;
        }
    return false;
}

/* "to=f64, k=3, eps=1e-6}" */
/* Never past the end of the text. */
static bool skip(const char **s, char c)
{
    bool is = **s == c;
    *s += is;
    return is;
}

static bool read_attrs(Program *p, const char **s, const CgAttrs **out)
{
    char names[MAX_ATTRS][32], words[MAX_ATTRS][32];
    CgAttr at[MAX_ATTRS];
    int n = 0;
    while (*(*s = blank(*s)) != '}') {
        char *end_int, *end_float;
        if (n && !skip(s, ','))
            return wrong(p, "expected ','", *s);
        *s = blank(*s);
        if (n == MAX_ATTRS || !copy_word(s, names[n], sizeof names[n]) || !skip(s, '='))
            return wrong(p, "expected an attribute", *s);
        long long i = strtoll(*s, &end_int, 10);
        double f = strtod(*s, &end_float);
        if (end_float == *s) {
            if (!copy_word(s, words[n], sizeof words[n]))
                return wrong(p, "expected a value", *s);
            at[n] = cg_a_str(names[n], words[n]);
        } else {
            at[n] = end_int == end_float ? cg_a_int(names[n], i) : cg_a_float(names[n], f);
            *s = end_float;
        }
        n++;
    }
    (*s)++;
    *out = cg_attrs(n, at);
    return true;
}

static bool read_arg(Program *p, const char **s, int *arg)
{
    char name[8], *end;
    if (**s >= '0' && **s <= '9') {
        long r = strtol(*s, &end, 10);
        if (r < 0 || r >= p->nin + p->ninstr)
            return wrong(p, "no such value before", *s);
        *arg = (int)r;
        *s = end;
        return true;
    }
    CgDtype dtype;
    const char *start = *s;
    if (!copy_word(s, name, sizeof name) || !read_dtype(name, &dtype) || !skip(s, ':'))
        return wrong(p, "expected an operand", start);
    double value = strtod(*s, &end);
    if (end == *s)
        return wrong(p, "expected a number", start);
    if (p->nconst == MAX_CONST)
        return wrong(p, "too many constants", start);
    *s = end;
    p->constant[p->nconst].dtype = dtype;
    p->constant[p->nconst].value = value;
    *arg = -1 - p->nconst++;
    return true;
}

static CgDtype dtype_of(const Program *p, int arg)
{
    return arg < 0 ? p->constant[-1 - arg].dtype : arg < p->nin ? p->in[arg] : p->instr[arg - p->nin].dtype;
}

/* What computes the op on a run of elements: a vec function, or a kernel called on the tile. */
static bool find_function(const Program *p, Instr *i)
{
    CgDtype first = dtype_of(p, i->arg[0]);
    if (!(i->op->traits & CG_ELEMENTWISE) || (i->op->traits & CG_RANDOM) || i->op->prepare || i->op->finish
        || i->op->nout > 1)
        return false;
    i->fn = i->op->vec[first];
    i->kernel = i->op->kernel[first];
    return i->fn || i->kernel;
}

/* The type of a value by the op's own rule, on scalars. */
static bool infer_instr(Program *p, Instr *i, const char *at)
{
    CgType in[MAX_ARGS];
    memset(in, 0, sizeof in);
    for (int k = 0; k < i->narg; k++)
        in[k].dtype = dtype_of(p, i->arg[k]);
    CgInfer inf;
    memset(&inf, 0, sizeof inf);
    inf.op = i->op;
    inf.nin = i->narg;
    inf.in = in;
    inf.attrs = i->attrs;
    if (!i->op->shape(&inf))
        return wrong(p, inf.message, at);
    i->dtype = inf.out[0].dtype;
    return find_function(p, i) || wrong(p, "an op that is not elementwise", at);
}

static bool read_instr(Program *p, const char **s)
{
    char name[48];
    if (p->ninstr == MAX_INSTR)
        return wrong(p, "too many instructions", *s);
    Instr *i = &p->instr[p->ninstr];
    const char *start = *s = blank(*s);
    memset(i, 0, sizeof *i);
    i->result = -1;
    if (!copy_word(s, name, sizeof name) || !(i->op = cg_op_named(name)))
        return wrong(p, "no such op", start);
    if (**s == '{') {
        (*s)++;
        if (!read_attrs(p, s, &i->attrs))
            return false;
    }
    for (*s = blank(*s); **s && **s != ';'; *s = blank(*s)) {
        if (i->narg == MAX_ARGS)
            return wrong(p, "too many operands", start);
        if (!read_arg(p, s, &i->arg[i->narg++]))
            return false;
    }
    if (!i->narg)
        return wrong(p, "an op without operands", start);
    if (!infer_instr(p, i, start))
        return false;
    p->ninstr++;
    return true;
}

static bool read_program(Program *p, const CgAttrs *attrs, int nin, const CgDtype *in, int nresult)
{
    const char *s = cg_attr_str(attrs, "program", "");
    const CgAttr *results = cg_attr_find(attrs, "results");
    memset(p, 0, sizeof *p);
    p->nin = nin;
    p->nresult = nresult;
    for (int i = 0; i < nin; i++)
        p->in[i] = in[i];
    for (;;) {
        if (!read_instr(p, &s))
            return false;
        if (!*s)
            break;
        s++;
    }
    if (!results || results->kind != CG_ATTR_INTS || results->n != nresult)
        return wrong(p, "`results` must name each result", s);
    for (int k = 0; k < nresult; k++) {
        int64_t r = results->ints[k] - nin;
        if (r < 0 || r >= p->ninstr || p->instr[r].result >= 0)
            return wrong(p, "a result must be the value of an instruction", s);
        p->instr[r].result = k;
    }
    return true;
}

/* ---- in a graph ---- */

/* The chain as nodes; value[nin + i] is that of instruction i. False when the program cannot be read. */
static bool program_expand(CgBuild *b, const CgSite *site, int nresult, Program *p, CgRef *value)
{
    CgDtype in[MOST_IN];
    CgRef arg[MAX_ARGS];
    CgType type = cg_ref_type(b, site->in[0]);
    for (int i = 0; i < site->nin; i++) {
        value[i] = site->in[i];
        in[i] = cg_ref_type(b, site->in[i]).dtype;
    }
    if (!read_program(p, site->attrs, site->nin, in, nresult))
        return false;
    for (int i = 0; i < p->ninstr; i++) {
        const Instr *it = &p->instr[i];
        for (int k = 0; k < it->narg; k++) {
            if (it->arg[k] >= 0) {
                arg[k] = value[it->arg[k]];
            } else {
                type.dtype = p->constant[-1 - it->arg[k]].dtype;
                arg[k] = cg_fill(b, type, p->constant[-1 - it->arg[k]].value);
            }
        }
        value[p->nin + i] = cg_build(b, it->op->name, it->narg, arg, it->attrs);
    }
    return true;
}

/* Reads the program of a node whose operands have one shape; else says what is wrong. */
static bool program_shape(CgInfer *inf, int nresult, Program *p)
{
    CgDtype in[MOST_IN];
    if (inf->nin < 1)
        return cg_infer_fail(inf, -1, -1, "%s needs an operand", inf->op->name);
    if (inf->nin > MOST_IN)
        return cg_infer_fail(inf, -1, -1, "%s takes at most %d operands", inf->op->name, MOST_IN);
    for (int i = 0; i < inf->nin; i++) {
        in[i] = inf->in[i].dtype;
        if (inf->in[i].rank != inf->in[0].rank)
            return cg_infer_fail(inf, i, -1, "operands must have one shape");
        for (int k = 0; k < inf->in[0].rank; k++)
            if (inf->in[i].dim[k] != inf->in[0].dim[k])
                return cg_infer_differ(inf, 0, k, i, k, "sizes");
    }
    return read_program(p, inf->attrs, inf->nin, in, nresult) || cg_infer_fail(inf, -1, -1, "%s", p->error);
}

/* ---- ready to run ---- */

/* Gives each value a tile, reused once the value is dead. A function may write over an operand only if their elements
 * have one size. */
static void assign_tiles(Program *p)
{
    int last[MAX_INSTR], owner[MAX_INSTR];
    for (int i = 0; i < p->ninstr; i++)
        last[i] = i;
    for (int i = 0; i < p->ninstr; i++)
        for (int k = 0; k < p->instr[i].narg; k++)
            if (p->instr[i].arg[k] >= p->nin)
                last[p->instr[i].arg[k] - p->nin] = i;
    for (int i = 0; i < p->ninstr; i++) {
        int t = 0;
        if (p->instr[i].result >= 0)
            last[i] = p->ninstr; /* may have to wait in its tile for the end */
        for (; t < p->ntiles; t++) {
            const Instr *was = &p->instr[owner[t]];
            if (last[owner[t]] < i)
                break;
            if (last[owner[t]] == i && cg_dtype_size(was->dtype) == cg_dtype_size(p->instr[i].dtype))
                break;
        }
        if (t == p->ntiles)
            p->ntiles++;
        owner[t] = i;
        p->instr[i].tile = t;
    }
}

static void fill(void *to, CgDtype dtype, double value, size_t n)
{
    size_t size = cg_dtype_size(dtype);
    for (size_t i = 0; i < n; i++)
        cg_element_put(dtype, (char *)to + i * size, value);
}

static size_t larger(size_t size, CgDtype dtype) { return cg_dtype_size(dtype) > size ? cg_dtype_size(dtype) : size; }

static size_t tile_length(const Program *p)
{
    size_t size = 4;
    for (int i = 0; i < p->nin; i++)
        size = larger(size, p->in[i]);
    for (int i = 0; i < p->nconst; i++)
        size = larger(size, p->constant[i].dtype);
    for (int i = 0; i < p->ninstr; i++)
        size = larger(size, p->instr[i].dtype);
    return TILE_BYTES / size;
}

/* A program ready to run, or NULL; to be freed. */
static void *program_prepare(const CgCall *call)
{
    Program head;
    CgDtype in[MOST_IN];
    for (int i = 0; i < call->nin; i++)
        in[i] = call->in[i].dtype;
    if (!read_program(&head, call->attrs, call->nin, in, call->nout))
        return NULL;
    Program *p = aligned_alloc(64, (sizeof *p + (size_t)head.nconst * TILE_BYTES + 63) / 64 * 64);
    if (!p)
        return NULL;
    *p = head;
    p->tile = tile_length(p);
    for (int i = 0; i < p->nconst; i++)
        fill(p->pool[i], p->constant[i].dtype, p->constant[i].value, p->tile);
    assign_tiles(p);
    for (int i = 0; i < p->ninstr; i++)
        for (int k = 0; k < p->instr[i].narg; k++)
            if (p->instr[i].arg[k] >= 0 && p->instr[i].arg[k] < p->nin)
                p->last[p->instr[i].arg[k]] = i;
    return p;
}

static void program_release(void *state) { free(state); }

/* An instruction as a call of the op's kernel on one tile. */
typedef struct TileCall {
    CgCall call;
    CgTensor in[MAX_ARGS], out;
} TileCall;

static void set_tensor(CgTensor *t, CgDtype dtype, const void *data, size_t n)
{
    t->data = (void *)(uintptr_t)data;
    t->dtype = dtype;
    t->rank = 1;
    t->dim[0] = (int64_t)n;
    t->stride[0] = 1;
}

static void set_call(
    TileCall *c, const Program *p, const Instr *i, const CgCall *outer, const void *const *arg, void *to, size_t n)
{
    memset(&c->call, 0, sizeof c->call);
    c->call.op = i->op;
    c->call.nin = i->narg;
    c->call.nout = 1;
    c->call.in = c->in;
    c->call.out = &c->out;
    c->call.attrs = i->attrs;
    c->call.seed = outer->seed;
    c->call.step = outer->step;
    for (int k = 0; k < i->narg; k++)
        set_tensor(&c->in[k], dtype_of(p, i->arg[k]), arg ? arg[k] : NULL, n);
    set_tensor(&c->out, i->dtype, to, n);
}

/* All operands seen through one set of axes: neighbours that every operand steps through evenly are one axis. */
typedef struct Axes {
    int rank;
    int64_t dim[CG_MAX_RANK];
    int64_t stride[MOST_IN][CG_MAX_RANK];
} Axes;

static bool can_join(const Axes *a, int nin, const CgTensor *in, int axis)
{
    int64_t n = in[0].dim[axis];
    for (int j = 0; j < nin; j++)
        if (a->stride[j][a->rank - 1] != in[j].stride[axis] * n)
            return false;
    return true;
}

static void join_axes(Axes *a, int nin, const CgTensor *in)
{
    a->rank = 0;
    for (int axis = 0; axis < in[0].rank; axis++) {
        if (in[0].dim[axis] == 1)
            continue;
        if (a->rank && can_join(a, nin, in, axis))
            a->dim[a->rank - 1] *= in[0].dim[axis];
        else
            a->dim[a->rank++] = in[0].dim[axis];
        for (int j = 0; j < nin; j++)
            a->stride[j][a->rank - 1] = in[j].stride[axis];
    }
    if (!a->rank) {
        a->rank = 1;
        a->dim[0] = 1;
        for (int j = 0; j < nin; j++)
            a->stride[j][0] = 1;
    }
}

/* Offset, in elements, of the first element of a row: all axes but the last. */
static int64_t row_offset(const Axes *a, int operand, int64_t row)
{
    int64_t offset = 0;
    for (int i = a->rank - 2; i >= 0; i--) {
        offset += row % a->dim[i] * a->stride[operand][i];
        row /= a->dim[i];
    }
    return offset;
}

static void copy_strided(char *to, const char *from, size_t size, int64_t stride, size_t n)
{
    switch (size) {
    case 2:
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)to)[i] = ((const uint16_t *)from)[(int64_t)i * stride];
        break;
    case 4:
        for (size_t i = 0; i < n; i++)
            ((uint32_t *)to)[i] = ((const uint32_t *)from)[(int64_t)i * stride];
        break;
    case 8:
        for (size_t i = 0; i < n; i++)
            ((uint64_t *)to)[i] = ((const uint64_t *)from)[(int64_t)i * stride];
        break;
    default:
        for (size_t i = 0; i < n; i++)
            to[i] = from[(int64_t)i * stride];
        break;
    }
}

/* Elements [at, at + n) of the operand in order: where they lie, or gathered in `tile`. */
static const void *fetch(
    const Axes *a, int operand, const CgTensor *x, bool flat, size_t at, size_t n, char *tile, int64_t *held)
{
    const char *base = x->data;
    size_t size = cg_dtype_size(x->dtype);
    if (flat)
        return base + at * size;
    size_t length = (size_t)a->dim[a->rank - 1], row = at / length, column = at % length;
    int64_t step = a->stride[operand][a->rank - 1];
    if (step == 1 && column + n <= length)
        return base + (row_offset(a, operand, (int64_t)row) + (int64_t)column) * (int64_t)size;
    /* filled for the start of this row */
    if (step == 0 && length >= LONG_ROW && column && *held == (int64_t)row)
        return tile;
    for (size_t done = 0; done < n; row++, column = 0) {
        size_t m = length - column < n - done ? length - column : n - done;
        int64_t offset = row_offset(a, operand, (int64_t)row) + (int64_t)column * step;
        const char *from = base + offset * (int64_t)size;
        if (step == 1)
            memcpy(tile + done * size, from, m * size);
        else
            copy_strided(tile + done * size, from, size, step, m);
        done += m;
        *held = (int64_t)row;
    }
    return tile;
}

/* Asks for a share of the memory of the next tile while this one is worked on: runs this short are over before the
 * processor has noticed that they are streams. */
static void fetch_ahead(const char *const *stream, const size_t *size, int nstreams, size_t n, int share, int shares)
{
    for (int j = 0; j < nstreams; j++) {
        size_t lines = n * size[j] / 64, to = lines * (size_t)(share + 1) / (size_t)shares;
        for (size_t i = lines * (size_t)share / (size_t)shares; i < to; i++)
            __builtin_prefetch(stream[j] + i * 64, 0, 2);
    }
}

/* ---- running ---- */

/* A shard's view of its operands and its scratch memory. */
typedef struct Run {
    const CgCall *call;
    const Program *p;
    Axes axes;
    size_t length, count; /* of a row, the last axis; of all */
    bool flat[MOST_IN];
    int64_t held[MOST_IN];
    char *operands, *tiles, *inner;
} Run;

static void run_begin(Run *r, const CgCall *call, CgShard shard)
{
    const Program *p = call->state;
    r->call = call;
    r->p = p;
    r->operands = shard.scratch;
    r->tiles = r->operands + (size_t)p->nin * TILE_BYTES;
    r->inner = r->tiles + (size_t)p->ninstr * TILE_BYTES;
    join_axes(&r->axes, call->nin, call->in);
    r->length = (size_t)r->axes.dim[r->axes.rank - 1];
    r->count = (size_t)cg_tensor_count(&call->in[0]);
    for (int j = 0; j < call->nin; j++) {
        r->flat[j] = cg_tensor_contiguous(&call->in[j]);
        r->held[j] = -1;
    }
}

/* Elements from `at` on that make a tile: not past `last`, nor past the row when rows are long. */
static size_t run_tile(const Run *r, size_t at, size_t last)
{
    size_t n = last - at < r->p->tile ? last - at : r->p->tile;
    return r->length >= LONG_ROW && r->length - at % r->length < n ? r->length - at % r->length : n;
}

/* Runs the program on elements [at, at + n) of the operands. Result k goes to to[k], or where that is NULL stays in its
 * tile. value[nin + i] is where the value of instruction i is afterwards. */
static void run_program(Run *r, size_t at, size_t n, char *const *to, const void **value)
{
    const Program *p = r->p;
    const CgCall *call = r->call;
    const char *stream[MOST_IN + MOST_OUT];
    size_t step[MOST_IN + MOST_OUT];
    int nstreams = 0;
    for (int j = 0; j < p->nin; j++)
        value[j] =
            fetch(&r->axes, j, &call->in[j], r->flat[j], at, n, r->operands + (size_t)j * TILE_BYTES, &r->held[j]);
    if (at + n + p->tile <= r->count) { /* past the end of the shard, too: a thread's next one begins there */
        for (int j = 0; j < p->nin; j++) {
            step[nstreams] = cg_dtype_size(p->in[j]);
            if (r->flat[j])
                stream[nstreams++] = (const char *)value[j] + n * cg_dtype_size(p->in[j]);
        }
        for (int i = 0; i < p->ninstr; i++) {
            int k = p->instr[i].result;
            bool rounded = k >= 0 && call->out[k].dtype == CG_ROUNDED && cg_tensor_contiguous(&call->out[k]);
            bool known = k < 0 || !(to[k] || rounded); /* or it lies over an operand */
            for (int j = 0; !known && j < p->nin; j++)
                known = value[j] == to[k];
            if (known)
                continue;
            step[nstreams] = cg_dtype_size(call->out[k].dtype);
            stream[nstreams] =
                (to[k] ? to[k] : (const char *)call->out[k].data + at * step[nstreams]) + n * step[nstreams];
            nstreams++;
        }
    }
    for (int i = 0; i < p->ninstr; i++) {
        const Instr *it = &p->instr[i];
        const void *arg[MAX_ARGS];
        char *out = it->result >= 0 && to[it->result] ? to[it->result] : r->tiles + (size_t)it->tile * TILE_BYTES;
        fetch_ahead(stream, step, nstreams, n, i, p->ninstr);
        for (int k = 0; k < it->narg; k++)
            arg[k] = it->arg[k] < 0 ? p->pool[-1 - it->arg[k]] : value[it->arg[k]];
        if (it->fn) {
            it->fn(arg, out, n, it->attrs);
        } else {
            TileCall c;
            set_call(&c, p, it, call, arg, out, n);
            it->kernel(&c.call, (CgShard){ .index = 0, .count = 1, .scratch = r->inner });
        }
        value[p->nin + i] = out;
    }
}

/* Flops an element, and scratch memory of a shard; false when the program cannot be read. */
static bool program_cost(const CgCall *call, int nresult, double *flops, size_t *scratch)
{
    Program p;
    CgDtype in[MOST_IN];
    size_t inner = 0;
    for (int i = 0; i < call->nin; i++)
        in[i] = call->in[i].dtype;
    if (!read_program(&p, call->attrs, call->nin, in, nresult))
        return false;
    for (int i = 0; i < p.ninstr; i++) {
        CgWork w;
        TileCall c;
        if (!p.instr[i].kernel || !p.instr[i].op->work)
            continue;
        set_call(&c, &p, &p.instr[i], call, NULL, NULL, tile_length(&p));
        memset(&w, 0, sizeof w);
        p.instr[i].op->work(&c.call, &w);
        if (w.scratch > inner)
            inner = w.scratch;
    }
    *flops = p.ninstr;
    *scratch = (size_t)(p.nin + p.ninstr) * TILE_BYTES + inner;
    return true;
}

#endif
