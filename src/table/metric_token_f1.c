/* metric_token_f1.c - F1 of two bags of tokens: 2 common / (candidate + reference), as SQuAD's script.
 * Takes two sequences, order ignored; gives a share in [0, 1]. */
#include "table/metric.h"

void cg_token_f1_count(CgIds candidate, CgIds reference, double *counts)
{
    uint64_t match = 0;
    bool empty = !candidate.len && !reference.len;
    cg_common_ngrams(candidate, reference, 1, &match);
    counts[0] += empty ? 1 : (double)match;
    counts[1] += empty ? 2 : (double)(candidate.len + reference.len);
}

double cg_f1_score(const double *counts, const CgScoring *how)
{
    (void)how;
    return counts[1] > 0 ? 2 * counts[0] / counts[1] : 0;
}

CG_METRIC(token_f1, .version = 1, .split = "words", .ncounts = 2, .count = cg_token_f1_count, .score = cg_f1_score,
    .doc = "Share of tokens two texts have in common, order ignored: 2 common / (candidate + reference). Of strings "
           "their words; words = \"squad\" normalises as SQuAD does.")
