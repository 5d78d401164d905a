/* narrow.h - a graph whose products read their matrices from fewer bytes.
 * Takes a graph; gives one with further parameters, bf16 or i8, of which products by parameters are made. Says what the
 * further parameters are, and makes their numbers. */
#ifndef CG_NARROW_H
#define CG_NARROW_H
#include "graph/graph.h"

/* A matrix that is kept: parameter `param` of the graph, summed over its axis `summed`; in what is kept that axis is
 * the last one. */
typedef struct CgKept {
    int param, summed;
    int64_t rows, columns; /* of what is kept */
} CgKept;

/* kept as `as`, CG_BF16 or CG_I8. Parameters of g keep their order; behind them come, for each of kept[0 .. n), the
 * matrix `as`[rows, columns] and, of CG_I8, the scale f32[rows]. Those of fewer than 4096 numbers, and what else than a
 * product reads, stay as they are. Keys and values of attention that looks back in a text are rounded to bf16, so that
 * they are kept as such (graph/incremental.h). kept[] is to be freed. */
CgGraph *cg_narrow_build(const CgGraph *g, CgDtype as, CgKept **kept, int *n);
/* Its numbers from those of the parameter: of bf16 the nearest; of 8 bits the nearest of scale * (-127 .. 127), where
 * 127 * scale is the largest magnitude of the row. An error is at most 2^-9 of the number, or half a scale. */
void cg_narrow_fill(const CgKept *k, CgDtype as, const float *from, void *matrix, float *scale);
#endif
