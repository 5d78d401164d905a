/* watch.h - `expect` and `show` in the bodies of graphs, with --debug.
 * Takes these statements while a model is elaborated; gives a graph of its own that computes what they look at, from
 * the inputs and parameters of the model: so nothing of a training or evaluation changes by being looked at. */
#ifndef CG_WATCH_H
#define CG_WATCH_H
#include "stage/expect.h"
#include "stage/runner.h"

typedef struct CgWatch {
    CgSession *x;
    const CgExpects *of;
    CgGraph *graph;
    CgRunner runner; /* its inputs and parameters are the caller's to bind: by name and in the order of the model's */
} CgWatch;

/* For CgElab.watch. What a definition says is checked, what a model says is remembered. */
void cg_watch_statement(CgElab *e, CgFrame *f, const CgStmt *s);
/* What is looked at in m, for batches of so many rows; *out is NULL where nothing is. False after a mistake. */
CG_NODISCARD bool cg_watch_new(CgSession *x, const CgModelGraph *m, int64_t rows, CgSpan at, CgWatch **out);
void cg_watch_free(CgWatch *w); /* NULL is fine */
/* Computes, shows and compares; false where something does not hold. `when` as in cg_expects_hold. */
CG_NODISCARD bool cg_watch_run(CgWatch *w, CgSpan at, const char *when);
/* cg_watch_new, cg_watch_run and cg_watch_free for a model without inputs. */
CG_NODISCARD bool cg_watch_once(
    CgSession *x, const CgModelGraph *m, const CgMemory *memory, uint64_t seed, CgSpan at, const char *when);
/* Says on stderr which of the statements nothing has carried out. */
void cg_watch_report(const CgSession *x);
void cg_watched_free(CgSession *x);
#endif
