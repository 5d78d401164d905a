/* myname.c - a starting point, to be replaced. The functions here are a metric, the share of the reference's bytes that
 * the candidate has in the same place, and a statistic, the mean of the middle of a column. */
#include <cg/function.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Arguments are of the kinds that the signature names: text from a string or from tokens, as a row of an evaluation has
 * them. */
static CgValue *run_myname(CgSession *x, const CgValue *call, CgValue **args)
{
    char *candidate = cg_value_text(args[0]), *reference = cg_value_text(args[1]);
    if (!candidate || !reference) {
        free(candidate);
        free(reference);
        return cg_give_mistake(x, call, "these tokens are of no tokenizer: there is no text to compare");
    }
    size_t n = strlen(reference), m = strlen(candidate), same = 0;
    for (size_t i = 0; i < n && i < m; i++)
        same += candidate[i] == reference[i];
    free(candidate);
    free(reference);
    return cg_give_number(x, call, n ? (double)same / (double)n : m == 0);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static CgValue *run_middle(CgSession *x, const CgValue *call, CgValue **args)
{
    double share = 0, sum = 0;
    size_t n, kept = 0;
    const double *column = cg_value_numbers(args[0], &n);
    cg_value_number(args[1], &share);
    if (!(share >= 0 && share < 0.5))
        return cg_give_mistake(x, call, "share is from 0 up to, not including, 0.5, and not %g", share);
    double *sorted = malloc(sizeof *sorted * (n + 1));
    for (size_t i = 0; sorted && i < n; i++)
        if (!isnan(column[i])) /* a missing one */
            sorted[kept++] = column[i];
    if (!sorted)
        return cg_give_mistake(x, call, "there is no memory");
    qsort(sorted, kept, sizeof *sorted, by_size);
    size_t cut = (size_t)((double)kept * share);
    for (size_t i = cut; i < kept - cut; i++)
        sum += sorted[i];
    free(sorted);
    return cg_give_number(x, call, kept ? sum / (double)(kept - 2 * cut) : NAN);
}

static const CgFunction fn_myname = {
    CG_FUNCTION_HERE, /* raise .version behind it when the result changes */
    .name = "myname", .sig = "(candidate: tokens | str, reference: tokens | str) -> float",
    .doc = "The share of the reference's bytes that the candidate has in the same place. Two empty texts have 1.",
    .run = run_myname, .traits = CG_ROW, /* a metric: may be called for each row of an evaluation */
};

static const CgFunction fn_middle = {
    CG_FUNCTION_HERE,
    .name = "myname_mean",
    .sig = "(x: column, share: float = 0.1) -> float",
    .doc = "The mean without the share of the smallest numbers and that of the largest ones (a trimmed mean).",
    .run = run_middle,
};

CG_FUNCTIONS(myname, &fn_myname, &fn_middle)
