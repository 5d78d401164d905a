/* print.c - a plan as text.
 * Takes a plan; gives the table of instructions, and memory by script line with a chart of lifetimes.
 * Must not change with the machine: goldens are made of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "run/plan/inside.h"

const char *cg_plan_bytes(size_t bytes, char out[24])
{
    static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double v = (double)bytes;
    size_t u = 0;
    for (; v >= 1024 && u + 1 < CG_LEN(unit); u++)
        v /= 1024;
    snprintf(out, 24, u ? "%.1f %s" : "%.0f %s", v, unit[u]);
    return out;
}

const char *cg_plan_where(const CgSources *sources, CgSpan span, char out[160])
{
    out[0] = 0;
    if (!sources || !span.file)
        return out;
    int line, column;
    cg_sources_position(sources, span, &line, &column);
    snprintf(out, 160, "%s:%d", cg_sources_get(sources, span.file)->name, line);
    return out;
}

static void print_slot(const CgPlan *p, const CgSlot *s, CgStrbuf *out)
{
    const CgBuffer *b = &p->buffers.at[s->buffer];
    CgStrbuf t = { 0 };
    const char *name = b->storage == CG_AT_INPUT ? cg_node_name(p->graph, p->graph->inputs.at[b->ordinal])
        : b->storage == CG_AT_PARAM              ? cg_node_name(p->graph, p->graph->params.at[b->ordinal])
                                                 : NULL;
    if (name)
        cg_strbuf_puts(&t, name);
    else if (b->storage == CG_AT_OUTPUT)
        cg_strbuf_printf(&t, "out:%s", p->graph->outputs.at[b->ordinal].name);
    else if (b->storage == CG_AT_CONST)
        cg_strbuf_puts(&t, "const");
    else
        cg_strbuf_printf(&t, "@%zu", b->offset);
    if (s->offset)
        cg_strbuf_printf(&t, "+%zu", s->offset);
    cg_strbuf_printf(out, "%s %s[", cg_strbuf_str(&t), cg_dtype_name(s->tensor.dtype));
    for (int i = 0; i < s->tensor.rank; i++)
        cg_strbuf_printf(out, "%s%lld", i ? "," : "", (long long)s->tensor.dim[i]);
    cg_strbuf_putc(out, ']');
    if (!cg_tensor_contiguous(&s->tensor)) {
        cg_strbuf_puts(out, "s(");
        for (int i = 0; i < s->tensor.rank; i++)
            cg_strbuf_printf(out, "%s%lld", i ? "," : "", (long long)s->tensor.stride[i]);
        cg_strbuf_putc(out, ')');
    }
    cg_strbuf_deinit(&t);
}

CgProducts cg_plan_products(const CgPlan *p)
{
    CgProducts found = { 0 };
    for (size_t i = 0; i < p->instrs.len; i++) {
        const CgInstr *in = &p->instrs.at[i];
        if (in->loop) {
            CgProducts inner = cg_plan_products(in->loop->plan);
            found.all += inner.all;
            found.bf16 += inner.bf16;
            found.flops += (double)in->loop->count * inner.flops;
            found.bf16_flops += (double)in->loop->count * inner.bf16_flops;
        }
        if (!(in->op->traits & CG_PRODUCTS) || in->node == CG_NONE
            || cg_node_type(p->graph, cg_node(p->graph, in->node)->in[0])->dtype != CG_F32)
            continue;
        found.all++;
        found.flops += in->work.flops;
        found.bf16 += in->bf16;
        found.bf16_flops += in->bf16 ? in->work.flops : 0;
    }
    return found;
}

static bool is_again(const CgPlan *p, size_t i)
{
    CgRef node = p->instrs.at[i].node;
    return node != CG_NONE && cg_node(p->graph, node)->clone;
}

/* What is made again for the derivative, by op. */
static void print_again(const CgPlan *p, CgStrbuf *out)
{
    double flops = 0, all = 0;
    const char *before = "made again for the derivative: ";
    for (size_t i = 0; i < p->instrs.len; i++) {
        const CgOp *op = p->instrs.at[i].op;
        size_t n = 0, first = p->instrs.len;
        for (size_t k = 0; k < p->instrs.len; k++)
            if (p->instrs.at[k].op == op && is_again(p, k)) {
                first = n++ ? first : k;
                flops += first == i ? p->instrs.at[k].work.flops : 0;
            }
        all += p->instrs.at[i].work.flops;
        if (first != i)
            continue;
        cg_strbuf_printf(out, "%s%zu %s", before, n, op->name);
        before = ", ";
    }
    if (*before == ',')
        cg_strbuf_printf(out, "; %.3g flops, %.1f%%\n", flops, all > 0 ? 100 * flops / all : 0);
}

/* By instruction, the wave of its kernel. */
static int *waves_of(const CgPlan *p)
{
    int *wave = cg_calloc(p->instrs.len + 1, sizeof *wave);
    for (int w = 0, n; w < cg_plan_waves(p); w++) {
        const CgTask *task = cg_plan_wave(p, w, &n);
        for (int k = 0; k < n; k++)
            if (!task[k].begin)
                wave[task[k].instr] = w;
    }
    return wave;
}

/* The other instructions whose kernels run in the wave of that of i. */
static void print_beside(const CgPlan *p, int i, int wave, CgStrbuf *out)
{
    int n;
    const CgTask *task = cg_plan_wave(p, wave, &n);
    const char *before = " beside=";
    for (int k = 0; k < n; k++)
        if (!task[k].begin && task[k].instr != i) {
            cg_strbuf_printf(out, "%s%d", before, task[k].instr);
            before = ",";
        }
}

void cg_plan_print(const CgPlan *p, const CgSources *sources, CgStrbuf *out)
{
    char a[24], b[24], c[24], where[160];
    double flops = 0, bytes = 0;
    for (size_t i = 0; i < p->instrs.len; i++) {
        flops += p->instrs.at[i].work.flops;
        bytes += p->instrs.at[i].work.bytes;
    }
    cg_strbuf_printf(out,
        "plan %s: %zu instructions, slab %s, most alive %s, scratch %s a thread, %d in place, schedule %d\n",
        p->graph->name ? p->graph->name : "", p->instrs.len, cg_plan_bytes(p->slab, a), cg_plan_bytes(p->live, b),
        cg_plan_bytes(p->scratch, c), p->inplace, p->order);
    CgProducts products = cg_plan_products(p);
    cg_strbuf_printf(out, "%.3g flops, %.3g bytes moved", flops, bytes);
    if (products.bf16)
        cg_strbuf_printf(out, ", bf16 in %d of %d products", products.bf16, products.all);
    cg_strbuf_putc(out, '\n');
    print_again(p, out);
    int *wave = waves_of(p);
    for (size_t i = 0; i < p->instrs.len; i++) {
        const CgInstr *in = &p->instrs.at[i];
        cg_strbuf_printf(out, "%4zu  %-18s", i, in->op->name);
        for (int k = 0; k < in->nout; k++) {
            cg_strbuf_puts(out, k ? ", " : "");
            print_slot(p, &in->out[k], out);
        }
        cg_strbuf_puts(out, " <-");
        for (int k = 0; k < in->nin; k++) {
            cg_strbuf_puts(out, k ? ", " : " ");
            print_slot(p, &in->in[k], out);
        }
        cg_strbuf_printf(out, "  shards=%zu", in->work.shards);
        if (in->work.flops > 0)
            cg_strbuf_printf(out, " flops=%.3g", in->work.flops);
        if (in->bf16)
            cg_strbuf_puts(out, " bf16");
        if (is_again(p, i))
            cg_strbuf_puts(out, " again");
        if (in->work.bytes > 0)
            cg_strbuf_printf(out, " bytes=%.3g", in->work.bytes);
        if (in->work.shared > 0)
            cg_strbuf_printf(out, " shared=@%zu", in->shared_offset);
        print_beside(p, (int)i, wave[i], out);
        cg_plan_where(sources, in->node != CG_NONE ? cg_node(p->graph, in->node)->span : (CgSpan){ 0, 0, 0 }, where);
        cg_strbuf_printf(out, "%s%s\n", *where ? "  # " : "", where);
    }
    free(wave);
    for (size_t i = 0; i < p->graph->outputs.len; i++) {
        cg_strbuf_printf(out, "      output %s: ", p->graph->outputs.at[i].name);
        print_slot(p, &p->outputs[i], out);
        cg_strbuf_putc(out, '\n');
    }
    for (size_t i = 0; i < p->instrs.len; i++) {
        const CgLoop *loop = p->instrs.at[i].loop;
        if (!loop)
            continue;
        cg_strbuf_printf(out, "instruction %zu is %lld times, %s:\n", i, (long long)loop->count,
            loop->reverse ? "last index first" : "first index first");
        cg_plan_print(loop->plan, sources, out);
    }
}

/* ---- memory by script line ------------------------------------------------------------------------------------- */

typedef struct Line {
    char where[160];
    const char *op;
    size_t bytes;
    int buffers;
    int first, last;
} Line;

static int by_bytes(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return strcmp(x->where, y->where) ? strcmp(x->where, y->where) : x->first - y->first;
}

#define CHART 64
#define ROWS  40

static void chart(const Line *l, int count, char out[CHART + 1])
{
    for (int c = 0; c < CHART; c++) {
        int from = (int)((int64_t)c * count / CHART), to = (int)((int64_t)(c + 1) * count / CHART);
        if (to <= from)
            to = from + 1;
        out[c] = l->first < to && l->last >= from ? '#' : '.';
    }
    out[CHART] = 0;
}

void cg_plan_print_memory(const CgPlan *p, const CgSources *sources, CgStrbuf *out)
{
    char a[24], b[24];
    Line *line = cg_calloc(p->buffers.len + 1, sizeof *line);
    size_t n = 0, given = 0, params = 0, *alive = cg_calloc(p->instrs.len + 1, sizeof *alive);
    const CgInstr **maker = cg_calloc(p->buffers.len + 1, sizeof(CgInstr *));
    for (size_t i = p->instrs.len; i-- > 0;)
        for (int k = 0; k < p->instrs.at[i].nout; k++)
            maker[p->instrs.at[i].out[k].buffer] = &p->instrs.at[i];
    for (size_t i = 0; i < p->instrs.len; i++)
        if (p->instrs.at[i].shared >= 0)
            maker[p->instrs.at[i].shared] = &p->instrs.at[i];
    for (size_t i = 0; i < p->buffers.len; i++) {
        const CgBuffer *buf = &p->buffers.at[i];
        if (buf->storage == CG_AT_INPUT)
            given += buf->bytes;
        if (buf->storage == CG_AT_PARAM)
            params += buf->bytes;
        if (buf->storage != CG_AT_SLAB || buf->first > buf->last || !maker[i])
            continue;
        for (int k = buf->first; k <= buf->last && (size_t)k < p->instrs.len; k++)
            alive[k] += buf->bytes;
        Line l = {
            .op = maker[i]->op->name, .bytes = buf->bytes, .buffers = 1, .first = buf->first, .last = buf->last
        };
        if (maker[i]->node != CG_NONE)
            cg_plan_where(sources, cg_node(p->graph, maker[i]->node)->span, l.where);
        size_t j = 0;
        while (j < n && !(*l.where && !strcmp(line[j].where, l.where) && line[j].op == l.op))
            j++;
        if (j == n) {
            line[n++] = l;
            continue;
        }
        line[j].bytes += l.bytes;
        line[j].buffers++;
        if (l.first < line[j].first)
            line[j].first = l.first;
        if (l.last > line[j].last)
            line[j].last = l.last;
    }
    cg_strbuf_printf(out, "memory of %s: slab %s (most alive %s)", p->graph->name ? p->graph->name : "",
        cg_plan_bytes(p->slab, a), cg_plan_bytes(p->live, b));
    cg_strbuf_printf(out, ", inputs %s, params %s\n", cg_plan_bytes(given, a), cg_plan_bytes(params, b));
    print_again(p, out);
    qsort(line, n, sizeof *line, by_bytes);
    char bar[CHART + 1];
    for (size_t i = 0; i < n && i < ROWS; i++) {
        chart(&line[i], (int)p->instrs.len, bar);
        cg_strbuf_printf(out, "%10s %4d  %s  %s%s%s\n", cg_plan_bytes(line[i].bytes, a), line[i].buffers, bar,
            line[i].op, *line[i].where ? "  " : "", line[i].where);
    }
    if (n > ROWS)
        cg_strbuf_printf(out, "and %zu smaller\n", n - ROWS);
    /* How full the slab is as the run goes on. */
    for (int row = 8; row-- > 0 && p->live > 0;) {
        cg_strbuf_printf(out, "%10s       ", cg_plan_bytes(p->live / 8 * (size_t)(row + 1), a));
        for (int c = 0; c < CHART; c++) {
            size_t from = (size_t)c * p->instrs.len / CHART, to = (size_t)(c + 1) * p->instrs.len / CHART, most = 0;
            for (size_t k = from; k < (to > from ? to : from + 1) && k < p->instrs.len; k++)
                most = alive[k] > most ? alive[k] : most;
            cg_strbuf_putc(out, most > p->live / 8 * (size_t)row ? '#' : ' ');
        }
        cg_strbuf_putc(out, '\n');
    }
    free(line);
    free(alive);
    free(maker);
}
