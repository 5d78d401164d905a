/* correlation.h - what methods of correlation share.
 * Takes pairs without a NAN; gives pieces that the files correlation_NAME.c are made of. */
#ifndef CG_CORRELATION_H
#define CG_CORRELATION_H
#include <math.h>

#include "table/stats.h"

static inline CgCorrelation cg_correlation_undefined(size_t n, const char *why)
{
    return (CgCorrelation){ NAN, NAN, n, why };
}

int cg_correlation_groups(const int *group, size_t n);                     /* how many; one when there is none */
bool cg_correlation_constant(const double *x, size_t n, const int *group); /* within each group */

/* What a column becomes first, within each group where there are groups. */
typedef void CgColumnChange(const double *x, double *out, size_t n, const int *group);
CgCorrelation cg_product_moment(
    const double *x, const double *y, size_t n, const CgCorrelationOptions *o, CgColumnChange *change);
#endif
