/* metric_word_rouge_l.c - ROUGE-L over words of what tokens say.
 * Takes two sequences of words; gives a share in [0, 1]. */
#include "table/metric.h"

extern const CgMetric cg_metric_entry_rouge_l;

CG_METRIC(word_rouge_l, .version = 1, .split = "words", .words = true, .metric = &cg_metric_entry_rouge_l, .ncounts = 2,
    .count = cg_rouge_l_count, .score = cg_f1_score, .doc = "As rouge_l, over words of the decoded texts.")
