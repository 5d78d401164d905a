/* examples.h - rows made of the fields of records: texts as tokens, numbers, classes.
 * Takes files of records (reader.h), files whose lines belong together, or a corpus; gives a dataset. A row that does
 * not fit is named with its file and line. Must not guess: what is no number, no class or too long is said, or dropped
 * when asked.
 *
 * A field of tokens is i32[length], with NAME_mask, f32[length]: 1 on its tokens and the `end` behind them, 0 on the
 * `end`s that fill it up. With an answer it is the text and the answer behind it, with NAME_next, the tokens one place
 * on, and the mask is 1 where NAME_next is of the answer or its end: the places a loss on the answer alone counts. */
#ifndef CG_EXAMPLES_H
#define CG_EXAMPLES_H
#include "data/dataset.h"

typedef enum CgTooLong { CG_TOO_LONG_REFUSE, CG_TOO_LONG_CUT, CG_TOO_LONG_DROP } CgTooLong;

typedef struct CgExampleField {
    const char *name;
    /* tokens: text "Q: $question", where $name and ${name} are fields of the record and $$ is a dollar */
    const CgTokenizer *tokenizer; /* NULL: numbers, or a class */
    int32_t vocabulary;           /* its size, known before it is there */
    const char *text, *answer;    /* answer may be NULL */
    int64_t length;
    CgTooLong too_long;
    bool tokens, end; /* `end` behind the text */
    /* numbers: one field of the record is one number, or a list of `size` of them; several are f32[n] */
    const char *const *columns;
    int ncolumns;
    int64_t size; /* 0: no list */
    CgDtype dtype;
    int64_t below; /* integers are in [0, below); 0: any */
    /* one of these words, as its number */
    const char *const *classes;
    int nclasses;
} CgExampleField;

typedef struct CgExamples {
    const CgCorpus *corpus;  /* NULL: files. A document is a record with the field "text", or, where documents are
                              * lines of JSON Lines (of some kinds of synthetic text), that record */
    const char *const *path; /* patterns; or one file for each of `column`, whose lines are the fields of that name */
    int npaths;
    const char *const *column; /* NULL: patterns */
    const CgExampleField *field;
    int n;
    int64_t limit; /* records; 0 = all */
} CgExamples;

enum { CG_EXAMPLE_FIELDS = 3 }; /* at most, that one field becomes */
/* The fields of a row that one of these becomes; their number. Names are in the arena of interned ones. */
int cg_example_fields(const CgExampleField *f, CgField out[CG_EXAMPLE_FIELDS]);
/* A text with $names: false with an error when it is not well formed. */
CG_NODISCARD bool cg_example_template_ok(const char *text, CgErr *e);
/* What did not fit: rows that were left out, texts that were cut. */
typedef struct CgExamplesLost {
    int64_t dropped, cut;
} CgExamplesLost;
CG_NODISCARD CgDataset *cg_examples_load(const CgExamples *of, CgExamplesLost *what, CgErr *e);
#endif
