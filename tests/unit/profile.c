/* profile.c - is each instruction counted where it belongs, and is the trace what a viewer reads?
 * Takes nothing; prints TAP. Derivatives must be counted at the line of their forward expression, sums must be those of
 * the plan, and the trace must hold every shard of every run, no thread doing two things at once.
 * Accuses src/run/profile.c, src/run/trace.c, src/run/exec.c, src/report/trace.c, src/base/json.c. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "graph/grad.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "base/json.h"
#include "report/profile.h"
#include "report/trace.h"
#include "tap.h"

enum { RUNS = 3, THREADS = 2, ROWS = 2011, WIDTH = 97, OUT = 61 };

static const char script[] = "h = x @ w\ny = tanh(h)\nloss = sum(y * y)\n";

/* sum(tanh(x @ w)^2) and its derivative by w, each line with its place in `script`. */
static CgGraph *build(uint32_t file)
{
    CgGraph *raw = cg_graph_new("step");
    CgBuild b = cg_build_at(raw);
    const CgDim *x[2] = { cg_dim_int(ROWS), cg_dim_int(WIDTH) }, *w[2] = { x[1], cg_dim_int(OUT) };
    CgRef in = cg_graph_input(&b, "x", cg_type(CG_F32, 2, x)), by = cg_graph_param(&b, "w", cg_type(CG_F32, 2, w)),
          grad, where;
    CgErr e = { 0 };
    b.span = (CgSpan){ file, 4, 9 };
    CgRef h = cg_matmul(&b, in, by, false, false);
    b.span = (CgSpan){ file, 14, 21 };
    CgRef y = cg_u(&b, "tanh", h);
    b.span = (CgSpan){ file, 29, 39 };
    CgRef loss = cg_sum_all(&b, cg_mul(&b, y, y));
    if (!cg_grad_build(&b, loss, 1, &by, &grad, &where, &e))
        CG_BUG("%s", e.text);
    cg_graph_output(raw, "loss", loss);
    cg_graph_output(raw, "grad.w", grad);
    CgGraph *g = cg_pass_run_all(raw, NULL);
    cg_graph_free(raw);
    return g;
}

static void counts(const CgExec *x, const CgSources *sources)
{
    const CgPlan *plan = cg_exec_plan(x);
    CgProfile p = { 0 };
    double flops = 0, seconds = 0, expected = 0;
    uint64_t calls = 0;
    bool forward = false, backward = false, lost = false;
    cg_profile_add(&p, x, CG_PHASE_FORWARD, sources);
    for (size_t i = 0; i < p.items.len; i++) {
        const CgProfItem *item = &p.items.at[i];
        bool product = !strcmp(item->op, "matmul");
        calls += item->calls;
        flops += (double)item->calls * item->flops;
        seconds += item->seconds;
        forward |= product && item->phase == CG_PHASE_FORWARD && !strcmp(item->where, "model.cg:1");
        backward |= product && item->phase == CG_PHASE_BACKWARD && !strcmp(item->where, "model.cg:1");
        lost |= strncmp(item->where, "model.cg:", 9) != 0 || item->bytes <= 0;
    }
    for (int i = 0; i < cg_plan_count(plan); i++)
        expected += RUNS * cg_plan_instr(plan, i)->work.flops;
    tap_ok(calls == (uint64_t)RUNS * (uint64_t)cg_plan_count(plan), "every instruction of every run is counted once");
    tap_ok(fabs(flops - expected) <= 1e-9 * expected && expected >= RUNS * 2.0 * 2 * ROWS * WIDTH * OUT,
        "flops are those of the plan");
    tap_ok(forward && backward, "a product and its derivative are counted at its line, apart");
    tap_ok(!lost, "everything has a line and moves bytes");
    cg_profile_steps(&p, RUNS, seconds + 0.25);
    const CgProfItem *last = &p.items.at[p.items.len - 1];
    tap_ok(last->phase == CG_PHASE_OUTSIDE && fabs(last->seconds - 0.25) < 1e-9, "what no instruction took is outside");
    tap_ok(fabs(cg_plan_useful_flops(plan) * RUNS - expected) <= 1e-9 * expected,
        "all flops are useful when nothing is computed again");

    CgPeaks peaks = { .threads = THREADS,
        .f32 = 1e11,
        .bf16 = 2e11,
        .l2 = 1e11,
        .l3 = 5e10,
        .memory = 1e10,
        .l2_bytes = 1e6,
        .l3_bytes = 1e7 };
    CgStrbuf text = { 0 };
    cg_report_profile(&p, &peaks, 0, false, &text);
    tap_ok(strstr(cg_strbuf_str(&text), "matmul") && strstr(cg_strbuf_str(&text), "model.cg:1"),
        "the table names ops and lines");
    cg_strbuf_deinit(&text);
    cg_report_profile_json(&p, &peaks, &text);
    json_t *json = json_loads(cg_strbuf_str(&text), JSON_REJECT_DUPLICATES, NULL);
    tap_ok(json_array_size(json) == p.items.len, "the items are JSON");
    json_decref(json);
    cg_strbuf_deinit(&text);
    tap_ok(fabs(cg_peaks_bound(&peaks, 1e9, 1e3, false) - 1e-2) < 1e-12
            && fabs(cg_peaks_bound(&peaks, 1e9, 1e3, true) - 5e-3) < 1e-12
            && fabs(cg_peaks_bound(&peaks, 1, 1e8, false) - 1e-2) < 1e-12,
        "the roof is the slower of computing and moving");
    cg_profile_deinit(&p);
}

static double number(const json_t *event, const char *key) { return json_number_value(json_object_get(event, key)); }

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

/* Every shard of every instruction is there once a run, within the frame of a run and after all else its thread did
 * before. */
static void events(json_t *root, const CgPlan *plan)
{
    const double slack = 0.002; /* times are written in thousandths of a microsecond */
    json_t *all = json_object_get(root, "traceEvents"), *at;
    size_t i, shards = 0, begins = 0, finishes = 0, frames = 0, rows = 0, want_parts = 0, want_begins = 0,
              want_finishes = 0;
    double from[RUNS] = { 0 }, to[RUNS] = { 0 }, until[THREADS] = { 0 };
    bool within = true, orderly = true, threads = true;
    json_array_foreach(all, i, at)
    {
        rows += !strcmp(json_string_value(json_object_get(at, "name")), "thread_name");
        if (!json_object_get(at, "cat") || strcmp(json_string_value(json_object_get(at, "cat")), "frame") != 0)
            continue;
        if (frames < RUNS) {
            from[frames] = number(at, "ts");
            to[frames] = from[frames] + number(at, "dur");
        }
        frames++;
    }
    json_array_foreach(all, i, at)
    {
        const char *name = json_string_value(json_object_get(at, "name"));
        int64_t row = json_integer_value(json_object_get(at, "tid"));
        double start = number(at, "ts"), end = start + number(at, "dur");
        if (!json_object_get(at, "args") || !json_object_get(at, "cat"))
            continue;
        threads &= row >= 0 && row < THREADS;
        if (row < 0 || row >= THREADS)
            continue;
        bool begin = ends_with(name, " begin"), finish = ends_with(name, " finish"), found = false;
        begins += begin;
        finishes += finish;
        shards += !begin && !finish;
        for (int r = 0; r < RUNS; r++)
            found |= start >= from[r] - slack && end <= to[r] + slack;
        within &= found;
        orderly &= start >= until[row] - slack;
        until[row] = end;
    }
    for (int k = 0; k < cg_plan_count(plan); k++) {
        const CgInstr *in = cg_plan_instr(plan, k);
        want_parts += RUNS * in->work.shards;
        want_begins += RUNS * in->work.begin;
        want_finishes += in->op->finish ? RUNS : 0;
    }
    tap_ok(shards == want_parts && begins == want_begins && finishes == want_finishes
            && shards > RUNS * (size_t)cg_plan_count(plan),
        "the trace has every shard of every instruction of every run");
    tap_ok(within, "each within the frame of a run");
    tap_ok(orderly, "no thread does two things at once");
    tap_ok(frames == RUNS, "each run is a frame");
    tap_ok(threads && rows == THREADS + 1, "there is a row for each thread, and one of frames");
}

static void traced(CgExec *x, const CgSources *sources)
{
    CgErr e = { 0 };
    CgTrace *t = cg_trace_new(THREADS, sources);
    cg_exec_trace(x, t, cg_trace_plan(t, cg_exec_plan(x), CG_PHASE_FORWARD));
    int frame = cg_trace_name(t, "run \"\\\n\xff");
    for (int i = 0; i < RUNS; i++) {
        int64_t start = cg_trace_now(t);
        CG_ASSERT(cg_exec_run(x), "indices are within their tables");
        cg_trace_frame(t, frame, start);
    }
    bool written = cg_report_trace(t, "trace.json", &e);
    tap_ok(written, "a trace is written");
    json_t *root = json_load_file("trace.json", JSON_REJECT_DUPLICATES, NULL);
    tap_ok(root && json_is_array(json_object_get(root, "traceEvents")), "it is JSON, whatever a name holds");
    events(root, cg_exec_plan(x));
    json_decref(root);
    tap_ok(!cg_report_trace(t, "no/such/folder/trace.json", &e) && e.kind == CG_ERR_IO,
        "a folder that is not there is an error");
    cg_exec_trace(x, NULL, 0);
    cg_trace_free(t);
}

int main(void)
{
    cg_registry_init();
    CgErr e = { 0 };
    CgSources *sources = cg_sources_new();
    CgGraph *g = build(cg_sources_add(sources, "model.cg", script, sizeof script - 1));
    CgPool *pool = cg_pool_new(THREADS);
    CgPlan *plan = cg_plan_build(g, (CgBindings){ 0 }, (CgPlanOptions){ .sources = sources }, &e);
    CgExec *x = plan ? cg_exec_new(plan, pool, &e) : NULL;
    if (!x)
        CG_BUG("%s", e.text);
    static float in[ROWS * WIDTH], w[WIDTH * OUT];
    for (int i = 0; i < ROWS * WIDTH; i++)
        in[i] = sinf(2.385f * (float)i);
    for (int i = 0; i < WIDTH * OUT; i++)
        w[i] = 0.07f * cosf(1.731f * (float)i);
    cg_exec_bind_input(x, 0, in);
    cg_exec_bind_param(x, 0, w);
    cg_exec_profile(x, true);
    for (int i = 0; i < RUNS; i++)
        CG_ASSERT(cg_exec_run(x), "indices are within their tables");
    counts(x, sources);
    cg_exec_profile(x, false);
    traced(x, sources);
    cg_exec_free(x);
    cg_plan_free(plan);
    cg_pool_free(pool);
    cg_graph_free(g);
    cg_sources_free(sources);
    return tap_done();
}
