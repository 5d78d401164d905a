/* correlation_pearson.c - Pearson's correlation: the product moment of the numbers themselves.
 * Takes pairs; gives r and its p from t with n - 2 degrees of freedom. */
#include <string.h>

#include "table/correlation.h"

static void as_they_are(const double *x, double *out, size_t n, const int *group)
{
    (void)group;
    memcpy(out, x, sizeof *out * n);
}

static CgCorrelation pearson(const double *x, const double *y, size_t n, const CgCorrelationOptions *o)
{
    return cg_product_moment(x, y, n, o, as_they_are);
}

CG_CORRELATION(pearson, .partial = true, .run = pearson,
    .doc = "product moment; p from t with n - 2 degrees of freedom, exact under normality")
