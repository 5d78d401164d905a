/* experiment.h - a script and what it asks for.
 * Takes the path of a script; gives its values: checked first as a whole, then built in the order show and save ask for
 * them. Costly values come from the store when they are there. */
#ifndef CG_EXPERIMENT_H
#define CG_EXPERIMENT_H
#include <signal.h>
#include <stdio.h>

#include "data/window.h"
#include "elab/elab.h"
#include "experiment/figure.h"
#include "experiment/progress.h"
#include "experiment/stage.h"
#include "experiment/store.h"
#include "experiment/testing.h"
#include "run/trace.h"

/* Draws a figure into a file; *warning is set when only a part of that could be done. */
typedef bool CgDrawFn(const CgFigure *f, const char *path, CgStrbuf *warning, CgErr *e);

typedef struct CgExperimentOpts {
    CgSetting *settings;
    int nsettings;
    int threads; /* 0: all this process may use */
    bool quiet;
    const char *store;           /* folder, NULL = the usual one */
    int64_t seed;                /* added to every seed of the script */
    volatile sig_atomic_t *stop; /* set by a signal: finish the step, save, leave */
    bool profile;                /* count into x->profile ... */
    bool trace;                  /* ... and note each instruction in x->trace */
    bool untrained;              /* for cg bench: a training is its model as it starts, and nothing is recorded */
    CgDrawFn *draw;              /* saves figures; NULL: they cannot be saved */
} CgExperimentOpts;

typedef struct CgExperiment {
    CgExperimentOpts opts;
    CgSources *sources;
    CgDiags *diags;
    CgProgram *program;
    CgElab *elab;
    CgPool *pool;
    CgStore *store;
    CgRun *run;
    CgProfile profile;
    CgTrace *trace; /* NULL unless asked for */
    FILE *out;
    const char *path;
    CG_VEC(CgStage *) stages;
    CG_VEC(CgGenerator *) generators;
    CgMap corpora, windows, tokenizers; /* OBJECT value -> CgCorpus, CgWindows, CgTokenizer */
    CG_VEC(CgCorpus *) all_corpora;
    CG_VEC(CgWindows *) all_windows;
    CG_VEC(CgTokenizer *) all_tokenizers;
    CG_VEC(CgTable *) tables;   /* made by table() and its like */
    CG_VEC(CgTensors *) loaded; /* files that load() read */
    const CgTable *table;       /* whose columns are meant */
    CG_VEC(CgTest *) tests;     /* test blocks of the script */
    CgTest *test;               /* being built */
    bool noted_precision;
    CgSpan at; /* of the statement being carried out, for errors of data */
} CgExperiment;

/* Loads and checks; mistakes are in x->diags. Never NULL. */
CgExperiment *cg_experiment_new(const char *path, const CgExperimentOpts *opts);
void cg_experiment_free(CgExperiment *x);
/* Carries out show and save (or every train and evaluate bound at top level when there are none). Exit code. */
int cg_experiment_run(CgExperiment *x, FILE *out);

/* ---- for the files of this layer */
CgExperiment *cg_experiment_of(CgElab *e);
void cg_experiment_own(CgElab *e, CgStage *s);
void cg_experiment_own_generator(CgElab *e, CgGenerator *g);
void cg_experiment_keep_table(CgExperiment *x, CgTable *t);
bool cg_experiment_stopped(const CgExperiment *x);
/* Where products are in bf16 and no instruction multiplies it, says on stderr what does; once a run. */
void cg_experiment_note_precision(CgExperiment *x, const CgGraph *g);
bool cg_experiment_open(CgExperiment *x, CgErr *err); /* pool and store */

/* A value with all that running can find out; NULL after a mistake. */
CgValue *cg_force(CgExperiment *x, CgValue *v);
bool cg_stage_force(CgExperiment *x, CgStage *s);
const CgTable *cg_table_force(CgExperiment *x, CgValue *v); /* NULL after a mistake */
/* The columns that table(...) will have, 0 for any other value; the first one is text, the others are numbers. */
int cg_table_call_columns(const CgValue *v, CgAtom *names, int max);
bool cg_train_run(CgExperiment *x, CgStage *s);
bool cg_train_untrained(CgExperiment *x, CgStage *s); /* its parameters as they start, for opts.untrained */
bool cg_evaluate_run(CgExperiment *x, CgStage *s);
CgWindows *cg_windows_of(CgExperiment *x, CgValue *object); /* NULL after a mistake */
CgCorpus *cg_corpus_of(CgExperiment *x, CgValue *object);
const CgTokenizer *cg_tokenizer_of(CgExperiment *x, CgValue *object); /* NULL after a mistake */
bool cg_is_corpus(const CgValue *v);
bool cg_data_digest(CgExperiment *x, CgValue *data, CgDigest *out);

/* Every parameter of a graph in memory: trained ones one after the other. */
typedef struct CgMemory {
    void **at;
    size_t *bytes;
    int n;
    float *block;
    void *rest;
} CgMemory;
bool cg_memory_fill(
    CgExperiment *x, const CgModelGraph *m, const CgStage *trained /* may be NULL */, int64_t seed, CgMemory *out);
void cg_memory_free(CgMemory *m);
CgTensor cg_memory_tensor(const CgModelGraph *m, const CgMemory *memory, int i); /* parameter i, where it lies */
/* What a graph's parameters start from, for keys. */
bool cg_model_digest(CgExperiment *x, const CgModelGraph *m, CgDigester *d);
CgDigest cg_value_digest(const CgValue *v);

/* Texts made by a generator, `rows` at a time: ids (rows, length); context may be NULL. `fixed` first places of text
 * are given. */
typedef struct CgWriter CgWriter;
CgWriter *cg_writer_new(CgExperiment *x, CgGenerator *g, const CgMemory *memory, int rows); /* NULL after a mistake */
bool cg_writer_run(CgWriter *w, const int32_t *context, int32_t *text, int64_t fixed, double temperature, int64_t top_k,
    uint64_t seed);
void cg_writer_free(CgWriter *w);

/* A mistake of data or files, at the statement being carried out; always false. */
bool cg_experiment_err(CgExperiment *x, CgSpan at, const CgErr *err);

/* A column of a table known only when the script runs; NULL when it has none of this name. */
CgValue *cg_table_field(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *s);
CgValue *cg_data_field(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *s);
extern const CgBuiltin cg_builtins_graph[], cg_builtins_data[], cg_builtins_table[], cg_builtins_plot[],
    cg_builtins_tokenizer[];

/* What runs give: kinds of HOST values. */
typedef struct CgNumbers {
    double *at;
    size_t n;
} CgNumbers;
typedef struct CgIdsRow {
    const int32_t *at;
    size_t n;
    const CgTokenizer *tokenizer;
} CgIdsRow;
CgValue *cg_value_host(CgElab *e, const char *cls, void *host);
#endif
