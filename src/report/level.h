/* level.h - one level of a picture laid out.
 * Takes boxes of known sizes with places where arrows begin and end; gives where each box stands and how each arrow
 * runs, along a main direction from ranks of sources to ranks of sinks. Knows nothing of frames within frames. */
#ifndef CG_LEVEL_H
#define CG_LEVEL_H
#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

typedef struct CgPoint {
    double x, y; /* points of 1/72 inch; y grows downwards */
} CgPoint;

typedef enum CgLevelRank { CG_RANK_ANY, CG_RANK_FIRST, CG_RANK_LAST } CgLevelRank;

typedef struct CgLevelNode {
    double w, h;
    CgLevelRank rank;
    const double *in, *out; /* places on the upper and lower side, from the left corner */
    int nin, nout;
    double x, y; /* result: its centre */
} CgLevelNode;

typedef struct CgLevelEdge {
    int from, to;     /* nodes */
    int out, in;      /* a place of these; -1 = anywhere */
    bool tip;         /* has an arrowhead */
    const char *text; /* its label, NULL = none */
    double label_w, label_h;
    CgPoint *at; /* result: n = 3 k + 1 points of cubic Bezier curves */
    int n;
    CgPoint end;   /* the arrowhead's, or the last of them */
    CgPoint label; /* its centre */
} CgLevelEdge;

typedef struct CgLevel {
    CG_VEC(CgLevelNode) nodes;
    CG_VEC(CgLevelEdge) edges;
    double w, h;
} CgLevel;

/* Fails when cg was built without GraphViz. */
CG_NODISCARD bool cg_level_place(CgLevel *l, CgArena *arena, CgErr *e);
/* Nodes in n columns, side by side, one in each: column[node], -1 for those where arrows come in and leave. Arrows lead
 * to later columns. */
void cg_level_columns(CgLevel *l, const int *column, int n, CgArena *arena);
#endif
