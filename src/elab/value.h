/* value.h - what an expression of the language means.
 * Takes nothing; gives CgValue, the one type the evaluator computes with. Values are never changed once made (an
 * instance gets its name when it is first bound) and live in the elaboration's arena. */
#ifndef CG_VALUE_H
#define CG_VALUE_H
#include <cg/function.h>

#include "base/class.h"
#include "base/strbuf.h"
#include "graph/graph.h"
#include "lang/ast.h"

typedef struct CgEnv CgEnv; /* a module's names */

typedef enum CgValueKind {
    CG_VALUE_POISON,   /* after a reported mistake: silences all that is built on it */
    CG_VALUE_UNKNOWN,  /* while a graph is checked where it is defined; dim: a number, if it is a size */
    CG_VALUE_NONE,     /* `none` */
    CG_VALUE_INT,      /* i */
    CG_VALUE_DIM,      /* dim: a size that is not a number yet */
    CG_VALUE_FLOAT,    /* f */
    CG_VALUE_BOOL,     /* i */
    CG_VALUE_STR,      /* s */
    CG_VALUE_LIST,     /* at[n]; open: of unknown length, at[0] is what each element is */
    CG_VALUE_RANGE,    /* n integers from i up */
    CG_VALUE_RECORD,   /* keys[n], at[n] */
    CG_VALUE_DTYPE,    /* i: a CgDtype */
    CG_VALUE_DEF,      /* stmt, env */
    CG_VALUE_GRAPH,    /* stmt, env: a graph without its static arguments */
    CG_VALUE_INSTANCE, /* instance */
    CG_VALUE_TENSOR,   /* tensor */
    CG_VALUE_OP,       /* op */
    CG_VALUE_FUNCTION, /* function */
    CG_VALUE_OBJECT,   /* cls; s = what made it, keys/at = its description; held = the thing itself, once it is there */
    CG_VALUE_CALL,     /* function applied to at[n] when the script runs; held = the columns it will have, of a table */
    CG_VALUE_STAGE,    /* stage: a train or evaluate, run once and stored */
    CG_VALUE_COLUMN,   /* s: a column of the table an expression is about; cls: numbers or labels */
} CgValueKind;

/* What is known of a value that is not. */
typedef enum CgUnknown { CG_UNKNOWN_VALUE, CG_UNKNOWN_NUMBER, CG_UNKNOWN_BOOL, CG_UNKNOWN_STR } CgUnknown;

typedef enum CgAnnotationKind {
    CG_ANNOTATED_FROZEN,
    CG_ANNOTATED_TRAINED,
    CG_ANNOTATED_F32,
    CG_ANNOTATED_BF16,
    CG_ANNOTATED_RECOMPUTED,
    CG_ANNOTATED_REPARAMETRIZED,
    CG_ANNOTATED_REPLACED
} CgAnnotationKind;

/* What is said of the parameters, products or parts of a model whose paths fit a pattern (NULL: of all). */
typedef struct CgAnnotation {
    CgAnnotationKind what;
    CgAtom pattern;
    CgSpan span;
    bool given; /* with the weights, by a file or another model: not written in the script */
    bool exact; /* the pattern is the path of one parameter */
    /* REPARAMETRIZED, REPLACED: the graph that a parameter or value goes through, or that stands in the place of a part
     * (replace.c); what the model's weights were when that was said, which are not those of the graph's own parameters
     */
    struct CgValue *by, *weights;
} CgAnnotation;

/* A graph with its static arguments: owner of one set of parameters. */
typedef struct CgInstance {
    const CgStmt *stmt;
    CgEnv *env;
    CgValue **statics;         /* by parameter index of stmt; NULL for tensor parameters */
    CgAtom name;               /* the name the author bound it to; NULL while it has none */
    CgAtom path;               /* where its parameters live in the graph being built ("" = root); NULL outside of one */
    struct CgInstance *parent; /* in whose body it was made or given; NULL for a root */
    CgSpan span;
    CgValue *weights;      /* STAGE or OBJECT("weights") its parameters start from; NULL: the initialisers */
    CgAtom submodule_path; /* the part of `weights` that is this one: "decoder"; NULL: all of it */
    CgValue *tokens;       /* LIST: tokenizers of the data that `weights` were trained on (tokens.c); NULL: not known */
    CgAnnotation *annotations;
    int nannotations; /* applied in order */
    /* which instance it is (instance.c) */
    const struct CgInstance *origin;  /* the one that was written, of which this is a copy */
    const struct CgInstance *made_in; /* in whose body that was; NULL: at top level */
    CgSpan attached;                  /* the binding or call that gave it its path */
    struct CgInstance *rival;         /* an earlier part of the same body that would have its path */
    const CgAnnotation *put_by;       /* what put it there, of a part that holds it; NULL: its body did */
    bool unnamed;                     /* applied without a name, as in dense(x, out = 8) */
    bool owns;                        /* parameters, itself or in parts */
    bool refused;                     /* a mistake about it was reported */
} CgInstance;

typedef struct CgTensorValue {
    CgRef ref;
    CgAtom label[CG_MAX_RANK];  /* the author's name of each axis, or NULL */
    CgSpan origin[CG_MAX_RANK]; /* where the size of each axis was said */
    uint16_t written;           /* bit k: the size of axis k is a 1 that the author wrote (broadcast.c) */
} CgTensorValue;

/* Which fields there are is said by the kind, above; those before the union are there always. */
struct CgValue {
    CgValueKind kind;
    int n;          /* elements or fields: 0 of all that has none */
    CgSpan span;    /* where it was made */
    bool is_size;   /* INT: the size of an axis, or made of such: '/' is exact */
    bool open;      /* LIST */
    uint16_t depth; /* of lists, records, calls and objects within each other; 0: not counted yet (eval.c) */
    uint32_t parts; /* of all of them, those that several hold counted for each */
    uint8_t known;  /* UNKNOWN: what is known of it, a CgUnknown */
    union {
        int64_t i;
        double f;
        const CgDim *dim;
        CgInstance *instance;
        CgTensorValue *tensor;
        const CgOp *op;
        struct {
            const CgStmt *stmt;
            CgEnv *env;
        };
        struct {
            CgAtom s;
            const CgTypeExpr *choices; /* STR: it is one of the strings of this type; NULL: it may be any */
            CgValue **at;
            CgAtom *keys;
            const CgFunction *function;
            const CgClass *cls;
            void *stage; /* a CgStage; what a CALL carries besides its arguments */
            void *held;
        };
    };
};

const char *cg_value_kind_name(const CgValue *v); /* "a number", "a tensor" for messages */
CgValue *cg_record_find(const CgValue *v, CgAtom key);
void cg_value_print(const CgValue *v, CgStrbuf *out); /* as it would be written */
const CgClass *cg_value_class(const CgValue *v); /* of what it is, or will be when the script runs; NULL: of none */
/* A tensor that v is, or holds in a list, a record or the static arguments of an instance; NULL: none. */
const CgValue *cg_value_tensor_in(const CgValue *v);
const CgDim *cg_value_as_dim(const CgValue *v); /* INT or DIM, else NULL */
static inline bool cg_is_unknown_number(const CgValue *v)
{
    return v->kind == CG_VALUE_UNKNOWN && v->known == CG_UNKNOWN_NUMBER;
}
/* Nothing that is built on it is reported. */
static inline bool cg_is_poison(const CgValue *v) { return v->kind == CG_VALUE_POISON || v->kind == CG_VALUE_UNKNOWN; }
#endif
