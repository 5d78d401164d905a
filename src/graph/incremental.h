/* incremental.h - a causal graph in its form over a few new positions.
 * Takes a graph that computes, of a text of T positions, something for each position from what stands before it; gives
 * one graph with two halves: what is computed once, before any text (prologue), and what new positions need (step),
 * which keeps what later positions will ask for. Derived from what the ops say of themselves along an axis
 * (CgOp.axis_rule, slice_rule, incremental). */
#ifndef CG_INCREMENTAL_H
#define CG_INCREMENTAL_H
#include "graph/graph.h"

#define CG_INCREMENTAL_COUNT "new_places" /* the symbol: how many positions come at once */

/* `text` is an input of g that grows along `axis`. NULL where g is not causal along it as far as its ops' axis rules
 * tell.
 *
 * Inputs: those of g (the text itself is dead), "text.new" of CG_INCREMENTAL_COUNT positions, "text.at" (how many came
 * before) and "keep.0", "keep.1", ... Outputs for the step: those of g, at the new positions (result of new position i
 * says what follows text position at + i); "keep.K", the kept values with the new positions put in, as f16, bf16 or i8
 * where that is what they were cast from. Outputs for the prologue: "start.K", what keep.K begins with (a whole value
 * that depends on no text, or the positions before the text; absent where there are none), and "first.NAME", positions
 * of output NAME that need no text. */
CgGraph *cg_incremental_build(const CgGraph *g, CgRef text, int axis);
/* The two halves, with the inputs and params of both in one order. With `last` the step computes, of g's outputs, the
 * last new position only. Consumes nothing. */
void cg_incremental_split(const CgGraph *both, bool last, CgGraph **prologue, CgGraph **step);
#endif
