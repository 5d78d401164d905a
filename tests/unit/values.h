/* values.h - running a graph on made-up inputs, for unit tests that compare two graphs.
 * Takes a graph without symbols; gives the elements of each output as doubles. Accuses nobody. */
#ifndef CG_UNIT_VALUES_H
#define CG_UNIT_VALUES_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/exec.h"

#define MAX_OUTPUTS 16

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void fill_input(CgTensor *t, uint32_t seed)
{
    size_t n = (size_t)cg_tensor_count(t);
    t->data = malloc(n * cg_dtype_size(t->dtype) + 1);
    for (size_t i = 0; i < n; i++) {
        double v = (double)draw(&seed) / 16777216.0 * 4.77 - 2.385;
        switch (t->dtype) {
        case CG_F32: ((float *)t->data)[i] = (float)v; break;
        case CG_F64: ((double *)t->data)[i] = v; break;
        case CG_I32: ((int32_t *)t->data)[i] = (int32_t)(v * 10); break;
        case CG_I64: ((int64_t *)t->data)[i] = (int64_t)(v * 10); break;
        default: ((uint8_t *)t->data)[i] = v > 0; break;
        }
    }
}

static double element(const CgTensor *t, size_t i)
{
    int64_t at = 0;
    for (int a = t->rank - 1; a >= 0; a--) {
        at += (int64_t)(i % (size_t)t->dim[a]) * t->stride[a];
        i /= (size_t)t->dim[a];
    }
    switch (t->dtype) {
    case CG_F32: return (double)((float *)t->data)[at];
    case CG_F64: return ((double *)t->data)[at];
    case CG_I32: return ((int32_t *)t->data)[at];
    case CG_I64: return (double)((int64_t *)t->data)[at];
    default: return ((uint8_t *)t->data)[at];
    }
}

typedef struct Values {
    size_t n[MAX_OUTPUTS];
    double *at[MAX_OUTPUTS];
    int instrs;
} Values;

static Values evaluate(const CgGraph *g, int threads)
{
    CgErr e = { 0 };
    Values v = { .instrs = 0 };
    CgPool *pool = cg_pool_new(threads);
    CgPlan *plan = cg_plan_build(g, (CgBindings){ 0 }, (CgPlanOptions){ 0 }, &e);
    CgExec *x = plan ? cg_exec_new(plan, pool, &e) : NULL;
    if (!x)
        CG_BUG("%s", e.text);
    cg_plan_verify(plan);
    void *inputs[16];
    for (size_t i = 0; i < g->inputs.len; i++) {
        CgTensor t = cg_plan_input(plan, (int)i);
        fill_input(&t, 2385u + (uint32_t)i);
        cg_exec_bind_input(x, (int)i, inputs[i] = t.data);
    }
    CG_ASSERT(cg_exec_run(x), "indices are within their tables");
    CG_ASSERT(
        cg_exec_run(x), "indices are within their tables"); /* a second run must not see the first one's leavings */
    for (size_t k = 0; k < g->outputs.len; k++) {
        CgTensor t = cg_exec_output(x, (int)k);
        v.n[k] = (size_t)cg_tensor_count(&t);
        v.at[k] = malloc(sizeof(double) * (v.n[k] + 1));
        for (size_t i = 0; i < v.n[k]; i++)
            v.at[k][i] = element(&t, i);
    }
    v.instrs = cg_plan_count(plan);
    for (size_t i = 0; i < g->inputs.len; i++)
        free(inputs[i]);
    cg_exec_free(x);
    cg_plan_free(plan);
    cg_pool_free(pool);
    return v;
}

/* Largest difference, relative to 1 + |value|; NaN equals NaN. */
static double difference(const Values *a, const Values *b, size_t outputs)
{
    double worst = 0;
    for (size_t k = 0; k < outputs; k++) {
        if (a->n[k] != b->n[k])
            return INFINITY;
        for (size_t i = 0; i < a->n[k]; i++) {
            double x = a->at[k][i], y = b->at[k][i],
                   d = x == y || (isnan(x) && isnan(y)) ? 0 : fabs(x - y) / (1 + fabs(x));
            if (!(d <= worst))
                worst = d;
        }
    }
    return worst;
}

static void release(Values *v, size_t outputs)
{
    for (size_t k = 0; k < outputs; k++)
        free(v->at[k]);
}
#endif
