/* exec.c - running a plan.
 * Takes a plan, a pool and bound memory; gives results in the slab or where the caller said.
 * Must not decide anything that reaches the bits: order, shards and places come from the plan. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "run/gemm/blas.h"
#include "run/trace.h"

#define TOUCH    ((size_t)2 << 20) /* first touch goes by huge pages */
#define POISON   0xff              /* NaN in f32 and f64, -1 in integers */
#define SENTINEL 0xa5

/* A tensor whose address follows a buffer the caller binds. */
typedef struct Link {
    int tensor;
    int next;
    size_t offset;
} Link;

/* Shards of several tasks in the order they are handed out. */
typedef struct WorkItem {
    uint32_t task, shard;
} WorkItem;
typedef struct Wave {
    const CgTask *task;
    int n;
    WorkItem *item;
    size_t items;
} Wave;

struct CgExec {
    const CgPlan *plan;
    CgPool *pool;
    char *slab;
    char *scratch;
    bool lent; /* both are an outer exec's, whose loop this one runs */
    size_t scratch_stride;
    uint64_t *ran;   /* by thread, a line each: the run it last ran a shard of */
    uint64_t runs;   /* of an instruction's shards, so far */
    char **base;     /* by buffer; NULL until bound */
    int *first_link; /* by buffer, -1 at the end */
    CG_VEC(Link) links;
    CgTensor *tensors; /* all operands and results, instruction by instruction */
    CgCall *calls;
    Wave *waves;
    WorkItem *items; /* of all waves of several tasks */
    int *unbound_of; /* by place: buffer of each ordinal */
    int ninputs, nparams, noutputs;
    CgProf *prof;
    bool profiling, poison;
    CgTrace *trace; /* NULL unless asked for */
    int trace_first;
    bool checked_bound;
    CgFault fault;
    int not_finite; /* a result that is checked was */
};

/* A task as a job of the pool; `run` tells it from any other. */
typedef struct Job {
    const CgExec *x;
    CgKernel *kernel;
    CgTask task;
    size_t shards;
    uint64_t run;
} Job;

typedef struct WaveJob {
    Job job[CG_PLAN_WAVE];
    const WorkItem *item;
} WaveJob;

enum { LINE = 8 }; /* numbers of 8 bytes */

static void run_shard(const Job *j, size_t shard, int thread)
{
    const CgExec *x = j->x;
    uint64_t *ran = &x->ran[thread * LINE];
    CgShard p = { shard, j->shards, x->scratch ? x->scratch + (size_t)thread * x->scratch_stride : NULL,
        *ran == j->run };
    *ran = j->run;
    j->kernel(&x->calls[j->task.instr], p);
}

/* With a note of when and where. */
static void run_shard_noted(const Job *j, size_t shard, int thread)
{
    CgTrace *t = j->x->trace;
    int64_t start = cg_trace_now(t);
    run_shard(j, shard, thread);
    cg_trace_add(t, thread,
        (CgTraceEvent){ .name = j->x->trace_first + j->task.instr,
            .kind = j->task.begin ? CG_TRACE_BEGIN : CG_TRACE_SHARD,
            .shard = (int)shard,
            .start = start,
            .end = cg_trace_now(t) });
}

static void run_job_shard(void *arg, size_t shard, int thread) { run_shard(arg, shard, thread); }

static void run_job_shard_noted(void *arg, size_t shard, int thread) { run_shard_noted(arg, shard, thread); }

static void run_item(void *arg, size_t i, int thread)
{
    const WaveJob *w = arg;
    run_shard(&w->job[w->item[i].task], w->item[i].shard, thread);
}

static void run_item_noted(void *arg, size_t i, int thread)
{
    const WaveJob *w = arg;
    run_shard_noted(&w->job[w->item[i].task], w->item[i].shard, thread);
}

static inline Job job_of(CgExec *x, CgTask task)
{
    const CgInstr *in = cg_plan_instr(x->plan, task.instr);
    return (Job){ x, task.begin ? in->op->begin : in->kernel, task, cg_plan_shards(x->plan, task), ++x->runs };
}

static inline void run_job(CgExec *x, CgTask task)
{
    Job j = job_of(x, task);
    if (j.shards > 1)
        cg_pool_run(x->pool, j.shards, x->trace ? run_job_shard_noted : run_job_shard, &j);
    else if (x->trace)
        run_shard_noted(&j, 0, 0);
    else
        j.kernel(&x->calls[task.instr], (CgShard){ 0, 1, x->scratch, false });
}

static inline void finish(CgExec *x, CgTask task)
{
    CgKernel *last = cg_plan_instr(x->plan, task.instr)->op->finish;
    if (!last || task.begin)
        return;
    int64_t start = x->trace ? cg_trace_now(x->trace) : 0;
    last(&x->calls[task.instr], (CgShard){ 0, 1, x->scratch, false });
    if (x->trace)
        cg_trace_add(x->trace, 0,
            (CgTraceEvent){ .name = x->trace_first + task.instr,
                .kind = CG_TRACE_FINISH,
                .start = start,
                .end = cg_trace_now(x->trace) });
}

static void run_instr(CgExec *x, int i)
{
    if (cg_plan_instr(x->plan, i)->work.begin)
        run_job(x, (CgTask){ i, true });
    run_job(x, (CgTask){ i, false });
    finish(x, (CgTask){ i, false });
}

static inline void run_wave(CgExec *x, const Wave *w)
{
    if (w->n == 1) {
        run_job(x, w->task[0]);
    } else {
        WaveJob j = { .item = w->item };
        for (int k = 0; k < w->n; k++)
            j.job[k] = job_of(x, w->task[k]);
        cg_pool_run(x->pool, w->items, x->trace ? run_item_noted : run_item, &j);
    }
    for (int k = 0; k < w->n; k++)
        finish(x, w->task[k]);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- CG_DEBUG=poison: memory that is dead holds NaN, gaps between buffers hold a pattern ----------------------- */

static bool in_slab(const CgBuffer *b) { return b->storage == CG_AT_SLAB && b->first <= b->last; }

static void fill_gap(const CgExec *x, const CgBuffer *b)
{
    memset(x->slab + b->offset + b->bytes, SENTINEL, cg_plan_room(b) - b->bytes);
}

static void check_gap(const CgExec *x, const CgBuffer *b, int i)
{
    const unsigned char *at = (unsigned char *)x->slab + b->offset;
    for (size_t k = b->bytes; k < cg_plan_room(b); k++)
        if (at[k] != SENTINEL)
            CG_BUG("instruction %d, '%s', wrote %zu bytes past the end of a buffer of %zu", i,
                cg_plan_instr(x->plan, i)->op->name, k - b->bytes + 1, b->bytes);
}

static void before_poisoned(const CgExec *x, int i)
{
    for (int k = 0; k < cg_plan_buffers(x->plan); k++) {
        const CgBuffer *b = cg_plan_buffer(x->plan, k);
        if (in_slab(b) && b->first == i)
            fill_gap(x, b);
    }
}

static void after_poisoned(const CgExec *x, int i)
{
    for (int k = 0; k < cg_plan_buffers(x->plan); k++) {
        const CgBuffer *b = cg_plan_buffer(x->plan, k);
        if (!in_slab(b) || b->first > i || b->last < i)
            continue;
        check_gap(x, b, i);
        if (b->last == i)
            memset(x->slab + b->offset, POISON, b->bytes);
    }
}

/* ---- not-a-number and infinity --------------------------------------------------------------------------------- */

typedef struct Found {
    bool nan, inf;
} Found;

static void look(const CgTensor *t, int axis, const char *at, Found *f)
{
    if (axis == t->rank) {
        double v = t->dtype == CG_F32 ? (double)*(const float *)at
            : t->dtype == CG_ROUNDED  ? (double)cg_bf16_value(*(const uint16_t *)at)
                                      : *(const double *)at;
        f->nan = f->nan || isnan(v);
        f->inf = f->inf || isinf(v);
        return;
    }
    ptrdiff_t step = (ptrdiff_t)(t->stride[axis] * (int64_t)cg_dtype_size(t->dtype));
    int64_t n = t->stride[axis] == 0 && t->dim[axis] > 1 ? 1 : t->dim[axis];
    for (int64_t i = 0; i < n && !(f->nan && f->inf); i++)
        look(t, axis + 1, at + i * step, f);
}

static Found find_odd(const CgTensor *t)
{
    Found f = { false, false };
    if (cg_dtype_is_float(t->dtype))
        look(t, 0, t->data, &f);
    return f;
}

/* A result is bad when it holds a NaN, or an infinity that no operand had. Constant infinities of a script
 * (masks) pass; infinities of inputs and parameters do not. */
static bool is_bad(const CgExec *x, int i, bool had_inf)
{
    const CgCall *c = &x->calls[i];
    for (int k = 0; k < c->nout; k++) {
        Found f = find_odd(&c->out[k]);
        if (f.nan || (f.inf && !had_inf))
            return true;
    }
    return false;
}

/* Called before the instruction runs, since a result may overwrite the operand. */
static bool operands_have_inf(const CgExec *x, int i)
{
    const CgInstr *in = cg_plan_instr(x->plan, i);
    for (int k = 0; k < in->nin; k++) {
        CgStorage storage = cg_plan_buffer(x->plan, in->in[k].buffer)->storage;
        if ((storage == CG_AT_SLAB || storage == CG_AT_CONST || storage == CG_AT_OUTPUT)
            && find_odd(&x->calls[i].in[k]).inf)
            return true;
    }
    return false;
}

/* ---- loops ----------------------------------------------------------------------------------------------------- */

typedef struct Looping {
    const CgLoop *loop;
    CgExec *x; /* of one turn */
} Looping;

static size_t bytes_of(const CgTensor *t) { return (size_t)cg_tensor_count(t) * cg_dtype_size(t->dtype); }

/* Index i of axis 0. */
static char *turn_of(const CgTensor *t, int64_t i)
{
    return (char *)t->data + (size_t)i * (t->dim[0] ? bytes_of(t) / (size_t)t->dim[0] : 0);
}

void cg_kernel_loop(const CgCall *call, CgShard shard)
{
    const Looping *of = call->state;
    const CgLoop *loop = of->loop;
    int first = loop->states + loop->turns;
    (void)shard;
    for (int i = 0; i < loop->states; i++) {
        size_t bytes = bytes_of(&call->in[i]);
        if (bytes)
            memcpy(call->out[i].data, call->in[i].data, bytes);
        cg_exec_bind_input(of->x, i, call->out[i].data);
    }
    for (int i = first; i < call->nin; i++)
        cg_exec_bind_input(of->x, i, call->in[i].data);
    for (int64_t t = 0; t < loop->count && !call->fault->call; t++) {
        int64_t at = loop->reverse ? loop->count - 1 - t : t;
        for (int i = loop->states; i < first; i++)
            cg_exec_bind_input(of->x, i, turn_of(&call->in[i], at));
        for (int k = loop->states; k < call->nout; k++)
            cg_exec_bind_output(of->x, k, turn_of(&call->out[k], at));
        if (!cg_exec_run(of->x))
            call->fault->call = call;
    }
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static void check_bound(CgExec *x)
{
    if (x->checked_bound)
        return;
    for (int b = 0; b < cg_plan_buffers(x->plan); b++) {
        const CgBuffer *buffer = cg_plan_buffer(x->plan, b);
        if (x->first_link[b] >= 0 && !x->base[b] && buffer->bytes > 0)
            CG_BUG("%s %d of graph '%s' is not bound",
                buffer->storage == CG_AT_INPUT       ? "input"
                    : buffer->storage == CG_AT_PARAM ? "param"
                                                     : "output",
                buffer->ordinal, cg_plan_graph(x->plan)->name);
    }
    x->checked_bound = true;
}

/* The careful way: poison, checks and times, as asked for. */
static int run_watched(CgExec *x, bool check)
{
    int n = cg_plan_count(x->plan), bad = -1;
    if (x->poison && x->slab)
        memset(x->slab, POISON, cg_plan_slab(x->plan));
    for (int i = 0; i < n && bad < 0; i++) {
        bool had_inf = check && operands_have_inf(x, i);
        if (x->poison)
            before_poisoned(x, i);
        double start = x->profiling ? seconds() : 0;
        run_instr(x, i);
        if (x->profiling) {
            x->prof[i].seconds += seconds() - start;
            x->prof[i].calls++;
        }
        if (check && is_bad(x, i, had_inf))
            bad = i;
        if (x->poison)
            after_poisoned(x, i);
    }
    return bad;
}

bool cg_exec_run(CgExec *x)
{
    check_bound(x);
    x->fault.call = NULL;
    x->not_finite = 0;
    if (x->poison || x->profiling) {
        run_watched(x, false);
        return !x->fault.call;
    }
    int n = cg_plan_waves(x->plan);
    for (int i = 0; i < n && !x->fault.call; i++)
        run_wave(x, &x->waves[i]);
    return !x->fault.call;
}

bool cg_exec_check_finite(CgExec *x, int output)
{
    const CgSlot *s = cg_plan_output(x->plan, output);
    for (int i = cg_plan_count(x->plan) - 1; i >= 0; i--) {
        const CgInstr *in = cg_plan_instr(x->plan, i);
        for (int k = 0; k < in->nout; k++) {
            if (in->out[k].buffer != s->buffer || in->out[k].offset != s->offset)
                continue;
            if (!cg_bits_have(in->op->checks, k))
                return false;
            x->calls[i].checked |= 1u << k;
            x->calls[i].not_finite = &x->not_finite;
            return true;
        }
    }
    return false;
}

bool cg_exec_finite(const CgExec *x) { return !x->not_finite; }

/* Element `flat` of a tensor by its axes; nothing where a size after the first is not known. */
static void print_element(int64_t flat, int rank, const int64_t *dim, CgStrbuf *out)
{
    int64_t stride = 1;
    for (int k = 1; k < rank; k++)
        stride *= dim[k];
    for (int k = 0; k < rank; k++) {
        cg_strbuf_printf(out, "%s%lld", k ? ", " : "[", (long long)(flat / stride));
        flat %= stride;
        stride = k + 1 < rank ? stride / dim[k + 1] : 1;
    }
    cg_strbuf_puts(out, rank ? "]" : "");
}

/* "element [3, 17] of 'tokens'", or of what was computed; "it" for a scalar. */
static void print_index(const CgExec *x, const CgFault *f, CgStrbuf *out)
{
    const CgTensor *t = &f->call->in[f->operand];
    const CgSlot *slot = &cg_plan_instr(x->plan, (int)(f->call - x->calls))->in[f->operand];
    const CgBuffer *from = cg_plan_buffer(x->plan, slot->buffer);
    const CgGraph *g = cg_plan_graph(x->plan);
    if (!t->rank) {
        cg_strbuf_puts(out, "the index");
        return;
    }
    if (from->storage == CG_AT_INPUT) {
        CgRef input = g->inputs.at[from->ordinal];
        const CgType *type = cg_node_type(g, input);
        int64_t dim[CG_MAX_RANK] = { 0 };
        bool known = type->rank > 0;
        for (int k = 1; known && k < type->rank; k++)
            known = cg_dim_is_int(type->dim[k], &dim[k]) && dim[k] > 0;
        if (known) {
            cg_strbuf_puts(out, "element ");
            print_element((int64_t)(slot->offset / cg_dtype_size(t->dtype)) + f->element, type->rank, dim, out);
            cg_strbuf_printf(out, " of '%s'", cg_node_name(g, input));
            return;
        }
    }
    cg_strbuf_puts(out, "element ");
    print_element(f->element, t->rank, t->dim, out);
    cg_strbuf_puts(out, " of the indices");
}

int cg_exec_explain(const CgExec *x, CgErr *e)
{
    const CgFault *f = &x->fault;
    CG_ASSERT(f->call, "a run that failed");
    int instr = (int)(f->call - x->calls);
    if (cg_plan_instr(x->plan, instr)->loop) {
        cg_exec_explain(((const Looping *)f->call->state)->x, e);
        return instr;
    }
    CgStrbuf what = { 0 };
    print_index(x, f, &what);
    cg_err(e, CG_ERR_INPUT, "%s: %s is %lld, which is not from 0 to %lld", f->call->op->name, cg_strbuf_str(&what),
        (long long)f->index, (long long)f->below - 1);
    cg_strbuf_deinit(&what);
    return instr;
}

int cg_exec_run_checked(CgExec *x)
{
    check_bound(x);
    x->fault.call = NULL;
    return run_watched(x, true);
}

void cg_exec_profile(CgExec *x, bool on)
{
    if (on)
        memset(x->prof, 0, ((size_t)cg_plan_count(x->plan) + 1) * sizeof *x->prof);
    x->profiling = on;
}

const CgProf *cg_exec_prof(const CgExec *x) { return x->prof; }

void cg_exec_trace(CgExec *x, CgTrace *t, int first)
{
    x->trace = t;
    x->trace_first = first;
}

const CgPlan *cg_exec_plan(const CgExec *x) { return x->plan; }

void cg_exec_random(CgExec *x, uint64_t seed, uint64_t step, uint64_t row)
{
    for (int i = 0; i < cg_plan_count(x->plan); i++) {
        x->calls[i].seed = seed;
        x->calls[i].step = step;
        x->calls[i].row = row;
        if (cg_plan_instr(x->plan, i)->loop)
            cg_exec_random(((Looping *)x->calls[i].state)->x, seed, step, row);
    }
}

/* ---- binding --------------------------------------------------------------------------------------------------- */

static void bind(CgExec *x, int buffer, const void *data)
{
    union {
        const void *in;
        char *out;
    } u = { data }; /* only what the plan renews is written */
    x->base[buffer] = u.out;
    for (int l = x->first_link[buffer]; l >= 0; l = x->links.at[l].next) /* an empty tensor has no address */
        x->tensors[x->links.at[l].tensor].data = data ? u.out + x->links.at[l].offset : NULL;
    x->checked_bound = false;
}

static int buffer_of(const CgExec *x, CgStorage storage, int ordinal)
{
    int n = storage == CG_AT_INPUT ? x->ninputs : storage == CG_AT_PARAM ? x->nparams : x->noutputs;
    if (ordinal < 0 || ordinal >= n)
        CG_BUG("ordinal %d of %d", ordinal, n);
    int at = storage == CG_AT_INPUT ? 0 : storage == CG_AT_PARAM ? x->ninputs : x->ninputs + x->nparams;
    return x->unbound_of[at + ordinal];
}

void cg_exec_bind_input(CgExec *x, int ordinal, const void *data) { bind(x, buffer_of(x, CG_AT_INPUT, ordinal), data); }

void cg_exec_bind_param(CgExec *x, int ordinal, const void *data) { bind(x, buffer_of(x, CG_AT_PARAM, ordinal), data); }

void cg_exec_bind_output(CgExec *x, int ordinal, void *data)
{
    int buffer = buffer_of(x, CG_AT_OUTPUT, ordinal);
    if (cg_plan_buffer(x->plan, buffer)->storage != CG_AT_OUTPUT)
        CG_BUG("this plan keeps output %d in the slab", ordinal);
    bind(x, buffer, data);
}

void *cg_exec_block(const CgExec *x) { return x->slab; }

CgTensor cg_exec_output(const CgExec *x, int i)
{
    const CgSlot *s = cg_plan_output(x->plan, i);
    CgTensor t = s->tensor;
    t.data = x->base[s->buffer] + s->offset;
    return t;
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

static void link_tensor(CgExec *x, const CgSlot *s, int tensor)
{
    x->tensors[tensor] = s->tensor;
    char *base = x->base[s->buffer];
    if (base) {
        x->tensors[tensor].data = base + s->offset;
        return;
    }
    cg_vec_push(&x->links, (Link){ .tensor = tensor, .next = x->first_link[s->buffer], .offset = s->offset });
    x->first_link[s->buffer] = (int)x->links.len - 1;
}

static void touch(void *arg, size_t shard, int thread)
{
    CgExec *x = arg;
    size_t size = cg_plan_slab(x->plan), at = shard * TOUCH;
    (void)thread;
    memset(x->slab + at, 0, size - at < TOUCH ? size - at : TOUCH);
}

static double cost_of_shard(const CgPlan *p, CgTask a)
{
    const CgWork *w = &cg_plan_instr(p, a.instr)->work;
    return a.begin ? 0 : (w->flops + w->bytes) / (double)w->shards;
}

/* Each thread begins with its share of every task, as it does where they run alone; with large shards first, so that
 * small ones are left when threads wait for each other. */
static void lay_items(const CgExec *x, Wave *w)
{
    size_t threads = (size_t)cg_pool_threads(x->pool);
    uint32_t by_cost[CG_PLAN_WAVE];
    for (uint32_t k = 0; k < (uint32_t)w->n; k++) {
        uint32_t at = k;
        for (; at > 0 && cost_of_shard(x->plan, w->task[by_cost[at - 1]]) < cost_of_shard(x->plan, w->task[k]); at--)
            by_cost[at] = by_cost[at - 1];
        by_cost[at] = k;
    }
    for (size_t t = 0; t < threads; t++)
        for (int k = 0; k < w->n; k++) {
            CgTask task = w->task[by_cost[k]];
            size_t shards = cg_plan_shards(x->plan, task);
            for (size_t i = shards * t / threads; i < shards * (t + 1) / threads; i++)
                w->item[w->items++] = (WorkItem){ by_cost[k], (uint32_t)i };
        }
}

static void lay_waves(CgExec *x)
{
    int n = cg_plan_waves(x->plan);
    size_t items = 0;
    x->waves = cg_calloc((size_t)n + 1, sizeof *x->waves);
    for (int i = 0; i < n; i++) {
        Wave *w = &x->waves[i];
        w->task = cg_plan_wave(x->plan, i, &w->n);
        for (int k = 0; w->n > 1 && k < w->n; k++)
            items += cg_plan_shards(x->plan, w->task[k]);
    }
    x->items = cg_calloc(items + 1, sizeof *x->items);
    items = 0;
    for (int i = 0; i < n; i++) {
        Wave *w = &x->waves[i];
        w->item = x->items + items;
        if (w->n > 1)
            lay_items(x, w);
        items += w->items;
    }
}

static void lay_bases(CgExec *x)
{
    const CgPlan *p = x->plan;
    static char nothing[64]; /* where buffers of no bytes are */
    for (int b = 0; b < cg_plan_buffers(p); b++) {
        const CgBuffer *buffer = cg_plan_buffer(p, b);
        x->first_link[b] = -1;
        union {
            const void *in;
            char *out;
        } u = { nothing };
        switch (buffer->storage) {
        case CG_AT_SLAB: x->base[b] = x->slab ? x->slab + buffer->offset : nothing; break;
        case CG_AT_CONST:
            u.in = cg_plan_constant(p, buffer->ordinal);
            x->base[b] = u.out;
            break;
        case CG_AT_INPUT: x->unbound_of[buffer->ordinal] = b; break;
        case CG_AT_PARAM: x->unbound_of[x->ninputs + buffer->ordinal] = b; break;
        case CG_AT_OUTPUT: break;
        }
    }
    for (int i = 0; i < x->noutputs; i++)
        x->unbound_of[x->ninputs + x->nparams + i] = cg_plan_output(p, i)->buffer;
}

void cg_exec_free(CgExec *x)
{
    if (!x)
        return;
    for (int i = 0; x->calls && i < cg_plan_count(x->plan); i++)
        if (cg_plan_instr(x->plan, i)->loop && x->calls[i].state) {
            cg_exec_free(((Looping *)x->calls[i].state)->x);
            free(x->calls[i].state);
        }
    if (!x->lent) {
        free(x->slab);
        free(x->scratch);
    }
    free(x->ran);
    free(x->base);
    free(x->first_link);
    cg_vec_free(&x->links);
    free(x->tensors);
    free(x->calls);
    free(x->waves);
    free(x->items);
    free(x->unbound_of);
    free(x->prof);
    free(x);
}

static CgExec *exec_over(const CgPlan *p, CgPool *pool, char *slab, char *scratch, size_t stride);

/* What a loop runs lies in the memory that its shards share; threads have one scratch. */
static Looping *looping_new(const CgExec *x, const CgLoop *loop, void *shared)
{
    Looping *of = cg_calloc(1, sizeof *of);
    of->loop = loop;
    of->x = exec_over(loop->plan, x->pool, shared, x->scratch, x->scratch_stride);
    of->x->lent = true;
    return of;
}

static void lay_calls(CgExec *x)
{
    const CgPlan *p = x->plan;
    int at = 0;
    for (int i = 0; i < cg_plan_count(p); i++) {
        const CgInstr *in = cg_plan_instr(p, i);
        CgCall *c = &x->calls[i];
        *c = (CgCall){
            .op = in->op, .nin = in->nin, .nout = in->nout, .attrs = in->attrs, .state = in->state, .bf16 = in->bf16
        };
        c->fault = &x->fault;
        c->shared = in->shared >= 0 ? x->slab + in->shared_offset : NULL;
        if (in->loop)
            c->state = looping_new(x, in->loop, c->shared);
        c->in = x->tensors + at;
        for (int k = 0; k < in->nin; k++)
            link_tensor(x, &in->in[k], at++);
        c->out = x->tensors + at;
        for (int k = 0; k < in->nout; k++)
            link_tensor(x, &in->out[k], at++);
    }
}

static CgExec *exec_over(const CgPlan *p, CgPool *pool, char *slab, char *scratch, size_t stride)
{
    CgExec *x = cg_calloc(1, sizeof *x);
    const CgGraph *g = cg_plan_graph(p);
    int n = cg_plan_count(p);
    x->plan = p;
    x->pool = pool;
    x->slab = slab;
    x->scratch = scratch;
    x->scratch_stride = stride;
    x->poison = cg_debug_value("poison") != NULL;
    x->ninputs = (int)g->inputs.len;
    x->nparams = (int)g->params.len;
    x->noutputs = (int)g->outputs.len;
    x->ran = cg_calloc((size_t)cg_pool_threads(pool) * LINE, sizeof *x->ran);
    size_t tensors = 0;
    for (int i = 0; i < n; i++)
        tensors += (size_t)(cg_plan_instr(p, i)->nin + cg_plan_instr(p, i)->nout);
    size_t buffers = (size_t)cg_plan_buffers(p);
    x->base = cg_calloc(buffers + 1, sizeof *x->base);
    x->first_link = cg_calloc(buffers + 1, sizeof *x->first_link);
    x->tensors = cg_calloc(tensors + 1, sizeof *x->tensors);
    x->calls = cg_calloc((size_t)n + 1, sizeof *x->calls);
    x->prof = cg_calloc((size_t)n + 1, sizeof *x->prof);
    x->unbound_of = cg_calloc((size_t)(x->ninputs + x->nparams + x->noutputs) + 1, sizeof *x->unbound_of);
    lay_bases(x);
    lay_calls(x);
    lay_waves(x);
    return x;
}

CgExec *cg_exec_new(const CgPlan *p, CgPool *pool, CgErr *e)
{
    cg_blas_init();
    size_t stride = (cg_plan_scratch(p) + 127) / 128 * 128, size = stride * (size_t)cg_pool_threads(pool);
    char *slab = cg_plan_slab(p) > 0 ? cg_try_alloc(cg_plan_slab(p)) : NULL;
    char *scratch = size > 0 ? cg_try_alloc(size) : NULL;
    if ((cg_plan_slab(p) > 0 && !slab) || (size > 0 && !scratch)) {
        const CgGraph *g = cg_plan_graph(p);
        cg_err(e, CG_ERR_MEMORY, "no memory for running graph '%s': %zu bytes of tensors and %zu of scratch",
            g->name ? g->name : "", cg_plan_slab(p), size);
        free(slab);
        free(scratch);
        return NULL;
    }
    CgExec *x = exec_over(p, pool, slab, scratch, stride);
    cg_pool_run(pool, (cg_plan_slab(p) + TOUCH - 1) / TOUCH, touch, x);
    return x;
}
