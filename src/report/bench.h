/* bench.h - the times of steps as text.
 * Takes what was measured and this machine's peaks; gives lines for people, or one line of JSON. */
#ifndef CG_REPORT_BENCH_H
#define CG_REPORT_BENCH_H
#include "base/strbuf.h"
#include "stage/bench.h"
#include "run/peak.h"

void cg_report_bench(const CgBench *b, const CgPeaks *peaks, CgStrbuf *out);
/* `profile` may be NULL. */
void cg_report_bench_json(
    const CgBench *b, const CgPeaks *peaks, const CgProfile *profile, const char *script, CgStrbuf *out);
#endif
