/* dataset.h - rows with named, typed fields: what trainings and evaluations take.
 * Takes a kind of data that can give any row; gives batches. Must not remember: a training batch is a function of
 * (dataset, seed, step, rows of a batch) and nothing else, so a run that stopped goes on with the very same batches. */
#ifndef CG_DATASET_H
#define CG_DATASET_H
#include <cg/kernel.h>
#include "base/digest.h"
#include "data/corpus.h"
#include "data/reach.h"
#include "data/tokenizer.h"

typedef struct CgField {
    const char *name;
    CgDtype dtype;
    int rank;
    int64_t dim[CG_MAX_RANK]; /* of one row */
    int64_t below;            /* integers are in [0, below); 0: nothing is known of them */
    int mask; /* of tokens that may be filled up: how many fields on stands the one that is 1 where they count; else 0
               */
} CgField;

typedef struct CgDataset CgDataset;

/* out[f] is room for field f of one row; NULL where nobody asks. */
typedef struct CgDatasetKind {
    const char *name;
    void (*row)(const CgDataset *d, int64_t i, void *const *out); /* 0 <= i < rows: as an evaluation sees them */
    /* Row g of a training, g = 0, 1, 2, ... NULL: all rows once an epoch, in an order that is drawn anew for each. */
    void (*draw)(const CgDataset *d, uint64_t seed, uint64_t g, void *const *out);
    CgOrigin (*origin)(const CgDataset *d, int64_t i);
    /* cg_split_hash of what the row was made from: equal rows are those of equal keys. NULL: of its fields' bytes. */
    uint64_t (*key)(const CgDataset *d, int64_t i);
    void (*free)(CgDataset *d); /* what `data` holds */
    /* Adds what row i, or every row (-1), was made from. NULL: rows by their keys. False after an error. */
    bool (*reach)(const CgDataset *d, int64_t i, CgReach *out, CgErr *e);
} CgDatasetKind;

struct CgDataset {
    const CgDatasetKind *kind;
    int owners;
    int nfields;
    CgField *field;                /* names are owned by the dataset */
    const CgTokenizer **tokenizer; /* (nfields): of a field of tokens, borrowed; else NULL */
    int64_t rows;                  /* of an evaluation */
    bool in_files;                 /* rows are read from files each time: worth reading before they are asked for */
    double valid, test;            /* shares of the rows that belong to two of its splits */
    CgDigest digest;               /* of all that rows and draws depend on */
    void *data;                    /* of the kind */
};

/* A dataset of n fields, which it copies; one owner. */
CgDataset *cg_dataset_new(const CgDatasetKind *kind, const CgField *field, int n, void *data);
CgDataset *cg_dataset_keep(CgDataset *d);
void cg_dataset_free(CgDataset *d); /* one owner less; NULL is fine */

int cg_dataset_find(const CgDataset *d, const char *field); /* -1: none of this name */
int64_t cg_field_count(const CgField *f);                   /* elements of one row */
size_t cg_field_bytes(const CgField *f);

/* Row g of a training, see CgDatasetKind. */
void cg_dataset_draw(const CgDataset *d, uint64_t seed, uint64_t g, void *const *row);
/* Rows step*rows, step*rows + 1, ... of a training. out[f]: (rows, dims of field f). */
void cg_dataset_batch(const CgDataset *d, uint64_t seed, int64_t step, int64_t rows, void *const *out);
/* Rows first, first + 1, ... of an evaluation, at most `most`; gives how many there are. Nothing is filled up. */
int64_t cg_dataset_read(const CgDataset *d, int64_t first, int64_t most, void *const *out);
CgOrigin cg_dataset_origin(const CgDataset *d, int64_t i);
uint64_t cg_dataset_key(const CgDataset *d, int64_t i);
CG_NODISCARD bool cg_dataset_reach(const CgDataset *d, int64_t i, CgReach *out, CgErr *e); /* -1: all rows */
/* The split of a row: by its key alone, whatever stands beside it. */
CgSplit cg_dataset_split(const CgDataset *d, int64_t i);
#endif
