/* window.h - windows of tokens: the dataset that language models are trained on.
 * Takes a split of a corpus and a tokenizer; gives rows with the fields
 *   tokens, next   i32[length]: tokens, and the tokens one place on
 *   document       i32[length]: how many documents ended in the window before the token, so that a mask can keep
 *                  documents apart
 *   mask           f32[length], only with `align`: 1 where `next` still belongs to the document, else 0
 * Must not keep anything that changes.
 *
 * The documents of a split stand in a row, each followed by the tokenizer's `end` (sequence.h).
 * Training: the row is a ring, cut in floor(tokens / stride) windows from a place that is drawn anew each
 * epoch, taken in an order that is drawn anew each epoch; so every token is seen once an epoch, where the stride is the
 * length. Row r of step s is window s*batch + r.
 * Evaluation: windows at 0, stride, 2 stride, ... from the start, no ring; the rest that fills no window is
 * left out. With a `count` so many of them from all over the split, at even distances.
 * Aligned: windows begin with a document, and go on in it by the stride; what is left at its end is `end`.
 * Copies: instead of text a window holds  y mark x end  y mark x end ..., cut at its end, each x a span from
 * a place of its own in the row and y the same tokens. With a `group` of g, in three spans of four the
 * tokens of each g neighbours of y are in random order: who learns to put them right reads a group as a bag,
 * as a memory slot that stands for g tokens has to be read.
 * Mixtures: windows are dealt to the parts so that no part is ever off its share by a whole one (deal.h); each part
 * runs through epochs of its own. An evaluation of a mixture stops where the first part is used up. */
#ifndef CG_WINDOW_H
#define CG_WINDOW_H
#include "data/corpus.h"
#include "data/dataset.h"
#include "data/tokenizer.h"

typedef struct CgWindowOpts {
    int length; /* T, at least 1 */
    int stride; /* 0 = length */
    bool align;
    int64_t count; /* of an evaluation; 0 = all */
    /* share of training windows in [0, 1] that are copies, so that a model learns to copy; evaluation has
     * none */
    double repeat;
    /* of copies: tokens of a span; 0 = as long as one copy fills the window: length / 2 - 1. */
    int span;
    /* of copies: 0 or a divisor of span. Above 1 the first showing is in disorder, see above */
    int group;
} CgWindowOpts;

enum { CG_WINDOW_FIELDS = 4 };
/* The fields windows will have; their number. */
int cg_windows_fields(const CgWindowOpts *o, int32_t vocabulary, CgField out[CG_WINDOW_FIELDS]);
/* The digest that windows will have, without encoding anything. */
CgDigest cg_windows_digest(const CgCorpus *c, CgSplit s, const CgTokenizer *t, const CgWindowOpts *opts);
/* Encodes the split (sequence.h); keeps the corpus, borrows the tokenizer and the cache, which may be NULL. Errors: a
 * part of the split is empty or has fewer tokens than one window (length + 1). */
CG_NODISCARD CgDataset *cg_windows_new(
    CgCorpus *c, CgSplit s, const CgTokenizer *t, const CgWindowOpts *opts, CgCache *cache, CgErr *e);
#endif
