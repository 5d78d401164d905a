/* correlation.c - how two columns go together.
 * Takes pairs and a method; gives r in [-1, 1] and its two-sided p. Must not know any method: they are found by their
 * entries. */
#include "table/correlation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define X(method) extern const CgCorrelationMethod cg_correlation_entry_##method;
#include "entries/correlation.def"
#undef X
static const CgCorrelationMethod *const entries[] = {
#define X(method) &cg_correlation_entry_##method,
#include "entries/correlation.def"
#undef X
};

const CgCorrelationMethod *cg_correlation_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(entries); i++) {
        if (!strcmp(entries[i]->name, name))
            return entries[i];
    }
    return NULL;
}

CgCorrelation cg_stats_correlate(
    const CgCorrelationMethod *m, const double *x, const double *y, size_t n, const CgCorrelationOptions *options)
{
    CgCorrelationOptions none = { 0 }, kept = options ? *options : none;
    double *a = cg_malloc(sizeof *a * (n + 1)), *b = cg_malloc(sizeof *b * (n + 1));
    double **given = cg_calloc((size_t)kept.ngiven + 1, sizeof *given);
    int *within = cg_malloc(sizeof *within * (n + 1));
    size_t left = 0;
    for (int k = 0; k < kept.ngiven; k++)
        given[k] = cg_malloc(sizeof **given * (n + 1));
    for (size_t i = 0; i < n; i++) {
        bool whole = !isnan(x[i]) && !isnan(y[i]);
        for (int k = 0; k < kept.ngiven; k++)
            whole &= !isnan(kept.given[k][i]);
        if (!whole)
            continue;
        a[left] = x[i];
        b[left] = y[i];
        within[left] = kept.within ? kept.within[i] : 0;
        for (int k = 0; k < kept.ngiven; k++)
            given[k][left] = kept.given[k][i];
        left++;
    }
    if (kept.within)
        kept.within = within;
    kept.given = (const double *const *)given;
    CgCorrelation c =
        left < 3 ? cg_correlation_undefined(left, "there are fewer than three pairs") : m->run(a, b, left, &kept);
    for (int k = 0; k < kept.ngiven; k++)
        free(given[k]);
    free(given);
    free(within);
    free(a);
    free(b);
    return c;
}
