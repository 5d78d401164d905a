/* overlay.h - numbers to be shown on a picture of a graph.
 * Takes a graph of a script and what is asked of it; gives numbers by place and by parameter. Times and gradients come
 * from steps that are run, and forgotten; the rest from the plan of a step. */
#ifndef CG_EXPERIMENT_OVERLAY_H
#define CG_EXPERIMENT_OVERLAY_H
#include "experiment/graph_arg.h"
#include "report/picture.h"

const char *cg_overlay_names(void); /* "time, memory, .." */
bool cg_overlay_known(const char *what);
/* False after a mistake. The overlay is of t's graph as it was written; freed with cg_overlay_free. */
CG_NODISCARD bool cg_overlay_make(CgSession *x, const CgTarget *t, CgBindings sizes, const char *what, CgOverlay *out);
void cg_overlay_free(CgOverlay *o);
#endif
