/* sample.c - one token out of logits.
 * Takes logits; gives an id, the likeliest or drawn. Ids are ordered only as far as anything asks: by a heap from which
 * the likeliest are taken until top_k, top_p or min_p ends it. */
#include "run/sample.h"

#include <math.h>
#include <stdlib.h>

#include <cg/kernel.h>

#include "base/base.h"

enum { STREAM = 0x67656e };

struct CgSampler {
    CgSampling how;
    int64_t vocab;
    double *logit, *weight; /* (vocab); weight: exp((logit - the largest) / temperature) */
    int32_t *order;         /* (vocab) ids: from the end those taken, the first one last; before them the heap */
};

CgSampler *cg_sampler_new(const CgSampling *how, int64_t vocab)
{
    CgSampler *s = cg_calloc(1, sizeof *s);
    *s = (CgSampler){ .how = *how, .vocab = vocab };
    s->logit = cg_malloc(sizeof *s->logit * (size_t)(vocab + 1));
    s->weight = cg_malloc(sizeof *s->weight * (size_t)(vocab + 1));
    s->order = cg_malloc(sizeof *s->order * (size_t)(vocab + 1));
    return s;
}

void cg_sampler_free(CgSampler *s)
{
    if (!s)
        return;
    free(s->logit);
    free(s->weight);
    free(s->order);
    free(s);
}

static bool before(const CgSampler *s, int32_t a, int32_t b)
{
    return s->logit[a] > s->logit[b] || (s->logit[a] == s->logit[b] && a < b);
}

/* Restores the heap order of n ids from position i downwards. */
static void sink(CgSampler *s, int64_t i, int64_t n)
{
    for (int64_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && before(s, s->order[k + 1], s->order[k]))
            k++;
        if (!before(s, s->order[k], s->order[i]))
            return;
        int32_t id = s->order[i];
        s->order[i] = s->order[k];
        s->order[k] = id;
    }
}

/* The likeliest id of a heap of n goes behind it. */
static int32_t take(CgSampler *s, int64_t n)
{
    int32_t id = s->order[0];
    s->order[0] = s->order[n - 1];
    s->order[n - 1] = id;
    sink(s, 0, n - 1);
    return id;
}

/* How many of the likeliest are kept, at the end of `order`; *sum is the sum of their weights. */
static int64_t keep_likeliest(CgSampler *s, double all, double *sum)
{
    const CgSampling *h = &s->how;
    int64_t vocab = s->vocab, taken = 0, left = 0;
    int64_t most = h->top_k > 0 && h->top_k < vocab ? h->top_k : vocab;
    for (int64_t i = 0; i < vocab; i++)
        s->order[i] = (int32_t)i;
    for (int64_t i = vocab / 2; i-- > 0;)
        sink(s, i, vocab);
    if (most < vocab)
        for (all = 0; taken < most; taken++)
            all += s->weight[take(s, vocab - taken)];
    for (*sum = 0; left < most && (left == 0 || h->top_p >= 1 || *sum < h->top_p * all); left++) {
        if (left == taken)
            take(s, vocab - taken++);
        double weight = s->weight[s->order[vocab - 1 - left]];
        if (left > 0 && weight < h->min_p)
            break;
        *sum += weight;
    }
    return left;
}

static int32_t draw(CgSampler *s, double most, uint64_t row, uint64_t position)
{
    const CgSampling *h = &s->how;
    double all = 0;
    for (int64_t i = 0; i < s->vocab; i++)
        all += s->weight[i] = exp((s->logit[i] - most) / h->temperature);
    bool some = (h->top_k > 0 && h->top_k < s->vocab) || h->top_p < 1 || h->min_p > 0;
    int64_t n = some ? keep_likeliest(s, all, &all) : s->vocab;
    uint32_t bits[2];
    cg_random_bits(h->seed, STREAM, position, row * 2, 2, bits);
    double at = (double)(((uint64_t)bits[0] << 32 | bits[1]) >> 11) * 0x1p-53 * all;
    int32_t id = -1;
    for (int64_t i = 0; i < n; i++) {
        int32_t next = some ? s->order[s->vocab - 1 - i] : (int32_t)i;
        if (s->weight[next] == 0)
            continue;
        id = next;
        if ((at -= s->weight[next]) < 0)
            break;
    }
    return id;
}

int32_t cg_sample(CgSampler *s, const float *logits, const uint8_t *seen, uint64_t row, uint64_t position)
{
    double most = -INFINITY;
    int32_t best = -1;
    for (int64_t i = 0; i < s->vocab; i++) {
        double x = (double)logits[i];
        if (seen && seen[i])
            x = x > 0 ? x / s->how.repetition : x * s->how.repetition;
        if (isnan(x))
            return -1;
        s->logit[i] = x;
        if (x > most) {
            most = x;
            best = (int32_t)i;
        }
    }
    if (!isfinite(most))
        return -1;
    return s->how.temperature > 0 ? draw(s, most, row, position) : best;
}
