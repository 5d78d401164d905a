/* sample.c - are tokens drawn with the probabilities that the options say?
 * Takes logits whose exact distribution is computed here, by sorting; prints TAP. Accuses src/run/sample.c. */
#include "run/sample.h"

#include <math.h>
#include <stdlib.h>

#include "tap.h"

enum { VOCAB = 23, DRAWS = 40000 };

static const float logits[VOCAB] = { 0.25f, -1.5f, 2.125f, 0.75f, -0.375f, 1.625f, -3.0f, 0.0f, 1.25f, -INFINITY, 0.5f,
    -2.25f, 1.875f, 0.125f, -0.75f, 2.0f, -1.0f, 0.875f, 1.0f, -0.125f, -4.0f, 0.625f, 1.5f };

/* The probabilities by the definition: most to least likely, each option of what the one before left. */
static void exact(const CgSampling *how, const unsigned char *seen, double *p)
{
    int order[VOCAB], n = VOCAB;
    double logit[VOCAB], sum = 0;
    for (int i = 0; i < VOCAB; i++) {
        logit[i] = (double)logits[i];
        if (seen && seen[i])
            logit[i] = logit[i] > 0 ? logit[i] / how->repetition : logit[i] * how->repetition;
        order[i] = i;
        sum += p[i] = exp(logit[i] / how->temperature);
    }
    for (int i = 1; i < VOCAB; i++)
        for (int k = i; k > 0 && p[order[k]] > p[order[k - 1]]; k--) {
            int swap = order[k];
            order[k] = order[k - 1];
            order[k - 1] = swap;
        }
    if (how->top_k > 0 && how->top_k < n) {
        n = (int)how->top_k;
        sum = 0;
        for (int i = 0; i < n; i++)
            sum += p[order[i]];
    }
    double reached = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (reached >= how->top_p * sum || p[order[i]] < how->min_p * p[order[0]]))
            n = i;
        else
            reached += p[order[i]];
    }
    for (int i = 0; i < VOCAB; i++)
        p[order[i]] = i < n ? p[order[i]] / reached : 0;
}

/* Pearson's statistic of DRAWS draws against the exact probabilities: above its bound once in 10^6 such tests. */
static void drawn(const char *name, CgSampling how, const unsigned char *seen)
{
    double p[VOCAB], chi = 0;
    int count[VOCAB] = { 0 }, kinds = 0;
    bool outside = false;
    exact(&how, seen, p);
    CgSampler *s = cg_sampler_new(&how, VOCAB);
    for (int i = 0; i < DRAWS; i++)
        count[cg_sample(s, logits, seen, (uint64_t)(i % 7), (uint64_t)(i / 7))]++;
    for (int i = 0; i < VOCAB; i++) {
        double want = p[i] * DRAWS;
        outside |= p[i] == 0 && count[i];
        kinds += p[i] > 0;
        if (p[i] > 0)
            chi += (count[i] - want) * (count[i] - want) / want;
    }
    double k = kinds - 1, z = 4.75; /* Wilson and Hilferty 1931 */
    double bound = k > 0 ? k * pow(1 - 2 / (9 * k) + z * sqrt(2 / (9 * k)), 3) : 0;
    tap_ok(!outside && chi <= bound, "%s: %d tokens, chi square %.1f of at most %.1f", name, kinds, chi, bound);
    cg_sampler_free(s);
}

static void same_again(void)
{
    CgSampling how = { .temperature = 0.875, .top_p = 0.9375, .repetition = 1, .seed = 11 };
    CgSampler *a = cg_sampler_new(&how, VOCAB), *b = cg_sampler_new(&how, VOCAB);
    int equal = 0, other = 0, row = 0;
    for (int i = 0; i < 1000; i++)
        (void)cg_sample(b, logits, NULL, 3, (uint64_t)(1000 - i)); /* what was drawn before does not matter */
    how.seed = 12;
    CgSampler *c = cg_sampler_new(&how, VOCAB);
    for (int i = 0; i < 1000; i++) {
        int32_t id = cg_sample(a, logits, NULL, 2, (uint64_t)i);
        equal += id == cg_sample(b, logits, NULL, 2, (uint64_t)i);
        other += id == cg_sample(c, logits, NULL, 2, (uint64_t)i);
        row += id == cg_sample(b, logits, NULL, 5, (uint64_t)i);
    }
    tap_ok(equal == 1000, "a draw is a function of seed, row and place");
    tap_ok(other < 400 && row < 400, "another seed (%d alike) or row (%d) draws others", other, row);
    cg_sampler_free(a);
    cg_sampler_free(b);
    cg_sampler_free(c);
}

static void likeliest(void)
{
    CgSampling how = { .repetition = 1 };
    float equal[5] = { 1.5f, 2.75f, -3, 2.75f, 0 }, none[3] = { 0.5f, NAN, 1 }, open[3] = { 0.5f, INFINITY, 1 };
    unsigned char seen[5] = { 0, 1, 0, 1, 0 };
    CgSampler *s = cg_sampler_new(&how, 5), *few = cg_sampler_new(&how, 3);
    tap_ok(cg_sample(s, equal, NULL, 0, 0) == 1, "of equal logits the lowest id is the likeliest");
    tap_ok(cg_sample(few, none, NULL, 0, 0) == -1 && cg_sample(few, open, NULL, 0, 0) == -1,
        "of logits that are none no token is chosen");
    cg_sampler_free(s);
    how.repetition = 2.5;
    s = cg_sampler_new(&how, 5);
    tap_ok(cg_sample(s, equal, seen, 0, 0) == 0, "what was said is less likely");
    cg_sampler_free(s);
    cg_sampler_free(few);
    how = (CgSampling){ .temperature = 1e-300, .repetition = 1 };
    s = cg_sampler_new(&how, VOCAB);
    int best = 0;
    for (int i = 0; i < 100; i++)
        best += cg_sample(s, logits, NULL, 0, (uint64_t)i) == 2;
    tap_ok(best == 100, "a temperature near 0 draws the likeliest");
    cg_sampler_free(s);
}

int main(void)
{
    unsigned char seen[VOCAB] = { [2] = 1, [6] = 1, [12] = 1, [15] = 1 };
    drawn("temperature 1", (CgSampling){ .temperature = 1, .top_p = 1, .repetition = 1, .seed = 1 }, NULL);
    drawn("temperature 0.625", (CgSampling){ .temperature = 0.625, .top_p = 1, .repetition = 1, .seed = 2 }, NULL);
    drawn("temperature 3", (CgSampling){ .temperature = 3, .top_p = 1, .repetition = 1, .seed = 3 }, NULL);
    drawn("top_k 7", (CgSampling){ .temperature = 1, .top_k = 7, .top_p = 1, .repetition = 1, .seed = 4 }, NULL);
    drawn("top_k of all", (CgSampling){ .temperature = 1, .top_k = 90, .top_p = 1, .repetition = 1, .seed = 5 }, NULL);
    drawn("top_p 0.8", (CgSampling){ .temperature = 1, .top_p = 0.8, .repetition = 1, .seed = 6 }, NULL);
    drawn("top_p 1e-9", (CgSampling){ .temperature = 1, .top_p = 1e-9, .repetition = 1, .seed = 7 }, NULL);
    drawn("min_p 0.25", (CgSampling){ .temperature = 1, .top_p = 1, .min_p = 0.25, .repetition = 1, .seed = 8 }, NULL);
    drawn("top_k 12, top_p 0.7, min_p 0.3",
        (CgSampling){ .temperature = 1.25, .top_k = 12, .top_p = 0.7, .min_p = 0.3, .repetition = 1, .seed = 9 }, NULL);
    drawn("repetition 1.75", (CgSampling){ .temperature = 1, .top_p = 1, .repetition = 1.75, .seed = 10 }, seen);
    same_again();
    likeliest();
    return tap_done();
}
