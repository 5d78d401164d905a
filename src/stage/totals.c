/* totals.c - sums over the rows of a batch that comes in shares.
 * Takes sums as a runner writes them; gives totals, added in f64 in the order of the shares. Must not know what the
 * sums mean: shares.c does. */
#include "stage/totals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double number_at(const void *at, CgDtype dtype, size_t i)
{
    switch (dtype) {
    case CG_F32: return (double)((const float *)at)[i];
    case CG_F64: return ((const double *)at)[i];
    case CG_I32: return (double)((const int32_t *)at)[i];
    case CG_I64: return (double)((const int64_t *)at)[i];
    default: return (double)((const uint8_t *)at)[i];
    }
}

bool cg_totals_new(CgSession *x, const CgShares *s, const CgMemory *m, CgSpan at, CgTotals *out)
{
    *out = (CgTotals){ .n = s->n, .at = cg_calloc((size_t)s->n + 1, sizeof *out->at) };
    for (int i = 0; i < s->n; i++) {
        const CgType *t = cg_node_type(s->sums, s->sums->outputs.at[i].ref);
        struct CgTotal *one = &out->at[i];
        one->dtype = t->dtype;
        one->count = 1;
        for (int k = 0; k < t->rank; k++) {
            int64_t d = 0;
            cg_dim_is_int(t->dim[k], &d);
            one->count *= (size_t)d;
        }
        size_t bytes = (one->count + 1) * cg_dtype_size(t->dtype) + 64;
        one->share = cg_calloc(1, bytes);
        one->total = cg_calloc(1, bytes);
        one->sum = cg_calloc(one->count + 1, sizeof *one->sum);
    }
    if (!cg_runner_new(x, s->loss, 1, (CgPlanOptions){ 0 }, at, &out->loss)) {
        cg_totals_free(out);
        return false;
    }
    cg_runner_bind_params(&out->loss, m);
    cg_totals_bind(out, &out->loss);
    return true;
}

void cg_totals_free(CgTotals *t)
{
    for (int i = 0; i < t->n; i++) {
        free(t->at[i].share);
        free(t->at[i].total);
        free(t->at[i].sum);
    }
    free(t->at);
    cg_runner_free(&t->loss);
    memset(t, 0, sizeof *t);
}

void cg_totals_clear(CgTotals *t)
{
    for (int i = 0; i < t->n; i++)
        memset(t->at[i].sum, 0, t->at[i].count * sizeof *t->at[i].sum);
}

void cg_totals_bind_shares(const CgTotals *t, const CgRunner *r, int first, const bool *wanted)
{
    for (int i = 0; i < t->n; i++)
        if (!wanted || wanted[i])
            cg_exec_bind_output(r->exec, first++, t->at[i].share);
}

void cg_totals_bind(const CgTotals *t, const CgRunner *r)
{
    char name[32];
    for (int i = 0; i < t->n; i++) {
        snprintf(name, sizeof name, "total.%d", i);
        cg_runner_bind(r, name, t->at[i].total);
    }
}

void cg_totals_add(CgTotals *t, const bool *wanted)
{
    for (int i = 0; i < t->n; i++)
        for (size_t k = 0; k < t->at[i].count && (!wanted || wanted[i]); k++)
            t->at[i].sum[k] += number_at(t->at[i].share, t->at[i].dtype, k);
}

void cg_totals_close(CgTotals *t, double scale)
{
    for (int i = 0; i < t->n; i++)
        for (size_t k = 0; k < t->at[i].count; k++)
            cg_element_put(
                t->at[i].dtype, (char *)t->at[i].total + k * cg_dtype_size(t->at[i].dtype), t->at[i].sum[k] * scale);
}

double cg_totals_loss(CgTotals *t, float *terms, int n)
{
    if (!cg_exec_run(t->loss.exec)) /* it is made of sums, which are looked up in no table */
        CG_BUG("the loss of sums has an index");
    CgTensor out = cg_exec_output(t->loss.exec, 0);
    for (int i = 0; i < n; i++)
        terms[i] = *(const float *)cg_exec_output(t->loss.exec, 1 + i).data;
    return number_at(out.data, out.dtype, 0);
}

bool cg_totals_float(const CgTotals *t)
{
    for (int i = 0; i < t->n; i++)
        if (!cg_dtype_is_float(t->at[i].dtype))
            return false;
    return true;
}
