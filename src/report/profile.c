/* profile.c - tables of where time went.
 * Takes items and peaks; gives text. A row's share of the roof is the least time its flops and bytes could take on this
 * machine over the time they took. */
#include "report/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Items with the same key added up. */
typedef struct Row {
    const char *name, *op;
    CgPhase phase;
    uint64_t calls;
    double seconds, flops, bytes, bound;
    double most; /* seconds of the item that `op` is of */
} Row;

typedef struct Rows {
    CG_VEC(Row) at;
    double seconds;
} Rows;

static void add(Row *r, const CgProfItem *item, const CgPeaks *peaks)
{
    double calls = (double)item->calls;
    r->calls += item->calls;
    r->seconds += item->seconds;
    r->flops += calls * item->flops;
    r->bytes += calls * item->bytes;
    r->bound +=
        item->phase == CG_PHASE_OUTSIDE ? 0 : calls * cg_peaks_bound(peaks, item->flops, item->bytes, item->bf16);
    if (item->seconds > r->most) {
        r->most = item->seconds;
        r->op = item->op;
    }
}

static int by_seconds(const void *a, const void *b)
{
    const Row *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds > y->seconds ? -1 : 1;
    return strcmp(x->name, y->name);
}

typedef const char *KeyFn(const CgProfItem *item);
static const char *key_op(const CgProfItem *item) { return item->op; }
static const char *key_line(const CgProfItem *item) { return *item->where ? item->where : item->op; }

static Rows rows_by(const CgProfile *p, const CgPeaks *peaks, KeyFn *key, bool by_phase)
{
    Rows rows = { 0 };
    for (size_t i = 0; i < p->items.len; i++) {
        const CgProfItem *item = &p->items.at[i];
        size_t k = 0;
        while (k < rows.at.len
            && (strcmp(rows.at.at[k].name, key(item)) != 0 || (by_phase && rows.at.at[k].phase != item->phase)))
            k++;
        if (k == rows.at.len)
            cg_vec_push(&rows.at, ((Row){ .name = key(item), .op = item->op, .phase = item->phase }));
        add(&rows.at.at[k], item, peaks);
        rows.seconds += item->seconds;
    }
    if (rows.at.len)
        qsort(rows.at.at, rows.at.len, sizeof *rows.at.at, by_seconds);
    return rows;
}

typedef struct Table {
    const CgProfile *p;
    double fold;
    bool markdown, lines;
    int width;
} Table;

static void print_head(const Table *t, CgStrbuf *out)
{
    if (t->markdown)
        cg_strbuf_printf(out,
            t->lines
                ? "| line | phase | mostly | ms a step | share | calls | GFLOP/s | GB/s | of the roof "
                  "|\n|---|---|---|---|---|---|---|---|---|\n"
                : "| op | ms a step | share | calls | GFLOP/s | GB/s | of the roof |\n|---|---|---|---|---|---|---|\n");
    else if (t->lines)
        cg_strbuf_printf(out, "%-*s %-8s %-20s", t->width, "line", "phase", "mostly");
    else
        cg_strbuf_printf(out, "%-*s", t->width, "op");
    if (!t->markdown)
        cg_strbuf_printf(out, " %10s %6s %8s %8s %7s %7s\n", "ms/step", "share", "calls", "GFLOP/s", "GB/s", "of roof");
}

static void print_row(const Table *t, const Row *r, double all, CgStrbuf *out)
{
    double steps = t->p->steps ? (double)t->p->steps : 1, ms = 1e3 * r->seconds / steps,
           share = all > 0 ? 100 * r->seconds / all : 0;
    double calls = (double)r->calls / steps, s = r->seconds > 0 ? r->seconds : 1e-12;
    const char *end = t->markdown ? " |" : "";
    if (t->markdown && t->lines)
        cg_strbuf_printf(
            out, "| %s | %s | %s | ", r->name, r->phase == CG_NPHASE ? "" : cg_phase_name(r->phase), r->op);
    else if (t->markdown)
        cg_strbuf_printf(out, "| %s | ", r->name);
    else if (t->lines)
        cg_strbuf_printf(
            out, "%-*s %-8s %-20s", t->width, r->name, r->phase == CG_NPHASE ? "" : cg_phase_name(r->phase), r->op);
    else
        cg_strbuf_printf(out, "%-*s", t->width, r->name);
    cg_strbuf_printf(out, t->markdown ? "%.3g | %.1f%% | %.0f |" : " %10.3f %5.1f%% %8.0f", ms, share, calls);
    if (r->flops > 0 || r->bytes > 0)
        cg_strbuf_printf(out, t->markdown ? " %.1f | %.1f | %.0f%%" : " %8.1f %7.1f %6.0f%%", r->flops / s * 1e-9,
            r->bytes / s * 1e-9, 100 * r->bound / s);
    else if (t->markdown)
        cg_strbuf_puts(out, " | | ");
    cg_strbuf_printf(out, "%s\n", end);
}

static void print_table(const Table *as, const Rows *rows, CgStrbuf *out)
{
    Table t = *as;
    Row rest = { .name = "", .op = "", .phase = CG_NPHASE };
    char name[64];
    int folded = 0;
    t.width = 24;
    for (size_t i = 0; i < rows->at.len; i++)
        if (rows->at.at[i].seconds >= t.fold * rows->seconds && (int)strlen(rows->at.at[i].name) > t.width)
            t.width = (int)strlen(rows->at.at[i].name);
    print_head(&t, out);
    for (size_t i = 0; i < rows->at.len; i++) {
        const Row *r = &rows->at.at[i];
        if (r->seconds >= t.fold * rows->seconds) {
            print_row(&t, r, rows->seconds, out);
            continue;
        }
        rest.calls += r->calls;
        rest.seconds += r->seconds;
        rest.flops += r->flops;
        rest.bytes += r->bytes;
        rest.bound += r->bound;
        folded++;
    }
    snprintf(name, sizeof name, "%d below %.3g%%", folded, 100 * t.fold);
    rest.name = name;
    if (folded)
        print_row(&t, &rest, rows->seconds, out);
}

/* One line: the share of each phase. */
static void print_phases(const CgProfile *p, CgStrbuf *out)
{
    double of[CG_NPHASE] = { 0 }, all = 0;
    const char *before = "";
    for (size_t i = 0; i < p->items.len; i++) {
        of[p->items.at[i].phase] += p->items.at[i].seconds;
        all += p->items.at[i].seconds;
    }
    for (int k = 0; k < CG_NPHASE; k++)
        if (of[k] > 0 && all > 0) {
            cg_strbuf_printf(out, "%s%s %.1f%%", before, cg_phase_name((CgPhase)k), 100 * of[k] / all);
            before = ", ";
        }
    cg_strbuf_puts(out, "\n");
    if (p->batches.items)
        cg_strbuf_printf(out, "batches from files: %lld, waited for %lld of them, %.3f s in all\n",
            (long long)p->batches.items, (long long)p->batches.waits, p->batches.seconds);
    cg_strbuf_puts(out, "\n");
}

void cg_report_peaks(const CgPeaks *p, CgStrbuf *out)
{
    cg_strbuf_printf(out,
        "peaks of this machine, %d thread%s: %.0f GFLOP/s f32, %.0f bf16; %.0f GB/s level 2, %.0f level 3, %.0f "
        "memory\n",
        p->threads, p->threads == 1 ? "" : "s", p->f32 * 1e-9, p->bf16 * 1e-9, p->l2 * 1e-9, p->l3 * 1e-9,
        p->memory * 1e-9);
}

void cg_report_peaks_json(const CgPeaks *p, CgStrbuf *out)
{
    cg_strbuf_printf(out,
        "{\"peaks\": true, \"threads\": %d, \"f32_gflops\": %.1f, \"bf16_gflops\": %.1f, \"l2_gbs\": %.1f, \"l3_gbs\": "
        "%.1f, "
        "\"memory_gbs\": %.1f}\n",
        p->threads, p->f32 * 1e-9, p->bf16 * 1e-9, p->l2 * 1e-9, p->l3 * 1e-9, p->memory * 1e-9);
}

void cg_report_profile(const CgProfile *p, const CgPeaks *peaks, double fold, bool markdown, CgStrbuf *out)
{
    Rows ops = rows_by(p, peaks, key_op, false), lines = rows_by(p, peaks, key_line, true);
    cg_report_peaks(peaks, out);
    print_phases(p, out);
    print_table(&(Table){ .p = p, .fold = fold, .markdown = markdown }, &ops, out);
    cg_strbuf_putc(out, '\n');
    print_table(&(Table){ .p = p, .fold = fold, .markdown = markdown, .lines = true }, &lines, out);
    cg_vec_free(&ops.at);
    cg_vec_free(&lines.at);
}

void cg_report_profile_json(const CgProfile *p, const CgPeaks *peaks, CgStrbuf *out)
{
    cg_strbuf_putc(out, '[');
    for (size_t i = 0; i < p->items.len; i++) {
        const CgProfItem *item = &p->items.at[i];
        cg_strbuf_puts(out, i ? ", {\"op\": " : "{\"op\": ");
        cg_json_string(out, item->op);
        cg_strbuf_puts(out, ", \"line\": ");
        cg_json_string(out, item->where);
        cg_strbuf_printf(out,
            ", \"phase\": \"%s\", \"calls\": %llu, \"seconds\": %.9f, \"flops\": %.0f, \"bytes\": %.0f, \"bound\": "
            "%.9f}",
            cg_phase_name(item->phase), (unsigned long long)item->calls, item->seconds,
            item->flops * (double)item->calls, item->bytes * (double)item->calls,
            item->phase == CG_PHASE_OUTSIDE
                ? 0
                : (double)item->calls * cg_peaks_bound(peaks, item->flops, item->bytes, item->bf16));
    }
    cg_strbuf_putc(out, ']');
}
