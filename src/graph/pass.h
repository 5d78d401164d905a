/* pass.h - graph to graph rewrites.
 * Takes a graph; gives a new one that computes the same outputs. Each pass is one file passes/<verb>.c that ends in its
 * entry, CG_PASS, and can be run alone on text (cg opt FILE.ir --pass=NAME). */
#ifndef CG_PASS_H
#define CG_PASS_H
#include "graph/graph.h"

typedef CgGraph *CgPassFn(const CgGraph *g);
typedef struct CgPass {
    const char *name, *summary;
    CgPassFn *run;
    int order;       /* passes run from the smallest to the largest; 0: only when asked for by name */
    const char *was; /* its name in the edition before, which is still read; NULL: the same */
} CgPass;
/* The last line of a pass's file. */
#define CG_PASS(pass, ...)                    \
    extern const CgPass cg_pass_entry_##pass; \
    const CgPass cg_pass_entry_##pass = { .name = #pass, __VA_ARGS__ };

const CgPass *cg_pass_find(const char *name);
const CgPass *cg_pass_at(size_t i); /* NULL past the end; in the order they run, those without one last */
/* Runs the default passes in order, verifying after each in sanitizer builds or with CG_DEBUG=verify; `only` (may be
 * NULL) is a comma list that replaces the defaults, in its own order; names that are no pass are left out. The result
 * owns nothing of g. */
CgGraph *cg_pass_run_all(const CgGraph *g, const char *only);
/* For writers of passes: a graph with g's name, scopes, inputs and params in order (dead ones kept); map[] gets them.
 */
CgGraph *cg_pass_begin(const CgGraph *g, CgRef *map);
/* Passes that others end with, or that are run on a derivative's graph. */
CgPassFn cg_pass_dce, cg_pass_slice;
/* Recognises in what `root` needs, inside b's graph; gives the node that now computes root's value. */
CgRef cg_pass_recognise_at(CgBuild *b, CgRef root);
/* Likewise: of what root needs only the range of each axis that is read is computed. */
CgRef cg_pass_slice_at(CgBuild *b, CgRef root);
/* Node r of g, with operands and forward node looked up in map[]. */
CgRef cg_pass_copy(CgBuild *b, const CgGraph *g, CgRef r, const CgRef *map);
/* Gives `to` g's outputs and frees map[]. */
CgGraph *cg_pass_end(const CgGraph *g, CgGraph *to, CgRef *map);
#endif
