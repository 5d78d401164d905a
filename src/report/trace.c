/* trace.c - a trace for a viewer.
 * Takes events by thread; gives JSON trace events: one row a thread with the shards of instructions it ran, one row of
 * frames (steps, and the graphs within them). Times are microseconds; flops and bytes of a shard are an equal share. */
#include "report/trace.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/io.h"
#include "base/json.h"

static void print_row_name(const CgTrace *t, int row, CgStrbuf *out)
{
    char name[32];
    if (row == t->threads)
        snprintf(name, sizeof name, "steps");
    else
        snprintf(name, sizeof name, "thread %d", row);
    /* the viewer sorts rows by sort_index: frames first */
    cg_strbuf_printf(out,
        "{\"ph\": \"M\", \"pid\": 1, \"tid\": %d, \"name\": \"thread_name\", \"args\": {\"name\": \"%s\"}},\n", row,
        name);
    cg_strbuf_printf(out,
        "{\"ph\": \"M\", \"pid\": 1, \"tid\": %d, \"name\": \"thread_sort_index\", \"args\": {\"sort_index\": %d}},\n",
        row, row == t->threads ? -1 : row);
}

static void print_event(const CgTrace *t, int row, const CgTraceEvent *e, CgStrbuf *out)
{
    static const char *const suffix[] = {
        [CG_TRACE_SHARD] = "", [CG_TRACE_BEGIN] = " begin", [CG_TRACE_FINISH] = " finish", [CG_TRACE_FRAME] = ""
    };
    const CgTraceName *n = &t->names.at[e->name];
    double seconds = (double)(e->end - e->start) * 1e-9, shards = (double)n->shards;
    CgStrbuf name = { 0 };
    cg_strbuf_printf(&name, "%s%s", n->op, suffix[e->kind]);
    cg_strbuf_printf(out,
        "{\"ph\": \"X\", \"pid\": 1, \"tid\": %d, \"ts\": %.3f, \"dur\": %.3f, \"cat\": \"%s\", \"name\": ", row,
        (double)e->start * 1e-3, (double)(e->end - e->start) * 1e-3,
        e->kind == CG_TRACE_FRAME ? "frame" : cg_phase_name(n->phase));
    cg_json_string(out, cg_strbuf_str(&name));
    cg_strbuf_deinit(&name);
    if (e->kind != CG_TRACE_FRAME) {
        cg_strbuf_puts(out, ", \"args\": {\"line\": ");
        cg_json_string(out, n->where);
        if (e->kind != CG_TRACE_FINISH)
            cg_strbuf_printf(
                out, ", \"shard\": %d, \"of\": %zu", e->shard, e->kind == CG_TRACE_BEGIN ? n->begin : n->shards);
        if (e->kind == CG_TRACE_SHARD)
            cg_strbuf_printf(out, ", \"flops\": %.0f, \"bytes\": %.0f, \"GFLOP/s\": %.1f", n->flops / shards,
                n->bytes / shards, seconds > 0 ? n->flops / shards / seconds * 1e-9 : 0);
        cg_strbuf_putc(out, '}');
    }
    cg_strbuf_puts(out, "},\n");
}

bool cg_report_trace(const CgTrace *t, const char *path, CgErr *e)
{
    CgStrbuf text = { 0 };
    uint64_t dropped = 0;
    CgOut *file = cg_io_create(path, e);
    bool good = file != NULL;
    cg_strbuf_puts(&text, "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n");
    for (int row = 0; row <= t->threads && good; row++) {
        const CgTraceRow *r = &t->row[row];
        print_row_name(t, row, &text);
        for (size_t i = 0; i < r->events.len && good; i++) {
            print_event(t, row, &r->events.at[i], &text);
            if (text.len > 1 << 20) {
                good = cg_io_put(file, text.at, text.len, e);
                cg_strbuf_deinit(&text);
            }
        }
        dropped += r->dropped;
    }
    cg_strbuf_printf(&text,
        "{\"ph\": \"M\", \"pid\": 1, \"tid\": 0, \"name\": \"process_name\", \"args\": {\"name\": \"cg\"}}],\n"
        "\"otherData\": {\"events not kept\": \"%" PRIu64 "\"}}\n",
        dropped);
    good = good && cg_io_put(file, text.at, text.len, e);
    cg_strbuf_deinit(&text);
    if (!file)
        return false;
    if (!good) {
        cg_io_abandon(file);
        return false;
    }
    return cg_io_commit(file, e);
}
