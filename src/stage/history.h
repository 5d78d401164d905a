/* history.h - the curve of a training.
 * Takes numbers step by step; gives a table with a row a step, as a value of the store and as part of a checkpoint.
 * Must not know what trains. */
#ifndef CG_HISTORY_H
#define CG_HISTORY_H
#include "stage/session.h"

typedef struct CgHistory {
    const CgSchema *columns; /* the first is the step */
    CG_VEC(double) cell;     /* rows one after the other; NAN: missing */
    bool broken;             /* its beginning is not there */
} CgHistory;

double *cg_history_row(CgHistory *h);  /* a new one, all missing, until the next one */
double *cg_history_last(CgHistory *h); /* NULL: there is none */
void cg_history_free(CgHistory *h);

/* As a tensor f64[rows, columns] of a checkpoint, and what its columns are called. */
CgTensor cg_history_tensor(const CgHistory *h);
char *cg_history_names(const CgHistory *h); /* malloc'd */
/* Takes it up again; columns that it has not are missing. False: it is none. */
CG_NODISCARD bool cg_history_take(CgHistory *h, const CgTensor *t, const char *names);

CgTable *cg_history_table(const CgHistory *h);
/* The history of a training in the store. Its key is that of the training with what is looked at on the way. */
CG_NODISCARD bool cg_history_load(CgSession *x, CgStage *s);
CG_NODISCARD bool cg_history_keep(CgSession *x, CgStage *s, const CgHistory *h);
CG_NODISCARD bool cg_history_key(CgSession *x, CgStage *s, CgDigest *out);
#endif
