/* lifetimes.h - what lies in memory while a plan runs, as a picture.
 * Takes a plan; gives an SVG: each tensor as a rectangle from the instruction that makes it to the last that reads it,
 * where it lies in the slab; and what is there when most is. Runs nothing. */
#ifndef CG_LIFETIMES_H
#define CG_LIFETIMES_H
#include "run/plan/plan.h"

void cg_lifetimes_svg(const CgPlan *plan, const char *title, const CgSources *sources, CgStrbuf *out);
#endif
