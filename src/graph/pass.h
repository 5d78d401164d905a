/* pass.h - graph to graph rewrites.
 * Takes a graph; gives a new one that computes the same outputs. Each pass is one file pass_<verb>.c with one entry,
 * a row in pass.def, and can be run alone on text (cg opt FILE.ir --pass=NAME). */
#ifndef CG_PASS_H
#define CG_PASS_H
#include "graph/graph.h"

typedef CgGraph *CgPassFn(const CgGraph *g);
typedef struct CgPass {
    const char *name, *summary;
    CgPassFn *run;
    bool by_default;
} CgPass;
const CgPass *cg_pass_find(const char *name);
const CgPass *cg_pass_at(size_t i); /* NULL past the end; in the order they run */
/* Runs the default passes in order, verifying after each in sanitizer builds or with CG_DEBUG=verify; `only` (may be
 * NULL) is a comma list that replaces the defaults, in its own order; names that are no pass are left out. The result
 * owns nothing of g. */
CgGraph *cg_pass_run_all(const CgGraph *g, const char *only);
/* For writers of passes: a graph with g's name, scopes, inputs and params in order (dead ones kept); map[] gets them.
 */
CgGraph *cg_pass_begin(const CgGraph *g, CgRef *map);
/* The passes themselves, for passes that end with another. */
#define X(name, by_default, summary) CgPassFn cg_pass_##name;
#include "graph/pass.def"
#undef X
/* Recognises in what `root` needs, inside b's graph; gives the node that now computes root's value. */
CgRef cg_pass_recognise_at(CgBuild *b, CgRef root);
/* Likewise: what root needs is computed only for the places it is needed at. */
CgRef cg_pass_places_at(CgBuild *b, CgRef root);
/* Node r of g, with operands and forward node looked up in map[]. */
CgRef cg_pass_copy(CgBuild *b, const CgGraph *g, CgRef r, const CgRef *map);
/* Gives `to` g's outputs and frees map[]. */
CgGraph *cg_pass_end(const CgGraph *g, CgGraph *to, CgRef *map);
/* live[r]: an output needs node r. To be freed. */
bool *cg_pass_live(const CgGraph *g);
#endif
