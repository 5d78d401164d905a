/* window.h - batches.
 * Takes a split of a corpus and a tokenizer; gives windows of `length` tokens and the tokens one place on.
 * Must not remember: a training batch is a function of (windows, seed, step, batch size) and nothing else,
 * so a run that stopped at any step goes on with the very same batches.
 *
 * The documents of a split stand in a row, each followed by the tokenizer's `end` (pieces of one file are
 * joined without it).
 * Training: the row is a ring, cut in floor(tokens / length) windows from a place that is drawn anew each
 * epoch, taken in an order that is drawn anew each epoch; so every token is seen once an epoch. Row r of
 * step s is window s*batch + r.
 * Evaluation: windows 0, 1, 2, ... side by side from the start, no ring; the rest that fills no window is
 * left out. Who wants fewer gets them from all over the split, at even distances.
 * Copies: instead of text a window holds  y mark x end  y mark x end ..., cut at its end, each x a span from
 * a place of its own in the row and y the same tokens. With a `group` of g, in three spans of four the
 * tokens of each g neighbours of y are in random order: who learns to put them right reads a group as a bag,
 * as a memory slot that stands for g tokens has to be read.
 * Mixtures: windows are dealt to the parts in a fixed pattern that keeps their shares at every step to
 * within one window; each part runs through epochs of its own. An evaluation of a mixture stops where the
 * first part is used up. */
#ifndef CG_WINDOW_H
#define CG_WINDOW_H
#include "data/corpus.h"
#include "data/tokenizer.h"

typedef struct CgWindowOpts {
    int length; /* T, at least 1 */
    /* share of training windows in [0, 1] that are copies, so that a model learns to copy; evaluation has
     * none */
    double repeat;
    /* of copies: tokens of a span; 0 = as long as one copy fills the window: length / 2 - 1. */
    int span;
    /* of copies: 0 or a divisor of span. Above 1 the first showing is in disorder, see above */
    int group;
} CgWindowOpts;

typedef struct CgWindows CgWindows;

/* Encodes the split. Errors: a part of the split is empty or has fewer tokens than one window (length +
 * 1). */
CG_NODISCARD CgWindows *cg_windows_new(
    const CgCorpus *c, CgSplit s, const CgTokenizer *t, const CgWindowOpts *opts, CgErr *e);
void cg_windows_free(CgWindows *w);
int cg_windows_length(const CgWindows *w);
uint64_t cg_windows_tokens(const CgWindows *w); /* in the split, end marks included */
uint64_t cg_windows_bytes(const CgWindows *w);  /* of text in the split */
/* windows of one training epoch (of a mixture: until the first part repeats) */
int64_t cg_windows_epoch(const CgWindows *w);
int64_t cg_windows_count(const CgWindows *w);   /* windows of an evaluation */
CgDigest cg_windows_digest(const CgWindows *w); /* corpus, split, tokenizer, options */

/* tokens, next: (batch, length). */
void cg_windows_batch(const CgWindows *w, uint64_t seed, uint64_t step, int batch, int32_t *tokens, int32_t *next);
/* Windows first, first+1, ... of `some` that lie at even distances over the split (of all with some = count);
 * fills as many rows as there are, at most `batch`, and gives their number; further rows repeat the last one, so
 * that a plan for a full batch can run. first < some <= count. `next` may be NULL. */
int cg_windows_at(const CgWindows *w, int64_t first, int64_t some, int batch, int32_t *tokens, int32_t *next);
#endif
