/* metric.h - how near what was made is to what it should have been.
 * Takes (candidate, reference), in this order; gives a score, of a pair or of a whole corpus, and the signature that is
 * printed beside it. Each metric is one file metric_NAME.c that ends in its entry, CG_METRIC, which makes it a function
 * of the language, too.
 * Must not split texts by itself: words.h does. An empty sequence against a full one scores 0, two empty ones are
 * equal. */
#ifndef CG_METRIC_H
#define CG_METRIC_H
#include "base/strbuf.h"
#include "table/words.h"

enum { CG_MAX_COUNTS = 19 };

/* What a call says of a metric, beyond its texts. */
typedef struct CgScoring {
    const CgWordSplit *split; /* how texts become sequences; NULL: tokens as they are */
    const char *choice;       /* the string of the metric's own argument; NULL: it has none */
    bool corpus;              /* counts of all rows are summed before there is a score */
} CgScoring;

typedef struct CgMetric CgMetric;
struct CgMetric {
    const char *name, *doc;
    int version;            /* raised when a score changes */
    const char *split;      /* how it splits texts when nothing is said */
    bool words;             /* tokens are decoded and split so, too */
    const CgMetric *metric; /* under whose name it signs: it is this one, split otherwise; NULL: its own */
    const char *choice;     /* its own argument, "smooth: { exp, none } = \"exp\""; NULL: none */
    int ncounts;            /* the score is a function of these counts, and those of a corpus are sums */
    void (*count)(CgIds candidate, CgIds reference, double *counts);
    double (*score)(const double *counts, const CgScoring *how);
    void (*sign)(const CgScoring *how, CgStrbuf *out); /* more fields of the signature, "|smooth:exp"; may be NULL */
    const char *file;
    int line;
};

/* The last line of a metric's file. */
#define CG_METRIC(metric, ...)                      \
    extern const CgMetric cg_metric_entry_##metric; \
    const CgMetric cg_metric_entry_##metric = { .name = #metric, .file = __FILE__, .line = __LINE__, __VA_ARGS__ };

const CgMetric *cg_metric_at(size_t i); /* NULL past the end; by name */
double cg_metric_pair(const CgMetric *m, CgIds candidate, CgIds reference, const CgScoring *how);
/* "bleu|level:sentence|words:13a|smooth:exp|eff:yes|cg:1" */
void cg_metric_sign(const CgMetric *m, const CgScoring *how, CgStrbuf *out);
/* What metrics that differ only in how they split have in common (metric_token_f1.c, metric_rouge_l.c). */
void cg_token_f1_count(CgIds candidate, CgIds reference, double *counts);
void cg_rouge_l_count(CgIds candidate, CgIds reference, double *counts);
double cg_f1_score(const double *counts, const CgScoring *how); /* 2 counts[0] / counts[1] */
#endif
