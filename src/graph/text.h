/* text.h - the text form of graphs.
 * Takes a graph; gives text that reads back to an equal graph. The form of dumps, goldens and tests/ir.
 *
 *   graph loss(x: f32[B, 784], w: param f32[784, 10]) {
 *     %2 = matmul %0 %1                  : f32[B, 10]   # model.cg:12:9
 *     %3 = sum %2 {axis=1}               : f32[B]
 *     return loss = %3
 *   }
 *
 * After the attributes a node may say `again N` (CgNode.clone), `region N` (its scope is recomputed), `for %M` (the
 * forward node it is a derivative of, or itself where that is gone). */
#ifndef CG_TEXT_H
#define CG_TEXT_H
#include <stdio.h>
#include "graph/graph.h"

void cg_graph_print(const CgGraph *g, const CgSources *sources /* may be NULL: no places */, CgStrbuf *out);
CgGraph *cg_graph_parse(const char *text, CgErr *e);
bool cg_attrs_parse(const char *text, const CgAttrs **out, CgErr *e);
#endif
