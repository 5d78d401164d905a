/* dim.c - are sizes equal exactly when they should be, and do division, solving, limits and text work?
 * Takes nothing; prints TAP. Accuses src/graph/dim.c, type.c and attr.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/dim.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

static const CgDim *d(const char *text)
{
    const CgDim *made = cg_dim_parse(&text);
    return *text ? NULL : made;
}

static bool prints(const CgDim *dim, const char *text)
{
    CgStrbuf out = { 0 };
    cg_dim_print(dim, &out);
    bool same = !strcmp(cg_strbuf_str(&out), text);
    if (!same)
        printf("# got %s, expected %s\n", cg_strbuf_str(&out), text);
    cg_strbuf_deinit(&out);
    return same;
}

static void algebra(void)
{
    ok(d("B*T + 3*K") == d("K*2 + T*B + K"), "order and grouping do not matter");
    ok(d("(T + K)*(T - K)") == d("T*T - K*K"), "products multiply out");
    ok(d("T - T") == cg_dim_int(0), "what cancels is gone");
    ok(d("T + K") != d("T - K"), "different sizes differ");
    ok(d("7*11") == cg_dim_int(77) && cg_dim_is_int(d("7*11"), NULL), "numbers are numbers");
    ok(cg_dim_div(d("T*T - K*K"), d("T + K")) == d("T - K"), "exact division by a sum");
    ok(cg_dim_div(d("12*B*heads*K"), d("4*heads")) == d("3*B*K"), "exact division by a monomial");
    ok(!cg_dim_div(d("T*T + K*K"), d("T + K")), "inexact division is refused");
    ok(!cg_dim_div(d("3*T"), d("2")), "half of an odd multiple is refused");
    ok(!cg_dim_div(d("T"), cg_dim_int(0)), "division by zero is refused");
    ok(cg_dim_at_most(d("T - 1"), d("T")) && cg_dim_at_most(d("T"), d("2*T + B*K")) && cg_dim_at_most(d("7"), d("7")),
        "at most, for all sizes");
    ok(!cg_dim_at_most(d("T"), d("B")) && !cg_dim_at_most(d("T"), d("T - 1")) && !cg_dim_at_most(NULL, d("T"))
            && !cg_dim_at_most(d("2*T"), d("T + 7")),
        "not at most, or not for all sizes");
    ok(cg_dim_div(cg_dim_int(0), d("T")) == cg_dim_int(0), "zero divides");
    ok(cg_dim_subst(d("T*T + K*T + 5"), cg_intern("T"), d("K - 1")) == d("2*K*K - 3*K + 6"), "substitution");
    ok(cg_dim_mentions(d("B*slots + 1"), cg_intern("slots")) && !cg_dim_mentions(d("B*slots"), cg_intern("slot")),
        "mentions");
}

static void solving(void)
{
    ok(cg_dim_solve(d("heads*K"), cg_intern("K"), d("heads*64")) == d("64"), "heads*K = heads*64");
    ok(cg_dim_solve(d("4*K + 1"), cg_intern("K"), d("8*N + 5")) == d("2*N + 1"), "4*K + 1 = 8*N + 5");
    ok(!cg_dim_solve(d("heads*K"), cg_intern("K"), d("heads*64 + 1")), "no exact solution");
    ok(!cg_dim_solve(d("K*K"), cg_intern("K"), d("49")), "only linear patterns are solved");
    ok(!cg_dim_solve(d("B"), cg_intern("K"), d("49")), "a pattern without the symbol has no solution");
    ok(cg_dim_solve(d("K"), cg_intern("K"), d("K")) == d("K"), "K = K");
}

static void limits(void)
{
    const CgDim *big = cg_dim_int(INT64_C(1) << 47);
    ok(!cg_dim_mul(big, cg_dim_int(5)) && !cg_dim_add(cg_dim_add(big, big), cg_dim_int(1)),
        "numbers past 2^48 are NULL");
    ok(!cg_dim_mul(cg_dim_mul(big, d("T")), cg_dim_mul(big, d("K"))), "coefficients past 2^48 are NULL");
    ok(!cg_dim_add(NULL, d("T")) && !cg_dim_mul(d("T"), NULL) && !cg_dim_sub(NULL, NULL), "NULL stays NULL");
    ok(!cg_dim_int(INT64_MIN), "the smallest integer is NULL");
    const CgDim *power = d("T");
    for (int i = 0; power && i < 20; i++)
        power = cg_dim_mul(power, d("T"));
    ok(!power, "degrees past 16 are NULL");
    CgBinding at[2] = { { cg_intern("T"), 1009 }, { cg_intern("K"), 97 } };
    CgBindings with = { at, 2 };
    int64_t v = 0;
    CgAtom missing = NULL;
    ok(cg_dim_eval(d("T*K - 2*K + 3"), with, &v, &missing) && v == 1009 * 97 - 2 * 97 + 3, "evaluation");
    ok(!cg_dim_eval(d("T*slots"), with, &v, &missing) && missing == cg_intern("slots"), "the missing symbol is named");
    at[0].value = INT64_C(1) << 47;
    ok(!cg_dim_eval(d("T*K"), with, &v, &missing) && !missing, "evaluation past 2^48 is refused");
}

static void text(void)
{
    ok(prints(d("1 + K*4"), "4*K + 1"), "prints 4*K + 1");
    ok(prints(d("T - K"), "T - K") && prints(d("0 - K"), "-K") && prints(cg_dim_int(0), "0"), "prints signs");
    static const char *const all[] = { "4*K + 1", "B*T", "T - K - 7", "-K", "2*B*T*T + K", "x.y'#1", "0" };
    bool same = true;
    for (size_t i = 0; i < CG_LEN(all); i++)
        same &= d(all[i]) && prints(d(all[i]), all[i]);
    ok(same, "text reads back");
    static const char *const bad[] = { "", "+", "4*", "3K", "(T", "T)", "T + ", "T / 2", "[" };
    for (size_t i = 0; i < CG_LEN(bad); i++)
        if (d(bad[i]))
            ok(false, bad[i]);
    char deep[4001];
    memset(deep, '(', 4000);
    deep[4000] = 0;
    ok(!d(deep), "depth is limited");
}

static void types(void)
{
    CgType t, u;
    CgStrbuf out = { 0 };
    ok(cg_type_parse("f32[B, 4*K]", &t) && t.dtype == CG_F32 && t.rank == 2 && t.dim[1] == d("4*K"), "reads a type");
    cg_type_print(&t, &out);
    ok(!strcmp(cg_strbuf_str(&out), "f32[B, 4*K]"), "prints a type");
    ok(cg_type_parse("bool", &u) && u.rank == 0 && u.dtype == CG_BOOL, "reads a scalar");
    ok(!cg_type_equal(&t, &u), "types differ");
    ok(!cg_type_parse("F[..]", &u) && !cg_type_parse("f32[B", &u) && !cg_type_parse("f8[B]", &u)
            && !cg_type_parse("f32[B] x", &u) && !cg_type_parse("f32[1,2,3,4,5,6,7,8,9]", &u),
        "refuses what is no type");
    cg_strbuf_deinit(&out);
}

static void attrs(void)
{
    int64_t axes[2] = { 2, 0 };
    CgAttr x[3] = { cg_a_int("k", 3), cg_a_float("eps", 2.385e-6), cg_a_ints("axes", 2, axes) };
    CgAttr y[3] = { x[2], x[0], x[1] };
    y[1].f = 99; /* not used by an INT */
    ok(cg_attrs(3, x) == cg_attrs(3, y), "order and unused fields do not matter");
    CgAttr z = cg_a_float("eps", 0.0), w = cg_a_float("eps", -0.0), nan = cg_a_float("eps", NAN);
    ok(cg_attrs(1, &z) != cg_attrs(1, &w) && cg_attrs(1, &nan) == cg_attrs(1, &nan), "floats are compared by bits");
    const CgAttrs *a = cg_attrs(3, x);
    ok(cg_attr_int(a, "k", 0) == 3 && cg_attr_float(a, "k", 0) == 3.0 && cg_attr_float(a, "eps", 0) == 2.385e-6
            && cg_attr_int(a, "none", -7) == -7 && !cg_attr_find(NULL, "k") && !cg_attrs(0, NULL),
        "lookup");
    ok(!strcmp(a->at[0].name, "axes") && !strcmp(a->at[1].name, "eps"), "sorted by name");
}

int main(void)
{
    algebra();
    solving();
    limits();
    text();
    types();
    attrs();
    printf("1..%d\n", count);
    return failed != 0;
}
