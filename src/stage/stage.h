/* stage.h - the costly values of a script: a training, an evaluation.
 * Takes the blocks of train and evaluate; gives stages: graphs that were checked before any data is read, and all that
 * running them needs. train_check.c and evaluate_check.c make them while elaborating, train.c and evaluate.c carry them
 * out. */
#ifndef CG_STAGE_H
#define CG_STAGE_H
#include "base/digest.h"
#include "data/tensor_file.h"
#include "elab/elab.h"
#include "stage/shares.h"
#include "table/table.h"

typedef struct CgStage CgStage;

/* A field of a block: its kind as signatures say it, and what an absent one means ("": it must be there). */
typedef struct CgBlockField {
    const char *name, *kind, *otherwise, *doc;
} CgBlockField;
const CgBlockField *cg_train_field(size_t i);    /* NULL past the last */
const CgBlockField *cg_evaluate_field(size_t i); /* likewise; all others are columns */

/* A kind of stage: train.c and evaluate.c each end in one. */
typedef struct CgStageKind {
    const char *name, *doing; /* "train"; "training", for messages */
    int version;              /* raised when the same key would give another value */
    /* All that the value is made of; the stages among it have their keys. */
    bool (*key)(CgSession *x, CgStage *s, CgDigester *d);
    bool (*load)(CgSession *x, CgStage *s); /* from the store; false where it is not there, or not whole */
    bool (*run)(CgSession *x, CgStage *s);  /* makes it and keeps it in the store */
    bool (*bare)(CgSession *x, CgStage *s); /* what it is before it is run, for opts.untrained; may be NULL */
} CgStageKind;
extern const CgStageKind cg_stage_kind_train, cg_stage_kind_evaluate, cg_stage_kind_rows;
enum { CG_EVALUATE_ROWS = 32 }; /* of a batch, where no column looks across rows */

/* Parameters that one sweep of the optimiser updates: all of one rank, one after the other. */
typedef struct CgGroup {
    int rank;
    int64_t count;       /* elements, padding included */
    CgModelGraph *model; /* inputs p, g, then states, step; outputs p, states, rate */
    CgGraph *graph;      /* optimised */
    int nstates;
    double *initial; /* of each state */
    int rate;        /* output that is the rate, or -1 */
    uint64_t turns;  /* a bit for each loss that trains them */
} CgGroup;

/* A loss that trains: the whole one, or one of its terms where they take turns. */
typedef struct CgTurnLoss {
    CgRef loss;     /* in the graph of the stage's model */
    CgGraph *graph; /* of a step; outputs: loss, then gradients of `trained` in order, 0 of what it does not train */
} CgTurnLoss;
enum { CG_MOST_TURNS = 64 };

/* A trained tensor: where it lies in the contiguous block. */
typedef struct CgTrained {
    int param;
    int group;
    int64_t offset, count;
} CgTrained;

typedef struct CgColumnSpec {
    CgAtom name;
    CgSpan span;
    CgValue *value; /* TENSOR, CALL or a number */
    int output;     /* TENSOR: of the graph */
} CgColumnSpec;

struct CgStage {
    const CgStageKind *kind;
    CgSpan span;
    CgStage **inputs; /* (ninputs): stages it is made of, listed while checking */
    int ninputs;
    CgAtom label;      /* for people: "lm", "scores.web" */
    CgValue *root;     /* the model, parameters without prefix */
    CgValue *instance; /* what the expression is: the model with this stage as its weights */
    CgModelGraph *model;
    CgValue *data, *validate; /* of class dataset */
    CgValue *asked;           /* RECORD: what its block says, by name; NULL: nothing is kept of it */

    /* train */
    CgTurnLoss *turns; /* one; where terms of the loss take turns, one for each of them */
    int nturns;
    int *order; /* (norder): whose turn step i is, i mod norder; NULL: nobody's but the whole loss's */
    int norder;
    CgGraph *loss_graph; /* outputs: loss */
    CgTrained *trained;
    int ntrained, nlearned; /* the first nlearned by gradients, the others are renewed (CgParamInfo.renewed) */
    size_t *together;       /* by output of a step: where it lies among the gradients (CgPlanOptions.together) */
    CgGroup *groups;
    int ngroups;
    bool several;        /* optimisers, by patterns of paths */
    CgGraph *norm_graph; /* input g[N]; output sum of squares */
    int64_t total;       /* elements of the contiguous block */
    int64_t learned;     /* of these, what gradients reach */
    CgRef loss;          /* in the graph of `model` */
    CgTerms terms;       /* of the loss, with their names */
    CgTerms metrics;     /* in the graph of `metrics_model`; `metrics_graph` has their sum, then them as outputs */
    CgModelGraph *metrics_model;
    CgGraph *metrics_graph;
    CgShares metric_shares;
    CgModelGraph *valid_model; /* the loss of a validation, where it asks whether it is trained; else NULL */
    CgRef valid_loss;          /* in its graph */
    CgGraph *valid_graph;
    CgShares valid_shares;
    const CgSchema *curve; /* the columns of `history` */
    bool wants_history;    /* the script asks for it */
    bool curve_keyed;      /* `curve_key`, of the history, is known */
    CgDigest curve_key;
    CgShares shares; /* of a batch in shares, of a validation in batches; else zero */
    int64_t steps, batch, accumulate, validate_every, seed, early_stop, patience;
    bool stalls; /* an optimiser asks how often the validation loss has stalled */
    bool skip;   /* steps that are not finite are passed over */
    double clip;
    CgSpan optimizer; /* the field */
    double average;   /* of the mean of all steps' parameters, what a step keeps; 0: the last ones are the result */

    /* evaluate, rows */
    CgGraph *columns_graph; /* cg_stage_columns_graph */
    CgColumnSpec *columns;
    int ncolumns;
    bool whole;             /* some column looks across rows: all rows are one batch */
    const char *allow_leak; /* why rows that reached the model may be evaluated; NULL: they may not */
    const char *leak;       /* what stands below the table of rows that reached the model; NULL: none did */
    CgValue **wanted;
    int nwanted; /* tensors that calls need, as outputs of the graph after the columns */

    /* running */
    bool keyed, forced, failed;
    const char *why; /* it failed: the message, in the elaboration's arena */
    bool made;       /* in this run; else it came from the store */
    CgDigest key;
    CgDigest data_digest;
    CgTensors weights; /* train: every parameter by path */
    CgTable *history;  /* train: its curve, where the script asks for it */
    CgTable *table;    /* evaluate */
};

CgStage *cg_stage_new(CgElab *e, const CgStageKind *kind, CgSpan span, CgAtom label);
/* The stages that parameters of m start from are inputs of s. */
void cg_stage_inputs(CgElab *e, CgStage *s, const CgModelGraph *m);
/* And those that its data were made with. */
void cg_stage_data(CgElab *e, CgStage *s, const CgValue *data);
bool cg_stage_mixes_rows(const CgGraph *g); /* an output depends on other rows than its own */
int cg_stage_number(CgElab *e);             /* how many stages there are */
/* Whose turn a step of a training is, and how many of its first n steps are turns of a set (turns.c). */
int cg_stage_turn(const CgStage *s, int64_t step);
int64_t cg_stage_updates(const CgStage *s, uint64_t turns, int64_t n);
/* A line NAME=VALUE for each setting of a training or evaluation: optimizer.rate.peak=0.001 (settings.c). */
void cg_stage_settings(const CgStage *s, CgStrbuf *out);
CgValue *cg_stage_train(CgElab *e, CgFrame *f, const CgExpr *x);
CgValue *cg_stage_evaluate(CgElab *e, CgFrame *f, const CgExpr *x);
/* A part or parameter of a trained model by its name, outside of graphs; NULL: none such. */
CgValue *cg_stage_submodule(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *suggest);
/* filter(data, ..) and compute(data, ..): a call of the function whose name ends in _rows on the data and a stage. `at`
 * is the argument that is the data. */
CgValue *cg_stage_rows(
    CgElab *e, CgFrame *f, const char *function, CgValue *data, const CgExpr *at, const CgExpr *call);
/* The columns of a table, of groups, or of the first table in a record or list; NULL: none of these. */
const CgSchema *cg_stage_columns(CgElab *e, CgValue *of);
/* Reports a name that no column has, with the nearest one or all of them. */
CgDiag *cg_column_unknown(CgElab *e, CgSpan at, const CgSchema *columns, const char *table, const char *name);
CgSchema *cg_schema_new(CgElab *e);
bool cg_schema_add(CgElab *e, CgSchema *s, CgAtom name, bool text); /* false: there is one of that name */
const CgColumnName *cg_schema_find(const CgSchema *s, CgAtom name); /* NULL: none such */
/* The call as a table with these columns, when the script runs. */
CgValue *cg_table_later(CgElab *e, const CgArguments *a, const CgSchema *columns);
/* A column of text holds the texts a generator wrote; everything else is numbers. */
bool cg_column_is_text(const CgValue *column);
/* The model's graph, optimised: made when it is first asked for, which a finished evaluation never is. */
const CgGraph *cg_stage_columns_graph(const CgStage *s);
void cg_stage_free(CgStage *s);
#endif
