/* trace.h - a trace for a viewer.
 * Takes events by thread; gives JSON trace events, which Perfetto and chrome://tracing open. */
#ifndef CG_REPORT_TRACE_H
#define CG_REPORT_TRACE_H
#include "base/err.h"
#include "run/trace.h"

CG_NODISCARD bool cg_report_trace(const CgTrace *t, const char *path, CgErr *e);
#endif
