/* elab.h - elaboration: a program and its values.
 * Takes a program's units; gives values on demand. Graph bodies are carried out on symbols: applying an instance
 * appends nodes to the graph being built, so shapes are checked where they are written. Reads no data, runs nothing. */
#ifndef CG_ELAB_H
#define CG_ELAB_H
#include "base/suggest.h"
#include "elab/budget.h"
#include "elab/look.h"
#include "elab/value.h"
#include "lang/module.h"
#include "lang/resolve.h"

/* The columns a table will have. */
typedef struct CgColumnName {
    CgAtom name;
    bool text;
} CgColumnName;
typedef struct CgSchema {
    int n, cap;
    CgColumnName *at;
} CgSchema;

/* One parameter tensor of the graph being built. */
typedef struct CgParamInfo {
    CgAtom path;
    CgRef ref;     /* in the model graph */
    CgRef init;    /* in the init graph; CG_NONE when it starts from `weights` */
    CgRef renewed; /* what a step of a training adds to it, in the model graph (running); CG_NONE: its optimiser says */
    CgValue *weights; /* STAGE or file */
    CgAtom source;    /* its path there */
    CgAtom part;      /* the part of the weights that the model it is of has: "" is all */
    CgSpan span;
    bool frozen;
    CgSpan frozen_span;
    CgSpan use; /* the application in which it was met first */
    CgInstance *owner;
    bool auxiliary; /* belongs to another model used beside the one being trained */
} CgParamInfo;

/* A second name of a part: `path` stands for `part->path`. */
typedef struct CgAlias {
    CgAtom path;
    const CgInstance *submodule;
    bool plain; /* both names were given in one body, as in head = embed or head(embed) */
} CgAlias;

enum { CG_CONTRACT_NAMES = 16 };

/* A condition of a call that waits for the number of a size (contract.c). */
typedef struct CgWaiting {
    const CgStmt *stmt;
    const CgExpr *condition;
    CgEnv *env;
    CgSpan call;
    CgAtom names[CG_CONTRACT_NAMES];
    CgValue *values[CG_CONTRACT_NAMES];
    int n;
} CgWaiting;

/* What all elements of an integer tensor are below, and the tokenizer they are tokens of; NULL: not known. */
typedef struct CgBelow {
    const CgDim *size; /* NULL: not known */
    CgSpan from;
    CgValue *tokenizer;
    CgAtom filled; /* tokens of rows that may be filled up: the field of the batch that says which count */
} CgBelow;

/* Tokens given to a model of which it is not known before tokenizers are made whether they are of its own. */
typedef struct CgTokensGiven {
    const CgInstance *to;
    CgValue *tokenizer;
    CgSpan span;
} CgTokensGiven;

/* The number of the turn that a loop is in, a node of the graph its body is written in. */
typedef struct CgTurn {
    const CgGraph *graph;
    CgRef ref;
} CgTurn;

/* A graph being built for one purpose (one train, one set of columns, one apply). */
typedef struct CgModelGraph {
    struct CgModelGraph *outside; /* in whose elaboration this one began */
    CgGraph *graph;               /* what runs each step */
    CgGraph *init;                /* what runs once: outputs named by parameter path */
    CgBuild build, init_build;
    CgRefusal refused; /* of either: the first node that did not fit */
    CG_VEC(CgParamInfo) params;
    CgMap by_path;    /* atom -> index */
    int regions;      /* recompute regions so far */
    CgMap submodules; /* atom of a path -> the CgValue that a body bound to it: a part, or a list or record of parts */
    CG_VEC(CgInstance *) auxiliary;    /* instances used beside the root, in order */
    CG_VEC(const CgInstance *) bodies; /* by scope of `graph`: the instance applied there, or NULL */
    CG_VEC(const CgInstance *) marked; /* those that were applied and have annotations */
    CG_VEC(CgWaiting) waiting;         /* conditions on sizes that are symbols here */
    CG_VEC(CgTokensGiven) tokens;      /* whose tokenizers are compared when the script runs */
    CG_VEC(CgAtom) products;           /* paths of products (annotation.c) ... */
    CgMap product_paths;               /* ... and those that are there */
    CG_VEC(CgBelow) below;             /* what integer tensors are below ... */
    CgMap below_of;                    /* ... by node */
    CgMap signatures;                  /* node -> atom: what tables say below a column computed of it */
    CG_VEC(CgAlias) aliases;           /* second names of parts ... */
    CgMap alias_paths;                 /* ... and those that are there */
    int64_t apart;                     /* tensors that derivatives are taken by so far (wrt.c) */
    bool trains;                       /* it is that of a training: what is frozen matters */
    bool updates;                      /* it is that of an optimiser */
    bool asked_training;               /* something in it depends on that */
    CgMap draws;                       /* atom of a path -> random draws made there so far */
    CG_VEC(CgTurn) turns;              /* of the loops around what is built */
    bool shown;                        /* it is that of an expression outside of graphs, train and evaluate */
    CgMap replaced;                    /* replacements that something was replaced by (annotation.c) */
    CgMap mixed;                       /* spans of freezings that were reported to hold in one use only */
    CgMap given;                       /* CgInstance of the top level -> atom: the path it has here */
} CgModelGraph;

typedef struct CgBound {
    CgAtom name;
    CgValue *value;
} CgBound;
typedef struct CgSized {
    CgAtom name;
    const CgDim *dim;
    CgSpan span;
} CgSized;
typedef struct CgRows {
    CgAtom name;
    int n;
    const CgDim *dim[CG_MAX_RANK];
    CgAtom label[CG_MAX_RANK];
    CgSpan span[CG_MAX_RANK];
} CgRows;

/* A name that a module declares. */
typedef struct CgEnvName {
    CgAtom name;
    CgSpan span;
    const CgStmt *stmt;
    int index; /* which of stmt's names */
    enum { CG_NAME_WAITING, CG_NAME_BUSY, CG_NAME_DONE } state;
    CgValue *value;
} CgEnvName;

/* The names of a module (env.c). */
struct CgEnv {
    const CgModule *module;
    CG_VEC(CgEnvName) names;
    CgMap by_name;
    CgEnv **imports; /* by import of the module */
};
static inline const CgModule *cg_env_module(const CgEnv *env) { return env->module; }

/* Names in scope while an expression is evaluated. Lives on the C stack. */
typedef struct CgFrame {
    struct CgFrame *outer;  /* enclosing comprehension or block; NULL: the module's names come next */
    struct CgFrame *caller; /* for notes */
    CgEnv *env;
    bool is_def;           /* the body of a def: instances made there belong to the caller's */
    bool is_columns;       /* names are columns of a table */
    bool is_body;          /* a graph body: owner of dims, rows and instance names */
    CG_VEC(CgBound) names; /* in the order they were bound; found by cg_frame_name */
    CgMap name_at, dim_at; /* name -> 1 + index, of the first so many of names and dims */
    size_t nname_at, ndim_at;
    CG_VEC(CgSized) dims;
    CG_VEC(CgRows) rows;
    const CgBlock *block; /* its statements, once they are carried out */
    CgInstance *instance; /* whose body it is */
    int scope;            /* graph scope */
    CgMap used;           /* body: instance name -> CgInstance, to refuse two under one name */
    CgMap unnamed;        /* body: graph name -> CgInstance, the last part applied without a name */
    CgModelGraph *model;  /* being built when the frame began */
    CgType ambient;
    bool has_ambient;
    bool is_initial;     /* what a parameter starts from: tensors of the frames around it are of another graph */
    CgAtom ambient_path; /* the parameter being initialised */
    CgSpan called_from;
    CgAtom called;
    CgValue **results;
    CgExpr *const *returns; /* what they were written as */
    int nresults;
    bool returned;
    const CgStmt *vjp;     /* body: its clause */
    const CgStmt *running; /* body, def: whose */
    CgValue *early;        /* body: what it returned in a branch, while its definition is checked */
} CgFrame;

typedef struct CgSetting {
    const char *name, *text;
    bool used;
} CgSetting; /* --set name=text */

struct CgElab {
    CgArena *arena;
    CgSources *sources;
    CgDiags *diags;
    CgProgram *program;
    CgEnv **envs;        /* by module index */
    CgEnv *prelude;      /* std.prelude; NULL while it is itself looked at */
    CgModelGraph *model; /* being built, or NULL */
    CgFrame *frame;      /* innermost, for notes */
    CgSetting *settings;
    int nsettings;
    CG_VEC(CgUnit *) settings_units; /* values of --set that were written as expressions */
    int depth, calls;                /* of expressions and of calls within calls */
    CgMap advised;                   /* warnings that were given: each once a place */
    CgMap axes;                      /* names of axes and ranks of tensors -> which axis it is, by definitions */
    CgMap unfit;                     /* patterns that were reported to fit nothing */
    CgMap *quotients;                /* places of '/' between integers -> 1: always whole, 2: not; or NULL */
    CgMap derived_by;                /* names that bodies take derivatives by (wrt.c) */
    CgMap unresolved;                /* places of unknown names, which were reported before anything was evaluated */
    struct CgDefine *defining;       /* the graph that is checked where it is defined, or NULL (define.h) */
    CgMap definitions;               /* graph -> what its check said */
    CgMap conditions;                /* graph -> CgConditions */
    CgDiags *outside;                /* where mistakes in definitions go */
    CgMap demands;                   /* parameter -> what is read of a graph it is given (demand.c) */
    CgBudget budget;                 /* of the value being evaluated */
    CgSpan returned;                 /* what is returned, while it is matched with the declared result */
    int ways;                        /* choices and loops around that may go otherwise */
    CgValue *(*train)(CgElab *e, CgFrame *f, const CgExpr *x);
    CgValue *(*evaluate)(CgElab *e, CgFrame *f, const CgExpr *x);
    void (*expect)(CgElab *e, CgFrame *f, const CgStmt *s); /* expect and show in the body of a test ... */
    void (*watch)(CgElab *e, CgFrame *f, const CgStmt *s);  /* ... and of a graph, where `debug` or its definition is */
    bool debug;                                             /* checked */
    int watching;  /* such a statement is evaluated: it changes nothing of the model ... */
    CgAtom unmade; /* ... and asked for this parameter, which the model has not; NULL: for none */
    /* The columns of a table, groups or a record of tables, for functions with CG_COLUMNS; NULL: none of these. */
    const CgSchema *(*columns)(CgElab *e, CgValue *of);
    /* A part or parameter of a model that has weights, by its name, outside of graphs; NULL: none such. */
    CgValue *(*submodule)(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *s);
    CgLook *look; /* what an editor asks about, or NULL */
    /* What a function with CG_COLUMNS makes of a dataset, the argument `at`, in place of a table. */
    CgValue *(*rows)(CgElab *e, CgFrame *f, const char *function, CgValue *data, const CgExpr *at, const CgExpr *call);
    void *session; /* the layer above */
};

CgElab *cg_elab_new(CgSources *sources, CgDiags *diags, CgProgram *program, CgSetting *settings, int nsettings);
void cg_elab_free(CgElab *e);
CgEnv *cg_elab_script(CgElab *e);
/* Evaluates every binding of the script and reports settings that no option took. */
void cg_elab_check(CgElab *e);
/* And every binding of the modules it imports, also of those that nothing asks for. */
void cg_elab_check_modules(CgElab *e);
/* Reports every unknown name of the script and its modules, whether or not anything is evaluated there (names.c);
 * `uses` (or NULL) gets where each name is declared. */
void cg_names_check(CgElab *e, CgNameUses *uses);

CgValue *cg_eval(CgElab *e, CgFrame *f, const CgExpr *x);
/* The elements of a list, record or range (comprehension.c). */
typedef struct CgItems {
    const CgValue *of;
    int n;
} CgItems;
bool cg_items(CgElab *e, const CgExpr *x, const CgValue *v, CgItems *out); /* false after a mistake */
/* One name: the element, or the key of a record's field. Two: index or key, then the element. */
void cg_items_bind(CgElab *e, CgFrame *f, CgAtom first, CgAtom second, const CgItems *it, int i, CgSpan span);
CgValue *cg_comprehension(CgElab *e, CgFrame *f, const CgExpr *x);
CgAtom cg_field_key(CgElab *e, CgValue *k, CgSpan span); /* likewise; NULL after a mistake that was reported */
bool cg_eval_condition(CgElab *e, CgFrame *f, const CgExpr *x, bool *out); /* of a condition; false after a mistake */
void cg_no_condition(CgElab *e, const CgValue *v, CgSpan span);            /* reports that v is none */
void cg_frame_begin(CgElab *e, CgFrame *f, CgFrame *outer, CgEnv *env);
void cg_frame_end(CgElab *e, CgFrame *f);
void cg_frame_bind(CgFrame *f, CgAtom name, CgValue *v);
CgValue *cg_frame_name(CgFrame *f, CgAtom name);    /* in this frame alone; NULL if it is not bound there */
void cg_frame_clear(CgFrame *f);                    /* names or dims have been taken away */
int cg_frame_edition(const CgFrame *f);             /* of the language its text is written in */
CgFrame *cg_frame_body(CgFrame *f);                 /* the innermost graph body; NULL outside of one */
CgSized *cg_frame_own_dim(CgFrame *f, CgAtom name); /* in this frame alone */
CgSized *cg_frame_dim(CgFrame *f, CgAtom name);
CgRows *cg_frame_rows(CgFrame *f, CgAtom name);

/* Making values. */
CgValue *cg_value_new(CgElab *e, CgValueKind kind, CgSpan span);
CgValue *cg_value_poison(CgElab *e);
CgValue *cg_value_unknown(CgElab *e, CgUnknown what, CgSpan span);
CgValue *cg_value_int(CgElab *e, int64_t i, CgSpan span);
CgValue *cg_value_float(CgElab *e, double d, CgSpan span);
CgValue *cg_value_bool(CgElab *e, bool b, CgSpan span);
CgValue *cg_value_str(CgElab *e, const char *s, CgSpan span);
CgValue *cg_value_dim(CgElab *e, const CgDim *d, CgSpan span); /* INT when it is a number */
CgValue *cg_value_list(CgElab *e, int n, CgSpan span);         /* at[] to be filled */
CgValue *cg_value_laid_out(CgElab *e, CgValue *v);             /* ranges in it as lists */
CgValue *cg_value_record(CgElab *e, int n, CgSpan span);       /* keys[], at[] to be filled */
/* An object made by the function `maker`, with n fields to be filled likewise; cg_value_held: of something that runs
 * gave. */
CgValue *cg_value_object(CgElab *e, const CgClass *cls, const char *maker, int n, CgSpan span);
CgValue *cg_value_held(CgElab *e, const CgClass *cls, void *held);
CgValue *cg_value_tensor(CgElab *e, CgRef ref, CgSpan span); /* no labels */
const CgType *cg_value_type(CgElab *e, const CgValue *tensor);

/* Reports at span, or where that is in the library at the author's call, with notes about the calls that led here. */
CgDiag *cg_elab_error(CgElab *e, CgCode code, CgSpan span, const char *format, ...) CG_PRINTF(4, 5);
CgDiag *cg_elab_err(CgElab *e, CgSpan span, const CgErr *err); /* likewise, of a file or a size */
/* Where the literal v was written, if that is in one of the calls that led here, else span, where it is used. */
CgSpan cg_elab_literal(CgElab *e, const CgValue *v, CgSpan span);
/* Reports a name that none of the columns of a frame has; poison. */
CgValue *cg_column_missing(CgElab *e, const CgFrame *columns, CgAtom name, CgSpan use);

/* Models (model.c). */
/* A graph that all that is elaborated goes into until cg_model_end, also within another one. bf16: its products, unless
 * an annotation says otherwise. */
CgModelGraph *cg_model_begin(CgElab *e, const char *name, bool bf16);
/* Reports at `span` a node that did not fit since the last time; whether there was one. */
bool cg_model_refused(CgElab *e, const char *who, CgSpan span);
/* The graph is complete, or given up: what its parameters start from are the outputs of `init`. */
void cg_model_end(CgElab *e);
void cg_model_free(CgModelGraph *m);
CgParamInfo *cg_model_param(CgModelGraph *m, CgAtom path);
/* Paths (path.c). */
CgAtom cg_path_join(const char *a, const char *b);
bool cg_path_is_auxiliary(const char *path); /* of a model used beside the root */
/* `pattern` over dotted paths: `*` stands for one segment, or for all that is left when it comes last; a pattern that
 * names a part covers everything below it. */
bool cg_path_matches(const char *pattern, const char *path);
/* The path with what fits the pattern replaced by `to`, each `*` of it by what stood for one of the pattern's; what is
 * below stays. NULL: it does not fit. */
CgAtom cg_path_rename(const char *pattern, const char *to, const char *path);
bool cg_path_fits(const char *pattern, const char *path);                 /* ... but not what is below it */
const char *cg_path_below(const CgInstance *submodule, const char *path); /* of a path that begins with the part's */
/* The path as that of a part, which it begins with; NULL: it is of no tensor in it. NULL or "" is the whole model. */
const char *cg_path_within(const char *part, const char *path);

/* Instances (instance.c). */
/* The instance in whose body an expression is evaluated; NULL: at top level. */
const CgInstance *cg_instance_maker(const CgElab *e, CgFrame *f);
void cg_instance_below(CgInstance *inst, CgInstance *parent, CgAtom name, CgSpan span); /* its part `name` */
/* An instance without a path is applied: as a part it has the name of its graph, one of the top level is used beside
 * the model. */
CgInstance *cg_instance_unnamed(CgElab *e, CgFrame *f, CgValue *v, CgSpan span);
/* Whether parameter `path` of an instance can be told from all others; reports. */
bool cg_path_check(CgElab *e, CgInstance *inst, CgAtom path);
/* The instance as the root of e->model (parameter paths without prefix) or, with auxiliary, beside it. */
CgValue *cg_instance_root(CgElab *e, CgValue *instance, bool auxiliary);
/* Gives an instance met in a body its place under the part it belongs to; others stay as they are. */
void cg_instance_attach(CgElab *e, CgFrame *f, CgValue *v, CgAtom name, CgSpan span);
/* The tensor of a parameter declared in a body, made at first sight (param.c). */
CgValue *cg_param_tensor(
    CgElab *e, CgFrame *body, CgAtom name, CgSpan span, const CgTypeExpr *declared, const CgExpr *init);
/* What is put in the place of parameters, values and parts, or behind them (replace.c): a parameter and a tensor as the
 * graphs make it that it goes through, and whether a part's body has returned what another graph makes of what it took.
 */
CgValue *cg_reparametrized(CgElab *e, CgFrame *f, CgInstance *inst, CgAtom path, CgValue *v);
CgValue *cg_replaced_value(CgElab *e, CgFrame *f, CgAtom name, CgValue *v);
bool cg_replaced_part(CgElab *e, CgFrame *body, CgValue **given, CgSpan *spans, int n);
/* The parameter of a model with weights, which is not applied, as the graphs make it that it goes through. */
CgValue *cg_param_through(CgElab *e, CgFrame *f, CgInstance *root, CgAtom path, CgType type);
CgValue *cg_instance_copy(CgElab *e, const CgValue *instance, CgSpan span);
/* Values are never changed: what is about to get a place in a model is a copy, also inside of lists and records. With
 * `beside` it is a model of its own, not a part. */
CgValue *cg_submodules_copy(CgElab *e, CgValue *v, bool beside);
bool cg_submodules_trained(const CgValue *v); /* a trained model, or a record or list with one in it */

/* Annotations (annotation.c). */
void cg_annotation_add(CgElab *e, CgInstance *to, CgAnnotation mark);
/* What is said of the precision and recomputation of part `name` of an instance, said of that part taken alone. */
void cg_annotations_inherit(CgElab *e, const CgInstance *from, CgAtom name, CgInstance *to);
bool cg_annotations_equal(const CgInstance *a, const CgInstance *b);
void cg_annotations_freeze(CgParamInfo *p); /* sets p->frozen */
/* From annotation *i on, the next one that puts a graph to the parameter, value or part `path` of an instance; NULL:
 * none. */
const CgAnnotation *cg_annotations_edit(const CgInstance *inst, CgAnnotationKind what, const char *path, int *i);
/* The first of the annotations of `inst` that was said after *put_by, which becomes NULL where that is one of them. */
int cg_annotations_after(const CgInstance *inst, const CgAnnotation **put_by);
void cg_annotations_used(CgModelGraph *m, const CgAnnotation *replacement);
/* Whether the annotations of an instance freeze the parameter `path` of it: 1 or 0, -1 where none is about it. */
int cg_annotations_frozen(const CgInstance *inst, const char *path);
/* Whether `path` is of a graph that annotations of the instance put into it. */
bool cg_annotations_put(const CgInstance *inst, const char *path);
/* Whether a parameter that is met again, as one of `inst`, is frozen here as it was before; reports. */
bool cg_annotations_agree(CgElab *e, const CgParamInfo *p, CgInstance *inst, CgSpan use);
void cg_annotations_begin(CgModelGraph *m, const CgInstance *inst, int scope); /* its body begins there */
/* Says to m->build in what the next node is computed: a product by a parameter as is said of that, any other as is said
 * of the part in whose body it stands. */
void cg_precision_of(CgModelGraph *m, const CgOp *op, int n, const CgRef *in);
/* Reports patterns of applied instances that fit nothing. */
void cg_annotations_check(CgElab *e);

/* Numbers and columns that are there when the script runs (late.c). */
bool cg_is_late(const CgValue *v);
/* What an operator or op makes of numbers and columns, one of which is late. */
CgValue *cg_late(CgElab *e, const char *op, CgValue **in, const CgSpan *spans, int n, CgSpan span);

/* Calls (call.c). */
CgValue *cg_eval_call(CgElab *e, CgFrame *f, const CgExpr *x);
CgValue *cg_call(
    CgElab *e, CgFrame *f, CgValue *callee, CgValue **args, CgAtom *names, CgSpan *spans, int n, const CgExpr *site);
CgValue *cg_apply(
    CgElab *e, CgFrame *f, CgValue *instance, CgValue **args, CgAtom *names, CgSpan *spans, int n, CgSpan span);
/* A parameter of a graph takes a tensor; how many of them do (kinds.c). */
bool cg_param_is_tensor(const CgParam *p);
int cg_graph_tensors(const CgStmt *graph);
/* What a body has returned, against the results its graph declares. */
CgValue *cg_results(CgElab *e, CgFrame *body, CgSpan span);

/* Contracts (contract.c): whether what `where` asks of the arguments of a graph or def holds; `sizes`: those that look
 * at tensors, once they are there, else the others. */
bool cg_contracts_check(CgElab *e, CgFrame *f, const CgStmt *s, bool sizes, CgSpan call);
/* What the definition of a graph has found to be asked of its sizes, where all of it is known by number; reports. */
bool cg_conditions_check(CgElab *e, CgFrame *f, const CgStmt *graph, CgSpan call);
/* The conditions of e->model that waited for this size, now that its number is known from the place `span`. */
bool cg_contracts_settle(CgElab *e, const char *size, int64_t number, CgSpan span);

/* Bodies (body.c). */
/* A frame for the body of an instance; cg_frame_end ends it. */
void cg_body_begin(CgElab *e, CgFrame *f, CgInstance *inst, CgSpan called_from);
/* The statements of a body, in a frame that is_body. */
void cg_body_exec(CgElab *e, CgFrame *f, const CgBlock *b);
/* A tensor that the body takes derivatives by, bound to `name`, as a node that nothing looks through (wrt.c); before
 * the first statement, those that are bound already. */
CgValue *cg_wrt_bind(CgElab *e, const CgFrame *f, CgAtom name, CgValue *v);
void cg_wrt_begin(CgElab *e, CgFrame *f, const CgBlock *b);
void cg_body_clause(CgElab *e, CgFrame *body, const CgStmt *vjp); /* a second one is a mistake */
/* A part of a model by the name it has in the model's body, or an argument it was given; NULL if there is none such. */
CgValue *cg_instance_submodule(CgElab *e, CgValue *of, CgAtom name, CgSpan span, CgSuggest *suggest);

/* Broadcasts (broadcast.c). */
/* Gives all operands of an elementwise op one shape; reports at `caret` and gives false where they have none. */
bool cg_broadcast_all(CgElab *e, const CgOp *op, CgValue **in, const CgSpan *spans, int n, CgSpan caret);
/* The same for the axes before the last two of two factors of a matrix product; what does not fit is left to the op. */
void cg_broadcast_batches(CgElab *e, CgValue **in);
/* Which sizes 1 of an op's result were written by the author; operands of elementwise ops come from cg_broadcast_all.
 */
void cg_written_of(CgElab *e, CgValue *to, const CgOp *op, const CgAttrs *attrs, CgValue *const *in, int n);
/* Bits of the entries of a written shape that are the number 1; 0 when it is not written out. */
unsigned cg_written_ones(const CgExpr *shape);

/* Bounds of indices (bound.c). */
void cg_below_set(CgModelGraph *m, CgRef r, CgBelow below);
CgBelow cg_below_of(CgElab *e, const CgValue *tensor);
/* Whether the indices an op is given may be in its table; reports. */
bool cg_below_check(CgElab *e, const CgOp *op, CgValue *const *in, const CgAttrs *attrs, const CgSpan *spans,
    CgSpan span, CgSpan caret);
bool cg_below_fits(const CgDim *have, const CgDim *want); /* numbers below `have` are all below `want`, or may be */
void cg_below_note(CgDiag *d, const CgDim *size, CgSpan from, const char *what);
/* index(V)[..]: gives V its size where no other has, or checks it; reports (typing.c). */
bool cg_below_match(
    CgElab *e, CgFrame *body, const CgTypeExpr *declared, const CgValue *tensor, CgSpan at, const char *what);

/* Tokens and tokenizers (tokens.c). A tokenizer is a value of the language, or of a file the text that names it. */
typedef struct CgTokenizerName {
    const char *kind, *digest; /* digest NULL: not known before it is made */
    int64_t size;
} CgTokenizerName;
CgTokenizerName cg_tokenizer_name(const CgValue *v);
typedef enum CgSameTokens {
    CG_TOKENS_SAME,
    CG_TOKENS_OTHER,
    CG_TOKENS_LATER /* known when they are made */
} CgSameTokens;
CgSameTokens cg_tokens_compare(const CgValue *a, const CgValue *b);
/* Whether a model, or a part of one, may take these tokens; reports those that are of another tokenizer than its
 * training's. */
bool cg_tokens_check(CgElab *e, CgInstance *to, const CgValue *tensor, CgSpan at);
void cg_tokens_refuse(CgElab *e, const CgTokensGiven *given, const CgTokenizerName *own, int nown);
const CgValue *cg_tokens_of(const CgInstance *of); /* the tokenizers of its training, or NULL */
bool cg_of_library(const CgElab *e, CgSpan at);    /* whether a place is in what comes with cg */

/* Ops (opcall.c). */
CgValue *cg_op_call(
    CgElab *e, CgFrame *f, const CgOp *op, CgValue **args, CgAtom *names, CgSpan *spans, int n, const CgExpr *site);
CgValue *cg_op_simple(CgElab *e, const char *op, CgValue **args, CgSpan *spans, int n, CgSpan span, CgSpan caret);
CgValue *cg_binary(CgElab *e, CgFrame *f, CgAtom op, CgValue *a, CgValue *b, const CgExpr *x);
/* Numbers and sizes that are known (number.c): NULL when the operands are others. */
CgValue *cg_number_binary(CgElab *e, const CgFrame *f, const char *op, CgValue *a, CgValue *b, const CgExpr *x);
int cg_number_compare(const CgValue *a, const CgValue *b); /* in order: below, at or above 0; NaN stands last */
bool cg_number_is_nan(const CgValue *v);
bool cg_number_fits(
    CgElab *e, const CgValue *v, CgDtype dtype, CgSpan span); /* else reports that it is not exact, or too large */
/* A number as a scalar tensor of this dtype, poison when it has no exact place there; a tensor as it is. NULL when it
 * is neither. */
CgValue *cg_as_tensor(CgElab *e, CgValue *v, CgDtype dtype);
/* Resolves an axis: an integer, or the name of an axis of `tensor` as written in the script. */
bool cg_axis_of(CgElab *e, CgFrame *f, CgValue *tensor, const CgExpr *written, CgValue *value, CgSpan span, int *out);
void cg_copy_labels(CgElab *e, CgValue *to, CgValue *const *from, int n);

/* Reports what an op's rule said of operands that do not fit; poison (mismatch.c). */
CgValue *cg_op_mismatch(
    CgElab *e, const CgInfer *inf, CgValue *const *in, const CgSpan *spans, int n, CgSpan span, CgSpan caret);
/* One node of this op on tensors; refuses with labels at spans and the caret. */
CgValue *cg_op_emit(CgElab *e, const CgOp *op, CgValue **in, const CgSpan *spans, int n, const CgAttrs *attrs,
    CgSpan span, CgSpan caret);
CgAtom cg_key_of(const CgValue *k); /* what a record calls a field with this key, a string or number; else NULL */
/* x[..] (slice.c): an element or a stretch of a list, a field, a slice of a tensor. */
CgValue *cg_eval_index(CgElab *e, CgFrame *f, const CgExpr *x);

/* vjp clauses (custom.c): gives results[] the derivative that the clause says; false after a mistake. */
typedef struct CgCustom {
    const CgStmt *stmt, *clause;
    CgValue *const *inputs;
    const CgParam *const *params;
    int ninputs; /* tensors that were given */
    CgValue *const *results;
    int nresults;
} CgCustom;
bool cg_custom_vjp(CgElab *e, const CgFrame *body, const CgCustom *c, CgSpan span);

/* Types (typing.c). */
bool cg_match_type(CgElab *e, CgFrame *body, const CgTypeExpr *declared, CgValue *tensor, CgSpan at, const char *what);
bool cg_type_of(CgElab *e, CgFrame *body, const CgTypeExpr *declared, CgType *out, CgTensorValue *labels);
const CgDim *cg_dim_of(CgElab *e, CgFrame *f, const CgExpr *x, bool report);
bool cg_bind_dims(CgElab *e, CgFrame *body, CgExpr *const *dims, int ndims, const CgType *type, CgTensorValue *tensor,
    CgSpan at, CgSpan pattern, const char *what);
CgSpan cg_origin_of(CgFrame *f, const CgExpr *size); /* where the size it stands for was said */
void cg_note_origin(CgElab *e, CgDiag *d, const CgDim *dim, CgSpan origin);

/* Einstein notation (einstein.c). */
CgValue *cg_rearrange(CgElab *e, CgFrame *f, const CgExpr *call);
CgValue *cg_einsum(CgElab *e, CgFrame *f, const CgExpr *call);

/* Options (option.c): the value of one, as the script or --set says. */
CgValue *cg_option_value(CgElab *e, CgEnv *env, const CgStmt *s);
void cg_options_check(CgElab *e);    /* reports settings that no option took */
bool cg_precision_option(CgElab *e); /* option precision: str = "bf16" */
void cg_precision_check(CgElab *e);  /* reports another value of it */

/* Strings that are one of a few (choice.c). */
bool cg_choice_has(const CgTypeExpr *type, CgAtom s);
/* All that there are, and those like `s`. */
void cg_choice_list(const CgTypeExpr *type, CgAtom s, CgStrbuf *all, CgSuggest *near);
/* The string as one of those of a type { a, b }: compared with any other string it is an error. */
CgValue *cg_choice_of(CgElab *e, const CgValue *v, const CgTypeExpr *type);
/* Whether `v` may be compared with the choice `of`: else reports it at span. */
bool cg_choice_compares(CgElab *e, const CgValue *of, const CgValue *v, CgSpan span);

/* Names of a module (env.c), evaluated when first asked for. */
CgEnv *cg_env_new(CgElab *e, int module);
CgValue *cg_env_find(
    CgElab *e, CgEnv *env, CgAtom name);                 /* own names, imports, prelude, the language's; NULL if none */
CgValue *cg_env_language(CgElab *e, CgAtom name);        /* functions, element types, constants, ops */
CgValue *cg_env_own(CgElab *e, CgEnv *env, CgAtom name); /* at its own top level; NULL if there is none */
bool cg_env_knows(CgElab *e, CgEnv *env, CgAtom name);   /* whether cg_env_find would find one; evaluates nothing */

/* Which names a module and its imports declare (declared.c); nothing is evaluated. */
bool cg_env_has(const CgEnv *env, CgAtom name);               /* at its own top level */
const CgStmt *cg_env_declared(const CgEnv *env, CgAtom name); /* the statement that binds one of its own names */
/* The imported module, from import `from` on, that makes the name one of `env`; NULL if there is none. */
CgEnv *cg_env_bringer(const CgEnv *env, CgAtom name, int *from);
/* The graph or def that a name in *env is, with *env where it is declared; NULL if it is something else. */
const CgStmt *cg_env_callee(CgElab *e, CgEnv **env, CgAtom name);
/* Where the module, what it imports or the library declares the name; false: nowhere there. */
bool cg_env_declaration(CgElab *e, const CgEnv *env, CgAtom name, CgSpan *out);
bool cg_env_clashes(const CgEnv *env, CgAtom name, CgAtom two[2]); /* two imported modules have it: which */
CgEnv *cg_env_alias(const CgEnv *env, CgAtom name);                /* the module that an import calls so, or NULL */
void cg_env_offer(const CgEnv *env, CgSuggest *s);                 /* its own names */
/* Names in scope that can be called, or that cannot. */
void cg_env_suggest(CgElab *e, CgEnv *env, bool callable, CgSuggest *s);
#endif
