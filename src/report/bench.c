/* bench.c - the times of steps as text.
 * Takes what was measured; gives the median, the best, the spread, and shares of the peak. Flops are the useful ones:
 * the causal half of attention, nothing that is computed a second time. */
#include "report/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/registry.h"
#include "base/json.h"
#include "report/profile.h"

typedef struct Times {
    double median, best, worst, low, high;
} Times;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static Times times_of(const CgBench *b)
{
    int n = b->steps;
    double *ms = cg_malloc(((size_t)n + 1) * sizeof *ms);
    memcpy(ms, b->ms, (size_t)n * sizeof *ms);
    qsort(ms, (size_t)n, sizeof *ms, by_value);
    Times t = { .median = 0.5 * (ms[n / 2] + ms[(n - 1) / 2]),
        .best = ms[0],
        .worst = ms[n - 1],
        .low = ms[(n - 1) / 4],
        .high = ms[n - 1 - (n - 1) / 4] };
    free(ms);
    return t;
}

/* "f32", "bf16" or "bf16 in 3 of 14 products". */
static void precision_of(const CgBench *b, char out[64])
{
    if (b->products.bf16 && b->products.bf16 < b->products.all)
        snprintf(out, 64, "bf16 in %d of %d products", b->products.bf16, b->products.all);
    else
        snprintf(out, 64, "%s", b->products.bf16 ? "bf16" : "f32");
}

/* The rate at which the products could be done, each in its precision. */
static double peak_of(const CgBench *b, const CgPeaks *p)
{
    double half = b->products.bf16_flops, full = b->products.flops - half;
    return half > 0 ? (full + half) / (full / p->f32 + half / p->bf16) : p->f32;
}

static double mib(size_t bytes) { return (double)bytes / 0x1p20; }

void cg_report_bench(const CgBench *b, const CgPeaks *p, CgStrbuf *out)
{
    Times t = times_of(b);
    double rate = b->flops / t.median * 1e3;
    char precision[64];
    precision_of(b, precision);
    cg_strbuf_printf(out, "%s  %s, %d thread%s, %s kernels, %d steps\n", b->name, precision, b->threads,
        b->threads == 1 ? "" : "s", cg_registry_isa(), b->steps);
    cg_strbuf_printf(out, "  time     %.3f ms a step (median; best %.3f, half of all %.3f to %.3f, worst %.3f)",
        t.median, t.best, t.low, t.high, t.worst);
    if (b->tokens > 0)
        cg_strbuf_printf(out, ", %.0f tokens/s", 1e3 * b->tokens / t.median);
    cg_strbuf_printf(out, "\n  work     %.2f GFLOP a step, %.1f GFLOP/s, %.1f%% of the peak of %s\n", b->flops * 1e-9,
        rate * 1e-9, 100 * rate / peak_of(b, p), precision);
    cg_strbuf_printf(out,
        "  memory   %.1f MiB planned, gradients within; %.1f parameters, %.1f optimiser; %.1f resident at most\n",
        mib(b->slab), mib(b->parameters), mib(b->state), mib(b->resident));
    if (b->nloss)
        cg_strbuf_printf(
            out, "  loss     %.6f, after %d steps %.6f\n", b->loss[0], b->nloss - 1, b->loss[b->nloss - 1]);
}

void cg_report_bench_json(
    const CgBench *b, const CgPeaks *p, const CgProfile *profile, const char *script, CgStrbuf *out)
{
    Times t = times_of(b);
    double rate = b->flops / t.median * 1e3;
    char precision[64];
    precision_of(b, precision);
    cg_strbuf_printf(out, "{\"program\": \"cg %s %s\", \"script\": ", PACKAGE_VERSION, cg_registry_isa());
    cg_json_string(out, script);
    cg_strbuf_puts(out, ", \"name\": ");
    cg_json_string(out, b->name);
    bool mixed = b->products.bf16 && b->products.bf16 < b->products.all;
    cg_strbuf_printf(out, ", \"precision\": \"%s\", \"products\": %d, \"bf16_products\": %d",
        mixed ? "mixed" : precision, b->products.all, b->products.bf16);
    cg_strbuf_printf(out,
        ", \"threads\": %d, \"steps\": %d, \"ms_median\": %.4f, \"ms_best\": %.4f, \"ms_worst\": %.4f", b->threads,
        b->steps, t.median, t.best, t.worst);
    if (b->tokens > 0)
        cg_strbuf_printf(out, ", \"tokens_per_second\": %.0f", 1e3 * b->tokens / t.median);
    cg_strbuf_printf(out, ", \"gflop\": %.4f, \"gflops\": %.2f, \"share_of_peak\": %.4f, \"peak_gflops\": %.1f",
        b->flops * 1e-9, rate * 1e-9, rate / peak_of(b, p), peak_of(b, p) * 1e-9);
    cg_strbuf_printf(out,
        ", \"peak_rss_mb\": %.1f, \"planned_mb\": %.1f, \"parameters_mb\": %.1f, \"optimiser_mb\": %.1f",
        mib(b->resident), mib(b->slab), mib(b->parameters), mib(b->state));
    cg_strbuf_puts(out, ", \"ms\": [");
    for (int i = 0; i < b->steps; i++)
        cg_strbuf_printf(out, "%s%.4f", i ? ", " : "", b->ms[i]);
    cg_strbuf_puts(out, "], \"loss\": [");
    for (int i = 0; i < b->nloss; i++)
        cg_strbuf_printf(out, "%s%.8g", i ? ", " : "", b->loss[i]);
    cg_strbuf_putc(out, ']');
    if (profile) {
        cg_strbuf_puts(out, ", \"profile\": ");
        cg_report_profile_json(profile, p, out);
    }
    cg_strbuf_puts(out, "}\n");
}
