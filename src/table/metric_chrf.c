/* metric_chrf.c - chrF2: F score of n-grams of up to six characters, recall weighing twice: Popovic 2015.
 * Takes sequences of characters; gives a share in [0, 1], as sacreBLEU does without epsilon smoothing. */
#include "table/metric.h"

enum { ORDERS = 6, CANDIDATES = 3 * ORDERS };
_Static_assert(CANDIDATES + 1 <= CG_MAX_COUNTS, "the counts of chrF have room");

static void count(CgIds candidate, CgIds reference, double *counts)
{
    uint64_t match[ORDERS];
    cg_common_ngrams(candidate, reference, ORDERS, match);
    for (size_t n = 0; n < ORDERS; n++) {
        uint64_t in_reference = cg_ngrams_in(reference.len, n + 1);
        counts[3 * n] += in_reference ? (double)cg_ngrams_in(candidate.len, n + 1) : 0;
        counts[3 * n + 1] += (double)in_reference;
        counts[3 * n + 2] += (double)match[n];
    }
    counts[CANDIDATES] += (double)candidate.len;
}

/* An empty text beside an empty reference is right, and adds nothing to a corpus that has others. */
static double score(const double *counts, const CgScoring *how)
{
    double precision = 0, recall = 0;
    int orders = 0;
    (void)how;
    if (!(counts[1] > 0))
        return !(counts[CANDIDATES] > 0);
    for (const double *c = counts; c < counts + CANDIDATES; c += 3) {
        if (!(c[0] > 0 && c[1] > 0))
            continue;
        precision += c[2] / c[0];
        recall += c[2] / c[1];
        orders++;
    }
    if (!(precision + recall > 0))
        return 0;
    return 5 * (precision / orders) * (recall / orders) / (4 * (precision / orders) + recall / orders);
}

static void sign(const CgScoring *how, CgStrbuf *out)
{
    (void)how;
    cg_strbuf_puts(out, "|nc:6|nw:0|beta:2|eff:yes|case:mixed|space:no");
}

CG_METRIC(chrf, .version = 2, .split = "char", .words = true, .ncounts = CANDIDATES + 1, .count = count, .score = score,
    .sign = sign, .doc = "chrF2: F score of n-grams of up to six characters (Popovic 2015), as sacreBLEU's; in [0, 1].")
