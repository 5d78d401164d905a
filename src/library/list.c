/* list.c - functions of lists that are known while the script is checked.
 * Takes lists of numbers, strings or any values; gives a value at once. A tensor where a list of numbers may stand goes
 * to the op of the same name. */
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "library/library.h"
#include "table/stats.h"

/* An element that only the run will know has no place in an order. */
static bool all_known(CgElab *e, const CgArguments *a)
{
    const CgValue *xs = a->at[0];
    for (int i = 0; i < xs->n; i++)
        if (xs->at[i]->kind == CG_VALUE_CALL) {
            cg_elab_error(e, CG_E0312, a->span[0], "element %d is known only when the script runs", i);
            return false;
        }
    return true;
}

static int compare(const CgValue *a, const CgValue *b)
{
    return a->kind == CG_VALUE_STR ? strcmp(a->s, b->s) : cg_number_compare(a, b);
}

bool cg_no_axis(CgElab *e, const CgArguments *a)
{
    if (a->at[1]->kind == CG_VALUE_NONE)
        return true;
    bool list = a->at[0]->kind == CG_VALUE_LIST;
    if (!cg_is_poison(a->at[1]))
        cg_elab_error(e, CG_E0312, a->span[1], "a %s has no axes; '%s' goes over its %s", list ? "list" : "column",
            a->function->name, list ? "elements" : "rows");
    return false;
}

CgValue *cg_list_sum(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgValue *sum = cg_value_int(e, 0, a->call);
    if (!cg_no_axis(e, a) || !all_known(e, a))
        return cg_value_poison(e);
    for (int i = 0; i < a->at[0]->n && !cg_is_poison(sum); i++)
        sum = cg_number_binary(e, f, "+", sum, a->at[0]->at[i], a->site);
    return sum;
}

static CgValue *extreme(CgElab *e, CgFrame *f, const CgArguments *a, int sign)
{
    CgValue *xs = a->at[0];
    if (xs->kind == CG_VALUE_TENSOR) {
        CgValue *args[2] = { xs, a->at[1] };
        CgAtom names[2] = { NULL, cg_intern("axis") };
        CgSpan spans[2] = { a->span[0], a->span[1] };
        bool in_order = a->site && a->site->args.n == 2 && a->site->args.at[1].value == a->written[1];
        CgExpr site = { .kind = CG_EXPR_CALL, .span = a->call, .a = a->site ? a->site->a : NULL };
        return cg_op_call(e, f, cg_op_get(a->function->name), args, names, spans,
            a->at[1]->kind == CG_VALUE_NONE ? 1 : 2, in_order ? a->site : &site);
    }
    if (!cg_no_axis(e, a))
        return cg_value_poison(e);
    if (xs->kind != CG_VALUE_LIST)
        return cg_function_later(e, a, 0);
    if (xs->n == 0) {
        cg_elab_error(e, CG_E0309, a->span[0], "'%s' of a list without elements", a->function->name);
        return cg_value_poison(e);
    }
    if (!all_known(e, a))
        return cg_value_poison(e);
    CgValue *best = xs->at[0];
    for (int i = 1; i < xs->n; i++)
        if (sign * compare(xs->at[i], best) < 0)
            best = xs->at[i];
    return best;
}

static CgValue *build_min(CgElab *e, CgFrame *f, const CgArguments *a) { return extreme(e, f, a, 1); }
static CgValue *build_max(CgElab *e, CgFrame *f, const CgArguments *a) { return extreme(e, f, a, -1); }

static CgValue *run_min(CgSession *x, const CgValue *c, CgValue **a) { return cg_statistic(x, c, a, cg_stats_least); }
static CgValue *run_max(CgSession *x, const CgValue *c, CgValue **a) { return cg_statistic(x, c, a, cg_stats_most); }

/* By merging, so that equal elements keep their order. */
static void sort(CgValue **at, CgValue **spare, int n)
{
    if (n < 2)
        return;
    int half = n / 2;
    sort(at, spare, half);
    sort(at + half, spare, n - half);
    memcpy(spare, at, sizeof *at * (size_t)n);
    for (int i = 0, k = half, out = 0; out < n; out++)
        at[out] = k == n || (i < half && compare(spare[i], spare[k]) <= 0) ? spare[i++] : spare[k++];
}

static CgValue *build_sorted(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    CgValue *xs = a->at[0], *out = cg_value_list(e, xs->n, a->call);
    if (!all_known(e, a))
        return cg_value_poison(e);
    for (int i = 1; i < xs->n; i++)
        if ((xs->at[i]->kind == CG_VALUE_STR) != (xs->at[0]->kind == CG_VALUE_STR)) {
            cg_elab_error(e, CG_E0312, a->span[0], "numbers and strings have no common order");
            return cg_value_poison(e);
        }
    memcpy(out->at, xs->at, sizeof *xs->at * (size_t)xs->n);
    sort(out->at, CG_NEWN(e->arena, CgValue *, xs->n + 1), xs->n);
    return out;
}

static CgValue *build_zip(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    int lists = a->at[2]->kind == CG_VALUE_NONE ? 2 : 3, n = a->at[0]->n;
    CgValue *out = cg_value_list(e, n, a->call);
    for (int k = 1; k < lists; k++)
        if (a->at[k]->n != n) {
            cg_elab_error(e, CG_E0318, a->span[k], "a list of %d beside one of %d", a->at[k]->n, n);
            return cg_value_poison(e);
        }
    for (int i = 0; i < n; i++) {
        out->at[i] = cg_value_list(e, lists, a->call);
        for (int k = 0; k < lists; k++)
            out->at[i]->at[k] = a->at[k]->at[i];
    }
    return out;
}

static CgValue *build_fold(CgElab *e, CgFrame *f, const CgArguments *a)
{
    CgValue *v = a->at[2];
    CgExpr site = { .kind = CG_EXPR_CALL, .span = a->call, .a = a->site->a };
    for (int i = 0; i < a->at[1]->n && !cg_is_poison(v); i++) {
        CgValue *args[2] = { v, a->at[1]->at[i] };
        CgAtom names[2] = { NULL, NULL };
        CgSpan spans[2] = { a->call, a->span[1] };
        v = cg_call(e, f, a->at[0], args, names, spans, 2, &site);
    }
    return v;
}

static const CgFunction fn_min = { CG_FUNCTION_HERE, .name = "min",
    .sig = "(x: tensor | column | int[] | float[], axis: axis = none) -> tensor | int | float", .build = build_min,
    .run = run_min,
    .doc = "The least number of a list, or of a tensor over an axis, a list of axes or all; of a column." };
static const CgFunction fn_max = { CG_FUNCTION_HERE, .name = "max",
    .sig = "(x: tensor | column | int[] | float[], axis: axis = none) -> tensor | int | float", .build = build_max,
    .run = run_max,
    .doc = "The greatest number of a list, or of a tensor over an axis, a list of axes or all; of a column." };
static const CgFunction fn_sorted = { CG_FUNCTION_HERE, .name = "sorted",
    .sig = "(list: int[] | float[] | str[]) -> list", .build = build_sorted,
    .doc = "A list of numbers or strings in ascending order: sorted([3, 1, 2])." };
static const CgFunction fn_zip = { CG_FUNCTION_HERE, .name = "zip",
    .sig = "(a: list, b: list, c: list | none = none) -> list", .build = build_zip,
    .doc = "Lists of the same length, element by element: zip([1, 2], [\"a\", \"b\"]) is [[1, \"a\"], [2, \"b\"]]." };
static const CgFunction fn_fold = { CG_FUNCTION_HERE, .name = "fold",
    .sig = "(f: graph, list: list, from: any) -> any", /* any: whatever f takes and gives */
    .build = build_fold, .doc = "f(.. f(f(from, list[0]), list[1]) ..): a list drawn together from the left." };

CG_FUNCTIONS(lists, &fn_min, &fn_max, &fn_sorted, &fn_zip, &fn_fold)
