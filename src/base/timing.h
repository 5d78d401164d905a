/* timing.h - where the time before a run goes, for CG_DEBUG=time.
 * Takes the beginnings and ends of the stages of compiling; gives the processor time of each, without that of stages
 * within it. For the one thread that compiles; costs nothing when it is not asked for. */
#ifndef CG_TIMING_H
#define CG_TIMING_H
#include "base/strbuf.h"

/* Stages are named by string literals and may nest: cg_timing_begin("plan") ... cg_timing_end(). */
void cg_timing_begin(const char *stage);
void cg_timing_end(void);
/* A line a stage, in the order they first began; nothing when it was not asked for. */
void cg_timing_print(CgStrbuf *out);
#endif
