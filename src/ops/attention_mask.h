/* attention_mask.h - what is added to the scores of a head, for one type; a pattern, not a header.
 * Takes T (float or double) and NAME(word); gives tiles of the mask that stand as those of scores do, a key to a row,
 * in units of 1 / log2(e), and which keys some queries see at all. Must not know how scores are made. */

typedef struct NAME(MaskRows) {
    const T *at;         /* NULL: nothing is added */
    int64_t row, column; /* from query to query and from key to key */
} NAME(MaskRows);

static inline NAME(MaskRows) NAME(mask_of_head)(const CgTensor *m, const CgTensor *q, int64_t head)
{
    if (!m)
        return (NAME(MaskRows)){ NULL, 0, 0 };
    int64_t b = m->dim[0] > 1 ? head / q->dim[1] : 0, h = m->dim[1] > 1 ? head % q->dim[1] : 0;
    return (NAME(MaskRows)){ (const T *)m->data + b * m->stride[0] + h * m->stride[1], m->dim[2] > 1 ? m->stride[2] : 0,
        m->dim[3] > 1 ? m->stride[3] : 0 };
}

/* Keys j .. by queries i ..; 0 where there is no query: there are n of `lanes`. */
static inline void NAME(mask_tile)(
    const NAME(MaskRows) * m, int64_t i, int64_t n, int64_t lanes, int64_t j, int64_t keys, T *to)
{
    const T *from = m->at + i * m->row + j * m->column;
    if (m->row && m->column == 1) {
        NAME(transposed)(from, m->row, n, keys, NULL, to, lanes);
    } else {
        for (int64_t r = 0; r < keys; r++)
            for (int64_t c = 0; c < n; c++)
                to[r * lanes + c] = from[c * m->row + r * m->column];
    }
    for (int64_t r = 0; r < keys; r++) {
        CG_SIMD
        for (int64_t c = 0; c < n; c++)
            to[r * lanes + c] *= (T)LOG2_E;
        for (int64_t c = n; c < lanes; c++)
            to[r * lanes + c] = 0;
    }
}

/* Whether a query sees one of 16 keys. */
static inline bool NAME(mask_any)(const T *x, int64_t column)
{
    int any = 0;
    CG_PRAGMA_(omp simd reduction(| : any))
    for (int64_t c = 0; c < 16; c++)
        any |= x[c * column] != -(T)INFINITY;
    return any != 0;
}

/* Of keys [from, to) those that one of the n queries from i on sees, by whole sixteens, all between the first and the
 * last of them; none: from = to. */
static inline void NAME(mask_range)(const NAME(MaskRows) * m, int64_t i, int64_t n, int64_t *from, int64_t *to)
{
    int64_t begin = *to, end = *from;
    if (!m->at || begin - end < 16)
        return;
    for (int64_t q = i; q < (m->row ? i + n : i + 1); q++) {
        const T *x = m->at + q * m->row;
        int64_t j = *from;
        while (j < begin && j + 16 <= *to && !NAME(mask_any)(x + j * m->column, m->column))
            j += 16;
        begin = least(begin, j);
        j = *to;
        while (j > end && j - 16 >= *from && !NAME(mask_any)(x + (j - 16) * m->column, m->column))
            j -= 16;
        end = most(end, j);
    }
    *from = least(begin, end);
    *to = end;
}
