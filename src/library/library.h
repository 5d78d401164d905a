/* library.h - what files of functions of the language share.
 * Takes arguments and found-out values; gives pieces that functions are made of. Must not know any function. */
#ifndef CG_LIBRARY_H
#define CG_LIBRARY_H
#include "elab/elab.h"
#include "elab/signature.h"
#include "stage/session.h"

/* The sum of the list that args[0] is (list.c). */
CgValue *cg_list_sum(CgElab *e, CgFrame *f, const CgArguments *a);
/* A number of a column: args[0], found out, is the column. NULL after a mistake. */
CgValue *cg_statistic(CgSession *x, const CgValue *call, CgValue **args, double (*fn)(const double *, size_t));
/* A value with the rows of one table meant by column names. */
CgValue *cg_force_in(CgSession *x, const CgTable *t, CgValue *v);
const CgNumbers *cg_numbers_force_in(CgSession *x, const CgTable *t, CgValue *column); /* NULL after a mistake */
/* [train, valid, test] as shares; false when they are none. */
CG_NODISCARD bool cg_split_shares(const CgValue *v, double *valid, double *test);
#define CG_SHARES_HELP "'shares' are three numbers from 0 on: of train (above 0), valid and test"
/* A dataset as the value of the call, or the mistake it met. */
CgValue *cg_dataset_owned(CgSession *x, const CgValue *call, CgDataset *d, const CgErr *err);
#endif
