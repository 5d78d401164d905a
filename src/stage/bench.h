/* bench.h - the times of real steps.
 * Takes a training or a graph of a script; gives the time of each step, what it cost in memory and flops. Nothing is
 * stored: models that the script would train first are taken as they start. */
#ifndef CG_BENCH_H
#define CG_BENCH_H
#include "stage/session.h"

typedef struct CgBenchOpts {
    int steps, warmup;
    bool profile; /* as many steps again, counted */
} CgBenchOpts;

typedef struct CgBench {
    const char *name;    /* the training's label or the graph's name; borrowed */
    CgProducts products; /* of the plan, and in what they are */
    int threads, steps;
    double *ms;   /* of each step, in order */
    double *loss; /* before each step, warm-up included; NULL for graphs */
    int nloss;
    double tokens;                  /* a step; 0 for graphs */
    double flops;                   /* useful ones, a step */
    size_t slab, parameters, state; /* bytes; gradients are in the slab */
    size_t resident;                /* most bytes this process ever had in memory */
} CgBench;

/* cg_session_open came before. False after a mistake. */
CG_NODISCARD bool cg_bench_train(CgSession *x, CgStage *s, const CgBenchOpts *opts, CgBench *out);
/* After one step from its first values: the sum of the squares of each parameter's gradient, by the params of the
 * stage's graph; 0 for those that are not trained. */
CG_NODISCARD bool cg_bench_gradient(CgSession *x, CgStage *s, double *squares);
/* One run of a graph with its inputs at random; sizes that nobody gave are a mistake. */
CG_NODISCARD bool cg_bench_graph(
    CgSession *x, const char *name, const CgModelGraph *model, CgBindings sizes, const CgBenchOpts *opts, CgBench *out);
void cg_bench_deinit(CgBench *b);
#endif
