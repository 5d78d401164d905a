/* library.h - what files of functions of the language share.
 * Takes arguments and found-out values; gives pieces that functions are made of. Must not know any function. */
#ifndef CG_LIBRARY_H
#define CG_LIBRARY_H
#include "elab/elab.h"
#include "elab/signature.h"
#include "stage/session.h"
#include "table/table.h"

/* Whether no axis is given of a list or column, args[0], which has none; else reports it (list.c). */
bool cg_no_axis(CgElab *e, const CgArguments *a);
/* The sum of the list that args[0] is (list.c). */
CgValue *cg_list_sum(CgElab *e, CgFrame *f, const CgArguments *a);
/* A number of a column: args[0], found out, is the column. NULL after a mistake. */
CgValue *cg_statistic(CgSession *x, const CgValue *call, CgValue **args, double (*fn)(const double *, size_t));
/* A value with the rows of one table meant by column names. */
CgValue *cg_force_in(CgSession *x, const CgTable *t, CgValue *v);
const CgTable *cg_table_force(CgSession *x, CgValue *v);                               /* NULL after a mistake */
const CgNumbers *cg_numbers_force_in(CgSession *x, const CgTable *t, CgValue *column); /* NULL after a mistake */
/* [train, valid, test] as shares; false when they are none. */
CG_NODISCARD bool cg_split_shares(const CgValue *v, double *valid, double *test);
#define CG_SHARES_HELP "'shares' are three numbers from 0 on: of train (above 0), valid and test"
/* Says how many of its rows stand there twice; gives the dataset (NULL is fine). */
CgDataset *cg_dataset_said(const CgSession *x, CgDataset *d);
/* A dataset as the value of the call, or the mistake it met. */
CgValue *cg_dataset_owned(CgSession *x, const CgValue *call, CgDataset *d, const CgErr *err);

/* A pass of the model args[0] over a tensor of the shape args[1], or over several, a shape by name for each: a
 * generator that has its graph and writes nothing (latency.c). False after a mistake. */
CG_NODISCARD bool cg_pass_build(CgElab *e, CgFrame *f, const CgArguments *a, CgTextCall *out);

/* The table whose rows a statistic is of, NULL when there is none or more than one; a statistic of some of its rows,
 * NAN and *failed after a mistake (statistic.c). */
const CgTable *cg_statistic_table(CgSession *x, CgValue *v, bool *several);
double cg_statistic_of_rows(
    CgSession *x, CgValue *statistic, const CgTable *t, const size_t *rows, size_t n, bool *failed);

/* What is shown or saved: a value, or of an expression that gives a tensor the array it will be (tensor_value.c). */
CgValue *cg_shown(CgElab *e, CgFrame *f, const CgExpr *x);

/* What is in a value of class `split`. */
typedef struct CgCorpusSplit {
    CgCorpus *corpus;
    CgSplit which;
} CgCorpusSplit;

/* What `show` prints of them (data_shown.c). */
void cg_dataset_shown(const void *held, CgStrbuf *out);
void cg_corpus_shown(const void *held, CgStrbuf *out);
void cg_split_shown(const void *held, CgStrbuf *out);

/* Columns that argument i names, one or a list; reports one that is computed. */
bool cg_columns_named(CgElab *e, const CgArguments *a, int i);
int cg_column_names(const CgValue *v, const char **names, int max);
bool cg_is_column_of(const CgValue *call); /* table.name, not found out yet: at[0] is the table */
CgValue *cg_column_field(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *suggest);

/* What a number is shown as: class `estimate`. */
typedef struct CgEstimate {
    double value, low, high;
    const char *method; /* of the interval; NULL: there is none */
    CgFormat format;
} CgEstimate;
/* A number or an estimate into a cell; `metrics`: signatures of what it was computed of. */
void cg_table_put(CgTable *t, size_t row, int column, const CgValue *v, const char *metrics);
#endif
