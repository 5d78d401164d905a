/* metric.c - the table of metrics, and what all of them share.
 * Takes the name of a metric, two sequences; gives its score and its signature. */
#include "table/metric.h"

#include <string.h>

#define X(metric) extern const CgMetric cg_metric_entry_##metric;
#include "entries/metric.def"
#undef X
static const CgMetric *const entries[] = {
#define X(metric) &cg_metric_entry_##metric,
#include "entries/metric.def"
#undef X
};

const CgMetric *cg_metric_at(size_t i) { return i < CG_LEN(entries) ? entries[i] : NULL; }

double cg_metric_pair(const CgMetric *m, CgIds candidate, CgIds reference, const CgScoring *how)
{
    double counts[CG_MAX_COUNTS] = { 0 };
    m->count(candidate, reference, counts);
    return m->score(counts, how);
}

void cg_metric_sign(const CgMetric *m, const CgScoring *how, CgStrbuf *out)
{
    cg_strbuf_printf(out, "%s|level:%s|", m->metric ? m->metric->name : m->name, how->corpus ? "corpus" : "sentence");
    if (how->split)
        cg_strbuf_printf(out, "words:%s", how->split->name);
    else
        cg_strbuf_puts(out, "units:tokens");
    if (m->sign)
        m->sign(how, out);
    cg_strbuf_printf(out, "|cg:%d", m->version);
}
