/* graph_arg.h - one graph of a script, named on the command line.
 * Takes an expression ("models.web", "transformer(vocab = 61, dim = 48, layers = 2, heads = 4)") or nothing; gives the
 * graph it stands for. A training stands for its model, loss and gradients; a graph is applied to inputs with the
 * sizes its signature names. Reads no data. */
#ifndef CG_TARGET_H
#define CG_TARGET_H
#include "experiment/experiment.h"

typedef struct CgTarget {
    const char *name;
    CgModelGraph *model;
    const CgStage *stage; /* the training or evaluation it belongs to, or NULL */
    size_t noutputs;      /* of model->graph, without gradients */
    CgUnit *unit;
    bool own; /* the model is freed with the target */
} CgTarget;

/* Tensors of a signature whose types are known, because there is data for them; `span` is where that was said. */
typedef struct CgKnownType {
    CgAtom name;
    CgType type;
    CgSpan span;
} CgKnownType;
typedef struct CgKnownTypes {
    CgKnownType *at;
    int n;
} CgKnownTypes;

/* `text` NULL: the last training of the script, or else its last graph. `sizes` are numbers for names of sizes
 * ("D", 48). False after a mistake, which is in x->diags. */
CG_NODISCARD bool cg_target_build(CgSession *x, const char *text, CgBindings sizes, CgTarget *out);
/* A training or evaluation; always true. out->unit is kept. */
bool cg_target_of_stage(const CgStage *s, CgTarget *out);
/* Outputs grad.PATH: the derivatives of one output, summed, by wrt[n] (inputs and parameters), or by everything that is
 * trained when wrt is NULL, by the inputs of a graph that owns no parameter; for targets whose graph no training has
 * differentiated. */
CG_NODISCARD bool cg_target_differentiate(CgSession *x, CgTarget *t, size_t output, const CgRef *wrt, int n);
/* The expression that a text is; NULL after a mistake. *unit lives as long as what the expression means. */
const CgExpr *cg_graph_arg_parse(CgSession *x, const char *text, CgUnit **unit);
/* The two halves of it, for commands that treat a trained model as a model: *out must be zero before the first. */
CgValue *cg_target_value(CgSession *x, const char *text, CgTarget *out); /* NULL after a mistake */
CG_NODISCARD bool cg_target_apply(
    CgSession *x, CgValue *instance, CgBindings sizes, const CgKnownTypes *data, CgTarget *out);
void cg_target_free(CgTarget *t); /* before the experiment */
/* For pictures: whether a parameter is not trained; `target` is a CgTarget. */
bool cg_target_frozen(void *target, const char *path);
#endif
