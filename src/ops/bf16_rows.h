/* bf16_rows.h - rows of a result that may be kept as bf16, see CgOp.rounded.
 * Takes where the rows go; gives room to make each: in the result, or in scratch memory, from where a few at a time are
 * rounded to it. */
#ifndef CG_OPS_BF16_ROWS_H
#define CG_OPS_BF16_ROWS_H

#include <cg/kernel.h>

#define TOGETHER 2048 /* numbers of rows that are rounded together, at most, or one row */

typedef struct Bf16Rows {
    char *to;         /* of the next row, or the first that is held */
    float *held;      /* NULL when rows are made in the result */
    int64_t d, step;  /* numbers of a row, and from row to row of the result */
    int64_t bytes;    /* of a step */
    int64_t group, n; /* rows that are rounded together; rows held */
} Bf16Rows;

static inline int64_t bf16_rows_group(int64_t d) { return d > 0 && d < TOGETHER ? TOGETHER / d : 1; }

/* Scratch memory for rows of d numbers. */
static inline size_t bf16_rows_scratch(const CgTensor *y, int64_t d)
{
    return y->dtype == CG_ROUNDED ? (size_t)(bf16_rows_group(d) * d) * sizeof(float) : 0;
}

/* Rows of d numbers, from number `at` of y on, `step` apart. */
static inline Bf16Rows bf16_rows_from(const CgTensor *y, int64_t at, int64_t d, int64_t step, void *scratch)
{
    int64_t size = (int64_t)cg_dtype_size(y->dtype);
    return (Bf16Rows){ .to = (char *)y->data + at * size,
        .held = y->dtype == CG_ROUNDED ? scratch : NULL,
        .d = d,
        .step = step,
        .bytes = step * size,
        .group = bf16_rows_group(d) };
}

static inline void *bf16_rows_at(const Bf16Rows *m)
{
    return m->held ? (void *)(m->held + m->n * m->d) : (void *)m->to;
}

static inline void bf16_rows_round(Bf16Rows *m)
{
    uint16_t *to = (uint16_t *)(void *)m->to;
    if (m->step == m->d)
        cg_bf16_round(m->held, to, (size_t)(m->n * m->d));
    else
        for (int64_t i = 0; i < m->n; i++)
            cg_bf16_round(m->held + i * m->d, to + i * m->step, (size_t)m->d);
    m->to += m->n * m->bytes;
    m->n = 0;
}

/* The row that made_row gave is there; `last`: none follows. */
static inline void bf16_rows_next(Bf16Rows *m, bool last)
{
    if (!m->held)
        m->to += m->bytes;
    else if (++m->n == m->group || last)
        bf16_rows_round(m);
}

#endif
