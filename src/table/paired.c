/* paired.c - are two columns different, row by row?
 * Takes two columns and a test; gives its p, and p-values corrected for how many there are. Must not know any test:
 * they are found by their entries. A test gives no p where there is no difference to test: then it is NAN and the
 * result says why. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/stats.h"

#define X(test) extern const CgTestMethod cg_paired_test_entry_##test;
#include "entries/paired_test.def"
#undef X
static const CgTestMethod *const entries[] = {
#define X(test) &cg_paired_test_entry_##test,
#include "entries/paired_test.def"
#undef X
};

const CgTestMethod *cg_test_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(entries); i++) {
        if (!strcmp(entries[i]->name, name))
            return entries[i];
    }
    return NULL;
}

CgTest cg_stats_test(const CgTestMethod *m, const double *a, const double *b, size_t n, uint64_t seed)
{
    double *d = cg_malloc(sizeof *d * (n + 1));
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(a[i]) && !isnan(b[i]))
            d[left++] = cg_stats_difference(a[i], b[i]);
    }
    CgTest t = left ? m->run(d, left, seed) : cg_test_undefined(NAN, 0, "there are no pairs");
    free(d);
    return t;
}

/* ---- many tests ----------------------------------------------------------------------------------------- */

void cg_stats_holm(double *p, size_t n)
{
    size_t tests_left = 0;
    double most = 0;
    bool *done = cg_calloc(n + 1, sizeof *done);
    for (size_t i = 0; i < n; i++)
        tests_left += isnan(p[i]) ? 0 : 1;
    while (tests_left > 0) {
        size_t least = n;
        for (size_t i = 0; i < n; i++) {
            if (!done[i] && !isnan(p[i]) && (least == n || p[i] < p[least]))
                least = i;
        }
        most = fmax(most, fmin(1, p[least] * (double)tests_left--));
        done[least] = true;
        p[least] = most;
    }
    free(done);
}
