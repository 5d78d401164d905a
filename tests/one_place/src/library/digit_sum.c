/* digit_sum.c - the sum of the digits of a number.
 * Takes an integer; gives one. */
#include "library/library.h"

static CgValue *build(CgElab *e, CgFrame *f, const CgArguments *a)
{
    int64_t sum = 0;
    (void)f;
    for (int64_t n = a->at[0]->i; n; n /= 10)
        sum += n % 10;
    return cg_value_int(e, sum, a->call);
}

static const CgFunction fn_digit_sum = { CG_FUNCTION_HERE, .name = "digit_sum", .sig = "(n: int) -> int",
    .build = build, .doc = "The sum of the digits of a number." };

CG_FUNCTIONS(digit_sum, &fn_digit_sum)
