/* session.h - what running a script needs and owns.
 * Takes a checked program; gives threads, store, and values with all that running can find out. Every stage and
 * function of the language works on one session. */
#ifndef CG_SESSION_H
#define CG_SESSION_H
#include <stdio.h>

#include "data/dataset.h"
#include "data/window.h"
#include "elab/elab.h"
#include "table/figure.h"
#include "base/progress.h"
#include "stage/generate.h"
#include "stage/stage.h"
#include "store/store.h"
#include "run/trace.h"

/* A file as an editor has it, which may not be what is on the disk. */
typedef struct CgOpenText {
    const char *path, *text;
    size_t len;
} CgOpenText;

typedef struct CgSessionOpts {
    CgSetting *settings;
    int nsettings;
    int threads;     /* 0: all this process may use */
    uint64_t memory; /* bytes that tensors of a training's step may take: CgPlanOptions.memory */
    bool quiet;
    const char *store;       /* folder, NULL = the usual one */
    int64_t seed;            /* added to every seed of the script */
    bool profile;            /* count into x->profile ... */
    bool trace;              /* ... and note each instruction in x->trace */
    const CgOpenText *texts; /* read in place of the files of these names */
    int ntexts;
    CgNameUses *uses;              /* gets where each name is declared, or NULL */
    CgLook *look;                  /* a place in the script to look at, or NULL; its file is set */
    bool untrained;                /* for cg bench: a training is its model as it starts, and nothing is recorded */
    CgMap *quotients;              /* as in CgElab, or NULL */
    bool debug;                    /* `expect` and `show` in the bodies of graphs are carried out */
    CgListener *listener;          /* is told of progress, notes and warnings in place of stderr; NULL: nobody */
    const struct CgInputs *inputs; /* keys are made without reading data (stage/described.h) */
    const char *writes[2];         /* files that the command writes besides what the script saves, or NULL */
    bool checking;                 /* nothing of the script is going to run: graphs are checked and not optimised */
} CgSessionOpts;

/* A statement `expect` or `show` of the body of a graph, with --debug (stage/watch.h). */
typedef struct CgWatching {
    const CgStmt *stmt;
    bool carried_out;
} CgWatching;

struct CgSession {
    CgSessionOpts opts;
    CgSources *sources;
    CgDiags *diags;
    CgProgram *program;
    CgElab *elab;
    CgPool *pool;
    CgStore *store;
    CgCache cache; /* of data, in the store */
    CgRun *run;
    CgProfile profile;
    CgTrace *trace; /* NULL unless asked for */
    FILE *out;
    const char *path;
    CG_VEC(CgStage *) stages;
    CG_VEC(CgStage *) unasked; /* of modules, which the script does not ask for */
    CG_VEC(CgGenerator *) generators;
    CgMap made;                         /* digest of a call -> the object it made: those that are shared */
    CG_VEC(CgValue *) owned;            /* objects that runs gave, in the order they were made */
    CgValue *bytes;                     /* the tokenizer of data that names none, once it is asked for */
    const CgTable *table;               /* whose columns are meant */
    const CgDataset *rows;              /* of an evaluation that is at ... */
    int64_t row;                        /* ... this one of them; else NULL */
    const struct CgResample *sample;    /* the rows of a table that stand for it, or NULL */
    CgMap tables;                       /* a call that makes a table -> the value it gave */
    CG_VEC(void *) scratch;             /* what columns of a sample lie in, until the next one */
    CG_VEC(struct CgTestBlock *) tests; /* test blocks of the script */
    struct CgTestBlock *test;           /* being built */
    struct CgClaims *claims;            /* of the script (library/claim.h) */
    CgMap inputs_noted;                 /* digests of calls */
    /* What bodies look at, by model and by statement. */
    CG_VEC(struct CgWatched *) watched;
    CG_VEC(CgWatching) watching;
    bool noted_precision;
    CgMap noted_casts;         /* weights of which it was said that their numbers are rounded */
    struct CgLineage *lineage; /* what data were made from, as far as somebody asked (lineage.h) */
    CgSpan at;                 /* of the statement being carried out, for errors of data */
};

CgSession *cg_session_of(CgElab *e);
/* The graph as it runs, which the caller frees; an empty one where nothing of the script is going to run. */
CgGraph *cg_session_optimised(CgElab *e, const CgGraph *g);
void cg_session_own_stage(CgElab *e, CgStage *s);
void cg_session_own_generator(CgElab *e, CgGenerator *g);
CgValue *cg_session_own(CgSession *x, const CgClass *cls, void *held); /* freed with the session, the last one first */
bool cg_session_stopped(const CgSession *x);
void cg_session_say(const CgSession *x, const char *format, ...) CG_PRINTF(2, 3); /* one sentence, a note or warning */
CG_NODISCARD bool cg_session_read_well(CgSession *x, CgSpan at); /* no row read from a file failed; else it is said */
/* Where products are in bf16 and no instruction multiplies it, says on stderr what does; once a run. */
void cg_session_note_precision(CgSession *x, const CgGraph *g);
uint64_t cg_session_seed(const CgSession *x, int64_t seed); /* one of the script, with --seed; 2^64 is 0 again */
bool cg_session_open(CgSession *x, CgErr *err);             /* pool and store */
CgDigest cg_session_script_digest(const CgSession *x);

/* A value with all that running can find out; NULL after a mistake. Corpora and other data that many share stay the
 * calls that describe them; cg_make gives the object itself. */
CgValue *cg_force(CgSession *x, CgValue *v);
CgValue *cg_make(CgSession *x, CgValue *v);
/* A trained model, or a part of one, as a safetensors file that says what is frozen (model_file.c). */
CG_NODISCARD bool cg_model_save(CgSession *x, const CgInstance *model, const char *path, CgErr *err);
#define CG_FROZEN_KEY "frozen." /* in its metadata: this and the path of a tensor */
/* Calls `each`, if it is not NULL, with the paths of what a file says is frozen; gives a digest of them, "" for none.
 */
CgAtom cg_model_frozen_paths(const CgTensors *t, void (*each)(void *arg, CgAtom path), void *arg);
/* The tensors of a file, and its marks, as `load` was told to take them: what is left has the names of the model
 * (weight_names.c). `weights`: an object of the class of that name. */
CG_NODISCARD bool cg_weights_rename(const CgValue *weights, const char *path, CgTensors *t, CgErr *e);
/* Weights (weights_source.c): a training, or an object of the class of that name that says what was loaded. What they
 * came from in the end, a training or an object that names a file; the training, or NULL. */
CgValue *cg_weights_origin(CgValue *weights);
CgStage *cg_weights_stage(CgValue *weights);
/* Names, types and marks as far as they are known before anything runs; false where they are not: that is said when the
 * weights are needed. */
CG_NODISCARD bool cg_weights_declared(CgSession *x, CgValue *weights, CgTensors *out);
/* Whether weights of other models, as they will be, fit the parameters; reports. */
CG_NODISCARD bool cg_weights_check(CgSession *x, const CgModelGraph *m);
CG_NODISCARD bool cg_model_declared(CgSession *x, const CgInstance *m, CgTensors *out);
/* The tensors of a model with weights, or of a part of one, where they lie, with marks of what is frozen. Reports. */
CG_NODISCARD bool cg_model_read(CgSession *x, const CgInstance *m, CgTensors *out);
/* Adds to a key what `load` was told of weights that are known by the key of a training. Reports. */
CG_NODISCARD bool cg_weights_identify(CgSession *x, const CgValue *weights, CgDigester *d);
bool cg_stage_force(CgSession *x, CgStage *s);
CG_NODISCARD bool cg_stage_key(CgSession *x, CgStage *s); /* without running anything */
/* Whether the store has all that the script asks for of a stage, whose key is known. */
bool cg_stage_kept(CgSession *x, CgStage *s);
CG_NODISCARD bool cg_stage_force_inputs(CgSession *x, CgStage *s);
/* A training without a break, and one that stopped after step `at` and went on: whether they end in the same bits, and
 * where they do not. Keeps nothing. */
CG_NODISCARD bool cg_train_verify(CgSession *x, CgStage *s, int64_t at, bool *same, CgStrbuf *said);
CG_NODISCARD bool cg_model_force(CgSession *x, const CgModelGraph *m); /* the stages its parameters start from */
CgDataset *cg_dataset_of(CgSession *x, CgValue *data); /* opened, with one row at least; NULL after a mistake */
const CgTokenizer *cg_tokenizer_of(CgSession *x, CgValue *object); /* NULL after a mistake */
bool cg_data_digest(CgSession *x, CgValue *data, CgDigest *out);

/* Tokenizers of models (tokens.c): of what is trained, those of the fields it reads; NULL where there are none. */
CgValue *cg_tokens_of_data(CgElab *e, const CgStage *s);
/* Adds an entry of a file's metadata for each. */
CG_NODISCARD bool cg_tokens_names(
    CgSession *x, const CgInstance *model, const char **keys, const char **values, int *n);
CgValue *cg_tokens_of_file(CgElab *e, const CgTensors *t, CgSpan span); /* NULL: it names none */
/* Compares the tokenizers that were not known while the model was checked; reports. */
CG_NODISCARD bool cg_tokens_settle(CgSession *x, const CgModelGraph *m);

/* What is known of a dataset before anything is read: the call that makes it carries this. */
typedef struct CgDataFields {
    int n;
    CgField *field;
    CgValue **tokenizer; /* (n): of a field of tokens; else NULL */
    CgSpan origin;       /* where the sizes of its axes were said */
    int64_t batch;       /* rows a batch of it has when nothing else is said; 0: nothing is known */
} CgDataFields;
/* Of n fields, in the arena of e; `data` carries it. */
CgDataFields *cg_data_fields_new(CgElab *e, CgValue *data, const CgField *field, int n);
const CgDataFields *cg_data_fields(const CgValue *data); /* NULL: no dataset */
int64_t cg_data_tokens(const CgValue *data);             /* tokens of a row; 0: it has none */

/* Every parameter of a graph in memory: trained ones one after the other. */
typedef struct CgMemory {
    void **at;
    size_t *bytes;
    int n;
    float *block;
    void *rest;
} CgMemory;
bool cg_memory_fill(
    CgSession *x, const CgModelGraph *m, const CgStage *trained /* may be NULL */, int64_t seed, CgMemory *out);
/* The same, but parameters that `memory`, that of graph `other`, has too are those: they stay there. */
bool cg_memory_fill_beside(CgSession *x, const CgModelGraph *m, const CgModelGraph *other, const CgMemory *memory,
    int64_t seed, CgMemory *out);
void cg_memory_free(CgMemory *m);
size_t cg_model_bytes(const CgModelGraph *m);                                    /* of all parameters */
CgTensor cg_memory_tensor(const CgModelGraph *m, const CgMemory *memory, int i); /* parameter i, where it lies */
const CgTensors *cg_weights_force(CgSession *x, CgValue *weights);               /* NULL after a mistake */
/* The parameters of a model that was found out, with the paths they have in its weights; NULL where it has none, or
 * after a mistake. */
const CgTensors *cg_model_tensors(CgSession *x, const CgInstance *m);
/* Of each part: tensors, parameters, how many of them are frozen, bytes; the flops of `pass`, which may be NULL: what
 * belongs to no part of it stands under the name of the graph. NULL likewise. */
CgTable *cg_model_modules(CgSession *x, const CgInstance *m, const CgModelGraph *pass);
/* What a graph's parameters start from, for keys. */
bool cg_model_digest(CgSession *x, const CgModelGraph *m, CgDigester *d);
CgDigest cg_value_digest(const CgValue *v);

/* A mistake of data or files, at the statement being carried out; always false. */
bool cg_session_err(CgSession *x, CgSpan at, const CgErr *err);
/* What the model demands of a size that is a symbol in its graph, now that there is a number; reports. */
CG_NODISCARD bool cg_session_settle(CgSession *x, CgModelGraph *m, const char *size, int64_t number, CgSpan at);
/* Runs a plan; an index outside of its table is reported where its op is written, or at `at`. */
CG_NODISCARD bool cg_session_run(CgSession *x, CgExec *exec, CgSpan at);
/* Reports why a plan that ran failed; NULL where there is no more to be said of it. */
CgDiag *cg_session_fault(CgSession *x, const CgExec *exec, CgSpan at);

/* What objects hold that runs give: columns and tokens. */
typedef struct CgNumbers {
    double *at;
    const char **text; /* of a column of texts, instead of numbers; a missing one is NULL */
    size_t n;
    bool truth; /* numbers that are truth values */
} CgNumbers;
/* A resample: for a while a table has these rows. */
typedef struct CgResample {
    const CgTable *of;
    const size_t *rows;
    size_t n;
} CgResample;
/* A column of the table that is meant (x->table); NULL after a mistake. */
CgValue *cg_column_force(CgSession *x, CgAtom name, CgSpan span);
CgNumbers *cg_numbers_new(CgSession *x, size_t n); /* kept as long as the session, of a sample until the next one */
void cg_scratch_clear(CgSession *x);
typedef struct CgIdsRow {
    const int32_t *at;
    size_t n;
    const CgTokenizer *tokenizer;
    double log_likelihood; /* of a text that a model wrote */
} CgIdsRow;

/* A call of generate or reconstruct: what it carries besides its arguments, which are NULL where they are not given. */
typedef struct CgTextCall {
    CgGenerator *generator;
    CgValue *prompt, *context, *tokenizer;
    CgWriting how;        /* its tokenizer is found out when it runs */
    int64_t most, length; /* tokens that are written, or places of a text with what is given; the other one is 0 */
    int row;              /* place among several prompts: another row draws other tokens */
    bool echo;            /* the text begins with what is given */
    bool again;           /* the context once more: as many end tokens as it has are part of the text */
} CgTextCall;

/* Texts that such a call writes (written.c), a batch of rows at a time; all NULL or false after a mistake. */
typedef struct CgWritten CgWritten;
CgWritten *cg_written_new(CgSession *x, const CgValue *call);
void cg_written_free(CgWritten *w);
const CgValue *cg_written_call(const CgWritten *w);
/* Of the rows from number `first` on. prompt: i32 (rows, width), NULL: the call has it or there is none; context: any
 * tensor with the rows in front. `usual`: the tokenizer, if the call names none. */
bool cg_written_rows(
    CgWritten *w, uint64_t first, int rows, const CgTensor *prompt, const CgTensor *context, const CgTokenizer *usual);
CgValue *cg_written_value(CgWritten *w, int row); /* tokens, good until the next rows */
#endif
