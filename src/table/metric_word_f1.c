/* metric_word_f1.c - token_f1 over words.
 * Takes two sequences of words, order ignored; gives a share in [0, 1]. */
#include "table/metric.h"

extern const CgMetric cg_metric_entry_token_f1;

CG_METRIC(word_f1, .version = 1, .split = "words", .words = true, .metric = &cg_metric_entry_token_f1, .ncounts = 2,
    .count = cg_token_f1_count, .score = cg_f1_score, .doc = "As token_f1, over words of the decoded texts.")
