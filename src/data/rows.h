/* rows.h - datasets whose rows lie in memory, and datasets made of the rows of others.
 * Takes fields and rows, or datasets; gives datasets. Must not keep anything that changes once a dataset is whole. */
#ifndef CG_ROWS_H
#define CG_ROWS_H
#include "data/dataset.h"
#include "data/tensor_file.h"

/* Rows one after the other. With `ordered` a training takes them in their order, else in one drawn anew each epoch. */
CgDataset *cg_rows_new(const CgField *field, int n, bool ordered);
/* Room for the fields of one more row, zeroed; good until the next one. */
void **cg_rows_add(CgDataset *d, CgOrigin origin, uint64_t key);
/* What the row added last was made from; of all rows or of none. */
void cg_rows_text(CgDataset *d, CgText text);
void cg_rows_drop(CgDataset *d); /* takes the row added last away again */
void cg_rows_done(CgDataset *d); /* after the last one */

/* Columns that are there already: column[f] has field f of every row, one after the other. Takes what owns them. */
CgDataset *cg_rows_of_tensors(
    const CgField *field, int n, bool ordered, const void *const *column, int64_t rows, CgTensors *owners, int nowners);

/* Rows of another one, which it keeps, by number; takes the numbers. `what` says which they are, for the digest. */
CgDataset *cg_rows_pick(CgDataset *of, int64_t *index, int64_t n, bool ordered, const char *what);
/* Its rows with n more fields, which are borrowed: column[f] has field f of every row. Trainings draw rows, too. */
CgDataset *cg_rows_beside(CgDataset *of, const CgField *field, const void *const *column, int n, CgDigest key);
/* The rows of one of its splits; those whose key no earlier one has, or with `near`, half of whose text stood in none
 * (reach.h). */
CgDataset *cg_rows_split(CgDataset *of, CgSplit s);
CG_NODISCARD CgDataset *cg_rows_unique(CgDataset *of, bool near, CgErr *e);
int64_t cg_rows_copies(const CgDataset *of); /* rows whose key an earlier one has */
/* Whether fields of one name hold tokens of one tokenizer. */
CG_NODISCARD bool cg_rows_same_tokens(const CgDataset *a, const CgDataset *b, CgErr *e);
/* Whether two datasets have the same fields; else says how they differ. */
CG_NODISCARD bool cg_rows_alike(const CgDataset *a, const CgDataset *b, CgErr *e);
/* One after the other; by exact shares of the rows (deal.h). Keep the parts. */
CG_NODISCARD CgDataset *cg_rows_chain(CgDataset *const *components, int n, CgErr *e);
CG_NODISCARD CgDataset *cg_rows_mix(CgDataset *const *components, const double *shares, int n, CgErr *e);
#endif
