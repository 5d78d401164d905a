/* metric_bleu.c - BLEU-4, one reference: Papineni et al. 2002, smoothed as sacreBLEU does (Post 2018).
 * Takes counts of n-grams; gives a share in [0, 1]. Must punish a short candidate, not a short reference. */
#include "table/metric.h"

#include <math.h>
#include <string.h>

enum { ORDERS = 4, CANDIDATE = 2 * ORDERS, REFERENCE }; /* matches, then n-grams of the candidate, then both lengths */

static bool smoothed(const CgScoring *how, const char *by) { return !strcmp(how->choice ? how->choice : "exp", by); }

static void count(CgIds candidate, CgIds reference, double *counts)
{
    uint64_t match[ORDERS];
    cg_common_ngrams(candidate, reference, ORDERS, match);
    for (size_t n = 0; n < ORDERS; n++) {
        counts[n] += (double)match[n];
        counts[ORDERS + n] += (double)cg_ngrams_in(candidate.len, n + 1);
    }
    counts[CANDIDATE] += (double)candidate.len;
    counts[REFERENCE] += (double)reference.len;
}

/* A count of no matches is smoothed (Chen and Cherry 2014): exp takes 1/2, 1/4, .. for the first, second, .. of them;
 * floor 0.1; add-k adds 1 to the matches and n-grams of orders 2 to 4. Orders that a sentence is too short for are left
 * out ("effective order"); in a corpus they make the score 0. */
static double score(const double *counts, const CgScoring *how)
{
    double sum = 0, halved = 1;
    int orders = 0;
    bool halve = smoothed(how, "exp"), floor = smoothed(how, "floor"), add = smoothed(how, "add_k");
    if (!(counts[0] > 0))
        return !(counts[CANDIDATE] > 0) && !(counts[REFERENCE] > 0);
    for (int n = 0; n < ORDERS; n++) {
        double k = add && n > 0 ? 1 : 0;
        double match = counts[n] + k, total = counts[ORDERS + n] + k;
        if (!(total > 0) && how->corpus)
            return 0;
        if (!(total > 0))
            break;
        if (!(match > 0) && halve)
            match = halved /= 2;
        else if (!(match > 0) && floor)
            match = 0.1;
        if (!(match > 0))
            return 0;
        sum += log(match / total);
        orders++;
    }
    double short_by = counts[REFERENCE] / counts[CANDIDATE];
    return (short_by > 1 ? exp(1 - short_by) : 1) * exp(sum / orders);
}

static void sign(const CgScoring *how, CgStrbuf *out)
{
    const char *value = smoothed(how, "floor") ? "[0.10]" : smoothed(how, "add_k") ? "[1.00]" : "";
    cg_strbuf_printf(
        out, "|smooth:%s%s|eff:%s|case:mixed", how->choice ? how->choice : "exp", value, how->corpus ? "no" : "yes");
}

CG_METRIC(bleu, .version = 1, .split = "13a", .ncounts = REFERENCE + 1, .count = count, .score = score, .sign = sign,
    .choice = "smooth: { exp, floor, add_k, none } = \"exp\"",
    .doc = "BLEU-4 over tokens (Papineni et al. 2002), in [0, 1]; over words as sacreBLEU's with words = \"13a\", "
           "\"intl\", \"char\" or \"none\". Of two columns of texts that of the corpus.")
