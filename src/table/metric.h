/* metric.h - how near what was made is to what it should have been.
 * Takes (candidate, reference), in this order; gives a score, of a pair or of a whole corpus, and the signature that is
 * printed beside it. Each metric is one file metric_NAME.c that ends in its entry, CG_METRIC.
 * Must not split texts by itself: words.h does. An empty sequence against a full one scores 0, two empty ones are
 * equal. */
#ifndef CG_METRIC_H
#define CG_METRIC_H
#include "base/strbuf.h"
#include "table/words.h"

enum { CG_MAX_COUNTS = 18 };

typedef enum CgSmooth { CG_SMOOTH_EXP, CG_SMOOTH_FLOOR, CG_SMOOTH_ADD_K, CG_SMOOTH_NONE } CgSmooth;

/* What a call says of a metric, beyond its texts. */
typedef struct CgScoring {
    const CgWordSplit *split; /* how texts become sequences; NULL: tokens as they are */
    CgSmooth smooth;          /* of BLEU */
    bool corpus;              /* counts of all rows are summed before there is a score */
} CgScoring;

typedef struct CgMetric {
    const char *name, *doc;
    int version;       /* raised when a score changes */
    const char *split; /* how it splits texts when nothing is said */
    int ncounts;       /* the score is a function of these counts, and those of a corpus are sums */
    void (*count)(CgIds candidate, CgIds reference, double *counts);
    double (*score)(const double *counts, const CgScoring *how);
    void (*sign)(const CgScoring *how, CgStrbuf *out); /* more fields of the signature, "|smooth:exp"; may be NULL */
} CgMetric;

/* The last line of a metric's file. */
#define CG_METRIC(metric, ...)                      \
    extern const CgMetric cg_metric_entry_##metric; \
    const CgMetric cg_metric_entry_##metric = { .name = #metric, __VA_ARGS__ };

const CgMetric *cg_metric_find(const char *name);
const CgMetric *cg_metric_at(size_t i); /* NULL past the end; by name */
double cg_metric_pair(const CgMetric *m, CgIds candidate, CgIds reference, const CgScoring *how);
/* "bleu|level:sentence|words:13a|smooth:exp|eff:yes|cg:1" */
void cg_metric_sign(const CgMetric *m, const CgScoring *how, CgStrbuf *out);
bool cg_smooth_parse(const char *name, CgSmooth *out);
const char *cg_smooth_name(CgSmooth smooth);
#endif
